"""What people can ask for. The command line and the REST API are two doors to these functions."""
