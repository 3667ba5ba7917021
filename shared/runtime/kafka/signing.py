"""Ed25519 signatures of records: Kafka does not pass a producer's principal on to consumers."""

import base64
import binascii

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.contracts.envelope import signing_input


def sign(private_key: bytes, topic: str, key: str, event_id: str, body: bytes) -> str:
    """The value of header `jiesu-signature`, base64; `private_key` is the raw key of 32 bytes."""
    signature = Ed25519PrivateKey.from_private_bytes(private_key).sign(signing_input(topic, key, event_id, body))
    return base64.b64encode(signature).decode("ascii")


def is_signature_valid(public_key: str, signature: str, signed_content: bytes) -> bool:
    """Whether the base64 signature covers `signed_content` and was made with the private key of `public_key` (base64)."""
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
        key.verify(base64.b64decode(signature, validate=True), signed_content)
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True
