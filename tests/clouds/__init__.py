"""Stateful doubles of the APIs of VPS providers, each a real HTTP server on loopback."""
