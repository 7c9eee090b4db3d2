"""The search for a better configuration: what may be chosen, how it is judged, who chooses."""
