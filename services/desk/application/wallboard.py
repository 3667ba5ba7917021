"""Contents of the wallboard: counters, departments and the cases due next, without a word of a complainant."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.desk import metrics
from services.desk.application.inbox import Inbox
from services.desk.domain.inbox_filter import InboxFilter
from services.desk.domain.viewer import Viewer
from services.desk.storage.figures.open_departments import load_open_departments
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database

NEXT_CASES = 8
_SHOWN = ("case_id", "number", "class", "department", "proposed", "due_at", "state")
"""The columns that leave the read model: a screen in a room is read by visitors too."""
_MAX_REMEMBERED = 50


@dataclass(frozen=True, slots=True)
class BoardState:
    """Counters, open and late cases by department, and the cases due next."""

    counts: Mapping[str, int]
    departments: Sequence[Mapping[str, Any]]
    next_cases: Sequence[Mapping[str, Any]]


class Wallboard:
    """Reads the board of a viewer; boards with the same keys share one reading of a minute and a version of the read model."""

    def __init__(self, database: Database, clock: Clock, inbox: Inbox) -> None:
        self._database = database
        self._clock = clock
        self._inbox = inbox
        self._states: OrderedDict[Viewer, tuple[tuple[int, datetime], BoardState]] = OrderedDict()

    async def state(self, viewer: Viewer, version: int) -> BoardState:
        """The board now: a case becomes late by the clock alone, so no reading serves longer than its minute."""
        now = self._clock.now()
        reading = (version, now.replace(second=0, microsecond=0))
        known = self._states.get(viewer)
        if known is not None and known[0] == reading:
            return known[1]
        async with self._database.transaction() as tx:
            with metrics.QUERY_SECONDS.labels("board").time():
                departments = await load_open_departments(tx, viewer, now)
        page = await self._inbox.page(InboxFilter(), "", viewer, NEXT_CASES)
        next_cases = [{name: row[name] for name in _SHOWN} for row in page.rows]
        state = BoardState(await self._inbox.open_cases.counts(viewer, version), departments, next_cases)
        self._states[viewer] = (reading, state)
        self._states.move_to_end(viewer)
        if len(self._states) > _MAX_REMEMBERED:
            self._states.popitem(last=False)
        return state
