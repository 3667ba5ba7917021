"""Consumes triage-events, case-actions and notification-events in batches."""

from collections.abc import Sequence
from hashlib import sha256

from services.sla import metrics
from services.sla.application.cases import UpdateCases
from services.sla.application.identity import IdentityRegistry
from services.sla.storage import idempotency
from shared.contracts.envelope import KEY_ID_HEADER
from shared.contracts.topics import CASE_ACTIONS, NOTIFICATION_EVENTS, TRIAGE_EVENTS
from shared.runtime.database.database import Transaction
from shared.runtime.errors import Rejected
from shared.runtime.kafka.record import ReceivedRecord
from shared.runtime.process import metrics as runtime_metrics
from shared.runtime.service import Service

CONSUMER_GROUP = "sla"


def register(service: Service, cases: UpdateCases, identities: IdentityRegistry) -> None:
    """Apply each batch in one transaction; an action without a valid signature becomes a dead letter."""

    def fingerprint(record: ReceivedRecord) -> bytes:
        """Person, action and case of a request: the same id and words from another person are another action."""
        signer = identities.signer(record.headers).id
        return sha256(f"{len(signer)} {signer} {len(record.key)} {record.key}".encode() + record.body).digest()

    async def records(tx: Transaction, batch: Sequence[ReceivedRecord]) -> None:
        # The runtime has claimed the records' ids in the inbox, in the same transaction, and commits it: the batch has new records only.
        await cases.apply_batch(tx, batch, service.watermark)
        await idempotency.remember_records(tx, {record.id: fingerprint(record) for record in batch if record.topic == CASE_ACTIONS.name})

    async def repeated(tx: Transaction, batch: Sequence[ReceivedRecord]) -> None:
        """A record that is delivered again has no effect; another action under its id must not pass for it."""
        actions = [record for record in batch if record.topic == CASE_ACTIONS.name]
        asked = await idempotency.remembered_fingerprints(tx, {record.id for record in actions})
        if any(asked.get(record.id, fingerprint(record)) != fingerprint(record) for record in actions):
            raise Rejected("key_reused: the header ce_id was used for another action; send each action under an id of its own", park=False)

    # Checked when the record is decoded, before its id is claimed: a forged record must not use up the id of a genuine one.
    def verify_signature(record: ReceivedRecord) -> str | None:
        if record.topic != CASE_ACTIONS.name:
            return None
        if identities.has_valid_signature(record):
            return record.headers[KEY_ID_HEADER]
        metrics.ACTIONS_DENIED_TOTAL.labels("kafka").inc()
        raise Rejected("unknown key or invalid signature: sign the action with a key of the organisation file")

    # One subscriber for all topics: partition n of each is then read by the same process, which the watermark relies on.
    topics = [TRIAGE_EVENTS, CASE_ACTIONS, NOTIFICATION_EVENTS]
    runtime_metrics.initialise_senders([CASE_ACTIONS.name], identities.key_ids)
    service.subscribe(topics, group=CONSUMER_GROUP, handler=records, verify=verify_signature, on_repeated=repeated)
