"""Training: epochs of mini-batches, from where a run stands to where it ends."""
