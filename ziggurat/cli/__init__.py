"""The `ziggurat` command: one module per group of commands, with its formatting. `main.main` is the entry point."""
