"""The ports of `jiesu up`: fixed ones, set ones, and what cannot be one."""

import socket

import pytest
from click import ClickException

from cli.stack.ports import DEFAULT_PORTS, choose_ports, parse_ports

NAMES = ["intake", "sla"]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def test_ports_are_fixed_set_or_free() -> None:
    first, second = free_port(), free_port()
    assert choose_ports({"intake": first, "sla": second}, NAMES, free=False) == {"intake": first, "sla": second}
    drawn = choose_ports({"intake": first, "sla": 0}, NAMES, free=False)
    assert drawn["intake"] == first
    assert drawn["sla"] not in {0, first, *DEFAULT_PORTS.values()}
    assert len(set(choose_ports({}, list(DEFAULT_PORTS), free=True).values())) == len(DEFAULT_PORTS)


def test_default_ports_are_distinct_and_never_drawn_as_free_or_ephemeral_ones() -> None:
    assert len(set(DEFAULT_PORTS.values())) == len(DEFAULT_PORTS)
    assert all(1024 < port < 20_000 for port in DEFAULT_PORTS.values())


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("sla", "write NAME=PORT, such as sla=8103; names are broker, controller"),
        ("reports=8105", "write NAME=PORT"),
        ("sla=65536", "the port of sla must be a number from 1 to 65535, or 0 for any free one"),
        ("sla=-1", "must be a number from 1 to 65535"),
        ("sla=http", "must be a number from 1 to 65535"),
        ("sla=²", "must be a number from 1 to 65535"),
    ],
)
def test_what_is_no_port_is_refused_in_one_line(option: str, message: str) -> None:
    with pytest.raises(ClickException) as refusal:
        parse_ports([option])
    assert message in refusal.value.message
    assert "\n" not in refusal.value.message


def test_later_options_win() -> None:
    assert parse_ports(["sla=1", " intake=2", "sla=3"]) == {"sla": 3, "intake": 2}


def test_port_in_use_and_port_of_two_are_refused_with_the_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        with pytest.raises(ClickException, match=rf"port {port} of sla is in use: choose another \(--port sla=PORT\), .*--free-ports"):
            choose_ports({"intake": 0, "sla": port}, NAMES, free=False)
    with pytest.raises(ClickException, match=f"intake and sla have the same port {port}"):
        choose_ports(dict.fromkeys(NAMES, port), NAMES, free=False)
