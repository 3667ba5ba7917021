"""Ed25519 signatures of records: who wrote it, since a consumer cannot see a record's principal."""

import base64
import binascii

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.contracts.envelope import signed_bytes


def sign(private_key: bytes, topic: str, key: str, event_id: str, body: bytes) -> str:
    """The header value for a record; `private` is the raw key of 32 bytes."""
    signature = Ed25519PrivateKey.from_private_bytes(private_key).sign(signed_bytes(topic, key, event_id, body))
    return base64.b64encode(signature).decode("ascii")


def is_signature_valid(public_key: str, signature: str, signed_content: bytes) -> bool:
    """Whether the base64 signature of those bytes was made with the private half of a base64 public key."""
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
        key.verify(base64.b64decode(signature, validate=True), signed_content)
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True
