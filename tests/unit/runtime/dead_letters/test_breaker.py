"""The breaker opens when one fault parks too many cases within a minute."""

import pytest

from shared.runtime.dead_letters import breaker as breaker_module
from shared.runtime.dead_letters.breaker import Breaker, RepeatedFaultError
from shared.runtime.process.health import Health

FAULT, OTHER = "KeyError at cases.py:7 in decide", "KeyError at cases.py:8 in decide"


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    instant = [1000.0]
    monkeypatch.setattr(breaker_module, "monotonic", lambda: instant[0])
    return instant


def test_more_cases_than_the_limit_within_a_minute_are_too_many(now: list[float]) -> None:
    breaker = Breaker(20, Health())
    breaker.check([FAULT] * 20)
    breaker.record([FAULT] * 20)
    now[0] += 59
    with pytest.raises(RepeatedFaultError, match=r"KeyError at cases\.py:7"):
        breaker.check([FAULT])


@pytest.mark.usefixtures("now")
def test_faults_at_different_places_are_counted_apart() -> None:
    breaker = Breaker(20, Health())
    breaker.record([FAULT] * 20)
    breaker.check([OTHER] * 20)


def test_cases_parked_more_than_a_minute_ago_do_not_count(now: list[float]) -> None:
    breaker = Breaker(20, Health())
    breaker.record([FAULT] * 20)
    now[0] += 61
    breaker.check([FAULT] * 20)


def test_checked_faults_do_not_count_before_they_are_recorded() -> None:
    breaker = Breaker(2, Health())
    breaker.check([FAULT, FAULT])
    breaker.check([FAULT, FAULT])


def test_a_limit_of_zero_switches_the_breaker_off() -> None:
    Breaker(0, Health()).check([FAULT] * 500)


def test_an_open_breaker_makes_the_process_unready_and_names_the_fault() -> None:
    health = Health()
    breaker = Breaker(20, health)
    breaker.open(FAULT)
    assert breaker.is_open
    assert FAULT in health.troubles()["breaker"]
