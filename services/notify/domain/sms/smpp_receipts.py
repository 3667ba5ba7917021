"""Reads SMPP delivery receipts: optional parameters where the SMSC sends them, else the text of appendix B of the specification."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

IdForm = Literal["text", "decimal", "hex"]
TLV_RECEIPTED_MESSAGE_ID = 0x001E
TLV_MESSAGE_PAYLOAD = 0x0424
TLV_MESSAGE_STATE = 0x0427
_KIND_OF_MESSAGE = 0x3C  # bits 5 to 2 of esm_class (SMPP 3.4, 5.2.12)
_DELIVERY_RECEIPT, _INTERMEDIATE_NOTIFICATION = 0x04, 0x20
_UCS2 = 0x08
_ID = re.compile(r"\bid:\s*(\S+)", re.IGNORECASE)
_STATE = re.compile(r"\bstat:\s*([A-Z]+)", re.IGNORECASE)
_ERROR = re.compile(r"\berr:\s*([0-9A-Za-z]{1,20})", re.IGNORECASE)
# SMPP 3.4, 5.2.28 and appendix B: what is neither final nor known decides nothing.
_STATES = {2: "DELIVRD", 3: "EXPIRED", 4: "DELETED", 5: "UNDELIV", 8: "REJECTD"}
_FINAL: dict[str, bool] = {"DELIVRD": True, "EXPIRED": False, "DELETED": False, "UNDELIV": False, "REJECTD": False}


@dataclass(frozen=True, slots=True)
class SmppReceipt:
    """The SMSC's id of the message, whether it arrived (None: not final), and the SMSC's error code."""

    message_id: str
    delivered: bool | None
    code: str = ""


def read_smpp_receipt(esm_class: int, data_coding: int, short_message: bytes, tlvs: Mapping[int, bytes]) -> SmppReceipt | None:
    """The receipt in a `deliver_sm`; None for another message, such as one that a person sent, or a receipt without an id."""
    kind = esm_class & _KIND_OF_MESSAGE
    if kind not in (_DELIVERY_RECEIPT, _INTERMEDIATE_NOTIFICATION):
        return None
    octets = short_message or tlvs.get(TLV_MESSAGE_PAYLOAD, b"")
    text = octets.decode("utf-16-be" if data_coding == _UCS2 else "latin-1", "replace")
    message_id = tlvs.get(TLV_RECEIPTED_MESSAGE_ID, b"").rstrip(b"\0").decode("latin-1").strip() or _first(_ID, text)
    if not message_id:
        return None
    state = _STATES.get(int.from_bytes(tlvs.get(TLV_MESSAGE_STATE, b""), "big")) or _first(_STATE, text).upper()
    delivered = _FINAL.get(state) if kind == _DELIVERY_RECEIPT else None
    return SmppReceipt(message_id, delivered, _first(_ERROR, text) if delivered is False else "")


def canonical_id(message_id: str, form: IdForm) -> str:
    """The id in a form that is the same in responses and receipts: many an SMSC writes hexadecimal in one and decimal in the other."""
    try:
        return message_id if form == "text" else str(int(message_id, 16 if form == "hex" else 10))
    except ValueError:
        return message_id


def _first(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[1] if match else ""
