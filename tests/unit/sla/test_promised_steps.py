"""What a complainant is told of the steps to come: only acts that he notices, only limits, the earliest of each."""

from typing import Any

import pytest

from services.sla.domain.lifecycle.decide import decide
from services.sla.domain.views.follow_view import follow_document
from services.sla.domain.views.promised_steps import PROMISED
from services.sla.follow.page import PageLanguage, render_follow_page
from services.sla.follow.page_texts import TEXTS
from shared.procedures.calendars.zones import organisation_zone
from shared.procedures.organisation import open_organisation
from tests.unit.sla.timeline import november_micros, small_opening, small_rulebook

ZONE = organisation_zone(open_organisation())
CLOCKS = """
clocks:
  - {id: late_answer, starts: registered, stops: answered, owner: handler, due: [{within: 3d}], clause: "1"}
  - {id: early_answer, starts: registered, stops: answered, owner: handler, due: [{within: 1d}], clause: "2"}
  - {id: both, starts: registered, stops: {all: [work_started, measures_submitted]}, owner: handler, due: [{within: 2d}], clause: "3"}
  - {id: either, starts: registered, stops: [contacted, surveyed], owner: handler, due: [{within: 2d}], clause: "4"}
  - {id: secret_report, starts: registered, stops: reported, owner: handler, due: [{within: 1h}], clause: "5"}
  - id: own_warning
    starts: registered
    stops: handled
    owner: handler
    due: [{within: 1h, do: [{remind: handler, text: {zh: 内部, en: Inside}}]}]
    clause: "6"
"""


def document(clocks: str) -> dict[str, Any]:
    rulebook = small_rulebook(clocks)
    case = decide(None, small_opening(), rulebook, november_micros("09 12:00")).case
    return follow_document(case, rulebook, [{"event": "registered", "at": "2026-11-09T12:00:00+00:00"}], ZONE)


def test_only_limits_of_acts_that_he_notices_are_told_with_the_earliest_instant() -> None:
    told = document(CLOCKS)["next"]
    assert [(step["step"], step["late"]) for step in told] == [("answered", False), ("work_started", False)]
    assert told[0]["due_at"] < told[1]["due_at"]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_page_tells_what_comes_and_why_other_acts_are_not_possible(language: PageLanguage) -> None:
    case = document(CLOCKS)
    page = render_follow_page(case, language)
    texts = TEXTS[language]
    assert f"{texts['promised']['answered']}: {texts['by']} <time>{case['next'][0]['due_at'][:16].replace('T', ' ')}" in page
    assert f"{texts['actions']['rate']}: {texts['unavailable']['no_answer_yet']}" in page
    assert f"{texts['actions']['reopen']}: {texts['unavailable']['not_ended']}" in page
    assert [name for name in ("late_answer", "secret_report", "own_warning", "内部", "handler") if name in page] == []
    overdue = case | {"next": [{"step": "answered", "due_at": None, "late": True}]}
    shown = render_follow_page(overdue, language)
    assert texts["paused"] in shown
    assert texts["late"] in shown


def test_every_step_has_words_in_both_languages() -> None:
    assert all(set(TEXTS[language]["promised"]) == PROMISED for language in TEXTS)
