"""Responses and signatures of gateways with an id and signed receipts, interpreted without a gateway."""

import hashlib
import hmac
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.domain.failure_reason import FailureReason
from services.notify.providers.http_gateway import GatewayResponse
from services.notify.providers.provider import SendAccepted, SendFailed
from services.notify.providers.signed_gateway import (
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    interpret_response,
    is_authentic_receipt,
    sign_receipt,
)

NOW = datetime(2026, 9, 24, 8, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
BODY = b'{"reference": "k", "status": "delivered"}'


@pytest.mark.parametrize(
    ("status", "reason", "permanent"),
    [
        (301, FailureReason.REFUSED, True),
        (400, FailureReason.REFUSED, True),
        (401, FailureReason.CREDENTIALS, False),
        (402, FailureReason.BUSY, False),
        (404, FailureReason.GARBAGE, False),
        (405, FailureReason.GARBAGE, False),
        (409, FailureReason.BUSY, False),
        (422, FailureReason.REFUSED, True),
        (429, FailureReason.BUSY, False),
        (500, FailureReason.BUSY, False),
        (503, FailureReason.BUSY, False),
    ],
)
def test_status_decides_reason_and_permanence(status: int, reason: FailureReason, permanent: bool) -> None:
    result = interpret_response(GatewayResponse(status, {}, b""))
    assert isinstance(result, SendFailed)
    assert (result.reason, result.permanent, result.code, result.in_doubt) == (reason, permanent, str(status), status == 500)


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("-1", None), ("9" * 20, None), ("٣", None)]
)
def test_retry_after_is_read_as_whole_seconds_only(header: str, seconds: float | None) -> None:
    result = interpret_response(GatewayResponse(429, {"retry-after": header}, b""))
    assert isinstance(result, SendFailed)
    assert result.retry_after == seconds


def test_success_with_an_id_is_accepted() -> None:
    assert interpret_response(GatewayResponse(202, {}, b'{"id": "m-1", "more": true}')) == SendAccepted("m-1")


@given(st.binary(max_size=200))
def test_success_without_an_id_is_garbage(content: bytes) -> None:
    assert interpret_response(GatewayResponse(200, {}, content)) == SendFailed(
        FailureReason.GARBAGE, permanent=False, code="200", in_doubt=True
    )


def test_receipt_signature_is_hmac_sha256_of_timestamp_full_stop_body() -> None:
    expected = hmac.new(b"secret", STAMP.encode() + b"." + BODY, hashlib.sha256).hexdigest()
    assert sign_receipt("secret", STAMP, BODY) == expected
    assert is_authentic_receipt("secret", {TIMESTAMP_HEADER: STAMP, SIGNATURE_HEADER: expected}, BODY, NOW)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {TIMESTAMP_HEADER: STAMP},
        {TIMESTAMP_HEADER: STAMP, SIGNATURE_HEADER: ""},
        {TIMESTAMP_HEADER: STAMP, SIGNATURE_HEADER: sign_receipt("other", STAMP, BODY)},
        {TIMESTAMP_HEADER: STAMP, SIGNATURE_HEADER: sign_receipt("secret", STAMP, BODY + b" ")},
        {TIMESTAMP_HEADER: STAMP, SIGNATURE_HEADER: "签名"},
        {TIMESTAMP_HEADER: str(int(STAMP) - 301), SIGNATURE_HEADER: sign_receipt("secret", str(int(STAMP) - 301), BODY)},
        {TIMESTAMP_HEADER: str(int(STAMP) + 301), SIGNATURE_HEADER: sign_receipt("secret", str(int(STAMP) + 301), BODY)},
        {TIMESTAMP_HEADER: "soon", SIGNATURE_HEADER: sign_receipt("secret", "soon", BODY)},
        {TIMESTAMP_HEADER: "", SIGNATURE_HEADER: sign_receipt("secret", "", BODY)},
    ],
)
def test_forged_or_old_receipt_is_not_authentic(headers: dict[str, str]) -> None:
    assert not is_authentic_receipt("secret", headers, BODY, NOW)


def test_no_receipt_is_authentic_without_a_secret() -> None:
    assert not is_authentic_receipt("", {TIMESTAMP_HEADER: STAMP, SIGNATURE_HEADER: sign_receipt("", STAMP, BODY)}, BODY, NOW)
