"""VMs in an OpenNebula: what is asked of its server, and what is kept of its answers."""
