"""Displays event counts and highlighted events in the terminal while the month runs; reads them from `case-events`."""

from __future__ import annotations

import asyncio
from bisect import insort
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from aiokafka import AIOKafkaConsumer
from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from cli.demo.month_plan import DAYS, START
from shared.contracts.envelope import CE_TYPE
from shared.contracts.topics import CASE_EVENTS
from shared.runtime.clock import Clock
from shared.runtime.kafka.connection import options_for

COUNTED_EVENTS = {
    "registered": ("登记 registered", "white"),
    "classified": ("分类 classified", "white"),
    "reclassified": ("改类 reclassified", "cyan"),
    "group_found": ("批量 group found", "cyan"),
    "linked": ("并案 linked", "cyan"),
    "routed": ("派单 routed", "white"),
    "action_refused": ("拒绝 action refused", "yellow"),
    "reminded": ("催办 reminded", "white"),
    "clock_breached": ("逾期 breached", "red"),
    "escalated": ("升级 escalated", "magenta"),
    "no_recipient": ("无人 no recipient", "magenta"),
    "measures_deemed_approved": ("视为批准 deemed approved", "green"),
    "notification_sent": ("送出 messages sent", "white"),
    "notification_failed": ("失败 messages failed", "yellow"),
    "closed": ("办结 closed", "green"),
    "reopened": ("重开 reopened", "yellow"),
}
"""Event type → title and colour in the display."""
HIGHLIGHTED_EVENTS = frozenset(
    {"clock_breached", "escalated", "measures_deemed_approved", "group_found", "reopened", "no_recipient", "action_refused"}
)
"""Events that are also shown one by one."""
_SHOWN_FIELDS = ("clause", "clock", "role", "action", "reason", "count")
MAX_LINES = 15
"""With the frame and the bar they fit into 24 lines."""
PLAIN_INTERVAL_SECONDS = 5.0


class EventLine(NamedTuple):
    """An event as a line; lines are in order of the event's instant, then of their arrival."""

    at: datetime
    arrival: int
    text: str
    colour: str
    highlighted: bool


@dataclass
class LiveView:
    """Counts events and displays them: in place on a terminal, else (`plain`) as a line every few seconds.

    `numbers` maps cases to their numbers, `lines` are the latest highlighted events. Registrations fill the lines until there are enough.
    """

    clock: Clock
    bootstrap: str
    prefix: str
    plain: bool
    console: Console
    counts: Counter[str] = field(default_factory=Counter)
    numbers: dict[str, str] = field(default_factory=dict)
    lines: list[EventLine] = field(default_factory=list)

    async def run(self, stop: asyncio.Event) -> None:
        """Display until `stop` is set."""
        # Without a group: the view joins no rebalance and commits no offsets.
        consumer = AIOKafkaConsumer(
            f"{self.prefix}{CASE_EVENTS.name}", auto_offset_reset="earliest", group_id=None, **options_for(self.bootstrap)
        )
        try:
            await consumer.start()
            await (self._print_lines(consumer, stop) if self.plain else self._display(consumer, stop))
        finally:
            await consumer.stop()

    async def _display(self, consumer: Any, stop: asyncio.Event) -> None:
        with Live(self._view(), console=self.console, refresh_per_second=4, transient=True) as live:
            while not stop.is_set():
                await self._read(consumer)
                live.update(self._view())

    async def _print_lines(self, consumer: Any, stop: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while not stop.is_set():
            await self._read(consumer)
            if loop.time() >= due:
                due = loop.time() + PLAIN_INTERVAL_SECONDS
                counts = ", ".join(f"{name} {self.counts[name]}" for name in COUNTED_EVENTS if self.counts[name])
                self.console.print(f"{self._domain_time()}: {counts or 'nothing yet'}", highlight=False, soft_wrap=True)

    async def _read(self, consumer: Any) -> None:
        for records in (await consumer.getmany(timeout_ms=200)).values():
            for record in records:
                self.count_event(dict(record.headers)[CE_TYPE].decode(), orjson.loads(record.value))

    def count_event(self, event_type: str, event: dict[str, Any]) -> None:
        """Count an event of `case-events`, and show it where it is highlighted."""
        self.counts[event_type] += 1
        if event_type == "registered":
            self.numbers[event["case"]] = event.get("number", "")
        highlighted = event_type in HIGHLIGHTED_EVENTS
        if highlighted or (event_type == "registered" and len(self.lines) < MAX_LINES):
            at = datetime.fromisoformat(event["at"]).astimezone(START.tzinfo)
            title, colour = COUNTED_EVENTS[event_type]
            details = " ".join(str(event[name]) for name in _SHOWN_FIELDS if event.get(name))
            text = f"{at:%m-%d %H:%M} {self.numbers.get(event['case'], '')} {title} {details}"
            # Partitions are read one after the other, so that events do not arrive in order of time.
            insort(self.lines, EventLine(at, self.counts.total(), text, colour, highlighted))
            surplus = next((line for line in self.lines if not line.highlighted), self.lines[0])
            if len(self.lines) > MAX_LINES:
                self.lines.remove(surplus)

    def _domain_time(self) -> str:
        return self.clock.now().astimezone(START.tzinfo).strftime("%Y-%m-%d %H:%M")

    def _view(self) -> Panel:
        """The whole display, 80 columns and 24 lines at least."""
        table = Table.grid(padding=(0, 2))
        for name, (title, colour) in COUNTED_EVENTS.items():
            table.add_row(Text(title, style=colour), Text(str(self.counts[name]), style=f"bold {colour}"))
        days_passed = max(0, min(DAYS, (self.clock.now() - START).days))
        bar = Text("█" * days_passed + "░" * (DAYS - days_passed), style="blue")
        body = Table.grid(padding=(0, 2))
        body.add_row(table, Group(*(Text(line.text, style=line.colour, no_wrap=True, overflow="ellipsis") for line in self.lines)))
        parts = Group(Text(f"{self._domain_time()}  "), bar, body)
        return Panel(parts, title="接诉 Jiesu: a month in a minute", border_style="blue")
