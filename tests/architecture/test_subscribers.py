"""Every subscriber has the failure policy, and the code holds nothing that would break it."""

import ast
import inspect
import logging
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaAckableMessage

from shared.contracts import topics
from shared.runtime.database.database import Transaction
from shared.runtime.database.tables import INBOX_SLOTS
from shared.runtime.kafka.record import ReceivedRecord
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.processing import inbox
from shared.runtime.service import Service

ROOT = Path(__file__).parents[2]
SUBSCRIBER = ROOT / "shared" / "runtime" / "subscription" / "broker.py"


@cache
def sources() -> list[tuple[Path, ast.Module]]:
    paths = [path for folder in ("cli", "simulator", "services", "shared") for path in sorted((ROOT / folder).rglob("*.py"))]
    return [(path, ast.parse(path.read_text())) for path in paths]


def attributes_called(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr, node


def names_used(tree: ast.Module) -> set[str]:
    imported = {alias.name for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom) for alias in n.names}
    attributes = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    return imported | attributes


@pytest.fixture
async def options(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The arguments with which a service creates its subscriber."""
    arguments: dict[str, Any] = {}
    create = KafkaBroker.subscriber

    def subscriber(self: KafkaBroker, *topic_names: str, **keywords: Any) -> Any:
        arguments.update(keywords, topics=topic_names)
        return create(self, *topic_names, **keywords)

    monkeypatch.setattr(KafkaBroker, "subscriber", subscriber)
    service = await subscribed_service()
    arguments["subscriber"] = service.subscription.subscriber
    return arguments


async def subscribed_service() -> Service:
    async def handle(_tx: Transaction, _batch: Sequence[ReceivedRecord]) -> None:
        return

    service = Service("sla", RuntimeSettings(environment="test"))
    service.subscribe([topics.TRIAGE_EVENTS, topics.CASE_ACTIONS], "sla", handle)
    await service.database.close()
    return service


async def test_subscriber_has_the_failure_policy_a_group_and_earliest(options: dict[str, Any]) -> None:
    assert options["ack_policy"] is AckPolicy.NACK_ON_ERROR
    assert options["group_id"] == "sla"
    assert options["auto_offset_reset"] == "earliest"
    assert (options["max_records"], options["batch_timeout_ms"]) == (1000, 20)


async def test_faststream_switches_auto_commit_off_for_the_failure_policy(options: dict[str, Any]) -> None:
    """FastStream derives the consumer's enable_auto_commit from the ack policy and shows it nowhere but here."""
    assert options["subscriber"]._connection_args["enable_auto_commit"] is False


async def test_one_subscriber_reads_all_topics_so_that_partition_n_of_each_is_in_one_process(options: dict[str, Any]) -> None:
    assert options["topics"] == ("triage-events", "case-actions")
    assert options["partition_assignment_strategy"] == (RangePartitionAssignor,)
    assert {topic.partitions for topic in topics.TOPICS.values()} == {24}


async def test_a_killed_process_is_noticed_within_six_seconds(options: dict[str, Any]) -> None:
    assert (options["session_timeout_ms"], options["heartbeat_interval_ms"]) == (6000, 500)
    assert options.get("group_instance_id") is None


async def test_broker_creates_no_topic_and_logs_through_a_logger(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments: dict[str, Any] = {}
    initialise = KafkaBroker.__init__

    def init(self: KafkaBroker, *servers: Any, **keywords: Any) -> None:
        arguments.update(keywords)
        initialise(self, *servers, **keywords)

    monkeypatch.setattr(KafkaBroker, "__init__", init)
    await subscribed_service()
    assert arguments["allow_auto_create_topics"] is False
    assert arguments["consumer_only"] is True
    assert arguments["apply_types"] is False
    assert isinstance(arguments["logger"], logging.Logger)


async def test_handler_has_one_parameter(options: dict[str, Any]) -> None:
    """With a second one, even with a default, FastStream spreads the batch over them; only the call item holds the handler."""
    [call] = options["subscriber"].calls
    assert list(inspect.signature(call.handler._original_call).parameters) == ["records"]


async def test_parser_keeps_a_batch_with_any_headers_and_decoder_returns_raw_records(options: dict[str, Any]) -> None:
    records = (SimpleNamespace(offset=1, headers=[("a", None), ("b", b"\xff")]), SimpleNamespace(offset=2, headers=[]))
    message = await options["parser"](records)
    assert isinstance(message, KafkaAckableMessage)
    assert await options["decoder"](message) is records


def test_subscribers_brokers_and_consumers_are_created_in_one_module() -> None:
    guarded = {"KafkaBroker", "KafkaRouter", "KafkaRoute", "subscriber"}
    for path, tree in sources():
        if path == SUBSCRIBER:
            continue
        called = {name for name, _ in attributes_called(tree)}
        assert not guarded & (called | {n for n in names_used(tree) if n in guarded and n != "subscriber"}), path
    makers = {
        path.relative_to(ROOT).as_posix()
        for path, tree in sources()
        if "AIOKafkaConsumer" in names_used(tree) and path.relative_to(ROOT).parts[0] != "cli"
    }
    subscribers = {"shared/runtime/subscription/broker.py", "shared/runtime/subscription/consumer.py"}
    # Without a group: one asks for offsets, one reads the heartbeats of everybody.
    assert makers == subscribers | {"shared/runtime/kafka/offsets.py", "shared/runtime/heartbeats/listener.py"}


def test_no_subscriber_uses_max_workers() -> None:
    """`max_workers` above 1 fails the commit of finished records at some stops: scale by processes and partitions."""
    for path, tree in sources():
        assert not [k for _, call in attributes_called(tree) for k in call.keywords if k.arg == "max_workers"], path


def test_no_handler_is_wrapped_with_functools_wraps() -> None:
    """FastStream would read the wrapped function's signature."""
    for path, tree in sources():
        assert "wraps" not in names_used(tree), path


def test_only_the_producer_module_creates_producers() -> None:
    allowed = {"shared/runtime/kafka/producer.py"}
    for path, tree in sources():
        name = path.relative_to(ROOT).as_posix()
        if name in allowed or name.startswith("cli/"):
            continue
        assert not {"AIOKafkaProducer", "send_and_wait", "publish_batch"} & names_used(tree), path


def test_services_neither_listen_nor_notify_in_the_database() -> None:
    for path, tree in sources():
        texts = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
        assert not [t for t in texts if t.upper().startswith(("LISTEN ", "NOTIFY ", "SELECT PG_NOTIFY"))], path


def test_inbox_keeps_ids_longer_than_any_topic_keeps_its_records() -> None:
    longest = max(timedelta(milliseconds=topic.retention_ms) for topic in topics.TOPICS.values())
    assert longest < timedelta(days=inbox.RETENTION_DAYS)
    # Besides the kept days: today, tomorrow for a broker whose clock is ahead, and some in which no process prunes.
    assert inbox.RETENTION_DAYS + 2 < INBOX_SLOTS


def test_aiokafka_is_pinned_to_the_version_whose_private_parts_are_used() -> None:
    assert '"aiokafka[lz4]~=0.14.0"' in (ROOT / "pyproject.toml").read_text()
