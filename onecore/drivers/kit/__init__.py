"""What a driver in Python may import of us: the skeleton of its programs, and parts to speak with providers.

program       arguments in, answers out, errors between the markers
http          a JSON API: deadlines, shared limits, its own rule for repeating
pages         lists of many pages, read to their end
limiter       limits shared by all processes of this machine
memory        what a driver remembers of a machine between two calls
guest         orderly reboot and shutdown over SSH
waiting       ask again until something holds
values        typed looks into JSON
"""

from onecore.drivers.kit.program import Action, Call, Failed, main, read_deployment, run, serve

__all__ = ["Action", "Call", "Failed", "main", "read_deployment", "run", "serve"]
