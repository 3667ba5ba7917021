"""The complainant's page without servers: what it keeps of a refused form, scores, requests after the end."""

from typing import Any

import pytest

from services.sla.domain.lifecycle.decide import decide
from services.sla.domain.views.follow_view import follow_document
from services.sla.follow.page import PageLanguage, RefusedForm, render_follow_page
from services.sla.follow.page_texts import TEXTS
from shared.procedures.calendars.zones import organisation_zone
from shared.procedures.organisation import open_organisation
from tests.unit.sla.timeline import november_micros, small_opening, small_rulebook

RULEBOOK, ZONE = small_rulebook("clocks: []\n"), organisation_zone(open_organisation())
CASE = decide(None, small_opening(), RULEBOOK, november_micros("09 12:00")).case


def document(*events: str, **fields: Any) -> dict[str, Any]:
    rows = [{"event": event, "at": f"2026-11-09T0{number}:00:00+00:00", **fields} for number, event in enumerate(events)]
    return follow_document(CASE, RULEBOOK, rows, ZONE)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_refused_form_keeps_text_and_choice_with_its_reason_beside_it(language: PageLanguage) -> None:
    refused = RefusedForm("rate", "慢 <b>", "30", "by_rule", "the time has passed")
    page = render_follow_page(document("registered", "first_answered"), language, refused)
    form = next(part for part in page.split("<form")[1:] if 'value="rate"' in part)
    assert f'id="refused">{TEXTS[language]["refused"]["by_rule"]} the time has passed' in form
    assert 'value="30" required checked aria-describedby="refused"' in form
    assert form.count("checked") == 1
    assert 'aria-describedby="refused">\n慢 &lt;b&gt;</textarea>' in form
    assert page.count('aria-describedby="refused"') == 6
    assert page.count('id="refused"') == 1


def test_a_refused_form_gets_a_new_key_and_the_others_keep_theirs() -> None:
    case, refused = document("registered"), RefusedForm("urge", "x", "", "invalid")
    pages = [render_follow_page(case, "en", refused) for _ in range(2)]
    keys = [part.partition('name="once" value="')[2].partition('"')[0] for page in pages for part in page.split("<form")[1:]]
    assert keys[0] == keys[3] == "supplement-1"
    assert keys[1].startswith("urge-1-")
    assert keys[1] != keys[4]


def test_what_was_typed_is_shown_where_its_form_is_gone() -> None:
    page = render_follow_page(document("registered"), "en", RefusedForm("rate", "slow", "30", "not_offered"))
    assert page.index('id="refused"') < page.index('<div class="said">slow</div>') < page.index("<form")


@pytest.mark.parametrize(("score", "shown"), [(0, "very dissatisfied"), (80, "satisfied"), (75, "75/100")])
def test_a_rating_shows_its_score(score: int, shown: str) -> None:
    assert f"You rated our handling {shown}</li>" in render_follow_page(document("rated", score=score), "en")


@pytest.mark.parametrize(("event", "field"), [("urged", "text"), ("rated", "text"), ("withdrawn", "reason"), ("supplemented", "text")])
def test_own_words_are_shown_and_a_remark_of_staff_is_not(event: str, field: str) -> None:
    for language in ("zh", "en"):
        own = render_follow_page(document(event, role="complainant", **{field: "请尽快 <b>"}), language)
        assert '<div class="said">请尽快 &lt;b&gt;</div>' in own
    if event != "supplemented":
        assert "难缠" not in render_follow_page(document(event, role="assistant", **{field: "投诉人难缠"}), "zh")


def test_an_urging_after_the_end_is_shown_as_passed_on() -> None:
    case = document("registered", "urged", "closed", "urged", "reopened", "urged")
    assert [step.get("after_end", False) for step in case["steps"]] == [False, False, False, True, False, False]
    page = render_follow_page(case, "en")
    assert page.count("your request was passed on") == 1
    assert page.count("You asked us to hurry") == 2


def test_long_words_wrap() -> None:
    assert "overflow-wrap: anywhere" in render_follow_page(document("registered"), "en")


def test_both_languages_have_the_same_texts() -> None:
    assert {name: _names(text) for name, text in TEXTS["zh"].items()} == {name: _names(text) for name, text in TEXTS["en"].items()}


def _names(text: Any) -> Any:
    return sorted(text) if isinstance(text, dict) else [score for score, _ in text] if isinstance(text, list) else None
