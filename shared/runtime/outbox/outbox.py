"""What a service says goes into a table, in the transaction of the state change that it tells of."""

import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import orjson

from shared.contracts.envelope import Message
from shared.runtime.database.database import Transaction
from shared.runtime.errors import Rejected

MAX_BODY_BYTES = 900_000
MAX_MESSAGES_PER_ROW = 500
MAX_BYTES_PER_ROW = 4_000_000
_COLUMNS = ("shard", "topic", "messages", "keys", "headers", "bodies")
_OutboxRow = tuple[int, str, int, list[str], list[str], list[bytes]]


async def add(tx: Transaction, messages: Iterable[Message]) -> None:
    """Publish these messages, each key's in this order, once the transaction commits. Raises Rejected for one that no broker would take."""
    rows = list(_rows(messages, tx.database.settings.outbox_shards))
    if rows:
        await tx.copy_rows("outbox", _COLUMNS, rows)
        tx.after_commit(tx.database.outbox_added.set)


def shard_of(key: str, shards: int) -> int:
    """The relay's shard of a case; the same in every process."""
    return zlib.crc32(key.encode()) % shards


def _rows(messages: Iterable[Message], shards: int) -> Iterator[_OutboxRow]:
    """The messages of each shard and topic bundled: a row a message costs PostgreSQL three times as much."""
    bundles: dict[tuple[int, str], list[Message]] = defaultdict(list)
    for message in messages:
        if len(message.body) > MAX_BODY_BYTES:
            raise Rejected(f"a {message.type} of {len(message.body)} bytes would exceed the {MAX_BODY_BYTES} that a topic takes")
        bundles[shard_of(message.key, shards), message.topic].append(message)
    for (shard, topic), bundle in bundles.items():
        for part in _parts(bundle):
            yield shard, topic, len(part), [m.key for m in part], [_headers(m) for m in part], [m.body for m in part]


def _parts(bundle: Sequence[Message]) -> Iterator[list[Message]]:
    part: list[Message] = []
    size = 0
    for message in bundle:
        if len(part) == MAX_MESSAGES_PER_ROW or size + len(message.body) > MAX_BYTES_PER_ROW:
            yield part
            part, size = [], 0
        part.append(message)
        size += len(message.body)
    yield part


def _headers(message: Message) -> str:
    text = orjson.dumps(message.attributes()).decode()
    if not text.isascii():
        raise Rejected(f"a header of a {message.type} is not ASCII")
    return text
