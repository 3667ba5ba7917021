"""References in mails: only who has the key makes one, and each is of its case and use alone."""

import pytest

from shared.contracts import mail_references
from shared.contracts.mail_references import MessageReference

KEY = mail_references.mail_key("secret")
CASE = "0198a4c0-7b1e-7000-8000-00000000beef"
OTHER_CASE = "0198a4c0-7b1e-7000-8000-00000000cafe"
DELIVERY = "8b0b6a0e-5f6e-5d0f-9c3c-0a1b2c3d4e5f"


def test_reply_address_names_its_case() -> None:
    address = mail_references.reply_address(KEY, "case@jiesu.example", CASE)
    assert address is not None
    assert address.startswith("case+")
    assert len(address.partition("@")[0]) <= 64
    assert mail_references.case_of_reply_address(KEY, address) == CASE
    assert mail_references.case_of_reply_address(KEY, address.upper()) == CASE, "servers change letters"


def test_message_id_names_delivery_and_case() -> None:
    text = mail_references.message_id(KEY, DELIVERY, CASE, "jiesu.example")
    assert text.startswith(f"<{DELIVERY}.")
    assert mail_references.read_message_id(KEY, text) == MessageReference(DELIVERY, CASE)
    assert mail_references.read_message_id(KEY, f" {text.strip('<>')} ") == MessageReference(DELIVERY, CASE)


@pytest.mark.parametrize("position", range(0, 42, 3))
def test_changed_token_proves_nothing(position: int) -> None:
    address = mail_references.reply_address(KEY, "case@jiesu.example", CASE)
    assert address is not None
    token = address.partition("+")[2].partition("@")[0]
    other = "a" if token[position] != "a" else "b"
    forged = token[:position] + other + token[position + 1 :]
    assert mail_references.case_of_reply_address(KEY, f"case+{forged}@jiesu.example") is None


def test_reference_of_another_key_or_use_proves_nothing() -> None:
    other_key = mail_references.mail_key("other")
    address = mail_references.reply_address(KEY, "case@jiesu.example", CASE)
    assert address is not None
    assert mail_references.case_of_reply_address(other_key, address) is None
    token = address.partition("+")[2].partition("@")[0]
    assert mail_references.read_message_id(KEY, f"<{DELIVERY}.{token}@jiesu.example>") is None
    other_delivery = mail_references.message_id(KEY, DELIVERY, CASE, "x").replace("8b0b6a0e", "8b0b6a0f")
    assert mail_references.read_message_id(KEY, other_delivery) is None


@pytest.mark.parametrize(
    "text", ["", "case@jiesu.example", "case+abc@jiesu.example", "<delivery-1@jiesu.example>", f"<{DELIVERY}@x.cn>", "+@"]
)
def test_what_has_no_token_is_no_reference(text: str) -> None:
    assert mail_references.case_of_reply_address(KEY, text) is None
    assert mail_references.read_message_id(KEY, text) is None


def test_case_id_that_is_no_uuid_has_no_token() -> None:
    assert mail_references.reply_address(KEY, "case@jiesu.example", "case-1") is None
    assert mail_references.reply_address(KEY, "", CASE) is None
    text = mail_references.message_id(KEY, DELIVERY, "digest:wang", "jiesu.example")
    assert mail_references.read_message_id(KEY, text) == MessageReference(DELIVERY, ""), "a bounce of a digest settles its delivery"
    assert mail_references.read_message_id(mail_references.mail_key("other"), text) is None
    assert mail_references.case_of_reply_address(KEY, mail_references.reply_address(KEY, "c@x.cn", OTHER_CASE) or "") == OTHER_CASE
