"""The command line parts every command shares: lazy groups, output, id lists, progress, the error edge."""
