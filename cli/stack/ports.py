"""The ports of `jiesu up`: fixed, so that addresses stay the same from day to day, and each can be set."""

import socket
from collections.abc import Iterable, Mapping, Sequence

from click import ClickException

from deploy.embedded.ports import free_ports

# Below the ephemeral range, from which a client that retries could draw a server's port, and below the ports of `free_ports`.
DEFAULT_PORTS: Mapping[str, int] = {
    "broker": 19092,
    "controller": 19093,
    "intake": 18101,
    "triage": 18102,
    "sla": 18103,
    "notify": 18104,
    "desk": 18105,
    "smtp": 18125,
    "sms": 18126,
    "prometheus": 19090,
}
_HIGHEST = 65_535
_FORM = "NAME=PORT, such as sla=8103; names are {names}"


def parse_ports(options: Iterable[str]) -> dict[str, int]:
    """The ports of `NAME=PORT` options, 0 for any free one; raises `ClickException` for what cannot be a port."""
    ports: dict[str, int] = {}
    for option in options:
        name, mark, number = option.strip().partition("=")
        if not mark or name not in DEFAULT_PORTS:
            raise ClickException(f"--port (JIESU_UP_PORTS): write {_FORM.format(names=', '.join(DEFAULT_PORTS))}")
        if not (number.isascii() and number.isdecimal()) or int(number) > _HIGHEST:
            raise ClickException(
                f"--port (JIESU_UP_PORTS): the port of {name} must be a number from 1 to {_HIGHEST}, or 0 for any free one"
            )
        ports[name] = int(number)
    return ports


def choose_ports(chosen: Mapping[str, int], needed: Sequence[str], *, free: bool) -> dict[str, int]:
    """A port for each name: the chosen one, else the default one, or with `free` any free one.

    Raises `ClickException` for a port that two names share, or that cannot be listened on.
    """
    wanted = {name: chosen.get(name, 0 if free else DEFAULT_PORTS[name]) for name in needed}
    owners: dict[int, str] = {}
    for name, port in wanted.items():
        if port and owners.setdefault(port, name) != name:
            raise ClickException(f"--port: {owners[port]} and {name} have the same port {port}: give one of them another")
    for name, port in wanted.items():
        if port and (trouble := _trouble(port)):
            raise ClickException(f"port {port} of {name} {trouble}: choose another (--port {name}=PORT), or any free ones (--free-ports)")
    open_names = [name for name, port in wanted.items() if not port]
    # More than needed, as a chosen port may be among those that are found free.
    found = (port for port in free_ports(len(open_names) + len(owners)) if port not in owners)
    return wanted | dict(zip(open_names, found, strict=False))


def _trouble(port: int) -> str | None:
    """Why nothing can listen on the port; None when it is free."""
    with socket.socket() as probe:
        # As the servers do it: connections of the last run that linger in TIME_WAIT do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            return "needs the rights of root"
        except OSError:
            return "is in use"
    return None
