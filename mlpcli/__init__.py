"""Train multi-layer perceptrons from a shell: one YAML file in, one safe .npy file out."""

__version__ = "0.1.0"
