"""Who is told, under which address, and why somebody is not."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.notify.domain.failure_reason import Reason, bounded
from services.notify.domain.recipients import Directory, Recipient, resolve
from shared.contracts.events.messages import NotificationRequested
from shared.procedures.organisation import Organisation, Person

PEOPLE = [
    Person(id="li", email="li@example.com", phone="13800000001", language="en"),
    Person(id="wu", email="not an address", phone=" "),
    Person(id="he", phone="110x"),
]
DIRECTORY = Directory(Organisation(id="demo", people=PEOPLE))
CONTACT = {"name": "王先生", "phone": "13900000000", "email": None}


def request(**fields: Any) -> NotificationRequested:
    return NotificationRequested(case="c1", at=datetime(2026, 9, 24, tzinfo=UTC), **fields)


def told(contact: dict[str, Any] | None = None, sealed: bool = False, **fields: Any) -> list[Recipient]:
    return resolve(request(**fields), DIRECTORY, contact, sealed)


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
        (told(recipients=["supervisor"], by=["sms"]), Reason.VACANT),
        (told(by=["sms"]), Reason.VACANT),
        (told(recipients=["supervisor"], persons=["nobody"], by=["sms"]), Reason.UNKNOWN_PERSON),
        (told(recipients=["supervisor"], persons=["wu"], by=["sms"]), Reason.NO_ADDRESS),
        (told(recipients=["supervisor"], persons=["wu"], by=["email"]), Reason.BAD_ADDRESS),
        (told(recipients=["supervisor"], persons=["he"], by=["sms"]), Reason.BAD_ADDRESS),
        (told(recipients=["supervisor"], persons=["he"], by=["email"]), Reason.NO_ADDRESS),
        (told(recipients=["supervisor"], persons=["li"], by=["fax"]), Reason.NO_PROVIDER),
        (told(recipients=["complainant"], by=["sms"]), Reason.NO_CONTACT),
        (told(None, sealed=True, recipients=["complainant"], by=["sms"]), Reason.SEALED),
        (told(CONTACT, recipients=["complainant"], by=["email"]), Reason.NO_ADDRESS),
        (told(CONTACT, recipients=["complainant"], by=["fax"]), Reason.NO_PROVIDER),
    ],
)
def test_a_missing_address_says_why(given: list[Recipient], reason: Reason) -> None:
    [recipient] = given
    assert (recipient.reason, recipient.address) == (reason, None)


def test_roles_beside_the_complainant_are_told_too() -> None:
    both = told(CONTACT, recipients=["complainant", "supervisor"], persons=["li"], by=["sms"])
    assert [r.id for r in both] == ["complainant", "li"]


def test_a_reason_is_a_bounded_label() -> None:
    assert bounded("refused: 550 5.1.1") == "refused"
    assert bounded("王先生") == "other"
