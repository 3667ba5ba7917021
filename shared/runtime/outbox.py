"""What a service says goes into a table, in the transaction of the state change that it tells of."""

import zlib
from collections.abc import Iterable

import orjson

from shared.contracts.envelope import Message
from shared.runtime.database import Transaction
from shared.runtime.errors import Rejected

LARGEST_BODY = 900_000
_COLUMNS = ("shard", "topic", "key", "headers", "body")


async def add(tx: Transaction, messages: Iterable[Message]) -> None:
    """Publish these messages, in this order, once the transaction commits. Raises Rejected for one that no broker would take."""
    listed = list(messages)
    if not listed:
        return
    for message in listed:
        if len(message.body) > LARGEST_BODY:
            raise Rejected(f"a {message.type} of {len(message.body)} bytes would exceed the {LARGEST_BODY} that a topic takes")
    shards = tx.database.settings.outbox_shards
    await tx.copy("outbox", _COLUMNS, [(shard_of(m.key, shards), m.topic, m.key, _headers(m), m.body) for m in listed])
    tx.after_commit(tx.database.outbox_added.set)


def shard_of(key: str, shards: int) -> int:
    """The relay's shard of a case; the same in every process."""
    return zlib.crc32(key.encode()) % shards


def _headers(message: Message) -> str:
    text = orjson.dumps(message.attributes()).decode()
    if not text.isascii():
        raise Rejected(f"a header of a {message.type} is not ASCII")
    return text
