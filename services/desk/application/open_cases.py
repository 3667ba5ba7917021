"""Counters and filter choices of all viewers, each from one reading of the open cases."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Final

from services.desk import metrics
from services.desk.domain.open_groups import ChoiceGroup, OpenGroup, choices_for, count_for
from services.desk.domain.viewer import Viewer
from services.desk.storage.open_groups import load_choice_groups, load_open_groups
from shared.runtime.clock import Clock, monotonic
from shared.runtime.database.database import Database

_CHOICES_SECONDS: Final = 30.0
_OLDEST_SECONDS: Final = 60.0
"""A case becomes late by the clock alone, without a change of the read model."""
_PAUSE_SECONDS_A_CASE: Final = 3e-6
"""0.3 s after a reading of 100,000 cases, which takes 0.1 s: so counting leaves the database to the pages while changes are constant."""


@dataclass(slots=True)
class _Counted:
    version: int
    read_at: float
    paused_until: float
    groups: Sequence[OpenGroup]
    by_viewer: dict[Viewer, dict[str, int]] = field(default_factory=dict)


@dataclass(slots=True)
class _Choices:
    read_at: float
    groups: Sequence[ChoiceGroup]
    by_viewer: dict[Viewer, Mapping[str, list[str]]] = field(default_factory=dict)


class OpenCases:
    """Shares readings: a query for each viewer reads every open case, and hundreds of open pages ask at each change."""

    def __init__(self, database: Database, clock: Clock, zone: tzinfo) -> None:
        self._database = database
        self._clock = clock
        self._zone = zone
        self._counted: _Counted | None = None
        self._choices: _Choices | None = None
        # Held while reading, so that all who wait take the one result; a reader whose page closes leaves it to the next.
        self._counting = asyncio.Lock()
        self._choosing = asyncio.Lock()

    def midnight(self, now: datetime) -> datetime:
        """The end of today in the organisation's zone."""
        local = now.astimezone(self._zone)
        return (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)

    async def counts(self, viewer: Viewer, version: int) -> dict[str, int]:
        """The counters at a version of the read model, or before it by the pause after a reading: a page does not wait for its end."""
        counted = self._counted
        if counted is None or (self._is_outdated(counted, version) and monotonic() >= counted.paused_until):
            counted = await self._count(version)
        return _counts_of(counted, viewer)

    async def following_counts(self, viewer: Viewer, version: int) -> dict[str, int]:
        """The counters at a version of the read model; waits for the end of the pause."""
        counted = self._counted
        if counted is None or self._is_outdated(counted, version):
            if counted is not None:
                await asyncio.sleep(max(0.0, counted.paused_until - monotonic()))
            counted = await self._count(version)
        return _counts_of(counted, viewer)

    async def choices(self, viewer: Viewer) -> Mapping[str, list[str]]:
        """The values that the filter's fields offer, at most half a minute old."""
        async with self._choosing:
            known = self._choices
            if known is None or monotonic() - known.read_at >= _CHOICES_SECONDS:
                async with self._database.transaction() as tx:
                    known = self._choices = _Choices(monotonic(), await load_choice_groups(tx))
        if viewer not in known.by_viewer:
            known.by_viewer[viewer] = choices_for(viewer, known.groups)
        return known.by_viewer[viewer]

    async def _count(self, version: int) -> _Counted:
        async with self._counting:
            known = self._counted
            if known is not None and not self._is_outdated(known, version):
                return known
            now = self._clock.now()
            async with self._database.transaction() as tx:
                with metrics.QUERY_SECONDS.labels("counts").time():
                    groups = await load_open_groups(tx, now, self.midnight(now))
            at = monotonic()
            pause = _PAUSE_SECONDS_A_CASE * sum(group.open for group in groups)
            self._counted = _Counted(version, at, at + pause, groups)
            return self._counted

    @staticmethod
    def _is_outdated(counted: _Counted, version: int) -> bool:
        return counted.version < version or monotonic() - counted.read_at >= _OLDEST_SECONDS


def _counts_of(counted: _Counted, viewer: Viewer) -> dict[str, int]:
    if viewer not in counted.by_viewer:
        counted.by_viewer[viewer] = count_for(viewer, counted.groups)
    return counted.by_viewer[viewer]
