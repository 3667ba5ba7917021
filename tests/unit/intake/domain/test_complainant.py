"""Normalised, masked and pseudonymised contact data."""

import pytest

from services.intake.domain.complainant import masked, masked_name, masked_phone, normalised_complainant, normalised_phone, pseudonym
from shared.contracts.complaint import Complainant
from tests.unit.intake.conftest import PSEUDONYM_KEY


@pytest.mark.parametrize(
    ("written", "normalised"),
    [
        ("13800001234", "+8613800001234"),
        ("138 0000-1234", "+8613800001234"),
        ("+86 13800001234", "+8613800001234"),
        ("（010）1234 5678", "+861012345678"),
        ("+44 20 7946 0958", "+442079460958"),
        ("12", None),
        ("abc", None),
        ("", None),
    ],
)
def test_phone_numbers_are_normalised_to_e164(written: str, normalised: str | None) -> None:
    assert normalised_phone(written, "CN") == normalised


def test_names_and_phone_numbers_are_masked() -> None:
    assert (masked_name("王先生"), masked_name(None)) == ("王**", None)
    assert (masked_phone("+8613800001234"), masked_phone("12345"), masked_phone(None)) == ("138****1234", "****", None)


def test_anonymous_complainant_has_neither_name_nor_phone() -> None:
    complainant = masked(Complainant(anonymous=True, name="王", phone="13800001234", identity="lawyer"), PSEUDONYM_KEY)
    assert (complainant.name, complainant.phone, complainant.identity) == (None, None, "lawyer")
    assert complainant.has == ["name", "phone", "identity"]


def test_pseudonym_is_the_same_for_the_same_phone_or_email() -> None:
    by_phone = normalised_complainant(Complainant(phone="138 0000 1234", name="王"), "CN")
    by_phone_and_email = normalised_complainant(Complainant(phone="+8613800001234", email="W@x.cn"), "CN")
    assert pseudonym(by_phone, PSEUDONYM_KEY) == pseudonym(by_phone_and_email, PSEUDONYM_KEY) != pseudonym(by_phone, b"other")
    emails = [normalised_complainant(Complainant(email=email), "CN") for email in ("W@X.cn", "w@x.CN ")]
    assert pseudonym(emails[0], PSEUDONYM_KEY) == pseudonym(emails[1], PSEUDONYM_KEY)


def test_name_alone_gives_no_pseudonym() -> None:
    assert pseudonym(normalised_complainant(Complainant(name="王"), "CN"), PSEUDONYM_KEY) is None
