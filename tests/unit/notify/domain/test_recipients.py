"""Addresses of recipients, and the reasons for a missing one."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.notify.domain.failure_reason import FailureReason, reason_label
from services.notify.domain.recipients import Recipient, RecipientDirectory, resolve_recipients
from shared.contracts.events.notifications import NotificationRequested
from shared.procedures.additional_channels import AdditionalChannel
from shared.procedures.organisation import Department, Organisation, Person

PEOPLE = [
    Person(id="li", email="li@example.com", phone="13800000001", language="en"),
    Person(id="wu", email="not an address", phone=" "),
    Person(id="he", phone="110x"),
]
DIRECTORY = RecipientDirectory(Organisation(id="demo", people=PEOPLE))
CONTACT = {"name": "王先生", "phone": "13900000000", "email": None}


def request(**fields: Any) -> NotificationRequested:
    return NotificationRequested(case="c1", at=datetime(2026, 9, 24, tzinfo=UTC), **fields)


def resolve(contact: dict[str, Any] | None = None, unreadable: bool = False, **fields: Any) -> list[Recipient]:
    return resolve_recipients(request(**fields), DIRECTORY, contact, unreadable)


def test_person_is_resolved_on_each_channel() -> None:
    assert resolve(recipients=["supervisor"], persons=["li"], by=["sms", "email"]) == [
        Recipient("li", "sms", "en", "+8613800000001"),
        Recipient("li", "email", "en", "li@example.com"),
    ]


def test_person_with_two_roles_is_one_recipient() -> None:
    assert resolve(recipients=["supervisor", "manager"], persons=["li", "li"], by="email") == [
        Recipient("li", "email", "en", "li@example.com")
    ]


def test_request_without_channel_uses_the_default_channels() -> None:
    assert [recipient.channel for recipient in resolve(recipients=["supervisor"], persons=["li"])] == ["email"]


def test_complainant_is_resolved_from_the_decrypted_contact_data() -> None:
    assert resolve(CONTACT, recipients=["complainant"], by=["sms"]) == [Recipient("complainant", "sms", "zh", "+8613900000000")]
    assert resolve(CONTACT, recipients=["complainant"], persons=["complainant"], by=["sms"])[0].address == "+8613900000000"


@pytest.mark.parametrize(
    ("recipients", "reason"),
    [
        (resolve(recipients=["supervisor"], by=["sms"]), FailureReason.VACANT),
        (resolve(by=["sms"]), FailureReason.VACANT),
        (resolve(recipients=["supervisor"], persons=["nobody"], by=["sms"]), FailureReason.UNKNOWN_PERSON),
        (resolve(recipients=["supervisor"], persons=["wu"], by=["sms"]), FailureReason.NO_ADDRESS),
        (resolve(recipients=["supervisor"], persons=["wu"], by=["email"]), FailureReason.BAD_ADDRESS),
        (resolve(recipients=["supervisor"], persons=["he"], by=["sms"]), FailureReason.BAD_ADDRESS),
        (resolve(recipients=["supervisor"], persons=["he"], by=["email"]), FailureReason.NO_ADDRESS),
        (resolve(recipients=["supervisor"], persons=["li"], by=["fax"]), FailureReason.NO_PROVIDER),
        (resolve(recipients=["complainant"], by=["sms"]), FailureReason.NO_CONTACT),
        (resolve(None, unreadable=True, recipients=["complainant"], by=["sms"]), FailureReason.SEALED),
        (resolve(CONTACT, recipients=["complainant"], by=["email"]), FailureReason.NO_ADDRESS),
        (resolve(CONTACT, recipients=["complainant"], by=["fax"]), FailureReason.NO_PROVIDER),
    ],
)
def test_missing_address_has_a_reason(recipients: list[Recipient], reason: FailureReason) -> None:
    [recipient] = recipients
    assert (recipient.reason, recipient.address) == (reason, None)


def test_staff_are_recipients_beside_the_complainant() -> None:
    both = resolve(CONTACT, recipients=["complainant", "supervisor"], persons=["li"], by=["sms"])
    assert [recipient.id for recipient in both] == ["complainant", "li"]


def test_reason_label_is_one_of_a_closed_list() -> None:
    assert reason_label("refused: 550 5.1.1") == "refused"
    assert reason_label("王先生") == "other"


GROUPS = Organisation(
    id="demo",
    departments=[
        Department(id="group", chat="board"),
        Department(id="region", parent="group"),
        Department(id="project", parent="region", chat="site"),
    ],
    people=[
        Person(id="zhao", department="region", phone="13800000003"),
        Person(id="sun", department="project"),
        Person(id="wang", department="project", chat="own", phone="010-65529988转801"),
        Person(id="nobody"),
    ],
    also_by=[
        AdditionalChannel(channel="chat", procedures=["p"], roles=["owner"]),
        AdditionalChannel(channel="voice", clauses=["4.6"], urgent=True),
    ],
)


def in_groups(contact: dict[str, Any] | None = None, **fields: Any) -> list[tuple[str, str, str | None, str | None]]:
    resolved = resolve_recipients(request(**fields), RecipientDirectory(GROUPS), contact)
    return [(each.id, each.channel, each.address, each.reason) for each in resolved]


def test_person_is_in_his_own_group_or_that_of_the_nearest_department_above() -> None:
    assert in_groups(recipients=["r"], persons=["zhao", "sun", "wang", "nobody"], by=["chat"]) == [
        ("zhao", "chat", "board#+8613800000003", None),
        ("sun", "chat", "site", None),
        ("wang", "chat", "own", None),
        ("nobody", "chat", None, "no_address"),
    ]


def test_complainants_message_is_never_posted_into_a_group() -> None:
    assert in_groups(CONTACT, recipients=["complainant"], by=["chat"]) == [("complainant", "chat", None, "no_address")]
    added = in_groups(CONTACT, recipients=["complainant"], persons=["complainant"], by=["sms"], procedure="p", clause="4.6", urgent=True)
    assert [channel for _, channel, _, _ in added] == ["sms"]


def test_call_goes_to_the_number_with_its_extension() -> None:
    assert in_groups(recipients=["r"], persons=["wang"], by=["voice"]) == [("wang", "voice", "+861065529988;ext=801", None)]


@pytest.mark.parametrize(
    ("fields", "channels"),
    [
        ({"procedure": "p", "recipients": ["owner"]}, ["sms", "chat"]),
        ({"procedure": "q", "recipients": ["owner"]}, ["sms"]),
        ({"procedure": "p", "recipients": ["executive"]}, ["sms"]),
        ({"clause": "4.6", "urgent": True, "recipients": ["owner"]}, ["sms", "voice"]),
        ({"clause": "4.5", "clauses": ["4.5", "4.6"], "urgent": True, "recipients": ["owner"]}, ["sms", "voice"]),
        ({"clause": "4.6", "recipients": ["owner"]}, ["sms"]),
    ],
)
def test_organisation_adds_channels_where_all_conditions_hold(fields: dict[str, Any], channels: list[str]) -> None:
    assert [channel for _, channel, _, _ in in_groups(persons=["zhao"], by=["sms"], **fields)] == channels


def test_added_channel_without_an_address_is_no_failure() -> None:
    assert [channel for _, channel, _, _ in in_groups(persons=["nobody"], recipients=["owner"], by=["email"], procedure="p")] == ["email"]
