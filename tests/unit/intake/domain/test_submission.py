"""What intake makes of a submission: which case, which number, what is missing, who it shows to whom."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from services.intake.domain.complainant import masked, masked_name, masked_phone, normalised_complainant, normalised_phone, pseudonym
from services.intake.domain.number_series import NumberSeries, format_number, series_at
from services.intake.domain.submission import SourceContext, case_id, prepare_registration, receipt_time_fault, registered_event
from shared.contracts.complaint import Complainant, Submission
from shared.contracts.events import decode_event, encode_event
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.model.procedure import Procedure
from shared.procedures.organisation import ComplaintSource
from tests.support.services import PROCEDURE

NOW = datetime(2026, 12, 31, 16, 30, tzinfo=UTC)
CHINA = ZoneInfo("Asia/Shanghai")
KEY = b"k" * 32


def office(**changes: Any) -> SourceContext:
    source = ComplaintSource.model_validate({"id": "web", "procedure": "shop"} | changes)
    return SourceContext(source, bind_parameters(Procedure.model_validate(PROCEDURE)), CHINA, "CN", KEY)


def submission(**fields: Any) -> Submission:
    return Submission.model_validate({"received_at": NOW, "text": "电梯停运"} | fields)


def test_a_case_is_the_same_for_the_same_source_channel_and_reference() -> None:
    assert case_id("web", "hotline", "1") == case_id("web", "hotline", "1")
    assert UUID(case_id("web", "hotline", "1")).version == 5
    others = {
        case_id("web", "email", "1"),
        case_id("web", "hotline", "2"),
        case_id("web hotline", "hotline", "1"),
        case_id("w", "hotline", "1"),
    }
    assert len(others | {case_id("web", "hotline", "1")}) == 5


@pytest.mark.parametrize(
    ("pattern", "number"),
    [("TS-{year}-{seq:05}", "TS-2027-00042"), ("{seq}", "42"), ("{year}/{seq:03}号", "2027/042号"), ("A{x}{seq}", "A{x}42")],
)
def test_numbers_follow_the_procedures_pattern(pattern: str, number: str) -> None:
    assert format_number(pattern, 2027, 42) == number


def test_a_pattern_without_a_running_number_is_refused() -> None:
    with pytest.raises(ValueError, match=r"has no \{seq\}"):
        format_number("TS-{year}", 2027, 1)


def test_the_year_is_that_of_the_calendars_zone() -> None:
    assert series_at("shop", NOW, CHINA) == NumberSeries("shop", 2027)
    assert series_at("shop", NOW, UTC) == NumberSeries("shop", 2026)


def test_the_event_carries_all_that_opens_a_case_and_survives_the_wire() -> None:
    made = prepare_registration(submission(title="电梯", external_id="7", happened_at=NOW - timedelta(days=1)), office(), "c1", NOW)
    event = registered_event(made, 17, None)
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
def test_what_the_procedure_requires_and_nobody_gave_is_reported(fields: dict[str, Any], missing: list[str]) -> None:
    assert prepare_registration(submission(**fields), office(), "c", NOW).complaint.missing == missing


def test_contact_data_leaves_the_complaint() -> None:
    made = prepare_registration(submission(complainant={"name": "王先生", "phone": "13800001234", "address": "3-502"}), office(), "c", NOW)
    assert made.contact == {"kind": "customer", "anonymous": False, "name": "王先生", "phone": "+8613800001234", "address": "3-502"}
    shown = made.complaint.model_dump_json()
    assert not any(secret in shown for secret in ("王先生", "13800001234", "3-502"))
    assert prepare_registration(submission(), office(), "c", NOW).contact is None


@pytest.mark.parametrize(
    ("given", "normalised"),
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
def test_phone_numbers_come_in_one_form(given: str, normalised: str | None) -> None:
    assert normalised_phone(given, "CN") == normalised


def test_masks_show_little() -> None:
    assert (masked_name("王先生"), masked_name(None)) == ("王**", None)
    assert (masked_phone("+8613800001234"), masked_phone("12345"), masked_phone(None)) == ("138****1234", "****", None)


def test_the_same_person_has_one_pseudonym_that_needs_the_key() -> None:
    one = normalised_complainant(Complainant(phone="138 0000 1234", name="王"), "CN")
    two = normalised_complainant(Complainant(phone="+8613800001234", email="W@x.cn"), "CN")
    assert pseudonym(one, KEY) == pseudonym(two, KEY) != pseudonym(one, b"other")
    assert pseudonym(normalised_complainant(Complainant(name="王"), "CN"), KEY) is None
    assert pseudonym(normalised_complainant(Complainant(email="W@X.cn"), "CN"), KEY) == pseudonym(
        normalised_complainant(Complainant(email="w@x.CN "), "CN"), KEY
    )


def test_the_anonymous_show_neither_name_nor_phone() -> None:
    shown = masked(Complainant(anonymous=True, name="王", phone="13800001234", identity="lawyer"), KEY)
    assert (shown.name, shown.phone, shown.identity, shown.has) == (None, None, "lawyer", ["name", "phone", "identity"])


@pytest.mark.parametrize(
    ("shift", "rule"), [(timedelta(days=2), "in_the_future"), (-timedelta(days=365 * 70), "too_early"), (timedelta(), None)]
)
def test_a_receipt_that_cannot_be_is_found(shift: timedelta, rule: str | None) -> None:
    fault = receipt_time_fault(NOW + shift, NOW)
    assert (fault.rule if fault else None) == rule


def test_a_source_without_channels_may_use_any() -> None:
    assert office().allows_channel("media")
    assert not office(channels=["web"]).allows_channel("media")
