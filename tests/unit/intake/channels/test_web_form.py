"""What is typed into a form becomes a submission, or a fault beside its field."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.intake.channels.web_form import FormReading, form_lines, read_form
from shared.procedures.model.procedure import Procedure
from shared.procedures.model.sources.web_form import WebForm
from tests.support.messaging.sample_organisation import PROCEDURE

NOW = datetime(2026, 11, 9, 2, 0, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
SHOP = Procedure.model_validate(
    PROCEDURE | {"register": {**PROCEDURE["register"], "required": ["text", "received_at", "complainant.phone", "place"]}}
)
TYPED = {"text": "电梯停运\r\n三天了 ", "phone": "138 0000 1234", "place": "3号楼"}


def read(typed: dict[str, str], **form: Any) -> FormReading:
    described = WebForm.model_validate(form)
    return read_form(described, form_lines(described, SHOP), typed, "CN", SHANGHAI, NOW, timedelta(minutes=5))


def test_typed_text_becomes_a_submission_received_now() -> None:
    reading = read(TYPED | {"happened_at": "2026-11-09T09:00", "name": " 王先生 "})
    assert reading.faults == {}
    assert reading.document == {
        "received_at": "2026-11-09T02:00:00+00:00",
        "channel": "web",
        "text": "电梯停运\n三天了",
        "place": "3号楼",
        "happened_at": "2026-11-09T09:00:00+08:00",
        "complainant": {"kind": "customer", "anonymous": False, "phone": "138 0000 1234", "name": "王先生"},
    }


def test_required_fields_of_the_procedure_are_on_every_form() -> None:
    lines = form_lines(WebForm.model_validate({"fields": ["title"]}), SHOP)
    assert [(line.name, line.required) for line in lines] == [("title", False), ("phone", True), ("text", True), ("place", True)]


@pytest.mark.parametrize(
    ("typed", "faults"),
    [
        ({}, {"text": "missing", "place": "missing", "phone": "missing"}),
        (TYPED | {"text": " \x00".replace("\x00", "")}, {"text": "missing"}),
        (TYPED | {"text": "长" * 10_001}, {"text": "too_long"}),
        (TYPED | {"phone": "1380000000"}, {"phone": "phone"}),
        (TYPED | {"email": "nobody"}, {"email": "email"}),
        (TYPED | {"happened_at": "昨天"}, {"happened_at": "date"}),
        (TYPED | {"happened_at": "2026-11-09T10:06"}, {"happened_at": "future"}),
        (TYPED | {"anonymous": "1", "phone": ""}, {}),
    ],
)
def test_faults_are_beside_their_fields(typed: dict[str, str], faults: dict[str, str]) -> None:
    assert read(typed).faults == faults


@pytest.mark.parametrize("written", ["2026-11-09T09:00", "2026-11-09 09:00", "2026/11/09 09:00", "2026-11-09T09:00:30"])
def test_wall_clock_time_is_that_of_the_source(written: str) -> None:
    assert read(TYPED | {"happened_at": written}).document["happened_at"] == "2026-11-09T09:00:00+08:00"


def test_facts_and_choices_and_units() -> None:
    label = {"zh": "媒体", "en": "Media"}
    fields = [
        {"field": "facts.media", "label": label},
        {"field": "facts.persons", "label": label},
        {"field": "product", "choices": [{"value": "lift", "zh": "电梯", "en": "Lift"}]},
        "against",
    ]
    reading = read(TYPED | {"facts.media": "true", "facts.persons": "3", "product": "lift", "against": "张三\n\n 工程部 "}, fields=fields)
    assert reading.document["facts"] == {"media": True, "persons": 3}
    assert (reading.document["product"], reading.document["against"]) == ("lift", ["张三", "工程部"])
    wrong = read(TYPED | {"facts.media": "maybe", "facts.persons": "many", "product": "roof"}, fields=fields)
    assert wrong.faults == {"facts.media": "fact", "facts.persons": "fact", "product": "choice"}


def test_form_that_forbids_it_takes_no_anonymous_complaint() -> None:
    reading = read(TYPED | {"anonymous": "1"}, anonymous=False)
    assert reading.document["complainant"]["anonymous"] is False


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"fields": ["nmae"]}, "is no field of a form"),
        ({"fields": ["facts.media"]}, "a fact has no usual label"),
        ({"fields": ["text", "text"]}, "stands there twice"),
        ({"attachments": 100}, "less than or equal"),
    ],
)
def test_wrong_form_is_refused_with_its_remedy(form: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        WebForm.model_validate(form)
