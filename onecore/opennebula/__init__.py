"""OpenNebula over XML-RPC: every call that we make, what it answers, and what the states of its VMs mean."""
