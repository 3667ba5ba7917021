"""Wakes open pages when the read model changes, whichever process changed it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from services.desk import metrics
from services.desk.storage import reading_progress
from shared.runtime.clock import Clock, monotonic
from shared.runtime.database.database import Database

_SESSION_CHECKS = 2


class TooManyPagesError(Exception):
    """The process keeps as many pages up to date as its setting allows."""


class LiveFeed:
    """Follows the version of the read model; one query serves all pages of the process."""

    def __init__(self, database: Database, clock: Clock, max_pages: int) -> None:
        self._database = database
        self._clock = clock
        self._max_pages = max_pages
        self._pages = 0
        self._version = -1
        self._age: float | None = None
        self._polled_at = 0.0
        self._changed = asyncio.Condition()
        self._closed = False
        self.session_checks = asyncio.Semaphore(_SESSION_CHECKS)
        """Held while a page's session is checked: pages that opened together ask together, and other requests need the pool too."""

    @property
    def version(self) -> int:
        """The version of the read model at the last poll."""
        return self._version

    @property
    def is_full(self) -> bool:
        """Whether no further page can be followed."""
        return self._pages >= self._max_pages

    @property
    def age_seconds(self) -> float | None:
        """Seconds by which the read model is behind the topics; None while no process reads."""
        return None if self._age is None else self._age + monotonic() - self._polled_at

    async def poll(self) -> None:
        """Read the state, and wake the pages if it is another one."""
        async with self._database.autocommit() as tx:
            self.update([await reading_progress.read_state(tx)])

    def update(self, values: Sequence[Any]) -> None:
        """Take the state of a look, and wake the pages if it is another one."""
        state = reading_progress.state_from(*values)
        self._age, self._polled_at = state.age_seconds, monotonic()
        if state.age_seconds is None:
            metrics.READ_MODEL_AGE.expire()
        else:
            metrics.READ_MODEL_AGE.set(state.age_seconds)
        if state.version != self._version:
            self._version = state.version
            self._notifying = asyncio.ensure_future(self._notify())

    def close(self) -> None:
        """End every page's stream: the process stops."""
        self._closed = True
        self._notifying = asyncio.ensure_future(self._notify())

    @contextmanager
    def page(self) -> Iterator[None]:
        """Count an open page; raises `TooManyPagesError`."""
        if self.is_full:
            raise TooManyPagesError
        self._pages += 1
        metrics.LIVE_PAGES.set(self._pages)
        try:
            yield
        finally:
            self._pages -= 1
            metrics.LIVE_PAGES.set(self._pages)

    async def changes(self, seconds: float) -> AsyncIterator[int]:
        """The version now, then at every change, and at the latest after so many seconds; ends when the process stops."""
        while not self._closed:
            seen = self._version
            yield seen
            try:
                async with asyncio.timeout(seconds), self._changed:
                    await self._changed.wait_for(lambda seen=seen: self._closed or self._version != seen)  # type: ignore[misc] # bound now
            except TimeoutError:
                continue

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()
