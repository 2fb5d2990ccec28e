"""OneFlow: services made of roles of virtual machines, with an order, elasticity and schedules."""
