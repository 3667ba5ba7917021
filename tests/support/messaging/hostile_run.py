"""Runs triage, sla and notify against hostile records with honest ones among them, and measures what became of them."""

from __future__ import annotations

import resource
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from services.notify.bootstrap import build as build_notify
from services.notify.config import NotifySettings
from services.sla.bootstrap import build as build_sla
from services.sla.config import SlaSettings
from services.triage.bootstrap import build as build_triage
from services.triage.config import TriageSettings
from shared.contracts.topics import CASE_ACTIONS, COMPLAINT_EVENTS, PARTITIONS
from shared.runtime.kafka.partitioner import partition_of
from shared.runtime.service import Service
from tests.support.messaging.cloud_events import case_event, cloud_event, signature_headers
from tests.support.messaging.hostile_records import READ_TOPICS, SigningKey, hostile_records
from tests.support.messaging.idle import unread_records
from tests.support.messaging.sample_organisation import ENCRYPTION_KEYS, registered_event, sample_complaint
from tests.support.messaging.settings import SettingsFactory
from tests.support.messaging.topic_client import TopicClient
from tests.support.waiting import wait_for

PROCEDURE = "hunan-property"
_COUNT_ANSWERED = "SELECT count(DISTINCT case_id) FROM ledger WHERE type = 'first_answered' AND case_id = ANY($1::text[])"


@dataclass
class HostileRun:
    """The services under attack; `honest` are the cases that have to be decided whatever else arrives."""

    services: dict[str, Service]
    topic_client: TopicClient
    settings: SettingsFactory
    key: SigningKey
    honest: list[str] = field(default_factory=list)

    async def send(self, records: int, seed: int) -> None:
        """Send that many hostile records to each topic, and one honest complaint for each partition among them."""
        self.honest = [_case_on_partition(partition) for partition in range(PARTITIONS)]
        streams = [hostile_records(topic, records, seed, self.key, PROCEDURE, tuple(self.honest)) for topic in READ_TOPICS]
        honest = iter(self.honest)
        for number, messages in enumerate(zip(*streams, strict=True)):
            if number % max(1, records // PARTITIONS) == 0 and (case := next(honest, None)) is not None:
                await self._register(case)
            await self.topic_client.send_raw([(m.topic, m.key, m.value, m.headers) for m in messages])
        for case in honest:
            await self._register(case)
        await self.topic_client.flush()

    async def answer_honest_cases(self) -> None:
        """Send a signed answer to each honest case, behind all hostile records of its partition."""
        for case in self.honest:
            body = {"case": case, "action": "answer", "role": "assistant", "data": {"text": "已收到"}}
            record = cloud_event(CASE_ACTIONS, case, "action", body)
            await self.topic_client.publish(record, signature_headers(self.key.private, self.key.id, record))

    async def wait_until_read(self, deadline: float) -> None:
        """Wait until every service has read all that its topics hold."""

        async def all_read() -> bool:
            left = await unread_records(self.settings.bootstrap_servers, self.settings.topic_prefix, list(self.services))
            return not any(left.values())

        await wait_for(all_read, deadline, what="every record read", pause=0.5)

    async def answered_cases(self) -> int:
        """How many honest cases sla has opened and answered."""
        async with self.services["sla"].database.transaction() as tx:
            return int(await tx.fetchval(_COUNT_ANSWERED, self.honest))

    async def rows(self, service: str, table: str) -> int:
        """The number of rows of a service's table."""
        async with self.services[service].database.transaction() as tx:
            return int(await tx.fetchval(f"SELECT count(*) FROM {table}"))

    def troubles(self) -> dict[str, dict[str, str]]:
        """What the services report as trouble, a stopped partition among it."""
        return {name: dict(service.health.troubles()) for name, service in self.services.items() if service.health.troubles()}

    async def _register(self, case: str) -> None:
        at = datetime.now(UTC) - timedelta(minutes=1)
        complaint = sample_complaint(case, at, source="hotline", text="三号楼电梯停运", object="电梯")
        await self.topic_client.publish(case_event(COMPLAINT_EVENTS, registered_event(complaint, PROCEDURE, 1), "intake"))


@asynccontextmanager
async def hostile_run(
    settings: SettingsFactory, organisation: Path, topic_client: TopicClient, key: SigningKey
) -> AsyncIterator[HostileRun]:
    """The three services on the servers and topics of the settings, for the length of a block."""
    triage = build_triage(settings(TriageSettings, organisation=organisation))
    sla = build_sla(settings(SlaSettings, organisation=organisation))
    notify = build_notify(settings(NotifySettings, organisation=organisation, sealing_keys=ENCRYPTION_KEYS))
    services = {"triage": triage, "sla": sla, "notify": notify}
    async with AsyncExitStack() as stack:
        for service in services.values():
            await stack.enter_async_context(service.running())
        yield HostileRun(services, topic_client, settings, key)


def peak_megabytes() -> float:
    """The largest resident size that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _case_on_partition(partition: int) -> str:
    return next(case for number in range(100_000) if partition_of(case := f"honest-{partition}-{number}", PARTITIONS) == partition)
