"""Thousands of hostile records stop no partition of triage, sla and notify, and harm no honest case."""

from pathlib import Path

import pytest

from shared.contracts.topics import TOPICS, department_topic
from shared.runtime.kafka.topic_admin import apply_topics
from shared.runtime.process.settings import RuntimeSettings
from tests.integration.sla.sla_harness import SIGNING_KEY, write_organisation
from tests.support.messaging.hostile_records import SigningKey
from tests.support.messaging.hostile_run import hostile_run, peak_megabytes
from tests.support.messaging.settings import SettingsFactory
from tests.support.messaging.topic_client import TopicClient
from tests.support.waiting import wait_for

RECORDS = 2000
MAX_GROWTH_MEGABYTES = 200


@pytest.mark.timeout(300)  # 10,000 records beside other work on two cores took 146 s, the start of the servers included
async def test_hostile_records_stop_no_partition_and_honest_cases_are_decided(
    make_settings: SettingsFactory, topic_client: TopicClient, tmp_path: Path
) -> None:
    await apply_topics(make_settings(RuntimeSettings), [*TOPICS.values(), department_topic("repairs"), department_topic("gardens")])
    organisation = write_organisation(tmp_path / "organisation.yaml")
    key = SigningKey("li-1", SIGNING_KEY.private_bytes_raw())
    async with hostile_run(make_settings, organisation, topic_client, key) as run:
        before = peak_megabytes()
        await run.send(RECORDS, seed=20261127)
        await run.wait_until_read(deadline=120)
        await run.answer_honest_cases()

        async def all_answered() -> bool:
            return await run.answered_cases() == len(run.honest)

        # The answers bear the key of hostile records too: while its sender is limited they wait for a replay.
        await wait_for(all_answered, deadline=90, what="every honest case answered")
        assert run.troubles() == {}
        assert await run.rows("triage", "dead_letter") > RECORDS / 4, "the records were hostile"
        assert await run.rows("sla", "dead_letter") > RECORDS / 4
        assert peak_megabytes() - before < MAX_GROWTH_MEGABYTES
