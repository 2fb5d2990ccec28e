"""The shared library of the suite: knows nothing of provisions or services."""
