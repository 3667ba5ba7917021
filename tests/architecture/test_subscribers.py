"""Every subscriber has the failure policy; what would break it is nowhere in the code."""

import ast
import inspect
import logging
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from faststream import AckPolicy
from faststream.kafka.subscriber.usecase import BatchSubscriber

from shared.contracts import topics
from shared.runtime.database.database import Transaction
from shared.runtime.kafka.record import ReceivedRecord
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.processing import inbox
from shared.runtime.service import Service
from shared.runtime.subscription import broker

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
async def subscriber() -> BatchSubscriber:
    async def handle(_tx: Transaction, _batch: Sequence[ReceivedRecord]) -> None:
        return

    service = Service("sla", RuntimeSettings(environment="test"))
    service.subscribe([topics.TRIAGE_EVENTS, topics.CASE_ACTIONS], "sla", handle)
    await service.database.close()
    made = service.subscription.subscriber
    assert made is not None
    return made


async def test_the_subscriber_has_the_failure_policy_a_group_and_earliest(subscriber: BatchSubscriber) -> None:
    options = subscriber._connection_args
    assert subscriber.ack_policy is AckPolicy.NACK_ON_ERROR
    assert subscriber.group_id == "sla"
    assert options["auto_offset_reset"] == "earliest"
    assert options["enable_auto_commit"] is False
    assert (subscriber.max_records, subscriber.batch_timeout_ms) == (1000, 20)


async def test_one_subscriber_reads_all_topics_so_that_partition_n_of_each_lands_in_one_process(subscriber: BatchSubscriber) -> None:
    assert subscriber.topic_names == ["triage-events", "case-actions"]
    assert subscriber._connection_args["partition_assignment_strategy"] == (RangePartitionAssignor,)
    assert {topic.partitions for topic in topics.TOPICS.values()} == {24}


async def test_a_killed_process_is_noticed_within_six_seconds(subscriber: BatchSubscriber) -> None:
    options = subscriber._connection_args
    assert (options["session_timeout_ms"], options["heartbeat_interval_ms"]) == (6000, 500)
    assert options.get("group_instance_id") is None


async def test_no_topic_is_made_behind_our_back_and_nothing_is_hidden(subscriber: BatchSubscriber) -> None:
    config = subscriber._outer_config
    assert config.allow_auto_create_topics is False
    assert config.consumer_only is True
    assert isinstance(config.logger.logger.logger if config.logger.logger else logging.getLogger(), logging.Logger)


async def test_the_handler_has_one_parameter(subscriber: BatchSubscriber) -> None:
    """With a second one, even with a default, FastStream spreads the batch over them."""
    [call] = subscriber.calls
    assert list(inspect.signature(call.handler._original_call).parameters) == ["records"]


async def test_a_tolerant_parser_and_raw_records_are_used(subscriber: BatchSubscriber) -> None:
    assert subscriber._call_options.parser is broker.parse_batch
    assert subscriber._call_options.decoder is broker.decode_batch
    assert subscriber._outer_config.fd_config.use_fastdepends is False


def test_subscribers_brokers_and_consumers_are_made_in_one_place_only() -> None:
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
    assert makers == {"shared/runtime/subscription/broker.py", "shared/runtime/subscription/consumer.py", "shared/runtime/kafka/offsets.py"}


def test_nobody_scales_by_workers_within_a_process() -> None:
    """`max_workers` above 1 fails the commit of finished records at some stops: scale by processes and partitions."""
    for path, tree in sources():
        assert not [k for _, call in attributes_called(tree) for k in call.keywords if k.arg == "max_workers"], path


def test_nobody_wraps_a_handler_with_functools_wraps() -> None:
    """FastStream would read the wrapped function's signature."""
    for path, tree in sources():
        assert "wraps" not in names_used(tree), path


def test_only_the_relay_sends_and_only_the_producer_knows_private_attributes() -> None:
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


def test_ids_are_remembered_longer_than_any_topic_keeps_its_records() -> None:
    longest = max(timedelta(milliseconds=topic.retention_ms) for topic in topics.TOPICS.values())
    assert longest < inbox._KEEP


def test_aiokafka_is_pinned_to_the_version_whose_private_parts_are_used() -> None:
    assert '"aiokafka[lz4]~=0.14.0"' in (ROOT / "pyproject.toml").read_text()
