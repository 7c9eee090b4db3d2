"""The configuration: a YAML file becomes a validated Experiment."""
