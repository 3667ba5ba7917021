"""Who is told, under which address, and why somebody is not."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.notify.domain.failure_reason import FailureReason, reason_label
from services.notify.domain.recipients import Recipient, RecipientDirectory, resolve_recipients
from shared.contracts.events.notifications import NotificationRequested
from shared.procedures.organisation import Organisation, Person

PEOPLE = [
    Person(id="li", email="li@example.com", phone="13800000001", language="en"),
    Person(id="wu", email="not an address", phone=" "),
    Person(id="he", phone="110x"),
]
DIRECTORY = RecipientDirectory(Organisation(id="demo", people=PEOPLE))
CONTACT = {"name": "王先生", "phone": "13900000000", "email": None}


def request(**fields: Any) -> NotificationRequested:
    return NotificationRequested(case="c1", at=datetime(2026, 9, 24, tzinfo=UTC), **fields)


def told(contact: dict[str, Any] | None = None, sealed: bool = False, **fields: Any) -> list[Recipient]:
    return resolve_recipients(request(**fields), DIRECTORY, contact, sealed)


def test_each_person_on_each_channel() -> None:
    assert told(recipients=["supervisor"], persons=["li"], by=["sms", "email"]) == [
        Recipient("li", "sms", "en", "+8613800000001"),
        Recipient("li", "email", "en", "li@example.com"),
    ]


def test_who_holds_two_roles_is_told_once() -> None:
    assert told(recipients=["supervisor", "manager"], persons=["li", "li"], by="email") == [
        Recipient("li", "email", "en", "li@example.com")
    ]


def test_a_request_without_channel_takes_the_default() -> None:
    assert [r.channel for r in told(recipients=["supervisor"], persons=["li"])] == ["email"]


def test_the_complainant_is_told_at_the_unsealed_address() -> None:
    assert told(CONTACT, recipients=["complainant"], by=["sms"]) == [Recipient("complainant", "sms", "zh", "+8613900000000")]
    assert told(CONTACT, recipients=["complainant"], persons=["complainant"], by=["sms"])[0].address == "+8613900000000"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (told(recipients=["supervisor"], by=["sms"]), FailureReason.VACANT),
        (told(by=["sms"]), FailureReason.VACANT),
        (told(recipients=["supervisor"], persons=["nobody"], by=["sms"]), FailureReason.UNKNOWN_PERSON),
        (told(recipients=["supervisor"], persons=["wu"], by=["sms"]), FailureReason.NO_ADDRESS),
        (told(recipients=["supervisor"], persons=["wu"], by=["email"]), FailureReason.BAD_ADDRESS),
        (told(recipients=["supervisor"], persons=["he"], by=["sms"]), FailureReason.BAD_ADDRESS),
        (told(recipients=["supervisor"], persons=["he"], by=["email"]), FailureReason.NO_ADDRESS),
        (told(recipients=["supervisor"], persons=["li"], by=["fax"]), FailureReason.NO_PROVIDER),
        (told(recipients=["complainant"], by=["sms"]), FailureReason.NO_CONTACT),
        (told(None, sealed=True, recipients=["complainant"], by=["sms"]), FailureReason.SEALED),
        (told(CONTACT, recipients=["complainant"], by=["email"]), FailureReason.NO_ADDRESS),
        (told(CONTACT, recipients=["complainant"], by=["fax"]), FailureReason.NO_PROVIDER),
    ],
)
def test_a_missing_address_says_why(given: list[Recipient], reason: FailureReason) -> None:
    [recipient] = given
    assert (recipient.reason, recipient.address) == (reason, None)


def test_roles_beside_the_complainant_are_told_too() -> None:
    both = told(CONTACT, recipients=["complainant", "supervisor"], persons=["li"], by=["sms"])
    assert [r.id for r in both] == ["complainant", "li"]


def test_a_reason_is_a_bounded_label() -> None:
    assert reason_label("refused: 550 5.1.1") == "refused"
    assert reason_label("王先生") == "other"
