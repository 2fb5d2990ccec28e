"""How machines are made: by pm driver executables."""
