"""Reads a department's cases and starts work on each one that is routed to it."""

import asyncio
import os

from jiesu_client import CasesClient, RequestRefusedError
from jiesu_client.events import Routed
from jiesu_client.processed import ProcessedInFile
from jiesu_client.subscriptions import TopicEvent, TopicSubscription


async def main() -> None:
    """The environment holds KAFKA_BOOTSTRAP_SERVERS, DEPARTMENT, SLA (address) and TOKEN (of a person)."""
    async with CasesClient(os.environ["SLA"], os.environ["TOKEN"]) as cases:

        async def handle(event: TopicEvent) -> None:
            print(event.at.isoformat(), event.type, event.case, flush=True)
            if isinstance(event.body, Routed):
                try:
                    # The event's id as the key: an event that comes twice does not act twice.
                    await cases.act(event.case, "start_work", {"text": "已派员"}, role="handler", idempotency_key=event.id)
                except RequestRefusedError as refusal:
                    print(f"refused by {refusal.clause}: {refusal.detail}", flush=True)

        brokers, processed = os.environ["KAFKA_BOOTSTRAP_SERVERS"], ProcessedInFile("processed.db")
        await TopicSubscription.of_department(os.environ["DEPARTMENT"], "desk", brokers, processed).run(handle)


asyncio.run(main())
