"""Records delivery receipts of gateways."""

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from services.notify.application import part_receipts
from services.notify.providers.provider import DeliveryReceipt, ReceiptStatus
from services.notify.storage import deliveries, delivery_parts
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database, Transaction


class RecordReceipts:
    """Stores the status that a receipt reports about an accepted message, and publishes it.

    `sole_providers` maps each channel with one provider to the id of that provider.
    """

    def __init__(self, database: Database, clock: Clock, sole_providers: Mapping[str, str]) -> None:
        self._database = database
        self._clock = clock
        self._sole_providers = sole_providers

    async def record(self, receipt: DeliveryReceipt, provider: str = "") -> str:
        """Record a receipt, of the message or of one of the parts that the provider gave an id; a repeated one changes nothing.

        Returns `delivered`, `failed` or `undecided` as reported, or `unknown` for a message that notify has not sent.
        """
        async with self._database.transaction() as tx:
            return await self.record_in(tx, receipt, provider)

    async def record_in(self, tx: Transaction, receipt: DeliveryReceipt, provider: str = "") -> str:
        """Record a receipt as `record` does, in a transaction of the caller."""
        if "\0" in receipt.reference + receipt.idempotency_key + receipt.code:
            return "unknown"  # PostgreSQL stores no NUL, and no message of ours has one
        if receipt.reference and not receipt.idempotency_key:
            return await self._record_part(tx, receipt, provider)
        try:
            delivery_id = UUID(receipt.idempotency_key)
        except ValueError:
            return "unknown"
        row = await deliveries.lock_delivery(tx, delivery_id)
        if row is None:
            return "unknown"
        if receipt.status is ReceiptStatus.FAILED and provider and row.provider not in {"", provider}:
            return str(receipt.status.value)  # another provider has sent the message meanwhile
        # The row has no provider if the receipt came before the provider's answer was stored. The gateway of the environment and mail
        # reports name none, but a channel whose provider the environment describes has no other.
        sender = row.provider or provider or self._sole_providers.get(row.channel, "")
        row = replace(row, acknowledged=receipt.acknowledged, provider=sender)
        if receipt.status is ReceiptStatus.DELIVERED:
            await part_receipts.record_delivered(tx, row, self._clock)
        elif receipt.status is ReceiptStatus.FAILED:
            await part_receipts.record_failed(tx, row, receipt.code, self._clock)
        return str(receipt.status.value)

    async def _record_part(self, tx: Transaction, receipt: DeliveryReceipt, provider: str) -> str:
        """The part's id may not be stored yet: the status is kept until it is."""
        if receipt.status is ReceiptStatus.UNDECIDED:
            return str(receipt.status.value)
        delivery_id = await delivery_parts.add_reported_status(tx, provider, receipt.reference, receipt.status.value, receipt.code)
        if delivery_id is not None:
            await part_receipts.apply_part_receipts(tx, delivery_id, self._clock)
        return str(receipt.status.value)
