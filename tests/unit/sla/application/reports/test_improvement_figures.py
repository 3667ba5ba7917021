"""A report counts improvement measures as they were at the end of its period."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.sla.application.reports.improvement_figures import MOST_LISTED, improvement_figures
from services.sla.storage.reports.improvements import Improvement

SINCE, UNTIL = datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC)


def measure(added: int, due: int, done: int | None = None, number: int = 1) -> Improvement:
    """A measure; days are counted from the beginning of the period."""
    instants = [None if day is None else SINCE + timedelta(days=day) for day in (added, due, done)]
    added_at, due_at, done_at = instants
    assert added_at is not None
    assert due_at is not None
    state = "open" if done_at is None else "done"
    return Improvement(UUID(int=number), "p", "", "zhao", "更换", due_at, added_at, "li", state, done_at)


def test_measures_are_counted_as_at_the_end_of_the_period() -> None:
    measures = [
        measure(-40, -10, number=1),
        measure(-5, 10, 12, number=2),
        measure(5, 40, number=3),
        measure(5, 20, 35, number=4),
        measure(-50, -45, -44, number=5),
        measure(31, 60, number=6),
    ]
    figures = improvement_figures(measures, SINCE, UNTIL)
    states = {UUID(line["id"]).int: line["state"] for line in figures.pop("measures")}
    assert figures == {"added": 2, "done": 1, "open": 3, "overdue": 2}
    assert states == {1: "overdue", 3: "open", 4: "overdue", 2: "done"}


MEASURES = st.builds(measure, st.integers(-90, 60), st.integers(-90, 90), st.none() | st.integers(-90, 90))


@given(st.lists(MEASURES, max_size=20))
def test_every_measure_is_open_or_done_once(measures: list[Improvement]) -> None:
    month = improvement_figures(measures, SINCE, UNTIL)
    year = improvement_figures(measures, SINCE - timedelta(days=200), UNTIL)
    assert year["open"] == month["open"]
    assert year["open"] + year["done"] == sum(one.added_at < UNTIL for one in measures)
    assert month["overdue"] <= month["open"]


def test_long_lists_are_cut_and_words_left_out() -> None:
    figures: dict[str, Any] = improvement_figures([measure(0, day % 60, number=day) for day in range(MOST_LISTED + 5)], SINCE, UNTIL)
    assert (figures["open"], len(figures["measures"])) == (MOST_LISTED + 5, MOST_LISTED)
    assert "更换" not in str(figures)
