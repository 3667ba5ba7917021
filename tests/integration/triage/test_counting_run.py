"""Counting across cases: right in event time, exactly once after SIGKILL, with two processes."""

from pathlib import Path

import pytest

from services.triage.config import TriageSettings
from shared.contracts import topics
from shared.runtime.kafka.topic_admin import apply_topics
from tests.support.messaging.settings import SettingsFactory
from tests.support.messaging.topic_client import TopicClient
from tests.support.scenarios.counting_run import CountingRun, random_submissions

EVENTS = 1_500


@pytest.mark.timeout(240)
async def test_shuffled_events_and_a_killed_process_give_the_groups_of_a_brute_force_count(
    make_settings: SettingsFactory, topic_client: TopicClient, tmp_path: Path
) -> None:
    settings = make_settings(TriageSettings)
    await apply_topics(settings, [topics.COMPLAINT_EVENTS, topics.CASE_EVENTS, topics.TRIAGE_EVENTS])
    result = await CountingRun(settings, tmp_path, deadline=150).run(topic_client, random_submissions(EVENTS, seed=1))
    assert EVENTS // 3 <= result.counted_when_killed < EVENTS
    assert result.groups == result.expected
    assert len(result.expected) > EVENTS // 2, "the submissions form groups"
    assert result.published.members == result.stored_links, "sla knows the same groups"
    assert set(result.published.classified.values()) == {1}
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in result.published.sequences.values())
