"""What `mlp init` finds out of a file: how it is read so that it trains without further ado."""
