"""The Kafka edge: triage's decisions, actions and news of messages in; one subscriber, so that a case's partitions stay together."""

from collections.abc import Sequence

from services.sla import metrics
from services.sla.application.cases import Cases
from services.sla.application.identity import Authority
from shared.contracts.topics import CASE_ACTIONS, NOTIFICATION_EVENTS, TRIAGE_EVENTS
from shared.runtime.database.database import Transaction
from shared.runtime.errors import Rejected
from shared.runtime.kafka.record import Received
from shared.runtime.service import Service

GROUP = "sla"


def register(service: Service, cases: Cases, authority: Authority) -> None:
    """Feed the input topics to the cases, a batch a transaction; an action that nobody known has signed is not believed."""

    async def records(tx: Transaction, batch: Sequence[Received]) -> None:
        await cases.take(tx, batch, service.watermark)

    def verify(received: Received) -> None:
        if received.topic != CASE_ACTIONS.name:
            return
        if authority.signer(received.topic, received.key, str(received.id), received.body, received.headers) is None:
            metrics.DENIED.labels("kafka").inc()
            raise Rejected("the action is not signed by anybody whom the organisation knows: sign it with a key of the organisation file")

    service.subscribe([TRIAGE_EVENTS, CASE_ACTIONS, NOTIFICATION_EVENTS], group=GROUP, handler=records, verify=verify)
