"""The subcommands: parse, assemble, show. Each imports what it drives when it runs."""
