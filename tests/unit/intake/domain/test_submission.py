"""Registrations: case ids, missing fields, contact data, impossible times of receipt."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.intake.domain.submission import case_id, prepare_registration, receipt_time_fault, registered_event
from shared.contracts.events import decode_event, encode_event
from tests.unit.intake.conftest import NOW, MakeContext, MakeSubmission


def test_case_id_depends_on_source_channel_and_reference() -> None:
    assert case_id("web", "hotline", "1") == case_id("web", "hotline", "1")
    assert UUID(case_id("web", "hotline", "1")).version == 5
    others = {
        case_id("web", "email", "1"),
        case_id("web", "hotline", "2"),
        case_id("web hotline", "hotline", "1"),
        case_id("w", "hotline", "1"),
    }
    assert len(others | {case_id("web", "hotline", "1")}) == 5


def test_registered_event_opens_the_case_and_survives_encoding(source_context: MakeContext, submission: MakeSubmission) -> None:
    submitted = submission(title="电梯", external_id="7", happened_at=NOW - timedelta(days=1))
    event = registered_event(prepare_registration(submitted, source_context(), "c1", NOW), 17, None)
    assert (event.number, event.procedure, event.version, event.clause) == ("TS-2027-00017", "shop", 3, "2")
    assert (event.missing, event.forms) == (["complainant.phone"], ["handling_sheet"])
    assert event.complaint.number == event.number
    assert decode_event("registered", encode_event(event)) == event


@pytest.mark.parametrize(
    ("fields", "missing"),
    [
        ({}, ["complainant.phone"]),
        ({"complainant": {"phone": "010-12345678"}}, []),
        ({"complainant": {"phone": "not a number"}}, ["complainant.phone"]),
        ({"complainant": {"anonymous": True}}, []),
        ({"facts": {"persons": "many", "other": 1}, "complainant": {"phone": "13800001234"}}, ["facts.persons"]),
    ],
)
def test_required_fields_without_a_valid_value_are_missing(
    source_context: MakeContext, submission: MakeSubmission, fields: dict[str, Any], missing: list[str]
) -> None:
    assert prepare_registration(submission(**fields), source_context(), "c", NOW).complaint.missing == missing


def test_complaint_contains_no_contact_data(source_context: MakeContext, submission: MakeSubmission) -> None:
    submitted = submission(complainant={"name": "王先生", "phone": "13800001234", "address": "3-502"})
    registration = prepare_registration(submitted, source_context(), "c", NOW)
    assert registration.contact == {
        "kind": "customer",
        "anonymous": False,
        "name": "王先生",
        "phone": "+8613800001234",
        "address": "3-502",
    }
    published = registration.complaint.model_dump_json()
    assert not any(secret in published for secret in ("王先生", "13800001234", "3-502"))
    assert prepare_registration(submission(), source_context(), "c", NOW).contact is None


@pytest.mark.parametrize(
    ("shift", "rule"), [(timedelta(days=2), "in_the_future"), (-timedelta(days=365 * 70), "too_early"), (timedelta(), None)]
)
def test_impossible_time_of_receipt_is_a_fault(shift: timedelta, rule: str | None) -> None:
    fault = receipt_time_fault(NOW + shift, NOW)
    assert (fault.rule if fault else None) == rule


def test_source_without_channels_may_use_any(source_context: MakeContext) -> None:
    assert source_context().allows_channel("media")
    assert not source_context(channels=["web"]).allows_channel("media")
