"""The command line of OneFlow: `oneflow` and `oneflow-template`."""
