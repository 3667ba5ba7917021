"""Values of templates: titles for ids, the entry's own wording, the contact, merged messages."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.notify.bootstrap import template_sources
from services.notify.domain.message_templates import MessageTemplates
from services.notify.domain.message_values import MessageTexts, ProcedureTitles, message_values
from shared.contracts.events.notifications import NotificationRequested
from shared.procedures.model.procedure import Title
from shared.procedures.organisation import ComplaintSource, Department, Organisation, Person

TEMPLATES = MessageTemplates(template_sources(None))
ORGANISATION = Organisation(
    id="demo",
    departments=[Department(id="engineering", zh="工程部", en="Engineering")],
    people=[Person(id="guo", name="郭强", phone="13800000001")],
    sources=[ComplaintSource(id="hotline", procedure="p", contact_name="客服中心", contact_phone="400-1")],
)
PROCEDURE_TEXTS = ProcedureTitles(
    title=Title(zh="投诉规程", en="Procedure"),
    clauses={"3.1": Title(zh="三日内答复", en="Answer in three days")},
    classes={"a": Title(zh="甲类", en="Class A")},
)
TEXTS = MessageTexts(ORGANISATION, {("p", 1): PROCEDURE_TEXTS})


def values(language: str = "zh", **fields: Any) -> dict[str, Any]:
    identity = {"case": "c1", "at": datetime(2026, 9, 24, tzinfo=UTC), "procedure": "p", "version": 1, "clause": "3.1"}
    return message_values(NotificationRequested.model_validate({**identity, **fields}), language, TEXTS, TEMPLATES.format_instant)


@pytest.mark.parametrize(
    ("language", "shown"),
    [
        ("zh", ("投诉规程", "三日内答复", "甲类", "工程部", "答复")),
        ("en", ("Procedure", "Answer in three days", "Class A", "Engineering", "Answer")),
    ],
)
def test_ids_are_shown_by_their_titles_in_the_language(language: str, shown: tuple[str, ...]) -> None:
    stated = {"class": "a", "department": "engineering", "title": "答复", "title_en": "Answer"}
    found = values(language, values=stated)
    assert tuple(found[name] for name in ("procedure", "clause_text", "class", "department", "title")) == shown


def test_own_wording_is_filled_with_instants_to_the_minute_and_says_what_is_not_given() -> None:
    wording = "{matter}：措施为{measures}，{due_at}前完成，联系{contact_name}{contact_phone}"
    stated = {"wording": wording, "matter": "电梯停运", "due_at": "2026-09-25T18:00:00+08:00", "contact_person": "guo"}
    assert values(values=stated)["message"] == "电梯停运：措施为（未填写），2026-09-25 18:00前完成，联系郭强13800000001"


def test_contact_before_a_person_is_in_charge_is_that_of_the_source() -> None:
    found = values(values={"contact_person": "", "source": "hotline"})
    assert (found["contact_name"], found["contact_phone"]) == ("客服中心", "400-1")


def test_merged_requests_are_listed_with_their_own_clause_text_and_wording() -> None:
    items = [{"title": "答复", "clause": "3.1"}, {"title": "回访", "wording": "请回访{number}"}]
    found = values(values={"number": "TS-1", "title": "答复", "items": items})
    assert [(item["title"], item["message"], item["clause_text"]) for item in found["items"]] == [
        ("答复", "", "三日内答复"),
        ("回访", "请回访TS-1", "三日内答复"),
    ]


@pytest.mark.parametrize("about", ["refused", "closed", "withdrawn"])
def test_complainant_is_never_told_that_an_ended_case_goes_on(about: str) -> None:
    for name, words in (("complainant.zh.sms", ("跟进", "进展", "尽快")), ("complainant.en.email", ("progress", "soon", "being handled"))):
        text = TEMPLATES.render(name, values(name[12:14], about=about, values={"matter": "电梯停运", "reason": "不属实"})).text
        assert not [word for word in words if word in text]


def test_complainant_does_not_read_what_staff_wrote_for_each_other() -> None:
    for about in ("assigned", "measures_approved", "routed"):
        text = TEMPLATES.render("complainant.zh.email", values(about=about, values={"text": "内部意见", "reason": "内部理由"})).text
        assert "内部" not in text
