"""Registrations: case ids, missing fields, contact data, impossible times of receipt."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.intake.domain.submission import (
    MAX_FUTURE,
    case_id,
    prepare_registration,
    receipt_time_fault,
    registered_event,
    without_future_instants,
)
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
        ({"facts": {"persons": "many", "other": 1}, "complainant": {"phone": "13800001234"}}, []),
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


def test_facts_of_the_wrong_type_and_undeclared_ones_are_named_in_unreadable(
    source_context: MakeContext, submission: MakeSubmission
) -> None:
    submitted = submission(facts={"persons": "many", "wrad": "A", "media": True}, complainant={"phone": "12345"})
    event = registered_event(prepare_registration(submitted, source_context(), "c", NOW, ["title"]), 1, None)
    assert event.unreadable == ["title", "complainant.phone", "facts.persons", "facts.wrad"]
    assert event.complaint.unreadable == event.unreadable
    assert event.complaint.facts == {"wrad": "A", "media": True}


@pytest.mark.parametrize(("facts", "missing"), [({}, True), ({"persons": "many"}, True), ({"persons": 0}, False)])
def test_required_fact_without_a_readable_value_is_missing(
    source_context: MakeContext, submission: MakeSubmission, facts: dict[str, Any], missing: bool
) -> None:
    context = source_context()
    procedure = context.bound_procedure.procedure
    register = procedure.register_.model_copy(update={"required": ["facts.persons"]})
    bound = replace(context.bound_procedure, procedure=procedure.model_copy(update={"register_": register}))
    registration = prepare_registration(submission(facts=facts), replace(context, bound_procedure=bound), "c", NOW)
    assert registration.complaint.missing == (["facts.persons"] if missing else [])


@pytest.mark.parametrize(
    ("shift", "rule"), [(timedelta(minutes=5, seconds=1), "in_the_future"), (timedelta(minutes=5), None), (-timedelta(days=9000), None)]
)
def test_time_of_receipt_after_the_acceptance_is_a_fault(shift: timedelta, rule: str | None) -> None:
    fault = receipt_time_fault(NOW + shift, NOW, MAX_FUTURE)
    assert (fault.rule if fault else None) == rule


def test_other_instants_after_the_acceptance_are_kept_out(submission: MakeSubmission) -> None:
    submitted = submission(happened_at=NOW + timedelta(minutes=6), registered_at=NOW + timedelta(minutes=4))
    kept, unreadable = without_future_instants(submitted, NOW, MAX_FUTURE)
    assert (kept.happened_at, kept.registered_at, unreadable) == (None, submitted.registered_at, ["happened_at"])


def test_source_without_channels_may_use_any(source_context: MakeContext) -> None:
    assert source_context().allows_channel("media")
    assert not source_context(channels=["web"]).allows_channel("media")
