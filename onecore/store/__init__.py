"""State on disk: the only package of the library that speaks SQL."""
