"""Transactional outbox: messages are written in the transaction that changes the state."""

import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import orjson

from shared.contracts.envelope import CloudEventRecord
from shared.runtime.database.database import Transaction
from shared.runtime.errors import Rejected

MAX_BODY_BYTES = 900_000
MAX_MESSAGE_BYTES = 1_000_000
"""Headers, key and body together: the broker refuses batches over 1,048,588 bytes, and a batch has some overhead."""
MAX_MESSAGES_PER_ROW = 500
MAX_BYTES_PER_ROW = 4 * 1024 * 1024
_COLUMNS = ("shard", "topic", "messages", "keys", "headers", "bodies")
_BoundedMessage = tuple[CloudEventRecord, str]
_OutboxRow = tuple[int, str, int, list[str], list[str], list[bytes]]


async def add(tx: Transaction, messages: Iterable[CloudEventRecord]) -> None:
    """Publish the messages after the commit, in order for each key. Raises Rejected for a message that the broker would refuse."""
    rows = list(_rows(messages, tx.database.settings.outbox_shards))
    if rows:
        await tx.copy_rows("outbox", _COLUMNS, rows)
        tx.after_commit(tx.database.outbox_added.set)


def shard_of(key: str, shards: int) -> int:
    """The outbox shard of a case, the same in every process."""
    # Not hash(), which Python seeds differently in each process.
    return zlib.crc32(key.encode()) % shards


def _rows(messages: Iterable[CloudEventRecord], shards: int) -> Iterator[_OutboxRow]:
    """One row for the messages of a shard and topic: a row for each message costs PostgreSQL three times as much."""
    groups: dict[tuple[int, str], list[_BoundedMessage]] = defaultdict(list)
    for message in messages:
        groups[shard_of(message.key, shards), message.topic].append(_bounded(message))
    for (shard, topic), group in groups.items():
        for chunk in _chunks(group):
            yield shard, topic, len(chunk), [m.key for m, _ in chunk], [headers for _, headers in chunk], [m.body for m, _ in chunk]


def _bounded(message: CloudEventRecord) -> _BoundedMessage:
    """The message with its headers as JSON, whose length is an upper bound of what they take in Kafka."""
    if len(message.body) > MAX_BODY_BYTES:
        raise Rejected(f"a {message.type} of {len(message.body)} bytes exceeds the limit of {MAX_BODY_BYTES} bytes a message body")
    headers = _headers_json(message)
    size = len(message.key.encode()) + len(headers) + len(message.body)
    if size > MAX_MESSAGE_BYTES:
        raise Rejected(f"a {message.type} of {size} bytes with key and headers exceeds the limit of {MAX_MESSAGE_BYTES} bytes a message")
    return message, headers


def _chunks(messages: Sequence[_BoundedMessage]) -> Iterator[list[_BoundedMessage]]:
    """The messages, in order, in parts that fit one row."""
    chunk: list[_BoundedMessage] = []
    size = 0
    for message, headers in messages:
        message_size = len(message.body) + len(headers)
        if len(chunk) == MAX_MESSAGES_PER_ROW or size + message_size > MAX_BYTES_PER_ROW:
            yield chunk
            chunk, size = [], 0
        chunk.append((message, headers))
        size += message_size
    yield chunk


def _headers_json(message: CloudEventRecord) -> str:
    text = orjson.dumps(message.cloudevents_headers()).decode()
    if not text.isascii():
        raise Rejected(f"a header of a {message.type} is not ASCII")
    return text
