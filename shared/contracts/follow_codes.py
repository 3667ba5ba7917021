"""The code with which a complainant follows his case without an account: notify writes it into messages, sla finds the case by it.

Only who has the key can make the code of a case, and no code can be made from what sla stores.
"""

import base64
import hashlib
import hmac
import re

_CODE_BYTES = 10
"""80 bits: with the rate limits of the page no one guesses one, and a person can still type it."""
_GROUP = 4
# Crockford's base 32 has no I, L, O and U: what people read as these is a digit, and no code spells a word.
_ALPHABET, _CROCKFORD = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_TO_CROCKFORD = bytes.maketrans(_ALPHABET, _CROCKFORD)
_READ_AS = str.maketrans("OIL", "011")
_IGNORED = re.compile(r"[\s\u2010-\u2015\u2212-]+")
_CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{16}")


def follow_key(secret: str) -> bytes:
    """The key of the codes from the text of JIESU_FOLLOW_KEY."""
    return hashlib.sha256(b"jiesu follow codes " + secret.encode()).digest()


def follow_code(key: bytes, case: str) -> str:
    """The code of a case: sixteen letters and digits in groups of four."""
    digest = hmac.digest(key, f"follow:{case}".encode(), "sha256")[:_CODE_BYTES]
    code = base64.b32encode(digest).translate(_TO_CROCKFORD).decode()
    return "-".join(code[start : start + _GROUP] for start in range(0, len(code), _GROUP))


def lookup_key(code: str) -> str:
    """The stored form of a code, as people type it: in any case, with spaces and dashes; empty if it can be no code."""
    letters = _IGNORED.sub("", code).upper().translate(_READ_AS)
    if _CODE.fullmatch(letters) is None:
        return ""
    return f"follow:{hashlib.sha256(letters.encode()).hexdigest()[:32]}"
