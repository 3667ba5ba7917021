"""Explanation pages: names, conditions, limits and effects in both languages, as text and HTML."""

from pathlib import Path

import pytest

from shared.contracts.actions import ACTION_DEFINITIONS as EVERY_ACTION
from shared.contracts.complaint import CHANNEL_FAMILIES
from shared.contracts.events import EVENT_CLASSES as EVERY_EVENT
from shared.procedures.explain import event_action_names, value_names
from shared.procedures.explain.html_page import render_html
from shared.procedures.explain.page import build_page
from shared.procedures.explain.procedure_texts import ProcedureTexts
from shared.procedures.explain.text_page import render_text
from shared.procedures.loading.loader import load_pack, load_procedure
from tests.unit.procedures.samples import CLAUSES, write_pack


@pytest.fixture
def english(tmp_path: Path) -> ProcedureTexts:
    return ProcedureTexts(load_procedure(write_pack(tmp_path)), "en")


@pytest.fixture
def chinese(tmp_path: Path) -> ProcedureTexts:
    return ProcedureTexts(load_procedure(write_pack(tmp_path)), "zh")


def test_every_event_action_and_channel_has_a_name_in_both_languages() -> None:
    for table, known in (
        (event_action_names.EVENT_NAMES, EVERY_EVENT),
        (event_action_names.ACTION_NAMES, EVERY_ACTION),
        (value_names.CHANNEL_NAMES, CHANNEL_FAMILIES),
    ):
        assert set(known) <= set(table)
        assert all(zh and en for zh, en in table.values())


@pytest.mark.parametrize(
    ("source", "en", "zh"),
    [
        ("!facts.urgent && case.class == 'urgent'", "not “Urgent” and class is “Urgent case”", "非「紧急」且级别为「紧急件」"),
        (
            "last.called_back.outcome in ['satisfied']",
            "the outcome of the latest call-back is one of “satisfied”",
            "最近一次回访的结果属于「满意」",
        ),
        ("count.handled == 0", "there has not been completion of the handling", "尚无处理完毕"),
        ("count.answered > 0", "there has been a further answer", "已有再次答复"),
        ("count.answered > 2", "the number of times of a further answer > 2", "再次答复的次数 > 2"),
        ("complaint.channel == 'letter'", "channel is “letter”", "渠道为「信函」"),
        ("event.role != 'chief'", "its acting role is not “Chief”", "其经办岗位不为「主管」"),
        ("complaint.text.contains('x || y')", "text contains (“x || y”)", "内容包含（「x || y」）"),
        ("(facts.urgent || case.level >= 2)", "(“Urgent” or management level ≥ 2)", "（「紧急」或管理层级 ≥ 2）"),
        ("case.handler == ''", "handler is empty", "经办人为空"),
    ],
)
def test_a_condition_is_described_in_both_languages(
    english: ProcedureTexts, chinese: ProcedureTexts, source: str, en: str, zh: str
) -> None:
    assert (english.condition(source), chinese.condition(source)) == (en, zh)


@pytest.mark.parametrize(
    ("limit", "en", "zh"),
    [
        ("3wd", "3 working days", "3个工作日"),
        ("1d", "1 calendar day", "1个自然日"),
        ("0.5wd", "half a working day", "半个工作日"),
        ("30m", "30 minutes", "30分钟"),
        ("same_day", "by the end of the same day (24:00)", "当日24时前"),
        ("date: agreed", "the moment given as “Agreed time”", "「约定时间」所定的时间"),
    ],
)
def test_a_limit_is_described_in_both_languages(english: ProcedureTexts, chinese: ProcedureTexts, limit: str, en: str, zh: str) -> None:
    assert (english.limit(limit), chinese.limit(limit)) == (en, zh)


def test_the_part_in_the_language_is_taken_from_a_bilingual_text(english: ProcedureTexts, chinese: ProcedureTexts) -> None:
    for bilingual in ("先读甲。 First read A.", "先读甲 / First read A."):
        assert english.own_language_part(bilingual) == "First read A."
        assert chinese.own_language_part(bilingual).startswith("先读甲")
    assert english.own_language_part("Only English.") == chinese.own_language_part("Only English.") == "Only English."


def test_the_page_describes_what_the_system_does_for_a_clause(tmp_path: Path) -> None:
    pack = load_pack(write_pack(tmp_path))
    text = render_text(build_page(pack.procedure, pack.clauses, "en"))
    assert (
        "Deadline “Handling”: runs from registration until completion of the handling or closing (its acting role is “Chief”); Desk has"
        in text
    )
    assert (
        "Limit the time set by the parameter “Limit”; if it is not met: it is recorded as overdue; the matter goes up the ladder “Upwards”"
        in text
    )
    assert "Until then, every 3 calendar days: Desk is chased by text message." in text
    assert "Only Desk or Chief may “close”" in text
    assert "Not carried out by the system: People do it." in text
    assert "由人完成" not in text
    assert "在此之前每3个自然日：以短信催办前台。" in render_text(build_page(pack.procedure, pack.clauses, "zh"))


def test_the_html_page_refers_to_no_other_file_and_escapes_texts(tmp_path: Path) -> None:
    pack = load_pack(write_pack(tmp_path, clauses=CLAUSES.replace("en: Polite", "en: <script>alert(1)</script>")))
    html = render_html(build_page(pack.procedure, pack.clauses, "en"))
    assert html.startswith('<!doctype html>\n<html lang="en">')
    assert "&lt;script&gt;" in html
    assert not any(mark in html for mark in ("<script", "src=", "http", "@import", "url("))
