"""Normalised, masked and pseudonymised contact data."""

import pytest

from services.intake.domain.complainant import complainant_keys, masked, masked_name, masked_phone, normal_contact, read_contact
from shared.contracts.complaint import Complainant
from tests.unit.intake.conftest import PSEUDONYM_KEY


def keys(*shared: str, **fields: str) -> list[str]:
    return complainant_keys(read_contact(Complainant.model_validate(fields), "CN"), PSEUDONYM_KEY, frozenset(shared))


def test_names_and_phone_numbers_are_masked() -> None:
    assert (masked_name("王先生"), masked_name(None)) == ("王**", None)
    assert (masked_phone("+8613800001234"), masked_phone("12345"), masked_phone(None)) == ("138****1234", "****", None)


def test_anonymous_complainant_has_neither_name_nor_phone() -> None:
    complainant = masked(Complainant(anonymous=True, name="王", phone="13800001234", identity="lawyer"), [])
    assert (complainant.name, complainant.phone, complainant.identity) == (None, None, "lawyer")
    assert complainant.has == ["name", "phone", "identity"]


def test_phone_email_and_id_number_each_give_a_key() -> None:
    person = keys(phone="138 0000 1234", email="王五 <W@x.cn>", id_number="11010519491231002x")
    assert [key.partition(":")[0] for key in person] == ["email", "id_number", "phone"]
    assert keys(phone="+8613800001234") == person[2:]
    assert keys(email="w@X.CN ") == person[:1]
    assert keys(id_number="110105-19491231-002X") == person[1:2]
    assert not any(secret in "".join(person) for secret in ("13800001234", "w@x.cn", "11010519491231002X"))


def test_keys_cannot_be_computed_without_the_secret() -> None:
    reading = read_contact(Complainant(phone="13800001234"), "CN")
    assert complainant_keys(reading, b"other", frozenset()) != complainant_keys(reading, PSEUDONYM_KEY, frozenset())


def test_extension_is_part_of_the_key() -> None:
    assert keys(phone="010-65529988-801") == keys(phone="010-6552 9988 转 801")
    assert len({*keys(phone="010-65529988"), *keys(phone="010-65529988转801"), *keys(phone="010-65529988转802")}) == 3


def test_identity_name_and_unreadable_contacts_are_no_keys() -> None:
    assert keys(name="王", identity="业主", phone="12345", email="a@b") == []


def test_shared_contacts_are_no_keys() -> None:
    switchboard, desk = normal_contact("010-65529988", "CN"), normal_contact("Service <service@x.cn>", "CN")
    assert keys(switchboard, desk, phone="（010）6552 9988", email="SERVICE@x.cn") == []
    assert len(keys(switchboard, phone="010-65529988转801")) == 1


def test_unreadable_phone_and_email_are_kept_as_written_and_reported() -> None:
    reading = read_contact(Complainant(phone="95588", email="a b@c"), "CN")
    assert (reading.complainant.phone, reading.complainant.email) == ("95588", "a b@c")
    assert reading.unreadable == ["complainant.phone", "complainant.email"]


@pytest.mark.parametrize(
    ("written", "fields"),
    [
        ("13800000000", {}),
        ("13512345678-9100", {"phone_extension": "9100"}),
        ("13800000000/13900000000", {"phone_as_written": "13800000000/13900000000"}),
        ("13800000000 李女士", {"phone_as_written": "13800000000 李女士"}),
    ],
)
def test_extension_and_further_numbers_are_kept_beside_the_number(written: str, fields: dict[str, str]) -> None:
    reading = read_contact(Complainant(phone=written), "CN")
    assert (reading.complainant.phone or "").startswith("+8613")
    assert reading.phone_fields == fields
