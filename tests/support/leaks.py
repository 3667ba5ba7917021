"""Collects every text that a running stack has written somewhere, and searches it for marked strings."""

from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import orjson

from shared.contracts.topics import Topic
from shared.runtime.process.settings import RuntimeSettings
from tests.support.messaging.topic_client import read_records
from tests.support.servers.databases import asyncpg_dsn

PlacedText = tuple[str, str]
"""A place, and a text that was found there."""
_TABLES = """
SELECT table_schema, table_name FROM information_schema.tables
 WHERE table_type = 'BASE TABLE' AND table_schema IN ('intake', 'triage', 'sla', 'notify')
"""


@dataclass(frozen=True, slots=True)
class Marks:
    """Strings that stand for one kind of content, and nowhere else."""

    kind: str
    texts: tuple[str, ...]

    def found_in(self, text: str) -> bool:
        """Whether one of them is in the text."""
        return any(mark in text for mark in self.texts)


def find_leaks(marks: Marks, texts: Iterable[PlacedText]) -> list[tuple[str, str]]:
    """Kind of mark and place, once each, in order."""
    return [(marks.kind, place) for place in sorted({place for place, text in texts if marks.found_in(text)})]


async def topic_texts(settings: RuntimeSettings, topics: Sequence[Topic]) -> AsyncIterator[PlacedText]:
    """Key, headers and value of every record."""
    for topic in topics:
        for record in await read_records(settings, topic):
            headers = " ".join(f"{name}={_decoded(value)}" for name, value in record.headers)
            yield f"topic {topic.name}", f"{_decoded(record.key)} {headers} {_decoded(record.value)}"


def file_texts(kind: str, folder: Path, pattern: str) -> Iterator[PlacedText]:
    """The text of each file."""
    for file in sorted(folder.glob(pattern)):
        # A log line is JSON as well, and may escape what it names.
        lines = file.read_text(encoding="utf-8").splitlines()
        yield f"{kind} {file.stem}", "\n".join(f"{line}\n{_decoded(line.encode())}" for line in lines)


async def database_texts(url: str, only: Collection[tuple[str, str]] = ()) -> AsyncIterator[PlacedText]:
    """Every row of every table of the services, or of some (schema, table), with readable bytes."""
    connection = await asyncpg.connect(asyncpg_dsn(url))
    try:
        for schema, table in only or [tuple(row) for row in await connection.fetch(_TABLES)]:
            for row in await connection.fetch(f'SELECT * FROM "{schema}"."{table}"'):
                yield f"table {schema}.{table}", " ".join(_readable(value) for value in row.values())
    finally:
        await connection.close()


def _readable(value: Any) -> str:
    return _decoded(value) if isinstance(value, bytes) else str(value)


def _decoded(value: bytes | None) -> str:
    """The text of bytes; of JSON also without escapes, since \\u4e2d hides a mark."""
    text = (value or b"").decode("utf-8", "replace")
    try:
        return f"{text} {orjson.dumps(orjson.loads(value or b'null')).decode()}"
    except orjson.JSONDecodeError:
        return text
