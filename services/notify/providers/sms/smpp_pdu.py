"""The PDUs of SMPP 3.4 that a client needs; `smpp34` encodes and decodes those that carry messages."""

import importlib
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.runtime.errors import Misconfigured

if TYPE_CHECKING:
    import smpp34

HEADER_LENGTH = 16
LONGEST_PDU = 70_000
"""A message payload has up to 64 KiB; anything longer is another protocol."""
_HEADER = struct.Struct(">IIII")

BIND_TRANSCEIVER, SUBMIT_SM, DELIVER_SM, UNBIND, ENQUIRE_LINK = 0x09, 0x04, 0x05, 0x06, 0x15
GENERIC_NACK, RESPONSE = 0x80000000, 0x80000000
_VERSION = 0x34

OK = 0x00
INVALID_COMMAND = 0x03
TEMPORARY_APPLICATION_ERROR = 0x64
"""ESME_RX_T_APPN: the SMSC repeats the message later."""
PERMANENT_APPLICATION_ERROR = 0x65
"""ESME_RX_P_APPN: the SMSC does not repeat the message."""


class SmppProtocolError(ValueError):
    """The octets are no valid SMPP."""


@dataclass(frozen=True, slots=True)
class Pdu:
    """One PDU as it arrived."""

    command: int
    status: int
    sequence: int
    body: bytes
    octets: bytes

    @property
    def is_response(self) -> bool:
        """Whether it is the response to a request, or a generic_nack."""
        return bool(self.command & RESPONSE)


def encode_pdu(command: int, sequence: int, *, status: int = OK, body: bytes = b"") -> bytes:
    """Header and body."""
    return _HEADER.pack(HEADER_LENGTH + len(body), command, status, sequence) + body


def encode_bind(sequence: int, system_id: str, password: str, system_type: str) -> bytes:
    """A bind_transceiver, which sends and receives on one connection (SMPP 3.4, 4.1.5)."""
    texts = b"".join(text.encode("latin-1", "replace") + b"\0" for text in (system_id, password, system_type))
    return encode_pdu(BIND_TRANSCEIVER, sequence, body=texts + bytes((_VERSION, 0, 0)) + b"\0")


def pdu_length(header: bytes) -> int:
    """The length of the PDU that begins with these octets; raises `SmppProtocolError` for one that cannot be."""
    length: int = _HEADER.unpack(header)[0]
    if not HEADER_LENGTH <= length <= LONGEST_PDU:
        raise SmppProtocolError("command_length is out of range")
    return length


def decode_pdu(octets: bytes) -> Pdu:
    """The PDU of these octets."""
    _, command, status, sequence = _HEADER.unpack(octets[:HEADER_LENGTH])
    return Pdu(command, status, sequence, octets[HEADER_LENGTH:], octets)


def decode_deliver(pdu: Pdu) -> "smpp34.DeliverSm":
    """The `deliver_sm` of a PDU; raises `SmppProtocolError` for a malformed one."""
    codec = load_codec()
    try:
        decoded: smpp34.DeliverSm = codec.decode(pdu.octets)
    except codec.SmppError as error:
        raise SmppProtocolError("deliver_sm is malformed") from error
    return decoded


def load_codec() -> Any:
    """The module smpp34, an extra: needed for kind `smpp` only. Raises `Misconfigured` without it."""
    try:
        return importlib.import_module("smpp34")
    except ImportError as error:
        raise Misconfigured("kind smpp: the package smpp34 is missing; install jiesu[smpp]") from error
