"""A limit that had passed before its fact was known is due at once, says since when it is known, and is counted apart (time.md)."""

from __future__ import annotations

from typing import Any

import pytest

from services.sla.domain.reports.statistics import ReportingPeriod, compute_statistics
from shared.procedures.loading.loader import load_procedure
from tests.support.deadlines.shorthand import at
from tests.unit.sla.domain.reports.timelines import timeline
from tests.unit.sla.timeline import november_instant, run_steps

CLASSES = 'classes: [{id: hot, clause: "8", when: facts.urgent}, {id: cold, clause: "9"}]\nfacts: {urgent: {type: bool, default: false}}\n'


def clock(entries: str) -> str:
    return f'{CLASSES}clocks:\n- {{id: c, clause: "1", owner: officer, starts: registered, stops: handled, {entries}}}\n'


GUARDED = clock("when: \"case.class == 'hot'\", due: [{within: 4h}, {within: 1wd}]")


def clock_rows(text: str, *steps: str, **complaint: Any) -> list[tuple[str, str, str | None]]:
    rows = run_steps(text, *steps, **complaint)
    return [
        (row["event"], f"{row['at']:%d %H:%M}", f"{row['known_at']:%d %H:%M}" if "known_at" in row else None)
        for row in rows
        if row["event"].startswith("clock_")
    ]


def test_limit_that_had_passed_is_due_at_once_and_says_when_it_was_known() -> None:
    assert clock_rows(GUARDED, "09 15:00 reclassify boss class=hot") == [
        ("clock_breached", "09 13:00", "09 15:00"),  # a timeline is in order of time
        ("clock_started", "09 15:00", "09 15:00"),
        ("clock_breached", "10 18:00", None),  # the second limit was still to come
    ]


def test_limit_that_was_known_in_time_says_nothing() -> None:
    rows = clock_rows(GUARDED, "09 12:59 reclassify boss class=hot", "11 10:00 handle officer")
    assert [known_at for _, _, known_at in rows] == [None] * 4


def test_limit_that_a_fact_shortens_into_the_past_is_known_late() -> None:
    text = clock("due: [{within: 2h, when: \"case.class == 'hot'\"}, {within: 3wd, when: \"case.class == 'cold'\"}]")
    assert clock_rows(text, "09 15:00 reclassify boss class=hot") == [
        ("clock_started", "09 09:00", None),
        ("clock_breached", "09 11:00", "09 15:00"),
        ("clock_moved", "09 15:00", "09 15:00"),
    ]


def test_limit_that_a_fact_shortens_into_the_past_is_not_announced() -> None:
    text = clock(
        "due: [{within: 2h, when: \"case.class == 'hot'\"}, {within: 3wd, when: \"case.class == 'cold'\"}], "
        "reminders: [{share: 0.5, do: [{remind: officer}]}]"
    )
    rows = run_steps(text, "09 15:00 reclassify boss class=hot")
    assert [row["rule"] for row in rows if row["event"] == "reminded"] == []


def test_a_letter_typed_in_late_was_known() -> None:
    rows = clock_rows(GUARDED, facts={"urgent": True}, registered_at=november_instant("09 15:00"))
    assert ("clock_breached", "09 13:00", None) in rows


def test_stop_of_a_run_that_was_known_late_says_so_too() -> None:
    text = clock("when: \"case.class == 'hot'\", due: [{within: 4h}]")
    rows = clock_rows(text, "09 15:00 reclassify boss class=hot", "09 16:00 handle officer")
    assert rows[-1] == ("clock_stopped", "09 16:00", "09 15:00")


@pytest.mark.parametrize("known_at", [None, at("2026-09-03 11:00")])
def test_figures_count_what_was_known_late_apart(known_at: int | None) -> None:
    hunan = load_procedure("hunan-property")
    data = {"clock": hunan.clocks[0].id, "clause": "3.1", "round": 1, **({} if known_at is None else {"known_at": known_at})}
    case = timeline("a", "2026-09-02 09:00", ("2026-09-03 10:00", "clock_breached", data))
    figures = compute_statistics([case], hunan, ReportingPeriod(at("2026-09-01 00:00"), at("2026-10-01 00:00")))
    missed, apart = {"count": 1, "by_clause": {"3.1": 1}}, {"count": 0, "by_clause": {}}
    assert (figures["breaches"], figures["known_late"]) == ((missed, apart) if known_at is None else (apart, missed))
    assert figures["timely"]["finished"] == (1 if known_at is None else 0)
