"""The command line of oneprovision: parse, ask a use case, print."""
