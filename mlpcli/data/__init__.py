"""Datasets: where they come from, how files are read, how mini-batches are drawn from them."""
