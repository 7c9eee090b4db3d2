"""The data: files, or a dataset known by name, become examples that a network can take."""
