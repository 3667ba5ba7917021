"""The keyed hashes by which `registered.complainant_keys` recognises a person: intake makes them, sla finds cases by them."""

import hashlib
import hmac


def pseudonym_key(secret: str) -> bytes:
    """The key of the hashes from the text of JIESU_PSEUDONYM_KEY."""
    return hashlib.sha256(b"jiesu pseudonyms " + secret.encode()).digest()


def person_key(field: str, normal_form: str, key: bytes) -> str:
    """`<field>:<keyed hash>` of a phone number, address or id_number in normal form; it cannot be reversed without the key."""
    return f"{field}:{hmac.digest(key, f'{field}:{normal_form}'.encode(), 'sha256').hex()[:32]}"
