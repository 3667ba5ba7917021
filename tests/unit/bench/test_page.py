"""The page of measurements is the one that the stored outcomes give, and shows which goals are not reached."""

from dataclasses import replace

from tests.bench import page
from tests.bench.measuring.outcome import Goal, Outcome, outcomes

MACHINE = {"processor": "Test", "cores": 2, "python": "3.11"}


def outcome(*goals: Goal) -> Outcome:
    figures = {"mails": 10, "micros_a_mail": {batch: {"send": {"notify": 30.0, "postgres": 10.0}} for batch in ("1", "10", "50")}}
    return Outcome(figures, list(goals), (0.5, 3.5), "make bench", "2026-11-28T20:00:00+00:00", MACHINE)


def test_the_page_is_current() -> None:
    assert page.PAGE.read_text(encoding="utf-8") == page.render(outcomes()), "run `python -m tests.bench.page`"


def test_goals_stand_beside_what_was_reached() -> None:
    text = page.render({"messages": outcome(Goal("rate", 99, 100, "/s"), Goal("latency", 80.5, 250, "ms", at_most=True))})
    assert "| rate | 99 /s | at least 100 /s | **not reached** | messages |" in text
    assert "| latency | 80.5 ms | at most 250 ms | reached | messages |" in text


def test_what_a_busy_machine_reached_or_missed_is_marked() -> None:
    busy = replace(outcome(Goal("rate", 99, 100, "/s"), Goal("size", 1, 2, at_most=True)), load=(30.0, 3.5))
    text = page.render({"messages": busy})
    assert "| rate | 99 /s | at least 100 /s | not reached, busy machine | messages |" in text
    assert "| size | 1 | at most 2 | reached, busy machine | messages |" in text


def test_a_section_names_command_machine_and_load() -> None:
    text = page.render({"messages": outcome()})
    assert "Bench `messages`: `make bench` (Test, 2 cores, Python 3.11, load 0.5 before and 3.5 after, 2026-11-28)." in text
    assert "| send | 30 + 10 | 30 + 10 | 30 + 10 |" in text
