"""Recovery from instants: a rate is back when a window brings enough, counted from when the groups are whole."""

import pytest

from tests.support.faults.recovery.drawing import draw_recovery
from tests.support.faults.recovery.throughput import BEFORE_SECONDS, FaultMarks, measure_recovery, rate, recovery_figures

BEGAN = 100.0
MARKS = FaultMarks(began=BEGAN, over=105.0, answering=106.0, whole=108.0)


def _steady(begin: float, end: float, each_second: int = 5) -> list[float]:
    return [begin + number / each_second for number in range(round((end - begin) * each_second))]


def test_rate_counts_instants_from_the_first_bound_to_before_the_second() -> None:
    assert rate([1.0, 1.5, 2.0], 1.0, 2.0) == 2.0


def test_rate_that_never_fell_is_back_at_once() -> None:
    recovery = measure_recovery(_steady(80, 140), MARKS)
    assert recovery.usual == pytest.approx(5.0)
    assert recovery.least == pytest.approx(5.0, rel=0.06)
    assert recovery.seconds == pytest.approx(0.0, abs=0.11)


def test_rate_that_comes_back_later_is_counted_from_the_whole_group() -> None:
    recovery = measure_recovery(_steady(80, BEGAN) + _steady(111, 140), MARKS)
    assert recovery.least == 0.0
    assert recovery.seconds == pytest.approx(111 - MARKS.whole, abs=0.31)


def test_rate_below_the_share_is_not_back() -> None:
    recovery = measure_recovery(_steady(80, BEGAN) + _steady(BEGAN, 140, each_second=4), MARKS)
    assert recovery.seconds is None


def test_backlog_of_an_earlier_fault_is_not_usual() -> None:
    assert measure_recovery(_steady(80, 140, each_second=9), MARKS, load=5.0).usual == 5.0


def test_backlog_of_messages_is_not_usual_where_half_of_the_complaints_have_one() -> None:
    backlog = _steady(80, BEGAN, each_second=4)
    stages = {
        "accepted": _steady(0, 140, each_second=4),
        "sent": _steady(0, 80, each_second=1) + backlog + _steady(BEGAN, 140, each_second=3),
    }
    share = len(stages["sent"]) / len(stages["accepted"])
    assert recovery_figures(MARKS, stages, 4.0)["stages"]["sent"]["usual"] == pytest.approx(4.0 * share)


def test_drawn_rates_begin_before_the_fault() -> None:
    recovery = measure_recovery(_steady(80, BEGAN), MARKS)
    assert recovery.drawn[: int(BEFORE_SECONDS)] == pytest.approx((5.0,) * int(BEFORE_SECONDS))
    assert not any(recovery.drawn[int(BEFORE_SECONDS) + 1 :])


def test_picture_shows_the_marks_and_each_stage() -> None:
    stages = {"accepted": _steady(80, 140), "decided": _steady(80, BEGAN)}
    result = {"number": 1, "kind": "kill", "target": "sla", "seconds": 0.0, **recovery_figures(MARKS, stages, 5.0)}
    picture = draw_recovery(result)
    assert picture.count("<polyline") == 2
    assert "kill: sla" in picture
    assert "groups whole after 8.0 s" in picture
    assert "not within 20 s" in picture
