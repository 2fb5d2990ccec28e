"""Resources that cost money (machines, public addresses): records, decisions, and the loop that drives them.

Never leak, never create twice (DESIGN 5): an intent is on disk before a driver starts, an operation without
a result is unknown until it is resolved, and a record goes only after the provider confirmed the removal.
"""
