"""Call-outs only: what is asked for, and what each report of the call-out system means."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.notify.providers.provider import DeliveryReceipt, OutgoingMessage, ReceiptStatus, SendAccepted
from services.notify.providers.receipts import ReceiptCall, ReceiptForged, ReceiptUnreadable
from tests.support.provider_peers.call_out import RECEIPTS_URL, CallOutSystem, call_out_provider, signed

NOW = datetime(2026, 9, 24, 8, tzinfo=UTC)


def report_call(body: bytes, headers: Mapping[str, str] | None = None) -> ReceiptCall:
    return ReceiptCall("POST", (), headers or signed(body, timestamp=NOW.timestamp()), body, NOW)


async def test_call_says_what_to_read_to_whom_and_where_to_report(tmp_path: Path) -> None:
    async with CallOutSystem(tmp_path) as system:
        provider = call_out_provider(system.port, 5, digit="9", attempts=2, caller="+864008000000")
        message = OutgoingMessage("k-1", "+861065529988;ext=801", "", "紧急投诉单 1，请办理。" * 60, language="zh")
        assert await provider.send(message) == SendAccepted("call-k-1")
        await provider.close()
    assert system.message_file.messages["k-1"] == {
        "reference": "k-1",
        "to": "+861065529988",
        "extension": "801",
        "text": message.text[:500],
        "language": "zh",
        "acknowledge": "9",
        "attempts": 2,
        "caller": "+864008000000",
        "report_to": RECEIPTS_URL,
    }


@pytest.mark.parametrize(
    ("digit", "report", "expected"),
    [
        ("1", {"status": "acknowledged", "digit": "1"}, DeliveryReceipt("k", ReceiptStatus.DELIVERED, acknowledged=True)),
        ("1", {"status": "acknowledged", "digit": "2"}, DeliveryReceipt("k", ReceiptStatus.UNDECIDED)),
        ("1", {"status": "acknowledged"}, DeliveryReceipt("k", ReceiptStatus.UNDECIDED)),
        ("1", {"status": "answered"}, DeliveryReceipt("k", ReceiptStatus.UNDECIDED)),
        ("1", {"status": "unacknowledged"}, DeliveryReceipt("k", ReceiptStatus.FAILED, "unacknowledged")),
        ("", {"status": "answered"}, DeliveryReceipt("k", ReceiptStatus.DELIVERED)),
        ("", {"status": "unacknowledged"}, DeliveryReceipt("k", ReceiptStatus.DELIVERED)),
        ("1", {"status": "no_answer"}, DeliveryReceipt("k", ReceiptStatus.FAILED, "no_answer")),
        ("1", {"status": "Voicemail"}, DeliveryReceipt("k", ReceiptStatus.FAILED, "voicemail")),
        ("1", {"status": "ringing"}, DeliveryReceipt("k", ReceiptStatus.UNDECIDED)),
    ],
)
def test_report_means(digit: str, report: dict[str, str], expected: DeliveryReceipt) -> None:
    body = json.dumps({"reference": "k", **report}).encode()
    assert call_out_provider(1, digit=digit).read_receipts(report_call(body)) == [expected]


def test_report_that_is_not_signed_late_or_changed_is_refused() -> None:
    provider, body = call_out_provider(1), json.dumps({"reference": "k", "status": "acknowledged", "digit": "1"}).encode()
    late = signed(body, timestamp=(NOW - timedelta(minutes=6)).timestamp())
    for call in (
        report_call(body, {"jiesu-timestamp": "1"}),
        report_call(body, signed(body, "another secret", NOW.timestamp())),
        report_call(body + b" ", signed(body, timestamp=NOW.timestamp())),
        report_call(body, late),
    ):
        with pytest.raises(ReceiptForged, match="jiesu-signature: must be the HMAC"):
            provider.read_receipts(call)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"status": "answered"}', b'{"reference": "k", "status": "answered", "digit": "12"}'])
def test_report_without_its_fields_is_unreadable(body: bytes) -> None:
    with pytest.raises(ReceiptUnreadable, match="body: must be"):
        call_out_provider(1).read_receipts(report_call(body))
