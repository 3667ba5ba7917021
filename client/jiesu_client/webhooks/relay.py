"""Sends the events of a topic to a URL: signed, tried again, one after the other for each case."""

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any

import httpx

from jiesu_client.http_retries import Retries
from jiesu_client.signatures import webhook_headers
from jiesu_client.subscriptions import TopicEvent, TopicSubscription
from jiesu_client.webhooks.store import Webhook, WebhookStore

_RETRIES = Retries(first=1.0, longest=600.0)
_POLL_SECONDS = 0.2
_PRUNE_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class WebhookReceiver:
    """Where webhooks go. `secret` signs them (`whsec_` and a key in base64); after `patience` seconds one is a dead letter."""

    url: str
    secret: str
    timeout: float = 10.0
    patience: float = 86_400.0
    concurrency: int = 10
    retries: Retries = _RETRIES


class StoredEvents:
    """The memory of the relay's subscription: a stored webhook is a processed event."""

    def __init__(self, store: WebhookStore) -> None:
        self._store = store

    async def contains(self, event_id: str) -> bool:
        """Whether the event was stored."""
        return self._store.contains(event_id)

    async def last_sequence(self, case: str, source: str) -> int:  # noqa: ARG002 - the receiver sees the sequence and decides
        """0: an event that was sent again is passed on like any other."""
        return 0

    async def add(self, event_id: str, case: str, source: str, sequence: int) -> None:
        """`WebhookStore.add` has marked it."""


class WebhookRelay:
    """Stores the events of a subscription that has `StoredEvents`, and sends them until cancelled."""

    def __init__(self, subscription: TopicSubscription, store: WebhookStore, receiver: WebhookReceiver, **options: Any) -> None:
        self._subscription = subscription
        self._store = store
        self._receiver = receiver
        self._options = options

    async def run(self) -> None:
        """Read and send; raises the error of a broker that cannot be used."""
        async with httpx.AsyncClient(timeout=self._receiver.timeout, **self._options) as http, asyncio.TaskGroup() as group:
            group.create_task(self._subscription.run(self._store_event))
            group.create_task(self._send(http))
            group.create_task(self._prune())

    async def _store_event(self, event: TopicEvent) -> None:
        document = {"id": event.id, "type": event.type, "source": event.source, "sequence": event.sequence, "data": event.document}
        self._store.add(event.id, event.case, event.type, json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode())

    async def _send(self, http: httpx.AsyncClient) -> None:
        while True:
            due = self._store.due(self._receiver.concurrency)
            # One of each case, so that all can be sent at the same time; a slow answer holds up at most this round.
            await asyncio.gather(*(self._attempt(http, webhook) for webhook in due))
            if not due:
                await asyncio.sleep(_POLL_SECONDS)

    async def _attempt(self, http: httpx.AsyncClient, webhook: Webhook) -> None:
        headers = {"Content-Type": "application/json", **webhook_headers(self._receiver.secret, webhook.id, webhook.body)}
        try:
            # The answer's body is not read: it may be endless, or compressed wrongly.
            async with (
                asyncio.timeout(self._receiver.timeout),
                http.stream("POST", self._receiver.url, content=webhook.body, headers=headers) as response,
            ):
                pass
        except (httpx.HTTPError, TimeoutError) as error:
            reason, retry_after = type(error).__name__, ""
        else:
            if response.is_success:
                self._store.set_sent(webhook.number)
                return
            reason, retry_after = str(response.status_code), response.headers.get("Retry-After", "")
        now = time.time()
        if now - webhook.stored_at > self._receiver.patience:
            self._store.set_dead(webhook.number, reason)
            return
        wait = float(retry_after) if retry_after.isdecimal() else None
        self._store.set_failed(webhook.number, now + self._receiver.retries.pause(webhook.attempts + 1, wait), reason)

    async def _prune(self) -> None:
        while True:
            self._store.prune()
            await asyncio.sleep(_PRUNE_SECONDS)
