"""Starts a service with faults in its code, so that the check of a run can be tested on a running system.

Run as `python -m tests.support.faults.broken_builds SERVICE BUILD …`; the product has no switch for it.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.desk.storage.filling.projections import ReadModel
from services.notify.providers.provider import OutgoingMessage, SendAccepted, SendFailed
from services.notify.providers.sms.http_sms import HttpSmsProvider
from shared.contracts.envelope import CE_ID, CE_SEQUENCE
from shared.runtime.clock import uuid7
from shared.runtime.database.database import Transaction
from shared.runtime.kafka.producer import ProducerRecord
from shared.runtime.kafka.record import ReceivedRecord
from shared.runtime.kafka.watermark import Watermark
from shared.runtime.outbox import relay
from shared.runtime.outbox.relay import Relay
from shared.runtime.processing import inbox
from shared.runtime.timers import timers

_AHEAD = "interval '5 days'"
_LONG_AFTER = datetime(2100, 1, 1, tzinfo=UTC)


def _replace(owner: object, **replaced: Any) -> None:
    for name, value in replaced.items():
        setattr(owner, name, value)


def _send_after_commit() -> None:
    async def send_shard(self: Relay, shard: int) -> int:
        async with self._database.transaction() as tx:
            arguments = (self._lock_id(shard), shard, self._held_topics(), relay.BATCH_MESSAGES, relay.MAX_CYCLE_BYTES)
            rows = sorted(await tx.fetch(relay._TAKE_SHARD_ROWS, *arguments), key=lambda row: int(row["id"]))
        records = [record for row in rows for record in self._producer_records(row, None)]
        return (await self._send(records)).count(None) if records else 0

    _replace(Relay, _send_shard=send_shard)


def _send_in_reverse() -> None:
    send = Relay._send

    async def send_reversed(self: Relay, records: Sequence[ProducerRecord]) -> list[BaseException | None]:
        return (await send(self, records[::-1]))[::-1]

    _replace(Relay, _send=send_reversed)


def _send_what_nothing_caused() -> None:
    send = Relay._send

    async def send_more(self: Relay, records: Sequence[ProducerRecord]) -> list[BaseException | None]:
        topic, key, body, headers = records[-1]
        other = {**dict(headers), CE_ID: uuid7().encode(), CE_SEQUENCE: b"9999"}
        return (await send(self, [*records, (topic, key, body, [*other.items()])]))[:-1]

    _replace(Relay, _send=send_more)


def _claim_every_record() -> None:
    async def claim(_: Transaction, records: Sequence[ReceivedRecord]) -> list[ReceivedRecord]:
        return [*records]

    _replace(inbox, claim=claim)


def _forget_events() -> None:
    add_events = ReadModel.add_events

    async def add_some(self: ReadModel, tx: Transaction, events: Sequence[Mapping[str, Any]]) -> None:
        await add_events(self, tx, [event for event in events if event["sequence"] < 3])

    _replace(ReadModel, add_events=add_some)


def _fire_early() -> None:
    _replace(Watermark, read_until=lambda _self, _partition: _LONG_AFTER)
    _replace(
        timers,
        _DUE=timers._DUE.replace("owned.cutoff", f"owned.cutoff + {_AHEAD}"),
        _TAKE_DUE=timers._TAKE_DUE.replace("<= owned.cutoff", f"<= owned.cutoff + {_AHEAD}").replace(
            "timer.due_at, owned.cutoff,", f"timer.due_at, owned.cutoff + {_AHEAD} AS cutoff,"
        ),
    )


def _forget_timers() -> None:
    _replace(timers, _DUE=timers._DUE.replace("timer.due_at <= owned.cutoff", "timer.due_at <= owned.cutoff AND timer.case_id > '8'"))


def _send_under_another_key() -> None:
    send = HttpSmsProvider.send

    async def send_as_another(self: HttpSmsProvider, message: OutgoingMessage) -> SendAccepted | SendFailed:
        return await send(self, replace(message, idempotency_key=str(UUID(uuid7()))))

    _replace(HttpSmsProvider, send=send_as_another)


BUILDS: dict[str, Callable[[], None]] = {
    "sends after the commit": _send_after_commit,
    "sends in reverse": _send_in_reverse,
    "sends what nothing caused": _send_what_nothing_caused,
    "claims every record": _claim_every_record,
    "forgets events": _forget_events,
    "fires early": _fire_early,
    "forgets timers": _forget_timers,
    "sends under another key": _send_under_another_key,
}
"""What a build does wrong, and the change that makes it."""


def main() -> None:
    """Change the code, and run the service."""
    service, *builds = sys.argv[1:]
    for build in builds:
        BUILDS[build]()
    importlib.import_module(f"services.{service}.__main__").main()


if __name__ == "__main__":
    main()
