"""200,000 shuffled submissions through two triage processes, one of which is killed: the groups of a brute-force count, exactly once."""

from pathlib import Path

import pytest

from tests.bench.triage.counting import EVENTS, run_events
from tests.support.messaging.settings import SettingsFactory


@pytest.mark.timeout(3600)
async def test_groups_of_200000_events_are_those_of_a_brute_force_count(make_settings: SettingsFactory, tmp_path: Path) -> None:
    figures = await run_events(make_settings, tmp_path, EVENTS)
    print(figures)  # noqa: T201 - figures
    assert (figures["wrong"], figures["wrong_links"], figures["classified_once"]) == (0, 0, EVENTS)
