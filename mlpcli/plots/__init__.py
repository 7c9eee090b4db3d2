"""Pictures of runs, networks and data, drawn by matplotlib (the extra `plot`)."""
