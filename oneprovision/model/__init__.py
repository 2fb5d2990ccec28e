"""The pure part of provisions: values in, values out; no I/O, no clock, no randomness."""
