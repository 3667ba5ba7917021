"""Lets requests share a message: duplicates with the first of them, and those beyond a person's limits with a digest."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.notify import metrics
from services.notify.domain import quiet_hours
from services.notify.domain.delivery_planning import PlannedDelivery
from services.notify.domain.digests.pacing import OpenDigest, PacedMessage, RecipientPace, place
from services.notify.domain.quiet_hours import QuietHours
from services.notify.storage import carried_news, digests
from services.notify.storage.deliveries import DIGEST_PREFIX, ORDINARY, URGENT, DeliveryRow
from services.notify.storage.digests import PaceKey
from shared.runtime.clock import Clock
from shared.runtime.database.database import Transaction
from shared.runtime.encryption import EncryptionKeyRing


@dataclass(frozen=True, slots=True)
class RequestedDelivery:
    """A new delivery as planned, and the row that it becomes."""

    planned: PlannedDelivery
    row: DeliveryRow

    @property
    def key(self) -> PaceKey:
        """Whose pace counts."""
        return self.planned.recipient, self.planned.channel


class JoinDigests:
    """Decides, in the transaction of the requests, which of them another message carries."""

    def __init__(self, key_ring: EncryptionKeyRing, clock: Clock, quiet: QuietHours | None) -> None:
        self._key_ring = key_ring
        self._clock = clock
        self._quiet_hours = quiet

    async def join(self, tx: Transaction, requested: Sequence[RequestedDelivery]) -> list[DeliveryRow]:
        """The rows to insert: those of the requests, with their carriers, and the digests that they open."""
        joinable = [each for each in requested if each.planned.thing is not None]
        if not joinable:
            return [each.row for each in requested]
        rows = {each.row.id: each.row for each in requested}
        cases, things = {each.row.case_id for each in joinable}, {each.row.thing for each in joinable if each.row.thing}
        carriers = await digests.find_things(tx, cases, things)
        # Locks in one order for all: paces, then carriers, then (with the events) the numbers of the cases.
        paces = await digests.lock_paces(tx, {each.key for each in joinable if each.planned.policy})
        statuses = await digests.lock_carriers(tx, {*carriers.values(), *_open_digests(paces)})
        paces = {key: _without_closed(pace, statuses) for key, pace in paces.items()}
        singles = await self._merge_duplicates(tx, joinable, rows, carriers, statuses)
        opened = self._place_all(singles, rows, paces)
        await digests.save_paces(tx, paces)
        _follow_first_carriers(rows)
        return [*opened, *rows.values()]

    async def _merge_duplicates(
        self,
        tx: Transaction,
        joinable: Sequence[RequestedDelivery],
        rows: dict[UUID, DeliveryRow],
        stored_carriers: dict[UUID, UUID],
        statuses: dict[UUID, str],
    ) -> list[RequestedDelivery]:
        """Give each duplicate its carrier; returns the deliveries that are none."""
        # What has failed was told to nobody: the request is sent by itself.
        carriers: dict[UUID | None, UUID] = {
            thing: carrier for thing, carrier in stored_carriers.items() if statuses.get(carrier, "failed") != "failed"
        }
        singles = []
        for each in joinable:
            carrier = carriers.setdefault(each.planned.thing, each.row.id)
            if carrier == each.row.id:
                singles.append(each)
            else:
                rows[each.row.id] = dataclasses.replace(each.row, carrier=carrier, merged="duplicate")
        joined = [row.carrier for row in rows.values() if row.carrier in statuses]
        if joined:
            await digests.mark_carriers(tx, {carrier for carrier in joined if carrier})
            now = self._clock.now()
            await carried_news.add_news(tx, [(c, s, "") for c in set(joined) if c for s in _learnt(statuses[c])], now)
        return singles

    def _place_all(
        self, singles: Sequence[RequestedDelivery], rows: dict[UUID, DeliveryRow], paces: dict[PaceKey, RecipientPace]
    ) -> list[DeliveryRow]:
        """Place each delivery, urgent ones first so that they get what is left of the limits; returns the digests that they open."""
        opened = []
        now = self._clock.now()
        for each in sorted(singles, key=lambda each: (not each.planned.urgent, each.planned.due_at)):
            policy = each.planned.policy
            if policy is None:
                continue
            message = PacedMessage(each.row.id, each.planned.urgent, each.planned.due_at)
            channel = each.planned.channel
            placement, paces[each.key] = place(
                message,
                paces[each.key],
                policy,
                now,
                lambda at, channel=channel: quiet_hours.earliest_send_at(at, self._quiet_hours, channel, urgent=False),  # type: ignore[misc]
            )
            if placement.digest is None:
                continue
            due_at = self._clock.to_real(placement.due_at)
            rows[each.row.id] = dataclasses.replace(each.row, carrier=placement.digest, merged="digest", due_at=due_at)
            metrics.DIGEST_DELAY.labels(metrics.channel_label(channel)).observe(max(0.0, (placement.due_at - now).total_seconds()))
            if placement.opens:
                opened.append(self._digest_row(each, placement.digest, rows[each.row.id]))
        return opened

    def _digest_row(self, first: RequestedDelivery, digest: UUID, row: DeliveryRow) -> DeliveryRow:
        planned, case = first.planned, f"{DIGEST_PREFIX}{first.planned.recipient}"
        return DeliveryRow(
            id=digest,
            case_id=case,
            notification=str(digest),
            recipient=planned.recipient,
            channel=planned.channel,
            template=planned.digest_template,
            because="{}",
            status="collecting",
            due_at=row.due_at,
            address=self._key_ring.encrypt({"to": planned.address}, case),
            subject="",
            text="",
            reason="",
            traceparent=row.traceparent,
            priority=URGENT if planned.urgent else ORDINARY,
            carries=True,
            any_hour=planned.any_hour,
            lane=row.lane,
        )


def _open_digests(paces: dict[PaceKey, RecipientPace]) -> set[UUID]:
    return {digest.id for pace in paces.values() for digest in (pace.ordinary, pace.urgent) if digest is not None}


def _without_closed(pace: RecipientPace, statuses: dict[UUID, str]) -> RecipientPace:
    """The pace without digests that have been closed: their message is on its way and takes no more requests."""

    def still_open(digest: OpenDigest | None) -> OpenDigest | None:
        return digest if digest is not None and statuses.get(digest.id) == "collecting" else None

    return RecipientPace(pace.recent, still_open(pace.ordinary), still_open(pace.urgent))


def _learnt(status: str) -> tuple[str, ...]:
    """What a request has to learn that joins a message with this status; the outcome of one that waits comes with its settling."""
    return {"sent": ("sent",), "delivered": ("sent", "delivered")}.get(status, ())


def _follow_first_carriers(rows: dict[UUID, DeliveryRow]) -> None:
    """A duplicate of a delivery of the same batch goes with that delivery's digest, and one that goes alone carries its duplicates."""
    for row in list(rows.values()):
        first = rows.get(row.carrier) if row.carrier else None
        if row.merged != "duplicate" or first is None:
            continue
        if first.carrier:
            rows[row.id] = dataclasses.replace(row, carrier=first.carrier)
        else:
            rows[first.id] = dataclasses.replace(first, carries=True)
