"""Explanation pages as text and HTML."""

from pathlib import Path

import pytest

from shared.procedures.explain.page import build_page
from shared.procedures.explain.rendering.html_page import render_html
from shared.procedures.explain.rendering.text_page import render_text
from shared.procedures.loading.loader import load_pack
from tests.unit.procedures.sample_pack import CLAUSES, write_pack


def test_the_page_lists_the_entries_of_each_clause(tmp_path: Path) -> None:
    pack = load_pack(write_pack(tmp_path))
    text = render_text(build_page(pack.procedure, pack.clauses, "en"))
    assert (
        "Deadline “Handling”: runs from registration until completion of the handling or closing by the chief; responsible: the desk."
        in text
    )
    assert "Condition: the class is “Ordinary case”." in text
    assert (
        "Limit: the time that the organisation sets as “Limit”. If it is not met, the system records the missed deadline "
        "and escalates the case along “Upwards”." in text
    )
    assert "Until then, every 3 calendar days, the system reminds the desk by text message." in text
    assert "Only the desk or the chief may close the case; anyone else is refused, and the refusal is recorded." in text
    assert "Not carried out by the system: People do it." in text
    assert "由人完成" not in text
    assert "其间每隔3个自然日，系统以短信提醒前台。" in render_text(build_page(pack.procedure, pack.clauses, "zh"))


def test_the_html_page_refers_to_no_other_file_and_escapes_texts(tmp_path: Path) -> None:
    pack = load_pack(write_pack(tmp_path, clauses=CLAUSES.replace("en: Polite", "en: <script>alert(1)</script>")))
    html = render_html(build_page(pack.procedure, pack.clauses, "en"))
    assert html.startswith('<!doctype html>\n<html lang="en">')
    assert "&lt;script&gt;" in html
    assert not any(mark in html for mark in ("<script", "src=", "http", "@import", "url("))


@pytest.mark.parametrize(
    ("declared", "zh", "en"),
    [
        ("", "系统通知作出终结决定的岗位，由其决定是否", "the system tells the role that ended it, which decides whether to reopen it."),
        ('after_end: {follows: reopen, clause: "4"}\n', "系统立即", "the system reopens it at once (clause 4)."),
    ],
)
def test_the_page_says_what_follows_when_the_complainant_comes_back_after_the_end(tmp_path: Path, declared: str, zh: str, en: str) -> None:
    pack = load_pack(write_pack(tmp_path, ("uncovered:\n", f"{declared}uncovered:\n")))
    assert zh in render_text(build_page(pack.procedure, pack.clauses, "zh"))
    assert en in render_text(build_page(pack.procedure, pack.clauses, "en"))
