"""Signs records, and webhooks as Standard Webhooks has it."""

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.contracts.envelope import signing_input

_SECRET_PREFIX = "whsec_"  # noqa: S105 - not a secret


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An Ed25519 key of a source or person: `id` as in the organisation file, `private` the 32 bytes in base64."""

    id: str
    private: str

    def sign(self, topic: str, key: str, event_id: str, body: bytes) -> str:
        """The value of header `jiesu-signature`."""
        private = Ed25519PrivateKey.from_private_bytes(base64.b64decode(self.private))
        return base64.b64encode(private.sign(signing_input(topic, key, event_id, body))).decode()

    def __repr__(self) -> str:
        return f"SigningKey({self.id!r})"


def webhook_headers(secret: str, event_id: str, body: bytes, now: float | None = None) -> dict[str, str]:
    """The headers that sign a webhook; `secret` is `whsec_` and the key in base64.

    Source: Standard Webhooks 1.0.0, symmetric signatures: HMAC-SHA256 over id, timestamp and body.
    """
    timestamp = str(int(time.time() if now is None else now))
    return {"webhook-id": event_id, "webhook-timestamp": timestamp, "webhook-signature": _signature(secret, event_id, timestamp, body)}


def is_webhook_valid(secret: str, headers: Mapping[str, str], body: bytes, tolerance: float = 300.0) -> bool:
    """Whether a webhook was signed with the secret, not more than `tolerance` seconds ago; header names in lower case."""
    event_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not re.fullmatch("[0-9]{1,12}", timestamp) or abs(time.time() - int(timestamp)) > tolerance:
        return False
    expected = _signature(secret, event_id, timestamp, body).encode()
    return any(hmac.compare_digest(expected, sent.encode()) for sent in headers.get("webhook-signature", "").split(" "))


def _signature(secret: str, event_id: str, timestamp: str, body: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(_SECRET_PREFIX))
    signed = f"{event_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
