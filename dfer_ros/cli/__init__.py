"""The `dfer` command: one file a subcommand."""
