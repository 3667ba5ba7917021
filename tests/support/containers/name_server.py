"""A name server as a container engine has one: it answers questions for addresses (RFC 1035) of services by their names."""

import socket
import struct
from collections.abc import Mapping

NAME_SERVER = "127.0.0.11"
_PORT = 53
_ADDRESS, _ANY_CLASS = 1, 1
_ANSWER, _RECURSION, _UNKNOWN_NAME = 0x8000, 0x0180, 3
_HEADER = struct.Struct("!6H")
_RECORD = struct.Struct("!HHHIH4s")
_POINTER_TO_QUESTION = 0xC00C
_SECONDS = 5


def bound_socket() -> socket.socket:
    """A socket on the server's address, in the network namespace of the calling thread."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((NAME_SERVER, _PORT))
    return server


def answer(query: bytes, known: Mapping[str, str]) -> bytes:
    """The answer to one question; a service has no IPv6 address, and another name does not exist."""
    name, end = _name(query)
    (kind,) = struct.unpack_from("!H", query, end)
    address = known.get(name.lower())
    records = (
        [_RECORD.pack(_POINTER_TO_QUESTION, _ADDRESS, _ANY_CLASS, _SECONDS, 4, socket.inet_aton(address))]
        if address and kind == _ADDRESS
        else []
    )
    flags = _ANSWER | _RECURSION | (0 if address else _UNKNOWN_NAME)
    (number,) = struct.unpack_from("!H", query)
    return _HEADER.pack(number, flags, 1, len(records), 0, 0) + query[_HEADER.size : end + 4] + b"".join(records)


def _name(query: bytes) -> tuple[str, int]:
    labels = []
    place = _HEADER.size
    while length := query[place]:
        labels.append(query[place + 1 : place + 1 + length].decode("ascii"))
        place += 1 + length
    return ".".join(labels), place + 1
