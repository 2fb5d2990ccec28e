"""Where virtual machines come from."""
