"""The Kafka edge: triage's decisions, actions and news of messages in; one subscriber, so that a case's partitions stay together."""

from collections.abc import Sequence

from services.sla import metrics
from services.sla.application.cases import UpdateCases
from services.sla.application.identity import IdentityRegistry
from shared.contracts.topics import CASE_ACTIONS, NOTIFICATION_EVENTS, TRIAGE_EVENTS
from shared.runtime.database.database import Transaction
from shared.runtime.errors import Rejected
from shared.runtime.kafka.record import ReceivedRecord
from shared.runtime.service import Service

CONSUMER_GROUP = "sla"


def register(service: Service, cases: UpdateCases, identities: IdentityRegistry) -> None:
    """Feed the input topics to the cases, a batch a transaction; an action that nobody known has signed is not believed."""

    async def records(tx: Transaction, batch: Sequence[ReceivedRecord]) -> None:
        await cases.apply_batch(tx, batch, service.watermark)

    def verify(received: ReceivedRecord) -> None:
        if received.topic != CASE_ACTIONS.name:
            return
        if identities.verify_signature(received.topic, received.key, str(received.id), received.body, received.headers) is None:
            metrics.ACTIONS_DENIED_TOTAL.labels("kafka").inc()
            raise Rejected("the action is not signed by anybody whom the organisation knows: sign it with a key of the organisation file")

    service.subscribe([TRIAGE_EVENTS, CASE_ACTIONS, NOTIFICATION_EVENTS], group=CONSUMER_GROUP, handler=records, verify=verify)
