"""Measures the same event in other words on a stream of real messages: which known issues are alarmed when, and what one text costs.

The data stays outside the project: `python -m tests.bench.similar --data DIR` reads `stream.2019h1.jsonl.gz` there.
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
_SETTINGS = (*((0.14, 0.2, 3, days) for days in (60, 45, 40, 30)), (0.14, 0.14, 4, 60), (0.1, 0.1, 4, 60))


class Message(NamedTuple):
    """One message of the stream."""

    user: str
    issue: str
    print: Fingerprint


class StreamResult(NamedTuple):
    """The alarms, the size of the largest event, and for each known issue the number of its message that brought the alarm."""

    alarms: int
    largest: int
    found: list[int | None]


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


def measure_stream(messages: Sequence[Message], nearness: Nearness, people: int) -> StreamResult:
    """Alarm each event once it has so many people within the window; an alarm finds an issue of which it has two messages or more."""
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
            if len({messages[m].user for m in members[event] if messages[m].print.received_at >= since}) >= people:
                alarms[event] = number
    issues = Counter(message.issue for message in messages if message.issue)
    found = []
    for issue in sorted(issue for issue, size in issues.items() if size >= _MIN_MESSAGES):
        own = [number for number, message in enumerate(messages) if message.issue == issue]
        at = [alarm for event, alarm in alarms.items() if sum(m <= alarm and messages[m].issue == issue for m in members[event]) > 1]
        found.append(sum(number <= min(at) for number in own) if at else None)
    return StreamResult(len(alarms), max(map(len, members.values())), found)


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


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help=f"folder with {STREAM}")
    parser.add_argument("--texts", type=int, default=100_000, help="remembered texts of the measurement of cost; 0: none")
    arguments = parser.parse_args()
    if arguments.data is not None:
        messages = read_stream(arguments.data / STREAM)
        print("| same place | elsewhere | people | days | alarms | largest event | known issues found at message |")  # noqa: T201
        print("| --- | --- | --- | --- | --- | --- | --- |")  # noqa: T201
        for threshold, elsewhere, people, days in _SETTINGS:
            result = measure_stream(messages, Nearness(threshold, elsewhere, timedelta(days=days), 100_000), people)
            found = ", ".join("–" if number is None else str(number) for number in sorted(result.found, key=lambda n: n or 1_000))
            print(f"| {threshold} | {elsewhere} | {people} | {days} | {result.alarms} | {result.largest} | {found} |", flush=True)  # noqa: T201
    if arguments.texts:
        milliseconds, megabytes = measure_cost(arguments.texts)
        print(f"one text with {arguments.texts} remembered: {milliseconds:.1f} ms of CPU; memory {megabytes:.0f} MB")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
