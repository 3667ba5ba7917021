"""The gateway's answers and receipts, read without any gateway."""

import hashlib
import hmac
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.notify.domain.failure_reason import Reason
from services.notify.providers.http_sms import SIGNATURE, TIMESTAMP, authentic, read, receipt, sign
from services.notify.providers.provider import Accepted, Arrival, Receipt, Refused

NOW = datetime(2026, 9, 24, 8, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
BODY = b'{"reference": "k", "status": "delivered"}'


@pytest.mark.parametrize(
    ("status", "reason", "permanent"),
    [
        (301, Reason.REFUSED, True),
        (400, Reason.REFUSED, True),
        (401, Reason.CREDENTIALS, False),
        (402, Reason.BUSY, False),
        (404, Reason.REFUSED, True),
        (409, Reason.BUSY, False),
        (422, Reason.REFUSED, True),
        (429, Reason.BUSY, False),
        (500, Reason.BUSY, False),
        (503, Reason.BUSY, False),
    ],
)
def test_statuses(status: int, reason: Reason, permanent: bool) -> None:
    assert read(status, {}, b"") == Refused(reason, permanent, str(status))


@pytest.mark.parametrize(
    ("header", "after"), [("7", 7), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("-1", None), ("9" * 20, None), ("٣", None)]
)
def test_how_long_to_wait(header: str, after: float | None) -> None:
    result = read(429, {"retry-after": header}, b"")
    assert isinstance(result, Refused)
    assert result.after == after


def test_an_acceptance_has_an_id() -> None:
    assert read(202, {}, b'{"id": "m-1", "more": true}') == Accepted("m-1")


@given(st.binary(max_size=200))
def test_a_success_without_an_id_is_garbage(content: bytes) -> None:
    assert read(200, {}, content) == Refused(Reason.GARBAGE, permanent=False, code="200")


def test_the_signature_is_the_documented_one() -> None:
    expected = hmac.new(b"secret", STAMP.encode() + b"." + BODY, hashlib.sha256).hexdigest()
    assert sign("secret", STAMP, BODY) == expected
    assert authentic("secret", {TIMESTAMP: STAMP, SIGNATURE: expected}, BODY, NOW)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {TIMESTAMP: STAMP},
        {TIMESTAMP: STAMP, SIGNATURE: ""},
        {TIMESTAMP: STAMP, SIGNATURE: sign("other", STAMP, BODY)},
        {TIMESTAMP: STAMP, SIGNATURE: sign("secret", STAMP, BODY + b" ")},
        {TIMESTAMP: STAMP, SIGNATURE: "签名"},
        {TIMESTAMP: str(int(STAMP) - 301), SIGNATURE: sign("secret", str(int(STAMP) - 301), BODY)},
        {TIMESTAMP: str(int(STAMP) + 301), SIGNATURE: sign("secret", str(int(STAMP) + 301), BODY)},
        {TIMESTAMP: "soon", SIGNATURE: sign("secret", "soon", BODY)},
        {TIMESTAMP: "", SIGNATURE: sign("secret", "", BODY)},
    ],
)
def test_a_receipt_that_is_forged_or_old_is_not_believed(headers: dict[str, str]) -> None:
    assert not authentic("secret", headers, BODY, NOW)


def test_without_a_secret_nothing_is_believed() -> None:
    assert not authentic("", {TIMESTAMP: STAMP, SIGNATURE: sign("", STAMP, BODY)}, BODY, NOW)


@pytest.mark.parametrize(
    ("status", "arrival"),
    [("delivered", Arrival.DELIVERED), ("DELIVERED", Arrival.DELIVERED), ("expired", Arrival.FAILED), ("odd", Arrival.UNDECIDED)],
)
def test_receipts(status: str, arrival: Arrival) -> None:
    assert receipt(b'{"reference": "k", "status": "%s", "code": "E1", "to": "x"}' % status.encode()) == Receipt("k", arrival, "E1")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"reference": 1, "status": "delivered"}', b'{"reference": "k", "status": "x", "code": "\xe7\x8e\x8b"}']
)
def test_a_receipt_that_cannot_be_read(body: bytes) -> None:
    with pytest.raises(ValidationError):
        receipt(body)
