"""Alarms on real messages, where they are there: the figures of the reference page hold."""

from datetime import timedelta

import pytest

from services.triage.domain.similar.event_index import Nearness
from tests.bench.triage.similar import STREAM, Alarm, measure_stream, read_stream
from tests.support.repository import PROJECT

DATA = PROJECT.parent / "shared" / "data" / STREAM


@pytest.mark.skipif(not DATA.exists(), reason=f"needs ../shared/data/{STREAM}, which has no licence and is not kept here")
@pytest.mark.timeout(300)
def test_known_issues_are_alarmed_within_the_bound_of_alarms() -> None:
    nearness = Nearness(0.14, 0.14, timedelta(days=45), 100_000)
    result = measure_stream(read_stream(DATA), nearness, Alarm(messages=4, people=2))
    assert result.alarms <= 22
    assert len([number for number in result.found if number is not None and number <= 6]) >= 3
    assert len([number for number in result.found if number is not None and number <= 11]) == 6
