"""Free loopback ports that outlive a restart of the server on them."""

import os
import socket
from pathlib import Path

LOWEST = 20_000
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_ports(count: int) -> list[int]:
    """Return `count` loopback ports on which nothing listens.

    They lie below the range from which the system draws ports for outgoing connections: clients that retry while a server
    is down would otherwise connect to themselves and keep the server from its port.
    """
    highest = int(_EPHEMERAL.read_text().split()[0]) if _EPHEMERAL.exists() else 32_768
    span = max(highest - LOWEST, 1_000)
    first = os.getpid() * 31 % span
    found: list[int] = []
    for step in range(span):
        port = LOWEST + (first + step) % span
        if _is_free(port):
            found.append(port)
        if len(found) == count:
            return found
    raise OSError("No loopback port is free: stop a server and try again.")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
