"""Looks at machines over SSH: does something answer, and how busy is the system."""

import socket
from collections.abc import Mapping

ANSWER_S = 3.0
# Two looks at the processor, so that the difference is what it does now.
FIGURES = (
    "head -n 1 /proc/stat; sleep 0.3; head -n 1 /proc/stat; grep -E '^Mem(Total|Available)' /proc/meminfo"
)


def answers(address: str, port: int) -> bool:
    """Whether an SSH server is there. Nobody logs in."""
    try:
        with socket.create_connection((address, port), ANSWER_S) as connection:
            connection.settimeout(ANSWER_S)
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def metrics(figures: str) -> Mapping[str, str]:
    """CPU in percent of all processors and MEMORY in KiB, as FIGURES printed them; nothing if that is odd."""
    lines = [line.split() for line in figures.splitlines()]
    try:
        first, second = ([int(word) for word in line[1:9]] for line in lines if line[:1] == ["cpu"])
        memory = {line[0]: int(line[1]) for line in lines if line[0].startswith("Mem")}
        passed = sum(second) - sum(first)
        idle = (second[3] + second[4]) - (first[3] + first[4])
        busy = 100.0 * (passed - idle) / passed if passed else 0.0
        used = memory["MemTotal:"] - memory["MemAvailable:"]
    except (ValueError, KeyError, IndexError):
        return {}
    return {"CPU": f"{busy:.1f}", "MEMORY": str(used)}
