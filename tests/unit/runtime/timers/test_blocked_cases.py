"""A due case that could not be locked waits before it is tried again."""

import pytest

from shared.runtime.process import waiting
from shared.runtime.timers import blocked_cases
from shared.runtime.timers.blocked_cases import BlockedCases


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    instant = [1000.0]
    monkeypatch.setattr(blocked_cases, "monotonic", lambda: instant[0])
    monkeypatch.setattr(waiting, "jitter", lambda seconds: seconds)
    return instant


def test_the_wait_of_a_blocked_case_doubles(now: list[float]) -> None:
    cases = BlockedCases()
    for wait in (0.1, 0.2, 0.4):
        cases.update(blocked=["a"], locked=[])
        now[0] += wait - 0.01
        assert cases.waiting() == ["a"]
        now[0] += 0.02
        assert cases.waiting() == []


def test_an_erased_case_is_tried_twice_a_minute_for_ever(now: list[float]) -> None:
    cases = BlockedCases()
    for _ in range(50):
        cases.update(blocked=["erased"], locked=[])
    now[0] += 29.9
    assert cases.waiting() == ["erased"]
    now[0] += 0.2
    assert cases.waiting() == []


def test_a_case_that_was_locked_starts_again_with_the_shortest_wait(now: list[float]) -> None:
    cases = BlockedCases()
    for _ in range(10):
        cases.update(blocked=["a", "b"], locked=[])
    cases.update(blocked=["b"], locked=["a"])
    assert cases.waiting() == ["b"]
    cases.update(blocked=["a"], locked=[])
    now[0] += 0.11
    assert cases.waiting() == ["b"]


@pytest.mark.usefixtures("now")
def test_the_number_of_remembered_cases_is_bounded() -> None:
    cases = BlockedCases()
    cases.update(blocked=[f"case-{number:05}" for number in range(6_000)], locked=[])
    assert len(cases.waiting()) == 5_000
