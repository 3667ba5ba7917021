"""Looks into the database for work that other processes added: one statement for all loops of a process."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from shared.runtime.database.database import Database
from shared.runtime.process.waiting import sleep_to_tick

LOOK_SECONDS = 0.5
IDLE_POLL_SECONDS = 10.0
"""How often a loop that is woken by looks polls nevertheless, while it finds nothing."""

OnValues = Callable[[Sequence[Any]], None]


class DatabaseLooks:
    """Reads in one statement what loops wait for, and passes each loop its values: polls of their own would be a transaction each.

    A commit of the same process wakes a loop by an event.
    """

    def __init__(self, database: Database) -> None:
        self.period = LOOK_SECONDS
        self._database = database
        self._expressions: list[str] = []
        self._readers: list[tuple[slice, OnValues]] = []

    def add(self, on_values: OnValues, *expressions: str) -> None:
        """Call `on_values` with the values of these SQL expressions at every look; they take no arguments, and return one value each."""
        start = len(self._expressions)
        self._expressions += expressions
        self._readers.append((slice(start, len(self._expressions)), on_values))

    def wake(self, event: asyncio.Event, condition: str) -> None:
        """Set the event at every look at which the SQL condition holds."""

        def set_event(values: Sequence[Any]) -> None:
            if values[0]:
                event.set()

        self.add(set_event, condition)

    async def run(self, stop: asyncio.Event) -> None:
        """Look until `stop` is set; raises infrastructure errors."""
        while self._expressions and not stop.is_set():
            await self.look()
            await sleep_to_tick(stop, self.period)

    async def look(self) -> None:
        """Look once."""
        async with self._database.autocommit() as tx:
            row = await tx.fetchrow(f"SELECT {', '.join(f'({expression})' for expression in self._expressions)}")
        values = () if row is None else tuple(row.values())
        for columns, on_values in self._readers:
            on_values(values[columns])
