"""Creates, scales, repairs and removes provisions: clusters of hosts with their datastores and networks."""
