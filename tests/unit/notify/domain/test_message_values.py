"""Values of templates: titles for ids, the entry's own wording, the contact, merged messages."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from services.notify.bootstrap import template_sources
from services.notify.domain.message_templates import MessageTemplates
from services.notify.domain.message_values import MessageForm, MessageTexts, ProcedureTitles, class_titles, message_values
from shared.contracts.events.notifications import NotificationRequested
from shared.procedures.model.procedure import ClauseText, Title
from shared.procedures.organisation import ComplaintSource, Department, Organisation, Person
from tests.unit.sla.timeline import small_procedure

TEMPLATES = MessageTemplates(template_sources(None))
ORGANISATION = Organisation(
    id="demo",
    departments=[Department(id="engineering", zh="工程部", en="Engineering")],
    people=[Person(id="guo", name="郭强", phone="13800000001")],
    sources=[ComplaintSource(id="hotline", procedure="p", contact_name="客服中心", contact_phone="400-1")],
)
PROCEDURE_TEXTS = ProcedureTitles(
    title=Title(zh="投诉规程", en="Procedure"),
    clauses={
        "3.1": ClauseText(zh="三日内答复", en="Answer in three days"),
        "limit": ClauseText(zh="按期", en="In time", cite=Title(zh="“处理期限”", en="the time limit")),
    },
    classes={"a": Title(zh="甲类", en="Class A")},
    facts={"policy": Title(zh="保单号", en="policy number")},
)
TEXTS = MessageTexts(ORGANISATION, {("p", 1): PROCEDURE_TEXTS})


def values(language: str = "zh", channel: str = "email", **fields: Any) -> dict[str, Any]:
    identity = {"case": "c1", "at": datetime(2026, 9, 24, tzinfo=UTC), "procedure": "p", "version": 1, "clause": "3.1"}
    form = MessageForm(language, channel, TEMPLATES.format_instant)
    return message_values(NotificationRequested.model_validate({**identity, **fields}), form, TEXTS)


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


def test_a_part_without_a_value_is_left_out_and_a_full_stop_of_a_person_is_not_doubled() -> None:
    stated = {"wording": "{number}已处理[：{result}][，{agreed_date}上门]。", "number": "TS-1", "result": "换泵。"}
    assert values(values=stated)["message"] == "TS-1已处理：换泵。"
    assert values(values={**stated, "agreed_date": "2026-09-25T18:00:00+08:00"})["message"] == "TS-1已处理：换泵，2026-09-25 18:00上门。"


def test_words_of_persons_are_cut_in_a_text_message_only() -> None:
    stated = {"wording": "{matter}：{result}", "matter": "门" * 40, "result": "换\n" * 60}
    assert values(channel="sms", values=stated)["message"] == f"{'门' * 23}…：{'换 ' * 19}换…"
    assert values(channel="email", values=stated)["message"] == f"{'门' * 40}：{chr(10).join('换' * 60)}"


@pytest.mark.parametrize(("clause", "cited"), [("3.5.1", "3.5.1"), ("4(2)", "4(2)"), ("customer-5", ""), ("limit", "“处理期限”")])
def test_a_clause_is_cited_by_its_number_or_as_the_regulation_is_cited(clause: str, cited: str) -> None:
    assert values(clause=clause)["cited"] == cited


def test_a_class_that_several_rules_lead_to_is_not_named_by_one_of_them() -> None:
    classes = [
        {"id": "major", "rule": "joint", "zh": "一类：群体性", "en": "Class 1: joint", "clause": "1", "when": "false"},
        {"id": "major", "rule": "media", "zh": "一类：媒体", "en": "Class 1: media", "clause": "1", "when": "false"},
        {"id": "mixed", "rule": "a", "zh": "甲", "en": "First", "clause": "1", "when": "false"},
        {"id": "mixed", "rule": "b", "zh": "乙", "en": "Second", "clause": "1", "when": "false"},
        {"id": "other", "zh": "其他：无", "en": "Other: none", "clause": "1"},
    ]
    titles = class_titles(small_procedure(f"classes: {json.dumps(classes)}"))
    assert {class_id: (title.zh, title.en) for class_id, title in titles.items()} == {
        "major": ("一类", "Class 1"),
        "mixed": ("", ""),
        "other": ("其他：无", "Other: none"),
    }


def test_a_complainant_reads_all_that_was_merged_into_one_message() -> None:
    items = [{"wording": "“{matter}”（{number}）已处理。"}, {"wording": "“{matter}”（{number}）您是否满意？"}]
    stated = {"number": "TS-1", "matter": "漏水", "wording": items[0]["wording"], "items": items}
    for channel in ("sms", "email"):
        text = TEMPLATES.render(f"complainant.zh.{channel}", values(channel=channel, about="handled", values=stated)).text
        assert "“漏水”（TS-1）已处理。" in text
        assert "“漏水”（TS-1）您是否满意？" in text


@pytest.mark.parametrize("channel", ["sms", "email"])
def test_staff_read_case_matter_due_instant_and_clause_beside_the_wording(channel: str) -> None:
    stated = {
        "number": "TS-1",
        "matter": "漏水",
        "wording": "请审批[：{measures}]。",
        "measures": "换泵",
        "due_at": "2026-09-25T18:00:00+08:00",
    }
    for template in ("reminded", "escalated", "clock_breached", "due", "notice"):
        text = TEMPLATES.render(f"{template}.zh.{channel}", values(channel=channel, values=stated)).text
        assert all(words in text for words in ("TS-1", "漏水", "请审批：换泵。", "2026-09-25 18:00", "3.1")), text


def test_details_do_not_repeat_what_the_wording_says() -> None:
    stated = {"number": "TS-1", "wording": "领导批准[，要求：{demands}]。", "demands": "请第三方检测。", "reason": "金额大"}
    text = TEMPLATES.render("notice.zh.email", values(values=stated)).text
    assert text.count("请第三方检测") == 1
    assert "理由：金额大" in text


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


@pytest.mark.parametrize(
    ("language", "listed"), [("zh", "缺：投诉人电话、地点、保单号。"), ("en", "Missing: the complainant's phone, place, policy number.")]
)
def test_missing_fields_are_listed_by_their_titles(language: str, listed: str) -> None:
    missing = ["complainant.phone", "place", "facts.policy"]
    shown = values(language, values={"wording": "缺：{missing}。", "wording_en": "Missing: {missing}.", "missing": missing})
    assert shown["message"] == listed


@pytest.mark.parametrize(("language", "threat"), [("zh", "将继续向上一级升级"), ("en", "goes on to the level above")])
def test_an_escalation_says_that_it_goes_on_only_where_it_does(language: str, threat: str) -> None:
    for goes_on in (True, False):
        text = TEMPLATES.render(f"escalated.{language}.email", values(language, values={"number": "TS-1", "goes_on": goes_on})).text
        assert (threat in text) is goes_on


FINDINGS = {"sanction": "fine", "persons": ["guo", "王某"], "units": ["engineering", "外包队"], "amount": 1200.5, "call_result": "busy"}


@pytest.mark.parametrize(
    ("language", "shown"),
    [("zh", "罚款 1,200.50 郭强、王某 工程部、外包队 占线"), ("en", "fine 1,200.50 郭强, 王某 Engineering, 外包队 busy")],
)
def test_findings_are_shown_by_names_and_amounts_also_in_a_merged_message(language: str, shown: str) -> None:
    text = "{sanction} {amount} {persons} {units} {call_result}"
    stated = {**FINDINGS, "wording": text, "wording_en": text}
    assert values(language, values=stated)["message"] == shown
    merged = values(language, values={"wording": "x", "wording_en": "x", "items": [stated]})
    assert merged["items"][0]["message"] == shown


def test_findings_that_a_case_lacks_are_not_given() -> None:
    assert values(values={"wording": "{sanction}[，{amount}元]"})["message"] == "（未填写）"
