"""References of our own in mails: the reply address of a case and the Message-ID of a delivery, which prove the case by a MAC.

notify writes them, intake checks them with the same key: neither needs a table of the other's. Both have a form that survives servers
which change letters to lower case.
"""

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass
from uuid import UUID

_MAC_BYTES = 10
"""80 bits: a forged reference is found after 2^79 mails on average."""
_CASE_BYTES = 16
_TOKEN_LETTERS = 42
_TOKEN = r"[a-z2-7]{42}"  # noqa: S105 - a pattern
_REPLY_LOCAL_PART = re.compile(rf"[^@\s]*\+({_TOKEN})@[^@\s]+", re.IGNORECASE)
_MAC = r"[a-z2-7]{16}"
_MESSAGE_ID = re.compile(rf"<?\s*([0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})\.({_TOKEN}|{_MAC})@[^@\s<>]+>?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class MessageReference:
    """The delivery and the case that a Message-ID of ours names; `case` is empty for a message about several, such as a digest."""

    delivery: str
    case: str


def mail_key(secret: str) -> bytes:
    """The key of the references from the text of JIESU_MAIL_KEY."""
    return hashlib.sha256(b"jiesu mail references " + secret.encode()).digest()


def reply_address(key: bytes, address: str, case: str) -> str | None:
    """The address for replies about a case, `case+<token>@…` for `case@…`; None for a case id that is no UUID, and without an address."""
    local_part, _, domain = address.strip().rpartition("@")
    token = _token(key, case, b"reply")
    # RFC 5321, 4.5.3.1.1: a local part has at most 64 octets, 43 of which are the mark and the token.
    return f"{local_part}+{token}@{domain}" if token and local_part and domain else None


def case_of_reply_address(key: bytes, address: str) -> str | None:
    """The case of a reply address, None for an address without a token that was made with the key."""
    match = _REPLY_LOCAL_PART.fullmatch(address.strip())
    return _case_of_token(key, match[1], b"reply") if match else None


def message_id(key: bytes, delivery: str, case: str, domain: str) -> str:
    """The Message-ID of a delivery: `<delivery.token@domain>`; the token of a case id that is no UUID proves the delivery alone."""
    use = delivery.lower().encode()
    return f"<{delivery}.{_token(key, case, use) or _encoded(_mac(key, b'', use))}@{domain}>"


def read_message_id(key: bytes, text: str) -> MessageReference | None:
    """The delivery and the case of a Message-ID, None for one that was not made with the key."""
    match = _MESSAGE_ID.fullmatch(text.strip())
    if match is None:
        return None
    delivery = match[1].lower()
    if len(match[2]) < _TOKEN_LETTERS:
        is_ours = hmac.compare_digest(match[2].lower(), _encoded(_mac(key, b"", delivery.encode())))
        return MessageReference(delivery, "") if is_ours else None
    case = _case_of_token(key, match[2], delivery.encode())
    return MessageReference(delivery, case) if case else None


def _token(key: bytes, case: str, use: bytes) -> str:
    try:
        case_bytes = UUID(case).bytes
    except ValueError:
        return ""
    return _encoded(case_bytes + _mac(key, case_bytes, use))


def _encoded(content: bytes) -> str:
    return base64.b32encode(content).decode().rstrip("=").lower()


def _case_of_token(key: bytes, token: str, use: bytes) -> str | None:
    try:
        # 42 letters of base 32 are 26 bytes and 2 bits.
        content = base64.b32decode(token.upper() + "======")
    except binascii.Error:
        return None
    case_bytes, mac = content[:_CASE_BYTES], content[_CASE_BYTES:]
    # The use is part of the MAC: the token of a reply address is that of no Message-ID.
    return str(UUID(bytes=case_bytes)) if hmac.compare_digest(mac, _mac(key, case_bytes, use)) else None


def _mac(key: bytes, case_bytes: bytes, use: bytes) -> bytes:
    return hmac.digest(key, b"mail:" + use + b":" + case_bytes, "sha256")[:_MAC_BYTES]
