"""Verifies the signature of a call by a scheme that is data."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.intake.channels.written_dates import UnreadableDateError, read_epoch
from services.intake.domain.submission_faults import SubmissionFault
from shared.contracts.instants import read_instant
from shared.procedures.source_formats.webhook_map import HmacSignature, SignedTime, TokenSignature


@dataclass(frozen=True, slots=True)
class WebhookCall:
    """A call as it arrived: header names in lower case, `query` with its question mark, `form` the parameters of a form."""

    body: bytes
    headers: Mapping[str, str]
    query: str = ""
    form: Sequence[tuple[str, str]] = ()


class BadSignatureError(ValueError):
    """The call is not signed by its source, or is too old; `fault` names the header, the rule and the remedy."""

    def __init__(self, header: str, rule: str, remedy: str) -> None:
        super().__init__(rule)
        self.fault = SubmissionFault(header, rule, remedy)


def verify_call(call: WebhookCall, scheme: HmacSignature | TokenSignature, secrets: Sequence[bytes], now: datetime) -> None:
    """Raise `BadSignatureError` unless one of the secrets signed the call, within the window of the scheme."""
    sent = call.headers.get(scheme.header.lower())
    if sent is None:
        raise BadSignatureError(scheme.header, "missing", "send the header that the map of the source names")
    if not sent.startswith(scheme.prefix):
        raise BadSignatureError(scheme.header, "prefix", f"let the value begin with {scheme.prefix.strip()!r}, as the map says")
    value = sent.removeprefix(scheme.prefix).strip().encode()
    if isinstance(scheme, TokenSignature):
        if not _matches(value, secrets):
            raise BadSignatureError(scheme.header, "token", "send the token that the environment variable of the map holds")
        return
    # The window first: a clock that is wrong is found sooner than a secret that is.
    if scheme.timestamp is not None:
        _check_window(call, scheme.timestamp, now)
    if not _matches(_decoded(value, scheme), [_digest(call, scheme, secret) for secret in secrets]):
        remedy = f"compare the secret, and what is signed: {scheme.signed!r} with {scheme.algorithm}, in {scheme.encoding}"
        raise BadSignatureError(scheme.header, "signature", remedy)


def _matches(value: bytes, expected: Sequence[bytes]) -> bool:
    """Whether the value is one of several, compared in constant time."""
    return any(hmac.compare_digest(value, each) for each in expected)


def _decoded(value: bytes, scheme: HmacSignature) -> bytes:
    # Bytes are compared, not their text: systems write hexadecimal digits in either case, and base64 with or without padding.
    try:
        if scheme.encoding == "hex":
            return binascii.unhexlify(value)
        return base64.b64decode(value + b"=" * (-len(value) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise BadSignatureError(scheme.header, "encoding", f"send the signature in {scheme.encoding}, as the map says") from None


def _digest(call: WebhookCall, scheme: HmacSignature, secret: bytes) -> bytes:
    parts: dict[str, Any] = {
        "body": call.body,
        "secret": secret,
        "url": (scheme.url + call.query).encode(),
        "timestamp": call.headers.get(scheme.timestamp.header.lower(), "").encode() if scheme.timestamp else b"",
        "form": "".join(f"{name}{value}" for name, value in sorted(call.form)).encode(),
    }
    # Latin-1 keeps each byte of the body as it is, whatever its encoding.
    signed = scheme.signed.format(**{name: part.decode("latin-1") for name, part in parts.items()}).encode("latin-1")
    return hmac.digest(secret, signed, getattr(hashlib, scheme.algorithm)().name)


def _check_window(call: WebhookCall, signed_time: SignedTime, now: datetime) -> None:
    sent = call.headers.get(signed_time.header.lower())
    if sent is None:
        raise BadSignatureError(signed_time.header, "missing", "send the header that the map of the source names")
    try:
        at = read_instant(sent) if signed_time.format == "iso" else read_epoch(sent, milliseconds=signed_time.format == "unix_ms")
    except UnreadableDateError:
        at = None
    if at is None:
        raise BadSignatureError(signed_time.header, "unreadable", f"send the instant as {signed_time.format}, as the map says")
    window = timedelta(seconds=signed_time.within_seconds)
    if abs(now - at) > window:
        remedy = f"it has to be within {signed_time.within_seconds:g} s of our clock; compare the clocks, or raise within_seconds"
        raise BadSignatureError(signed_time.header, "outside_window", remedy)
