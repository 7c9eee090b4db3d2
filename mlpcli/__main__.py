"""`python -m mlpcli` is `mlp`."""

from mlpcli.cli.main import main

main()
