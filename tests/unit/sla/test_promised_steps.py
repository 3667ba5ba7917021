"""What a complainant is told of the steps to come: only acts that he notices, only limits, the earliest of each."""

from typing import Any

import pytest

from services.sla.domain.lifecycle.decide import decide
from services.sla.domain.lifecycle.inputs import AdvanceTime
from services.sla.domain.views.follow_view import follow_document
from services.sla.domain.views.promised_steps import PROMISED
from services.sla.follow.page import PageLanguage, render_follow_page
from services.sla.follow.page_texts import TEXTS
from shared.procedures.calendars.zones import organisation_zone
from shared.procedures.organisation import open_organisation
from tests.unit.sla.timeline import november_micros, small_opening, small_rulebook

LANGUAGES: tuple[PageLanguage, ...] = ("zh", "en")
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


WINDOWS = """
clocks:
  - id: long_window
    starts: registered
    stops: closed
    owner: handler
    due: [{within: 5d, do: [{refuse_further: [urge, withdraw]}]}]
    clause: "1"
  - {id: short_window, starts: registered, stops: closed, owner: handler, due: [{within: 2d, do: [{refuse_further: urge}]}], clause: "2"}
"""


def document(clocks: str, now: str = "09 12:00") -> dict[str, Any]:
    rulebook = small_rulebook(clocks)
    opened = decide(None, small_opening(), rulebook, november_micros("09 12:00")).case
    case = decide(opened, AdvanceTime(november_micros(now)), rulebook, november_micros(now)).case
    return follow_document(case, rulebook, [{"event": "registered", "at": "2026-11-09T12:00:00+00:00"}], ZONE)


def test_only_limits_of_acts_that_he_notices_are_told_with_the_earliest_instant() -> None:
    told = document(CLOCKS)["next"]
    assert [(step["step"], step["late"]) for step in told] == [("answered", False), ("work_started", False)]
    assert told[0]["due_at"] < told[1]["due_at"]


def test_an_action_that_a_clock_refuses_later_is_possible_until_the_earliest_instant() -> None:
    shown = document(WINDOWS)
    assert shown["actions"] == ["supplement", "urge", "withdraw"]
    assert list(shown["until"]) == ["urge", "withdraw"]
    assert shown["until"]["urge"] < shown["until"]["withdraw"]
    for language in LANGUAGES:
        page = render_follow_page(shown, language)
        assert f"{TEXTS[language]['until']} <time>{shown['until']['urge'][:16].replace('T', ' ')}" in page


def test_an_action_whose_time_has_passed_is_not_offered_and_says_why() -> None:
    shown = document(WINDOWS, now="13 12:00")
    assert shown["actions"] == ["supplement", "withdraw"]
    assert list(shown["until"]) == ["withdraw"]
    assert shown["unavailable"]["urge"] == "expired"
    for language in LANGUAGES:
        texts = TEXTS[language]
        assert f"{texts['actions']['urge']}: {texts['unavailable']['expired']}" in render_follow_page(shown, language)


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
