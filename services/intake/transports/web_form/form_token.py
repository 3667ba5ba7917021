"""The signed token of an opened form: its source, the time of opening, and a number that no other form has."""

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Literal

TokenFault = Literal["", "missing", "too_fast", "expired"]
_TOKEN = re.compile(r"(\d{1,12})\.([0-9a-f-]{36})\.([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class FormToken:
    """An opened form; `opened_at` in seconds since 1970 of real time, `nonce` recognises a form that is sent twice."""

    source: str
    opened_at: int
    nonce: str


class FormTokens:
    """Signs tokens with a key; without one of them a form is not taken, so that no other site's page can send one that it made."""

    def __init__(self, secret: str, min_seconds: float, max_seconds: float) -> None:
        self._key = hashlib.sha256(b"jiesu form " + secret.encode()).digest()
        self._min_seconds = min_seconds
        self._max_seconds = max_seconds

    def sign(self, token: FormToken) -> str:
        """The text of a token."""
        return f"{token.opened_at}.{token.nonce}.{self._signature(token)}"

    def read(self, text: str, source: str) -> FormToken | None:
        """The token of a text, None for one that was not signed here for this source."""
        match = _TOKEN.fullmatch(text)
        if match is None:
            return None
        token = FormToken(source, int(match[1]), match[2])
        return token if hmac.compare_digest(self._signature(token), match[3]) else None

    def fault(self, token: FormToken | None, now: float) -> TokenFault:
        """The reason why a form with this token is not taken now; empty if it is."""
        if token is None:
            return "missing"
        age = now - token.opened_at
        if age > self._max_seconds:
            return "expired"
        return "too_fast" if age < self._min_seconds else ""

    def _signature(self, token: FormToken) -> str:
        return hmac.digest(self._key, f"{token.opened_at}\n{token.nonce}\n{token.source}".encode(), "sha256").hex()
