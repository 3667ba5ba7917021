"""Templates: complete in both languages, bounded, sandboxed, and safe as mail headers."""

import re
from datetime import UTC, datetime

import pytest

from services.notify.bootstrap import TEMPLATES_FOLDER, template_sources
from services.notify.domain.message_templates import (
    LANGUAGES,
    LONGEST_SUBJECT,
    LONGEST_TEXT,
    MessageTemplates,
    RenderedMessage,
    TemplateRenderError,
    one_line,
    truncate_values,
)
from services.notify.domain.required_templates import TEMPLATE_CHANNELS
from services.notify.domain.sms.parts import count_parts

INSTALLED = template_sources(None)
NAMED = [name for name in INSTALLED if not name.startswith("_")]
"""The templates of messages; the others are parts that these include."""
TEMPLATES = MessageTemplates(INSTALLED)
MINIMAL = {
    "number": "TS-2026-00001",
    "case": "c1",
    "at": datetime(2026, 9, 24, tzinfo=UTC),
    "clause": "",
    "procedure": "",
    "about": "",
    "urgent": False,
}
FULL = MINIMAL | {
    "title": "电梯停运",
    "due_at": "2026-09-25T00:00:00+08:00",
    "clause": "3.5.1",
    "cited": "clause 3.5.1",
    "procedure": "hunan-property",
    "text": "…",
}


def templates_with(text: str, channel: str = "sms") -> MessageTemplates:
    return MessageTemplates({f"x.zh.{channel}": text})


def test_every_template_exists_in_both_languages_for_both_channels() -> None:
    names = {path.name.split(".")[0] for path in TEMPLATES_FOLDER.glob("[a-z]*.j2")}
    assert set(NAMED) == {f"{name}.{language}.{channel}" for name in names for language in LANGUAGES for channel in TEMPLATE_CHANNELS}


@pytest.mark.parametrize("name", sorted(NAMED))
@pytest.mark.parametrize("values", [MINIMAL, FULL])
def test_every_template_renders_with_minimal_and_with_full_values(name: str, values: dict[str, object]) -> None:
    rendered = TEMPLATES.render(name, values)
    assert rendered.text
    assert bool(rendered.subject) == name.endswith("email")
    assert "{" not in rendered.subject + rendered.text
    assert all(line == line.strip() for line in rendered.text.splitlines())


def test_message_contains_number_instant_and_clause() -> None:
    rendered = TEMPLATES.render("reminded.en.email", FULL)
    assert rendered.subject == "Reminder: complaint TS-2026-00001 电梯停运"
    assert "Due: 2026-09-25 00:00" in rendered.text
    assert "Rule: hunan-property, clause 3.5.1" in rendered.text


@pytest.mark.parametrize(
    ("names", "language", "chosen"),
    [
        (("reminded", "clock_breached"), "zh", "reminded.zh.sms"),
        (("", "clock_breached"), "en-GB", "clock_breached.en.sms"),
        (("unknown",), "en", ""),
        (("reminded",), "fr", "reminded.zh.sms"),
    ],
)
def test_first_name_with_a_template_is_chosen(names: tuple[str, ...], language: str, chosen: str) -> None:
    assert TEMPLATES.choose(names, language, "sms") == chosen


@pytest.mark.parametrize(
    "text",
    [
        "{{ absent }}",
        "{{ number.__class__.__mro__ }}",
        "{{ ''.__class__ }}",
        "{{ number.format }}{{ undefined() }}",
        "{% for _ in range(10000000) %}x{% endfor %}",
        "{{ values.append(1) }}",
        "{{ number | instant }}",
        "{{ 1 / 0 }}",
        "  ",
    ],
)
def test_template_that_cannot_be_rendered_raises_without_the_values(text: str) -> None:
    with pytest.raises(TemplateRenderError) as error:
        templates_with(text).render("x.zh.sms", {"number": "secret", "values": []})
    assert "secret" not in str(error.value)


def test_values_cannot_inject_headers_or_exceed_the_size_limits() -> None:
    rendered = templates_with("{{ t }}\nBody {{ t }}", "email").render("x.zh.email", {"t": "a\r\nBcc: x@example.com\x00" + "b" * 5000})
    assert "\n" not in rendered.subject
    assert "\r" not in rendered.subject
    assert len(rendered.subject) <= LONGEST_SUBJECT
    assert "\x00" not in rendered.text
    long = templates_with("{{ t * 90000 }}").render("x.zh.sms", {"t": "电"})
    assert len(long.text) == LONGEST_TEXT["sms"]
    assert long.text.endswith("…")


def test_one_line_removes_controls_and_direction_marks() -> None:
    assert one_line("a\u202e\u2028b\x1b c\td", 50) == "ab c d"


def test_values_are_cut_in_width_and_depth() -> None:
    nested: object = "x"
    for _ in range(10):
        nested = [nested]
    assert truncate_values({"a": nested, "b": ["y"] * 100, "c": 1}) == {"a": [[[""]]], "b": ["y"] * 50, "c": 1}


def test_broken_or_missing_template_raises_at_construction() -> None:
    with pytest.raises(Exception, match="unexpected"):
        templates_with("{{ }")
    with pytest.raises(ValueError, match=r"notice\.zh\.sms"):
        MessageTemplates({}, required=["notice.zh.sms"])


OVERDUE = FULL | {"title": "当天处理", "started_at": "2026-09-24T09:00:00+08:00", "overdue": True}


@pytest.mark.parametrize("name", ["clock_breached", "reminded", "escalated"])
@pytest.mark.parametrize("channel", sorted(TEMPLATE_CHANNELS))
def test_notice_of_something_overdue_names_it_its_due_instant_and_its_clause(name: str, channel: str) -> None:
    chinese, english = (TEMPLATES.render(f"{name}.{language}.{channel}", OVERDUE) for language in LANGUAGES)
    assert all(part in chinese.text for part in ("超时", "当天处理", "2026-09-25 00:00", "3.5.1"))
    assert all(part in english.text for part in ("verdue", "2026-09-25 00:00", "3.5.1"))
    if channel == "email":
        assert "超时" in chinese.subject
        assert "verdue" in english.subject


def test_breach_states_since_when_it_is_counted_and_what_to_do() -> None:
    text = TEMPLATES.render("clock_breached.zh.email", OVERDUE).text
    assert "自 2026-09-24 09:00 起计时" in text
    assert "说明超时原因" in text


@pytest.mark.parametrize("name", ["due", "reminded"])
@pytest.mark.parametrize("channel", sorted(TEMPLATE_CHANNELS))
def test_notice_before_the_deadline_states_when_it_is_due_and_not_that_it_is_overdue(name: str, channel: str) -> None:
    chinese, english = (TEMPLATES.render(f"{name}.{language}.{channel}", FULL) for language in LANGUAGES)
    assert re.search("期限(是|：) ?2026-09-25 00:00", chinese.text)
    assert "超时" not in chinese.subject + chinese.text
    assert "2026-09-25 00:00" in english.text
    assert "verdue" not in english.subject + english.text


def test_the_report_of_a_period_states_causes_units_liable_and_what_was_paid() -> None:
    figures = dict.fromkeys(("received", "open", "closed", "refused", "withdrawn", "reopened", "breached", "escalated", "deemed"), 1)
    findings = {"causes_found": {"施工质量": 2}, "liable_units": {"works": 1}, "compensation_paid": 1200.5}
    values = {**FULL, **figures, **findings, "period_from": "2026-09-01", "period_to": "2026-09-30", "by_class": {}, "by_department": {}}
    text = TEMPLATES.render("duty_report.zh.email", {**values, "seal": ""}).text
    assert "查明原因 施工质量：2 件" in text
    assert "责任单位 works：1 件" in text
    assert "赔偿已兑现 1200.5 元。" in text
    nothing = TEMPLATES.render("duty_report.zh.email", {**values, "seal": "", "compensation_paid": 0.0, "causes_found": {}}).text
    assert "赔偿" not in nothing
    assert "原因" not in nothing


REPORT = MINIMAL | {
    "title": "周检",
    "procedure_title": "客户投诉受理",
    "procedure_title_en": "Complaints",
    "clause": "3.10",
    "period_from": "2026-09-21",
    "period_to": "2026-09-27",
    "periods": 1,
    "timely_rate": 0.5,
    "satisfaction_rate": 0.5,
    "call_back_rate": 0.5,
    **dict.fromkeys(("received", "open", "closed", "refused", "withdrawn", "reopened", "deemed", "breached", "escalated"), 3),
    "by_class": {},
    "by_department": {},
    "seal": "",
}


def test_report_names_its_lists_its_improvement_measures_and_by_when_it_is_signed() -> None:
    parts = {
        "lists": [{"title": "未回访", "rows": 2}],
        "improvements": {"added": 1, "open": 3, "overdue": 1, "done": 2},
        "sign_by": "2026-09-30T18:00:00+08:00",
    }
    text = TEMPLATES.render("duty_report.zh.email", {**REPORT, **parts}).text
    assert all(
        words in text
        for words in ("附：未回访，2 件", "未完成 3 项，其中逾期 1 项；本期完成 2 项", "请在 2026-09-30 18:00 前审阅签署", "周检已生成")
    )
    plain = TEMPLATES.render("duty_report.zh.email", {**REPORT, "improvements": {"open": 0, "done": 0, "overdue": 0}}).text
    assert not any(words in plain for words in ("附：", "改进措施", "签署"))
    english = TEMPLATES.render("duty_report.en.email", {**REPORT, **parts}).text
    assert "3 open, 1 of them overdue; 2 done in the period." in english


@pytest.mark.parametrize("channel", ["sms", "email"])
def test_notice_of_an_unsigned_report_says_that_instead_of_its_figures(channel: str) -> None:
    values = {**MINIMAL, "title": "周检", "period_from": "2026-09-21", "period_to": "2026-09-27", "message": "报告应在2026-09-30前签署。"}
    text = TEMPLATES.render(f"duty_report.zh.{channel}", values).text
    assert "报告应在2026-09-30前签署。" in text
    assert "已生成" not in text


def test_group_reads_the_mail_and_a_call_says_the_text_message_unless_they_have_templates_of_their_own() -> None:
    sources = {
        "x.zh.email": "主题\n\n正文",
        "x.zh.sms": "短信",
        "p.e.zh.email": "自己\n\n正文",
        "y.zh.chat": "群\n\n消息",
        "y.zh.email": "m\n\nm",
    }
    templates = MessageTemplates(sources)
    assert templates.choose(("x",), "zh", "chat") == "x.zh.email"
    assert templates.choose(("x",), "zh", "voice") == "x.zh.sms"
    assert templates.choose(("y",), "zh", "chat") == "y.zh.chat"
    assert templates.choose(("p.e", "y"), "zh", "chat") == "p.e.zh.email", "the entry's own text comes before the general one"
    assert templates.render("x.zh.email", {}, "chat") == RenderedMessage("主题", "正文")
    assert templates.render("x.zh.sms", {}, "voice") == RenderedMessage("", "短信")


def test_ellipsis_does_not_double_the_cost_of_a_text_message() -> None:
    text = templates_with("Complaint {{ number | short }}").render("x.zh.sms", {"number": "x" * 100}).text
    assert text == f"Complaint {'x' * 59}..."
    assert count_parts(text).encoding == "gsm7"
    chinese = templates_with("投诉 {{ number | short }}").render("x.zh.sms", {"number": "x" * 100}).text
    assert chinese == f"投诉 {'x' * 59}…"
