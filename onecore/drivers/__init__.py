"""Everything about pm drivers: where they are, what they declare, how to call them, whether they conform."""
