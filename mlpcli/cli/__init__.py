"""The command line: a file per subcommand, which parses, assembles and shows."""
