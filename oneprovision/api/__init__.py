"""OneForm over HTTP: the routes of spec/000, those of its first server, and those that came later."""
