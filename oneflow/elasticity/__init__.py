"""When a role grows or shrinks, by how much and why: pure, values in and values out."""
