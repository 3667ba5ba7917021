"""Reads and writes the remembered texts of entries that compare them (table `similar_text`)."""

from array import array
from collections.abc import Sequence
from typing import Any

import orjson

from services.triage.domain.similar.event_finding import IndexKey
from services.triage.domain.similar.event_index import Remembered
from services.triage.domain.similar.fingerprints import Fingerprint
from services.triage.domain.similar.places import Places
from shared.runtime.database.database import Transaction

_COLUMNS = ("procedure", "count", "number", "case_id", "event", "received_at", "grams", "places")
_SELECT_OLDEST = "SELECT COALESCE(min(number), 0) FROM similar_text WHERE procedure = $1 AND count = $2"
_SELECT_AFTER = """
SELECT number, case_id, event, received_at, grams, places FROM similar_text
WHERE procedure = $1 AND count = $2 AND number > $3 ORDER BY number LIMIT $4
"""
_DELETE_BEFORE = "DELETE FROM similar_text WHERE procedure = $1 AND count = $2 AND number < $3"


async def find_oldest(tx: Transaction, key: IndexKey) -> int:
    """The number of the oldest text that is stored; 0 without one."""
    return int(await tx.fetchval(_SELECT_OLDEST, *key))


async def find_after(tx: Transaction, key: IndexKey, number: int, limit: int) -> list[Remembered]:
    """The texts behind a number, in order."""
    return [_from_row(row) for row in await tx.fetch(_SELECT_AFTER, *key, number, limit)]


async def insert(tx: Transaction, key: IndexKey, texts: Sequence[Remembered]) -> None:
    """Store new texts."""
    await tx.copy_rows("similar_text", _COLUMNS, [(*key, *_values(text)) for text in texts])


async def delete_before(tx: Transaction, key: IndexKey, number: int) -> None:
    """Delete the texts with lower numbers: no process remembers them any longer."""
    await tx.execute(_DELETE_BEFORE, *key, number)


def _values(text: Remembered) -> tuple[Any, ...]:
    print_ = text.fingerprint
    places = orjson.dumps({"named": sorted(print_.places.named), "place": print_.places.place, "thing": print_.places.thing})
    return text.number, print_.case, text.event, print_.received_at, array("I", print_.grams).tobytes(), places.decode()


def _from_row(row: Any) -> Remembered:
    grams = array("I")
    grams.frombytes(row["grams"])
    stored = orjson.loads(row["places"])
    places = Places(frozenset((kind, name) for kind, name in stored["named"]), stored["place"], stored["thing"])
    return Remembered(row["number"], row["event"], Fingerprint(row["case_id"], row["received_at"], tuple(grams), places))
