"""Datasets known by name: what they are, where they are fetched, how they are opened."""
