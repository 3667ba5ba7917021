"""The form of a complaint: which fields stand in front, and what the filled form amounts to."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.desk.domain.complaint_form import fill_form, form_fields
from shared.procedures.loading.loader import load_installed
from shared.procedures.model.procedure import Procedure
from tests.support.messaging.sample_organisation import PROCEDURE

SHANGHAI = ZoneInfo("Asia/Shanghai")
BASE = {"text": "电梯停运", "channel": "hotline", "received_at": "2026-09-24T16:40"}
SHOP = Procedure.model_validate(PROCEDURE)


def filled(**values: str) -> dict[str, Any]:
    return fill_form(SHOP, {**BASE, **{name.replace("__", "."): text for name, text in values.items()}}, SHANGHAI).submission


@pytest.mark.parametrize(
    ("procedure", "required"),
    [
        ("internal-customers", {"happened_at", "against"}),
        ("eight-steps", {"object", "demand"}),
        ("device-service", {"complainant.enterprise"}),
    ],
)
def test_what_the_procedure_requires_stands_in_front(procedure: str, required: set[str]) -> None:
    front, behind = form_fields(load_installed(procedure, 1))
    assert required <= {each.name for each in front if each.required}
    assert not [each.name for each in behind if each.required]
    names = [each.name for each in (*front, *behind)]
    assert len(names) == len(set(names))


def test_values_take_the_types_of_the_contract() -> None:
    submission = filled(
        complainant__phone=" 138 0000 1234 ",
        complainant__anonymous="yes",
        against="王工\n\n 李工 ",
        facts__media="no",
        facts__persons="3",
        happened_at="2026-09-24T08:00+01:00",
    )
    assert submission["received_at"] == "2026-09-24T16:40:00+08:00"
    assert submission["happened_at"] == "2026-09-24T08:00:00+01:00"
    assert submission["complainant"] == {"phone": "138 0000 1234", "anonymous": True}
    assert submission["against"] == ["王工", "李工"]
    assert submission["facts"] == {"media": False, "persons": 3}


@pytest.mark.parametrize("text", ["three", "1.5", "nan", "1e3", "9" * 30, "9" * 5000])
def test_a_number_that_json_or_intake_cannot_hold_is_named(text: str) -> None:
    [fault] = fill_form(SHOP, {**BASE, "facts.persons": text}, SHANGHAI).faults
    assert (fault.field, fault.rule) == ("facts.persons", "not_number")


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01T00:00", "0000-01-01T00:00", "2026-09-24T25:00"])
def test_an_instant_that_is_none_is_named(text: str) -> None:
    [fault] = fill_form(SHOP, {**BASE, "received_at": text}, SHANGHAI).faults
    assert (fault.field, fault.rule) == ("received_at", "not_instant")


def test_only_text_channel_and_time_of_receipt_are_faults_when_missing() -> None:
    empty = fill_form(SHOP, {"text": " \n"}, SHANGHAI)
    assert {fault.field for fault in empty.faults} == {"text", "channel", "received_at"}
    assert {fault.rule for fault in empty.faults} == {"missing"}
    assert empty.missing == ["complainant.phone"]


def test_an_anonymous_complainant_is_not_asked_for_contact_data() -> None:
    assert fill_form(SHOP, {**BASE, "complainant.anonymous": "yes"}, SHANGHAI).missing == []
