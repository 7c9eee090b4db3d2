"""The checkpoint: a model and its run as one safe file, saved, loaded and resumed."""
