"""Receipts of SMSCs in the forms that occur."""

import pytest

from services.notify.domain.sms.smpp_receipts import SmppReceipt, canonical_id, read_smpp_receipt

TEXT = b"id:0A1B sub:001 dlvrd:001 submit date:2609241605 done date:2609241606 stat:DELIVRD err:000 Text:hello"


@pytest.mark.parametrize(
    ("esm_class", "text", "tlvs", "expected"),
    [
        (0x04, TEXT, {}, SmppReceipt("0A1B", delivered=True)),
        (0x44, TEXT, {}, SmppReceipt("0A1B", delivered=True)),
        (0x04, TEXT.lower(), {}, SmppReceipt("0a1b", delivered=True)),
        (0x04, TEXT.replace(b"DELIVRD err:000", b"REJECTD err:12"), {}, SmppReceipt("0A1B", delivered=False, code="12")),
        (0x04, TEXT.replace(b"DELIVRD", b"ENROUTE"), {}, SmppReceipt("0A1B", delivered=None)),
        (0x04, TEXT.replace(b"DELIVRD", b"WHATEVER"), {}, SmppReceipt("0A1B", delivered=None)),
        (0x04, b"", {0x0424: TEXT}, SmppReceipt("0A1B", delivered=True)),
        (0x04, b"", {0x001E: b"77\0", 0x0427: b"\x02"}, SmppReceipt("77", delivered=True)),
        (0x04, b"", {0x001E: b"77\0", 0x0427: b"\x03"}, SmppReceipt("77", delivered=False)),
        (0x04, b"", {0x001E: b"77\0", 0x0427: b"\x06"}, SmppReceipt("77", delivered=None)),
        (0x20, TEXT, {}, SmppReceipt("0A1B", delivered=None)),  # an intermediate notification is not final
        (0x04, b"no id at all", {}, None),
        (0x00, TEXT, {}, None),
        (0x08, TEXT, {}, None),  # an acknowledgement by the recipient's telephone
        (0x04, b"\xff\xfe\x00", {}, None),
    ],
)
def test_receipt_is_read(esm_class: int, text: bytes, tlvs: dict[int, bytes], expected: SmppReceipt | None) -> None:
    assert read_smpp_receipt(esm_class, 0, text, tlvs) == expected


def test_receipt_in_ucs2_is_read() -> None:
    assert read_smpp_receipt(0x04, 8, TEXT.decode().encode("utf-16-be"), {}) == SmppReceipt("0A1B", delivered=True)


@pytest.mark.parametrize(
    ("message_id", "form", "expected"),
    [
        ("0A1B", "hex", "2587"),
        ("0000002587", "decimal", "2587"),
        ("0A1B", "text", "0A1B"),
        ("uuid-1", "hex", "uuid-1"),
        ("x", "decimal", "x"),
    ],
)
def test_ids_of_both_forms_agree(message_id: str, form: str, expected: str) -> None:
    assert canonical_id(message_id, form) == expected  # type: ignore[arg-type]
