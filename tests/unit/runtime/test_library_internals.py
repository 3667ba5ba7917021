"""The private and undocumented parts of libraries that the runtime uses are as it expects; each test names the use."""

import asyncio
import inspect
import signal
import socket
from functools import partial

import aiokafka.conn
import pytest
import sniffio
import uvicorn
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import AIOKafkaConnection
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.admin import ApiVersionRequest
from faststream.kafka import KafkaBroker
from httpcore._synchronization import current_async_library

from shared.runtime.http.server import HttpServer
from shared.runtime.kafka.broker_connection import BrokerConnection
from shared.runtime.kafka.watermark import Watermark
from shared.runtime.process.health import Health
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.subscription.broker import PollTrackingBroker
from shared.runtime.subscription.consumer import PollState, PollTrackingConsumer
from tests.support.waiting import wait_for


async def test_aiokafka_producer_has_the_attributes_that_aborting_it_uses() -> None:
    """`kafka.producer.abort_producer` cancels the sender task and resolves the pending metadata update."""
    producer = AIOKafkaProducer(bootstrap_servers="127.0.0.1:1", enable_idempotence=True)
    assert producer._closed is False
    assert producer._sender.sender_task is None
    assert producer.client._md_update_fut is None
    producer._closed = True  # no warning of an unclosed producer


async def test_aiokafka_client_updates_metadata_through_the_method_that_is_throttled() -> None:
    """`kafka.producer` replaces `_metadata_update(cluster, topics)` of the client, which has to call it on itself."""
    assert list(inspect.signature(AIOKafkaClient._metadata_update).parameters) == ["self", "cluster_metadata", "topics"]
    assert "self._metadata_update(" in inspect.getsource(AIOKafkaClient._md_synchronizer)


async def test_aiokafka_fetcher_reads_the_longest_wait_anew_for_each_fetch() -> None:
    """`PollTrackingConsumer.getmany` sets `_fetcher._fetch_max_wait_ms` between fetches."""
    assert "FetchRequest(\n                self._fetch_max_wait_ms," in inspect.getsource(Fetcher._get_actions_per_node)
    assert "self._fetcher = Fetcher(" in inspect.getsource(AIOKafkaConsumer.start)


async def test_faststream_creates_our_consumer_with_its_options_and_ours() -> None:
    """`PollTrackingBroker.connect` replaces `config.broker_config.builder`, a partial of aiokafka's consumer."""
    settings = RuntimeSettings(environment="test", kafka_security_protocol="SASL_PLAINTEXT", kafka_username="jiesu")
    poll_state = PollState(Watermark(None, ["t"], None), Health(), "", 10)  # type: ignore[arg-type]
    broker = PollTrackingBroker(settings, poll_state)
    create_consumer = await broker.connect()
    assert broker.config.broker_config.builder is create_consumer
    consumer = create_consumer(group_id="g", session_timeout_ms=6000)
    assert isinstance(consumer, PollTrackingConsumer)
    assert consumer._client._sasl_plain_username == "jiesu"
    assert consumer._client._client_id.startswith("jiesu")
    await consumer.stop()


async def test_faststream_connects_with_a_partial_of_aiokafkas_consumer() -> None:
    builder = await KafkaBroker("127.0.0.1:1", consumer_only=True, client_id="jiesu").connect()
    assert isinstance(builder, partial)
    assert builder.func is AIOKafkaConsumer
    assert builder.keywords["client_id"] == "jiesu"


async def test_uvicorn_leaves_signal_handlers_alone() -> None:
    """`http.server` overrides `capture_signals`, which uvicorn enters in `serve`: the service handles SIGTERM itself."""
    before = signal.getsignal(signal.SIGTERM)
    server = HttpServer("probe", RuntimeSettings(environment="test"), Health())
    await server.start()
    try:
        assert signal.getsignal(signal.SIGTERM) is before
    finally:
        await server.stop()


async def test_uvicorn_without_the_override_would_take_the_signals() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(lambda: None, lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        before = signal.getsignal(signal.SIGTERM)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        await wait_for(lambda: server.started)
        assert signal.getsignal(signal.SIGTERM) is not before
        server.should_exit = True
        await task
        assert signal.getsignal(signal.SIGTERM) is before


async def test_httpcore_imports_sniffio_which_is_installed() -> None:
    """Without it every request of httpx searches the import path ten times, which costs as much as the rest of the request."""
    assert "import sniffio" in inspect.getsource(current_async_library)
    assert sniffio.current_async_library() == current_async_library() == "asyncio"


async def _send_on_closed_transport(connection_class: type[AIOKafkaConnection], monkeypatch: pytest.MonkeyPatch) -> None:
    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    connection = connection_class(*server.sockets[0].getsockname())
    # Without the exchange of versions, which a broker would answer.
    monkeypatch.setattr(connection, "_do_version_lookup", partial(asyncio.sleep, 0))
    await connection.connect()
    try:
        reading = connection._read_task
        reading.cancel()  # it would notice the end of the connection in the next turn of the loop
        connection._writer.transport.abort()
        await asyncio.sleep(0.05)
        connection.send(ApiVersionRequest())
    finally:
        connection.close()
        server.close()


@pytest.mark.parametrize(("connection_class", "error"), [(AIOKafkaConnection, RuntimeError), (BrokerConnection, KafkaConnectionError)])
def test_write_to_a_closed_transport_is_a_broken_connection(
    connection_class: type[AIOKafkaConnection], error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(error, match="closed"):
        uvloop.run(_send_on_closed_transport(connection_class, monkeypatch))


def test_every_client_connects_by_the_connection_of_ours() -> None:
    assert aiokafka.conn.AIOKafkaConnection is BrokerConnection
    assert "conn = AIOKafkaConnection(" in inspect.getsource(aiokafka.conn.create_conn)


async def test_uvicorn_serves_until_its_main_loop_ends() -> None:
    """`http.server` overrides `main_loop`, which polls ten times a second, and calls `on_tick` for the `Date` header."""
    assert "await self.main_loop()" in inspect.getsource(uvicorn.Server._serve)
    assert "counter % 10 == 0" in inspect.getsource(uvicorn.Server.on_tick)


async def test_aiokafka_fetcher_waits_for_events_beside_its_timeout() -> None:
    """`FETCHER_OPTIONS` makes the timeout longer: what ends an assignment, a fetch or a position must wake the fetcher by itself."""
    routine = inspect.getsource(Fetcher._fetch_requests_routine)
    assert "other_futs = [self._wait_consume_future, assignment.unassign_future]" in routine
    assert "set(chain(self._pending_tasks, other_futs, resume_futures))" in routine
    assert "self._notify(self._wait_consume_future)" in inspect.getsource(Fetcher.seek_to)
