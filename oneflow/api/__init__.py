"""OneFlow over HTTP: the routes of spec/003, those that came later, and OneGate."""
