"""Counts what is past its retention, and erases ended cases and attachments whose time is over, in batches."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from cli.keeping.case_erasure import CaseErasure
from services.intake.attachments.setup import open_attachments
from services.intake.config import IntakeSettings
from services.intake.storage import attachments as stored_attachments
from services.sla.storage.keeping import past_retention, retention_runs
from shared.runtime.clock import uuid7
from shared.runtime.database.database import Database
from shared.runtime.errors import Misconfigured

BATCH_CASES = 100
_PAGE = 500
_PAST_RETENTION = "past JIESU_ATTACHMENT_RETENTION_DAYS"


@dataclass(frozen=True, slots=True)
class PastRetention:
    """Data past their retention: the count, the oldest instant, and the count kept by a legal hold; `days` 0 keeps everything."""

    what: str
    setting: str
    days: int
    number: int = 0
    oldest: datetime | None = None
    held: int = 0
    done: int = 0

    def document(self) -> dict[str, Any]:
        """The figures as JSON."""
        oldest = None if self.oldest is None else self.oldest.isoformat(timespec="seconds")
        return {
            "what": self.what,
            "setting": self.setting,
            "days": self.days,
            "past": self.number,
            "oldest": oldest,
            "held": self.held,
            "erased": self.done,
        }


class RetentionRun:
    """One run over ended cases and attachments, at an instant of the services' clock."""

    def __init__(self, settings: IntakeSettings, case_days: int, erasure: CaseErasure, databases: dict[str, Database]) -> None:
        self._settings = settings
        self._case_days = case_days
        self._erasure = erasure
        self._databases = databases

    @asynccontextmanager
    async def recorded(self, now: Callable[[], datetime]) -> AsyncIterator[None]:
        """Record the run, by which sla measures that it happens, and how it ends, also where the block raises."""
        run, outcome = UUID(uuid7()), retention_runs.FAILED
        limits = bool(self._case_days or self._settings.attachment_retention_days)
        async with self._databases["sla"].transaction() as tx:
            await retention_runs.begin_run(tx, run, now(), limits=limits)
        try:
            yield
            outcome = retention_runs.DONE
        finally:
            async with self._databases["sla"].transaction() as tx:
                await retention_runs.end_run(tx, run, now(), outcome)

    async def figures(self, now: datetime, *, dry_run: bool) -> list[PastRetention]:
        """Those of cases, then those of attachments; erases them without `dry_run`."""
        return [await self.cases(now, dry_run=dry_run), await self.attachments(now, dry_run=dry_run)]

    async def cases(self, now: datetime, *, dry_run: bool) -> PastRetention:
        """Erase the personal data of ended cases on which nothing has happened for so many days."""
        if not self._case_days:
            return PastRetention("cases", "JIESU_CASE_RETENTION_DAYS", 0)
        before = now - timedelta(days=self._case_days)
        async with self._databases["sla"].transaction() as tx:
            number, oldest, held = await past_retention.count_ended(tx, before)
        done = 0 if dry_run else await self._erase_ended(before)
        return PastRetention("cases", "JIESU_CASE_RETENTION_DAYS", self._case_days, number, oldest, held, done)

    async def _erase_ended(self, before: datetime) -> int:
        done, after = 0, ""
        while True:
            async with self._databases["sla"].transaction() as tx:
                page = await past_retention.find_ended(tx, before, after, BATCH_CASES)
            if not page:
                return done
            done += await self._erasure.erase_past_retention(page)
            after = page[-1]

    async def attachments(self, now: datetime, *, dry_run: bool) -> PastRetention:
        """Erase attachments that no case names which is open, held, or had an event within so many days."""
        days = self._settings.attachment_retention_days
        if not days:
            return PastRetention("attachments", "JIESU_ATTACHMENT_RETENTION_DAYS", 0)
        before = now - timedelta(days=days)
        async with self._databases["sla"].transaction() as tx:
            named = await past_retention.find_named_attachments(tx, before)
        past = await self._attachments_before(before)
        unnamed = [(digest, at) for digest, at in past if digest not in named]
        if not dry_run:
            await self._erase_attachments([digest for digest, _ in unnamed])
        oldest = min((at for _, at in unnamed), default=None)
        done = 0 if dry_run else len(unnamed)
        return PastRetention("attachments", "JIESU_ATTACHMENT_RETENTION_DAYS", days, len(unnamed), oldest, len(past) - len(unnamed), done)

    async def _attachments_before(self, before: datetime) -> list[tuple[str, datetime]]:
        found: list[tuple[str, datetime]] = []
        after = ""
        while True:
            async with self._databases["intake"].transaction() as tx:
                page = await stored_attachments.list_stored_before(tx, before, after, _PAGE)
            found += page
            if len(page) < _PAGE:
                return found
            after = page[-1][0]

    async def _erase_attachments(self, digests: list[str]) -> None:
        if not digests:
            return
        store = open_attachments(self._settings, self._databases["intake"])
        if store is None:
            raise Misconfigured("JIESU_ATTACHMENT_STORE: is empty, but attachments are stored; set it as for intake")
        for digest in digests:
            await store.erase(digest, _PAST_RETENTION)
