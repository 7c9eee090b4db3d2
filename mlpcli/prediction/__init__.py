"""Prediction: inputs of every kind, and the classes of their examples in every form."""
