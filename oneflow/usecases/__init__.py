"""What can be asked of OneFlow: one transaction each, behind the command line and the REST server alike."""
