"""Receipts of the gateway of kind `http_sms`, parsed without a gateway."""

import pytest
from pydantic import ValidationError

from services.notify.providers.provider import DeliveryReceipt, ReceiptStatus
from services.notify.providers.sms.http_sms import parse_receipt


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("delivered", ReceiptStatus.DELIVERED),
        ("DELIVERED", ReceiptStatus.DELIVERED),
        ("expired", ReceiptStatus.FAILED),
        ("odd", ReceiptStatus.UNDECIDED),
    ],
)
def test_receipt_status_is_parsed(status: str, expected: ReceiptStatus) -> None:
    assert parse_receipt(b'{"reference": "k", "status": "%s", "code": "E1", "to": "x"}' % status.encode()) == DeliveryReceipt(
        "k", expected, "E1"
    )


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"reference": 1, "status": "delivered"}', b'{"reference": "k", "status": "x", "code": "\xe7\x8e\x8b"}']
)
def test_invalid_receipt_is_rejected(body: bytes) -> None:
    with pytest.raises(ValidationError):
        parse_receipt(body)
