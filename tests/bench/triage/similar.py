"""Measures the same event in other words on a stream of real messages: which known issues are alarmed when, and what one text costs.

The data stays outside the project: `python -m tests.bench.triage.similar --data DIR` reads `stream.2019h1.jsonl.gz` there.
"""

import argparse
import gzip
import random
import resource
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import orjson

from services.triage.domain.reading.reading_copy import read_text
from services.triage.domain.similar.event_index import EventIndex, Nearness, Remembered
from services.triage.domain.similar.fingerprints import GRAM_BITS, Fingerprint, fingerprint
from services.triage.domain.similar.places import Places

STREAM = "stream.2019h1.jsonl.gz"
_MIN_MESSAGES = 12


class Message(NamedTuple):
    """One message of the stream."""

    user: str
    issue: str
    print: Fingerprint


class Alarm(NamedTuple):
    """The messages that complete an event, and the people that they come from at least."""

    messages: int
    people: int


class StreamResult(NamedTuple):
    """The alarms, those among the second half of the messages, the size of the largest event, and the messages that found the known issues.

    Of each known issue `found` holds the number of its message that brought the alarm.
    """

    alarms: int
    in_second_half: int
    largest: int
    found: list[int | None]


class Setting(NamedTuple):
    """Thresholds of similarity, the alarm, the window in days, and the weight of titles."""

    threshold: float
    elsewhere: float
    alarm: Alarm
    days: int
    title: float = 0.0


_SETTINGS = (
    Setting(0.14, 0.14, Alarm(4, 2), 45),
    Setting(0.25, 0.25, Alarm(4, 2), 45, 0.2),
    Setting(0.25, 0.25, Alarm(4, 3), 45, 0.2),
    *(Setting(0.14, 0.2, Alarm(3, 3), days) for days in (60, 45, 30)),
    Setting(0.14, 0.14, Alarm(4, 4), 60),
    Setting(0.1, 0.1, Alarm(4, 4), 60),
)


def read_stream(path: Path) -> list[Message]:
    """The messages in order of time."""
    with gzip.open(path) as lines:
        rows = [orjson.loads(line) for line in lines]
    return [
        Message(
            row["user"],
            row["issue"] or "",
            fingerprint(
                str(index), datetime.fromisoformat(row["time"]).replace(tzinfo=UTC), read_text(row["title"]), read_text(row["text"])
            ),
        )
        for index, row in enumerate(rows)
    ]


def measure_stream(messages: Sequence[Message], nearness: Nearness, alarm: Alarm) -> StreamResult:
    """Alarm each event that the rule completes within the window; an alarm finds an issue of which it has two messages or more."""
    index = EventIndex(nearness)
    members: defaultdict[str, list[int]] = defaultdict(list)
    alarms: dict[str, int] = {}
    for number, message in enumerate(messages):
        match = index.nearest(message.print)
        event = match.event if match else message.print.case
        index.add(Remembered(number + 1, event, message.print))
        index.confirm()
        members[event].append(number)
        if event not in alarms:
            since = message.print.received_at - nearness.window
            near = [m for m in members[event] if messages[m].print.received_at >= since]
            if len(near) >= alarm.messages and len({messages[m].user for m in near}) >= alarm.people:
                alarms[event] = number
    issues = Counter(message.issue for message in messages if message.issue)
    found = []
    for issue in sorted(issue for issue, size in issues.items() if size >= _MIN_MESSAGES):
        own = [number for number, message in enumerate(messages) if message.issue == issue]
        at = [last for event, last in alarms.items() if sum(m <= last and messages[m].issue == issue for m in members[event]) > 1]
        found.append(sum(number <= min(at) for number in own) if at else None)
    late = sum(number >= len(messages) // 2 for number in alarms.values())
    return StreamResult(len(alarms), late, max(map(len, members.values())), found)


def measure_cost(remembered: int, repeats: int = 200) -> tuple[float, float]:
    """Milliseconds of CPU for one text more, and MB for all, with so many remembered texts of random n-grams, some of them frequent."""
    generator = random.Random(1)
    at = datetime(2026, 9, 1, tzinfo=UTC)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    index = EventIndex(Nearness(0.14, 0.2, timedelta(days=60), remembered))
    total = remembered + repeats
    start = 0.0
    for number in range(1, total + 1):
        if number == remembered + 1:
            start = time.process_time()
        # As in texts: the share of the n-gram of rank r is about 1/r.
        grams = {2 * int((1 << GRAM_BITS) ** generator.random()) for _ in range(300)}
        text = Fingerprint(str(number), at, tuple(sorted(grams)), Places())
        if number > remembered:
            index.nearest(text)
        index.add(Remembered(number, str(number), text))
        index.confirm()
    milliseconds = (time.process_time() - start) * 1000 / repeats
    return milliseconds, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def print_row(*cells: object) -> None:
    """Print one row of a table in Markdown."""
    print("|", " | ".join(map(str, cells)), "|", flush=True)  # noqa: T201


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help=f"folder with {STREAM}")
    parser.add_argument("--texts", type=int, default=100_000, help="remembered texts of the measurement of cost; 0: none")
    arguments = parser.parse_args()
    if arguments.data is not None:
        messages = read_stream(arguments.data / STREAM)
        columns = (
            "same place",
            "elsewhere",
            "title",
            "messages",
            "people",
            "days",
            "alarms",
            "in the second half",
            "largest event",
            "issues found at",
        )
        print_row(*columns)
        print_row(*("---" for _ in columns))
        for setting in _SETTINGS:
            threshold, elsewhere, alarm, days, title = setting
            result = measure_stream(messages, Nearness(threshold, elsewhere, timedelta(days=days), 100_000, title), alarm)
            found = ", ".join("–" if number is None else str(number) for number in sorted(result.found, key=lambda n: n or 1_000))
            print_row(threshold, elsewhere, title, *alarm, days, result.alarms, result.in_second_half, result.largest, found)
    if arguments.texts:
        milliseconds, megabytes = measure_cost(arguments.texts)
        print(f"one text with {arguments.texts} remembered: {milliseconds:.1f} ms of CPU; memory {megabytes:.0f} MB")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
