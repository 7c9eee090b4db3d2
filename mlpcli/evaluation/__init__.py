"""Evaluation: a model's metrics on labelled examples, and the gates they must pass."""
