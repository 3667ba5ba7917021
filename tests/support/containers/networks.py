"""Networks of containers: a bridge each in a namespace of its own, so that no packet reaches this machine's network."""

import ctypes
import os
import shlex
import socket
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from subprocess import PIPE
from typing import TypeVar

from tests.support.containers.name_server import answer, bound_socket
from tests.support.containers.root_files import UNSHARE

T = TypeVar("T")
_NEW_NETWORK = 0x40000000
"""CLONE_NEWNET."""


class NetworkNamespace:
    """A network namespace that lasts as long as its holder, a process which ends with this one."""

    def __init__(self) -> None:
        # `cat` ends when the test's end of its pipe is closed, also by SIGKILL.
        self._holder = subprocess.Popen([UNSHARE, "--net", "/bin/sh", "-c", "echo ready; exec cat"], stdin=PIPE, stdout=PIPE)
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == b"ready\n"
        self.configure("link set lo up")

    @property
    def process_id(self) -> int:
        """Id of the process that holds the namespace."""
        return self._holder.pid

    @property
    def path(self) -> str:
        """File by which a process enters the namespace."""
        return f"/proc/{self._holder.pid}/ns/net"

    def configure(self, *commands: str) -> None:
        """Run commands of `ip` in the namespace."""
        for command in commands:
            subprocess.run(["nsenter", f"--net={self.path}", "ip", *shlex.split(command)], check=True, capture_output=True)

    def call(self, function: Callable[[], T]) -> T:
        """Run a function in a thread whose sockets are in the namespace."""
        results: list[T] = []
        errors: list[BaseException] = []

        def target() -> None:
            try:
                with Path(self.path).open() as handle:
                    _enter(handle.fileno())
                results.append(function())
            except Exception as error:  # noqa: BLE001 - raised again in the caller's thread
                errors.append(error)

        thread = threading.Thread(target=target)
        thread.start()
        thread.join()
        if errors:
            raise errors[0]
        return results[0]

    def close(self) -> None:
        """End the holder; the namespace goes with the last process in it."""
        assert self._holder.stdin is not None
        assert self._holder.stdout is not None
        self._holder.stdin.close()
        self._holder.wait()
        self._holder.stdout.close()


class ComposeNetworks:
    """The networks of a compose file; `host` reaches those that are not internal, as a machine reaches published ports."""

    def __init__(self, internal: dict[str, bool]) -> None:
        self.host = NetworkNamespace()
        self.addresses: dict[tuple[str, str], str] = {}
        self._subnets = {name: f"172.30.{number}" for number, name in enumerate(internal, 1)}
        self._numbers = count(2)
        self._members: list[NetworkNamespace] = []
        self._servers: list[socket.socket] = []
        for name, is_internal in internal.items():
            self.host.configure(f"link add name br-{name} type bridge", f"link set br-{name} up")
            if not is_internal:
                self.host.configure(f"address add {self._subnets[name]}.1/24 dev br-{name}")

    def attach(self, service: str, networks: list[str]) -> NetworkNamespace:
        """Create the namespace of a container in these networks."""
        member = NetworkNamespace()
        self._members.append(member)
        number = next(self._numbers)
        for index, network in enumerate(networks):
            address = self.addresses[service, network] = f"{self._subnets[network]}.{number}"
            port = f"v{number}-{index}"
            self.host.configure(
                f"link add name {port} type veth peer name eth{index} netns {member.process_id}",
                f"link set {port} master br-{network}",
                f"link set {port} up",
            )
            member.configure(f"address add {address}/24 dev eth{index}", f"link set eth{index} up")
        # As an engine does: a server on loopback in each container, which knows the services of the container's networks.
        server = member.call(bound_socket)
        self._servers.append(server)
        threading.Thread(target=self._serve_names, args=(server, networks), daemon=True).start()
        return member

    def _serve_names(self, server: socket.socket, networks: list[str]) -> None:
        with suppress(OSError):  # closed
            while True:
                query, peer = server.recvfrom(512)
                if not query:  # shut down
                    return
                server.sendto(answer(query, self._known(networks)), peer)

    def _known(self, networks: list[str]) -> dict[str, str]:
        return {service: address for (service, network), address in self.addresses.items() if network in networks}

    def close(self) -> None:
        """End every namespace and name server."""
        for server in self._servers:
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            server.close()
        for member in [*self._members, self.host]:
            member.close()


def _enter(handle: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(handle, _NEW_NETWORK):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
