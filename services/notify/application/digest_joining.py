"""Joins requests into one message: duplicates with the first of them, those beyond a person's limits with a digest."""

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
        joinable = [delivery for delivery in requested if delivery.planned.thing is not None]
        if not joinable:
            return [delivery.row for delivery in requested]
        rows = {delivery.row.id: delivery.row for delivery in requested}
        cases, things = {delivery.row.case_id for delivery in joinable}, {delivery.row.thing for delivery in joinable if delivery.row.thing}
        carriers = await digests.find_things(tx, cases, things)
        # Locks in one order for all: paces, then carriers, then (with the events) the numbers of the cases.
        paces = await digests.lock_paces(tx, {delivery.key for delivery in joinable if delivery.planned.policy})
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
        # A failed message reached no recipient: the request is sent by itself.
        carriers: dict[UUID | None, UUID] = {
            thing: carrier for thing, carrier in stored_carriers.items() if statuses.get(carrier, "failed") != "failed"
        }
        singles = []
        for delivery in joinable:
            carrier = carriers.setdefault(delivery.planned.thing, delivery.row.id)
            if carrier == delivery.row.id:
                singles.append(delivery)
            else:
                rows[delivery.row.id] = dataclasses.replace(delivery.row, carrier=carrier, merged="duplicate")
        joined = [row.carrier for row in rows.values() if row.carrier in statuses]
        if joined:
            await digests.mark_carriers(tx, {carrier for carrier in joined if carrier})
            now = self._clock.now()
            await carried_news.add_news(tx, [(c, s, "") for c in set(joined) if c for s in _past_outcomes(statuses[c])], now)
        return singles

    def _place_all(
        self, singles: Sequence[RequestedDelivery], rows: dict[UUID, DeliveryRow], paces: dict[PaceKey, RecipientPace]
    ) -> list[DeliveryRow]:
        """Place each delivery, urgent ones first, so that the limits apply to them last; returns the digests that they open."""
        opened = []
        now = self._clock.now()
        for delivery in sorted(singles, key=lambda single: (not single.planned.urgent, single.planned.due_at)):
            policy = delivery.planned.policy
            if policy is None:
                continue
            message = PacedMessage(delivery.row.id, delivery.planned.urgent, delivery.planned.due_at)
            channel = delivery.planned.channel
            placement, paces[delivery.key] = place(
                message,
                paces[delivery.key],
                policy,
                now,
                lambda at, channel=channel: quiet_hours.earliest_send_at(at, self._quiet_hours, channel, urgent=False),  # type: ignore[misc]
            )
            if placement.digest is None:
                continue
            due_at = self._clock.to_real(placement.due_at)
            rows[delivery.row.id] = dataclasses.replace(delivery.row, carrier=placement.digest, merged="digest", due_at=due_at)
            metrics.DIGEST_DELAY.labels(metrics.channel_label(channel)).observe(max(0.0, (placement.due_at - now).total_seconds()))
            if placement.opens:
                opened.append(self._digest_row(delivery, placement.digest, rows[delivery.row.id]))
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
    """The pace without closed digests: the message of a closed digest is final."""

    def still_open(digest: OpenDigest | None) -> OpenDigest | None:
        return digest if digest is not None and statuses.get(digest.id) == "collecting" else None

    return RecipientPace(pace.recent, still_open(pace.ordinary), still_open(pace.urgent))


def _past_outcomes(status: str) -> tuple[str, ...]:
    """The outcomes to publish for a request that joins a message with this status; those of a pending message follow when it is settled."""
    return {"sent": ("sent",), "delivered": ("sent", "delivered")}.get(status, ())


def _follow_first_carriers(rows: dict[UUID, DeliveryRow]) -> None:
    """A duplicate of a delivery of the same batch gets the carrier of that delivery; a delivery without one becomes the carrier."""
    for row in list(rows.values()):
        first = rows.get(row.carrier) if row.carrier else None
        if row.merged != "duplicate" or first is None:
            continue
        if first.carrier:
            rows[row.id] = dataclasses.replace(row, carrier=first.carrier)
        else:
            rows[first.id] = dataclasses.replace(first, carries=True)
