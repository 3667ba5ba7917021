"""Many late and shuffled submissions through two triage processes, one of which is killed; the groups compared with a brute-force count."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from random import Random

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from services.triage.config import TriageSettings
from services.triage.domain.groups.people import PersonKeys
from services.triage.storage import recounts
from shared.contracts import topics
from shared.contracts.envelope import CE_TYPE
from shared.runtime.database.database import Database
from tests.support.messaging.cloud_events import case_event
from tests.support.messaging.sample_organisation import write_yaml
from tests.support.messaging.topic_client import TopicClient
from tests.support.scenarios.counting_procedures import CountedSubmission, members_by_brute_force, procedure
from tests.support.waiting import wait_for

LATE_MINUTES = 60.0
PROCEDURES = ("one", "other")
EVENTS_OF_A_KEY = 40
Member = tuple[str, str, str, str]
"""Procedure, count, key and case."""


def random_submissions(number: int, seed: int) -> list[CountedSubmission]:
    """Submissions of ten hours in order of arrival, each up to one hour late; one in twenty shows two addresses to be one person's."""
    random = Random(seed)
    keys = max(1, number // EVENTS_OF_A_KEY)
    submissions = []
    for index in range(number):
        # Distinct instants: the minute names the case.
        minute = round(600 * (index + random.random() * 0.9) / number, 6)
        key = random.randrange(keys)
        submissions.append(CountedSubmission(PROCEDURES[key % 2], f"k{key}", minute, _complainant(random, number // 4)))
    return sorted(submissions, key=lambda s: s.minute + random.random() * LATE_MINUTES)


def _complainant(random: Random, people: int) -> PersonKeys:
    person, kind = random.randrange(people), random.random()
    phone, email = f"phone:{person:07}", f"email:{person:07}"
    if kind < 0.02:
        return ()
    if kind < 0.04:
        return (f"id_number:{person:07}", phone)
    if kind < 0.09:
        return email, phone
    return (phone,) if kind < 0.6 else (email,)


@dataclass
class PublishedEvents:
    """Triage's published events: the number of classifications of each case, and the groups that follow from the events alone."""

    classified: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    sequences: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    members: set[tuple[str, str]] = field(default_factory=set)
    alarms: int = 0
    _digests: dict[tuple[str, int], bytes] = field(default_factory=dict)

    def add(self, event_type: str, body: bytes, sequence: int) -> None:
        """Count one event; what a killed relay had sent and sends again is the same event."""
        event = orjson.loads(body)
        # Digests: the bodies of two million events would not fit.
        digest = blake2b(body, digest_size=8).digest()
        if (known := self._digests.setdefault((event["case"], sequence), digest)) is not digest:
            assert known == digest, "an event sent again is unchanged"
            return
        self.sequences[event["case"]].append(sequence)
        if event_type == "classified":
            self.classified[event["case"]] += 1
        elif event_type == "linked" and event.get("group"):
            assert (event["group"], event["case"]) not in self.members, "a case joins a group once"
            self.members.add((event["group"], event["case"]))
        elif event_type == "unlinked" and event.get("group"):
            self.members.remove((event["group"], event["case"]))
        self.alarms += event_type == "group_found"


@dataclass(frozen=True)
class CountingResult:
    """The figures of a run; `groups` and `expected` are the members that triage found, and those of the brute-force count."""

    groups: set[Member]
    expected: set[Member]
    stored_links: set[tuple[str, str]]
    published: PublishedEvents
    seconds: float
    counted_when_killed: int


class CountingRun:
    """Two triage processes on the servers and topics of the settings."""

    def __init__(self, settings: TriageSettings, folder: Path, deadline: float) -> None:
        self._settings = settings
        self._folder = folder
        self._deadline = deadline
        # Counting the rows of 200,000 cases five times a second takes a tenth of a core from the run.
        self._pause = 0.2 if deadline < 600 else 3.0
        self._database = Database(settings, "triage")

    async def run(self, client: TopicClient, submissions: Sequence[CountedSubmission]) -> CountingResult:
        """Send all, kill one process after a third, wait for the other one, and compare."""
        self._write_organisation()
        processes = [await self._start() for _ in range(2)]
        started = time.monotonic()
        try:
            await client.publish_all([case_event(topics.COMPLAINT_EVENTS, s.registered(), "intake") for s in submissions])
            await self._wait_for_cases(len(submissions) // 3)
            processes[0].kill()
            counted = await self._count("known")
            await self._wait_for_cases(len(submissions))
            await wait_for(self._is_settled, self._deadline, "every count taken again and every event sent", pause=self._pause)
            seconds = time.monotonic() - started
            groups, links = await self._groups()
            return CountingResult(groups, members_by_brute_force(submissions), links, await self._published(), seconds, counted)
        finally:
            for process in processes:
                if process.returncode is None:
                    process.kill()
                await process.wait()
            await self._database.close()

    def _write_organisation(self) -> None:
        for id_ in PROCEDURES:
            write_yaml(self._folder / f"{id_}.yaml", procedure(id_))
        sources = [{"id": id_, "procedure": f"{id_}.yaml"} for id_ in PROCEDURES]
        write_yaml(self._folder / "organisation.yaml", {"id": "run", "departments": [{"id": "unassigned"}], "sources": sources})

    async def _start(self) -> asyncio.subprocess.Process:
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "DATABASE_URL": self._settings.database_url.get_secret_value(),
            "KAFKA_BOOTSTRAP_SERVERS": self._settings.kafka_bootstrap_servers,
            "JIESU_TOPIC_PREFIX": self._settings.topic_prefix,
            "JIESU_ENVIRONMENT": "test",
            "JIESU_LOG_LEVEL": "ERROR",
            "JIESU_ORGANISATION": str(self._folder / "organisation.yaml"),
        }
        return await asyncio.create_subprocess_exec(sys.executable, "-m", "services.triage", env=environment)

    async def _count(self, table: str) -> int:
        async with self._database.transaction() as tx:
            return int(await tx.fetchval(f"SELECT count(*) FROM {table}"))

    async def _wait_for_cases(self, number: int) -> None:
        async def are_known() -> bool:
            return await self._count("known") >= number

        await wait_for(are_known, self._deadline, f"{number} cases counted", pause=self._pause)

    async def _is_settled(self) -> bool:
        async with self._database.transaction() as tx:
            waiting = await recounts.count_waiting(tx)
        return not any(waiting.values()) and await self._count("outbox") == 0

    async def _groups(self) -> tuple[set[Member], set[tuple[str, str]]]:
        async with self._database.transaction() as tx:
            rows = await tx.fetch("SELECT procedure, count, key, case_id, group_id FROM mark WHERE group_id <> ''")
        members = {(row["procedure"], row["count"], row["key"], row["case_id"]) for row in rows}
        return members, {(row["group_id"], row["case_id"]) for row in rows}

    async def _published(self) -> PublishedEvents:
        published = PublishedEvents()
        topic = topics.TRIAGE_EVENTS
        async with AIOKafkaConsumer(
            bootstrap_servers=self._settings.kafka_bootstrap_servers, auto_offset_reset="earliest", isolation_level="read_committed"
        ) as consumer:
            partitions = [TopicPartition(f"{self._settings.topic_prefix}{topic.name}", number) for number in range(topic.partitions)]
            consumer.assign(partitions)
            ends: Mapping[TopicPartition, int] = await consumer.end_offsets(partitions)
            while any([await consumer.position(partition) < end for partition, end in ends.items()]):
                for records in (await consumer.getmany(timeout_ms=500, max_records=5000)).values():
                    for record in records:
                        headers = {name: value.decode() for name, value in record.headers}
                        published.add(headers[CE_TYPE], record.value, int(headers["ce_sequence"]))
        return published
