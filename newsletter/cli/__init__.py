"""The command line: one file per noun; a command is options, one use case, one printed result."""
