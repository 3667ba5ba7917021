"""Finds free loopback ports that stay usable across restarts of the server on them."""

import os
import socket
from pathlib import Path

LOWEST = 20_000
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_ports(count: int) -> list[int]:
    """Return `count` loopback ports on which nothing listens.

    They lie below the system's range of ephemeral ports. From that range, a client that retries while the server is down can
    draw the server's port itself: it then connects to itself, and the server cannot bind. Raises OSError if no port is free.
    """
    highest = int(_EPHEMERAL.read_text().split()[0]) if _EPHEMERAL.exists() else 32_768
    span = max(highest - LOWEST, 1_000)
    first = os.getpid() * 31 % span  # processes that start at once probe different ports
    ports: list[int] = []
    for step in range(span):
        port = LOWEST + (first + step) % span
        if _is_free(port):
            ports.append(port)
        if len(ports) == count:
            return ports
    raise OSError("No loopback port is free: stop a server and try again.")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
