"""Erases cases in all services, step by step; each step may be repeated, so that an interrupted erasure is continued."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from cli.evidence.archived_attachments import named_attachments
from cli.keeping.topic_records import HeldRecords, delete_held_records, find_held_records
from cli.service_names import SERVICES
from services.intake.attachments.setup import open_attachments
from services.intake.config import IntakeSettings
from services.intake.storage import erasures as intake_erasures
from services.notify.storage import erasures as notify_erasures
from services.sla.application.cases import UpdateCases
from services.sla.application.identity import IdentityRegistry
from services.sla.application.keeping.erasure import EraseCases, find_cases
from services.sla.application.rulebooks import RulebookRegistry
from services.sla.storage.keeping import erasures
from services.sla.storage.keeping.erasures import Erasure
from services.triage.storage import erasures as triage_erasures
from shared.procedures.loading.loader import load_organisation
from shared.runtime.clock import Clock, uuid7
from shared.runtime.database import queue_erasure
from shared.runtime.database.database import Database
from shared.runtime.errors import Misconfigured, Unavailable
from shared.runtime.process.settings import RuntimeSettings

RETENTION = "retention"
ERASED_BECAUSE = "erasure of a person"


@dataclass(slots=True)
class ErasurePlan:
    """The scope of an erasure: rows by table, attachments, records in topics, and copies left to their retention."""

    cases: list[str]
    rows: dict[str, int] = field(default_factory=dict)
    attachments: list[str] = field(default_factory=list)
    shared_attachments: list[str] = field(default_factory=list)
    topics: list[HeldRecords] = field(default_factory=list)
    shared_raw_copies: int = 0

    def add_rows(self, service: str, rows: Mapping[str, int]) -> None:
        """Add how many rows of a service's tables are concerned."""
        self.rows |= {f"{service}.{table}": number for table, number in rows.items() if number}

    def document(self) -> dict[str, Any]:
        """The plan as JSON."""
        topics = [
            {"topic": held.topic, "partition": held.partition, "records": held.records, "kept_until": held.kept_until.isoformat()}
            for held in self.topics
        ]
        return {
            "cases": self.cases,
            "rows": self.rows,
            "attachments": self.attachments,
            "attachments_of_other_cases_too": self.shared_attachments,
            "topics": topics,
            "sealed_copies_with_other_cases": self.shared_raw_copies,
        }


class CaseErasure:
    """Erases cases in the tables of every service, in the attachment store and in the topics."""

    def __init__(self, settings: IntakeSettings, databases: dict[str, Database]) -> None:
        self._settings = settings
        self._databases = databases
        organisation = load_organisation(settings.organisation)
        clock = Clock.parse(settings.clock, settings.environment)
        rulebooks = RulebookRegistry(organisation, procedure_folder=Path(settings.organisation).parent)
        update = UpdateCases(rulebooks, IdentityRegistry(organisation), clock, partitions=settings.topic_partitions)
        self._erase_cases = EraseCases(update, organisation.may_erase)
        self._clock = clock

    async def find_cases(self, keys: Sequence[str]) -> list[str]:
        """The cases of the person with one of these keyed hashes; raises `ErasureRefusedError` where they are of several people."""
        async with self._databases["sla"].transaction() as tx:
            return await find_cases(tx, keys)

    async def plan(self, cases: Sequence[str], person: str) -> ErasurePlan:
        """The scope of an erasure of these cases; raises `ErasureRefusedError` where it may not be done."""
        await self._require_erasable(cases, person)
        plan = ErasurePlan(sorted(cases))
        dead_keys = await self._dead_keys(cases)
        async with self._databases["intake"].transaction() as tx:
            submission_keys = await intake_erasures.find_references(tx, cases)
            plan.add_rows("intake", await intake_erasures.count_rows(tx, cases))
            plan.shared_raw_copies = await intake_erasures.count_shared_copies(tx, cases)
        async with self._databases["triage"].transaction() as tx:
            plan.add_rows("triage", await triage_erasures.count_rows(tx, cases, dead_keys))
        async with self._databases["notify"].transaction() as tx:
            plan.add_rows("notify", {"delivery": await notify_erasures.count_rows(tx, cases)})
        async with self._databases["sla"].transaction() as tx:
            plan.add_rows("sla", await erasures.count_rows(tx, cases))
        for service in SERVICES:
            async with self._databases[service].transaction() as tx:
                keys = _record_keys(service, cases, submission_keys)
                plan.add_rows(service, {"dead_letter": await queue_erasure.count_dead_letters(tx, keys)})
        plan.attachments, plan.shared_attachments = await self._attachments(cases)
        plan.topics = await find_held_records(self._settings, cases, submission_keys)
        return plan

    async def begin(self, cases: Sequence[str], ground: str, person: str) -> Erasure:
        """Record the erasure, or take up the one of these cases that was interrupted; raises `ErasureRefusedError`."""
        await self._require_erasable(cases, person)
        async with self._databases["intake"].transaction() as tx:
            submission_keys = tuple(await intake_erasures.find_references(tx, cases))
        async with self._databases["sla"].transaction() as tx:
            if interrupted := await erasures.find_unfinished(tx, cases):
                return interrupted[0]
            erasure = Erasure(UUID(uuid7()), tuple(sorted(cases)), ground, person, self._clock.now(), submission_keys=submission_keys)
            await erasures.insert_erasure(tx, erasure)
        return erasure

    async def unfinished(self) -> list[Erasure]:
        """The erasures that were interrupted, or wait for topics."""
        async with self._databases["sla"].transaction() as tx:
            return await erasures.find_unfinished(tx)

    async def erase_past_retention(self, cases: Sequence[str]) -> int:
        """Erase those of these cases that nothing forbids to erase; returns how many. Topics have forgotten them long ago."""
        async with self._databases["sla"].transaction() as tx:
            obstacles = await self._erase_cases.find_obstacles(tx, cases)
            free = sorted(set(cases) - obstacles.keys())
            erasure = Erasure(UUID(uuid7()), tuple(free), RETENTION, RETENTION, self._clock.now())
            if free:
                await erasures.insert_erasure(tx, erasure)
        if free:
            await self._erase_tables(erasure)
            await self._finish(erasure)
        return len(free)

    async def carry_out(self, erasure: Erasure, *, trim_topics: bool) -> list[HeldRecords]:
        """Carry out the steps; returns the records that topics still hold (none with `trim_topics`, which deletes them).

        Raises `Unavailable` where a service has yet to send or read something of the cases, and OSError while the store is away.
        """
        await self._erase_tables(erasure)
        # An erasure for retention concerns cases that are older than any topic.
        if erasure.ground != RETENTION and (held := await self._clear_topics(erasure, trim=trim_topics)):
            return held
        await self._finish(erasure)
        return []

    async def _finish(self, erasure: Erasure) -> None:
        async with self._databases["sla"].transaction() as tx:
            await erasures.finish(tx, erasure.id, self._clock.now())

    async def _erase_tables(self, erasure: Erasure) -> None:
        """Erase the cases in every table and in the attachment store; every part may be repeated."""
        cases = erasure.cases
        await self._require_quiet(cases, erasure.submission_keys)
        # Before sla, whose rows lead to the hashes and to the attachments.
        async with self._databases["triage"].transaction() as tx:
            await triage_erasures.erase_cases(tx, cases, await self._dead_keys(cases))
        if "attachments" not in erasure.steps:
            await self._erase_attachments(cases)
            await self._record(erasure, "attachments")
        async with self._databases["intake"].transaction() as tx:
            await intake_erasures.erase_complaints(tx, cases)
        async with self._databases["notify"].transaction() as tx:
            await notify_erasures.erase_deliveries(tx, cases)
        for case in cases:
            await self._erase_cases.erase(self._databases["sla"], case, erasure.ground)
        for service in SERVICES:
            async with self._databases[service].transaction() as tx:
                await queue_erasure.erase_dead_letters(tx, _record_keys(service, cases, erasure.submission_keys))
        # Last of all: from here on it waits for the topics alone, which take a month.
        await self._record(erasure, "tables")

    async def _require_erasable(self, cases: Sequence[str], person: str) -> None:
        async with self._databases["sla"].transaction() as tx:
            await self._erase_cases.require_erasable(tx, cases, person)

    async def _require_quiet(self, cases: Sequence[str], submission_keys: Sequence[str]) -> None:
        """Raise `Unavailable` while a message or record of the cases is on its way: it would bring back what is erased."""
        for service in SERVICES:
            async with self._databases[service].transaction() as tx:
                unfinished = await queue_erasure.find_unfinished_work(tx, _record_keys(service, cases, submission_keys))
                if service == "notify" and await notify_erasures.has_pending(tx, cases):
                    unfinished.append("messages that are not delivered yet")
            if unfinished:
                raise Unavailable(f"{service} still has {', '.join(unfinished)} of the cases; repeat the command when they are gone")

    async def _clear_topics(self, erasure: Erasure, *, trim: bool) -> list[HeldRecords]:
        held = await find_held_records(self._settings, erasure.cases, erasure.submission_keys)
        if not trim or not held:
            return held
        await delete_held_records(self._settings, held)
        return await find_held_records(self._settings, erasure.cases, erasure.submission_keys)

    async def _dead_keys(self, cases: Sequence[str]) -> list[str]:
        """The hashes of the cases' complainants that no other case has."""
        async with self._databases["sla"].transaction() as tx:
            keys = {key for owned in (await erasures.find_keys_of_cases(tx, cases)).values() for key in owned}
            return sorted(keys - await erasures.find_keys_of_others(tx, keys, cases))

    async def _attachments(self, cases: Sequence[str]) -> tuple[list[str], list[str]]:
        """The digests of the cases' attachments: those that no other case names, and the others."""
        async with self._databases["sla"].transaction() as tx:
            digests = {sha256 for sha256, _ in named_attachments(await erasures.load_bodies(tx, cases))}
            shared = {digest for digest in digests if await erasures.is_named_by_others(tx, cases, digest)}
        return sorted(digests - shared), sorted(shared)

    async def _erase_attachments(self, cases: Sequence[str]) -> None:
        own, _ = await self._attachments(cases)
        if not own:
            return
        store = open_attachments(self._settings, self._databases["intake"])
        if store is None:
            raise Misconfigured("JIESU_ATTACHMENT_STORE: is empty, but the cases have attachments; set it as for intake")
        for digest in own:
            await store.erase(digest, ERASED_BECAUSE)

    async def _record(self, erasure: Erasure, step: str) -> None:
        async with self._databases["sla"].transaction() as tx:
            await erasures.record_step(tx, erasure.id, step)


def _record_keys(service: str, cases: Sequence[str], submission_keys: Sequence[str]) -> list[str]:
    """The keys of the records that a service reads of these cases: intake reads submissions, under the keys of their sources."""
    return [*cases, *submission_keys] if service == "intake" else list(cases)


@asynccontextmanager
async def open_databases(settings: RuntimeSettings) -> AsyncIterator[dict[str, Database]]:
    """The databases of all services by their names, for the length of a block."""
    async with AsyncExitStack() as stack:
        databases = {service: Database(settings, service) for service in SERVICES}
        for database in databases.values():
            stack.push_async_callback(database.close)
        yield databases


@asynccontextmanager
async def open_erasure(settings: IntakeSettings) -> AsyncIterator[CaseErasure]:
    """The erasure on the databases of all services, for the length of a block."""
    async with open_databases(settings) as databases:
        yield CaseErasure(settings, databases)
