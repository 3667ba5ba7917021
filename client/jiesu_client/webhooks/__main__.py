"""The program `jiesu-webhooks`: sends a topic's events to a URL, and lists and sends again what was not taken."""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence

from jiesu_client.subscriptions import TopicSubscription
from jiesu_client.webhooks.relay import StoredEvents, WebhookReceiver, WebhookRelay
from jiesu_client.webhooks.store import WebhookStore

_REQUIRED = {
    "KAFKA_BOOTSTRAP_SERVERS": "the brokers",
    "JIESU_WEBHOOK_TOPIC": "the topic, such as department-repairs",
    "JIESU_WEBHOOK_URL": "where the events go",
    "JIESU_WEBHOOK_SECRET": "whsec_ and a key of at least 24 bytes in base64",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="jiesu-webhooks", description="Settings: " + "; ".join(f"{k}: {v}" for k, v in _REQUIRED.items()))
    parser.add_argument("--file", default="webhooks.db", help="the SQLite file of one receiver")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="send events until stopped")
    commands.add_parser("dead-letters", help="list what the receiver did not take")
    retry = commands.add_parser("retry", help="send dead letters again")
    retry.add_argument("id", nargs="+")
    chosen = parser.parse_args(arguments)
    with contextlib.closing(WebhookStore(chosen.file)) as store:
        if chosen.command == "run":
            return _run(store, os.environ)
        if chosen.command == "retry":
            unknown = [event_id for event_id in chosen.id if not store.retry(event_id)]
            sys.stderr.writelines(f"Error: {event_id} is no dead letter: `dead-letters` lists them\n" for event_id in unknown)
            return 1 if unknown else 0
        for letter in store.dead_letters():
            sys.stdout.write(f"{letter.id} {letter.case} {letter.type} after {letter.attempts} attempts: {letter.reason}\n")
    return 0


def _run(store: WebhookStore, environment: Mapping[str, str]) -> int:
    missing = [f"{name} ({what})" for name, what in _REQUIRED.items() if not environment.get(name)]
    if missing:
        sys.stderr.write(f"Error: set {', '.join(missing)}\n")
        return 2
    topic = environment["JIESU_WEBHOOK_TOPIC"]
    group = environment.get("JIESU_WEBHOOK_GROUP") or f"{topic}.webhooks"
    subscription = TopicSubscription(topic, group, environment["KAFKA_BOOTSTRAP_SERVERS"], StoredEvents(store))
    receiver = WebhookReceiver(environment["JIESU_WEBHOOK_URL"], environment["JIESU_WEBHOOK_SECRET"])
    asyncio.run(_until_stopped(WebhookRelay(subscription, store, receiver)))
    return 0


async def _until_stopped(relay: WebhookRelay) -> None:
    task = asyncio.ensure_future(relay.run())
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


if __name__ == "__main__":
    sys.exit(main())
