"""A service process: subscription, relay, timers, HTTP server and background loops, started and stopped in order."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial

import structlog
import uvloop
from fastapi import APIRouter, FastAPI

from shared import contracts
from shared.contracts.topics import Topic
from shared.procedures.calendars.calendar import CalendarError
from shared.procedures.model.procedure_error import ProcedureError
from shared.runtime import housekeeping
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database
from shared.runtime.database.looks import DatabaseLooks
from shared.runtime.database.measuring import ElectedMeasuring, Measurement, watch_database
from shared.runtime.database.migrate import check_schema
from shared.runtime.encryption import EncryptionKeyRing
from shared.runtime.errors import Misconfigured
from shared.runtime.heartbeats.watch import Watch
from shared.runtime.http.server import HttpServer
from shared.runtime.kafka.record_decoder import EventDecoder, RecordVerifier
from shared.runtime.kafka.watermark import Watermark
from shared.runtime.outbox.relay import HAS_MESSAGES, Relay
from shared.runtime.process import logging, metrics
from shared.runtime.process.event_loop import measure_event_loop
from shared.runtime.process.failures import is_infrastructure, redacted_reason
from shared.runtime.process.health import Health
from shared.runtime.process.server_addresses import parse_headers
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.process.supervision import BackgroundLoop, supervise
from shared.runtime.process.waiting import Backoff
from shared.runtime.processing.failure_isolation import BatchHandler
from shared.runtime.processing.redelivery import HAS_REQUESTS
from shared.runtime.subscription.subscription import Subscription
from shared.runtime.timers.firing import FireTimers, LockCases, TimerFiring
from shared.runtime.timers.timer_loop import TimerLoop
from shared.runtime.tracing.spans import Tracing

_EXIT_CODE_HUNG = 70
_GC_THRESHOLD = 50_000
"""A batch allocates tens of thousands of objects and frees them at its end; with Python's 700 collections took a fifth of the CPU."""
log = structlog.get_logger(__name__)


class Service:
    """Built by `services.<name>.bootstrap.build`; `settings` is a RuntimeSettings or a subclass, `migrations` the package of revisions."""

    def __init__(self, name: str, settings: RuntimeSettings, migrations: str | None = None) -> None:
        self.name = name
        self.settings = settings
        self.clock = Clock.parse(settings.clock, settings.environment)
        self.key_ring = EncryptionKeyRing.parse(settings.sealing_keys)
        self.health = Health()
        self.database = Database(settings, name)
        # Reads by HTTP may wait for a connection, deadlines and what they wait for must not wait behind them.
        self.processing_database = self.database.with_own_connections(settings.processing_pool, "processing")
        self.looks = DatabaseLooks(self.processing_database)
        self._measuring = ElectedMeasuring(self.database)
        self.tracing = Tracing(
            name, settings.trace_endpoint, settings.trace_ratio, parse_headers(settings.trace_headers.get_secret_value())
        )
        self.relay = Relay(self.processing_database, settings, self.health, self.tracing)
        self.looks.wake(self.relay.messages_seen, HAS_MESSAGES)
        self.stopping = asyncio.Event()
        self._migrations = migrations
        self._http = HttpServer(name, settings, self.health, self.tracing)
        self.subscription = Subscription(self.processing_database, self.database, self.clock, self.health, settings, self.tracing)
        self.watch = Watch(name, settings, self.health, self.database, self.clock, lambda: self.http_port)
        self._subscribed = False
        self._loops: dict[str, BackgroundLoop] = {}
        self._cleanups: list[Callable[[], Awaitable[None]]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._relay_stop = asyncio.Event()
        self._relay_task: asyncio.Task[None] | None = None
        self._hung = False

    @property
    def app(self) -> FastAPI:
        """The FastAPI application."""
        return self._http.app

    @property
    def http_port(self) -> int:
        """The bound HTTP port, 0 before the start."""
        return self._http.port

    @property
    def watermark(self) -> Watermark:
        """The watermark of the input; exists after `subscribe`."""
        return self.subscription.watermark

    def subscribe(
        self,
        topics: Sequence[Topic],
        group: str,
        handler: BatchHandler,
        *,
        decode: EventDecoder | None = None,
        verify: RecordVerifier | None = None,
        event_types: Mapping[str, frozenset[str]] | None = None,
        own_echoes: Collection[tuple[str, str]] = (),
        on_repeated: BatchHandler | None = None,
    ) -> None:
        """Read topics with one subscriber, which assigns partition n of each to the same process. A service subscribes once.

        `handler(tx, records)` gets the new records of a batch, each partition in order. It writes to the outbox and never publishes,
        commits or catches infrastructure errors; it may be called again with fewer records, so it keeps no state outside the transaction.
        A record it cannot accept: `raise Rejected(reason)`. Any error but an infrastructure error makes the record a dead letter and parks
        its case.
        `decode(type, body)` returns the event; `verify(record)` runs before the inbox, and what it raises makes a dead letter that neither
        parks a case nor claims an id. It returns the sender that the signature proves, or None: a sender of much bad input is set aside.
        Of each topic only its `event_types` are processed, without `own_echoes` (type and `ce_by` of what states own decisions).
        `on_repeated(tx, records)` gets the records whose ids were processed before; one that it rejects becomes a dead letter.
        """
        if self._subscribed:
            raise Misconfigured("a service has one subscriber for all of its topics: pass them to one subscribe()")
        self._subscribed = True
        self.subscription.configure(
            topics,
            group,
            handler,
            decode=decode or contracts.decode_body,
            verify=verify,
            event_types=event_types,
            own_echoes=own_echoes,
            on_repeated=on_repeated,
        )
        self._loops["replay"] = self.subscription.redelivery.run
        self.looks.wake(self.subscription.redelivery.requested, HAS_REQUESTS)
        self._loops["lag"] = self.subscription.measure_lag
        metrics.initialise(topic.name for topic in topics)

    def add_timers(self, lock_cases: LockCases, fire_timers: FireTimers) -> None:
        """Fire due timers of the partitions assigned to this process; call after `subscribe`.

        `lock_cases(tx, ids)` locks the cases `ORDER BY id FOR UPDATE SKIP LOCKED` and returns those that it locked;
        `fire_timers(tx, due, now)` decides what is due at or before each timer's `cutoff` and arms the cases again.
        """
        database, breaker = self.processing_database, self.subscription.processor.breaker
        firing = TimerFiring(
            database, self.clock, self.watermark, lock_cases=lock_cases, fire_timers=fire_timers, breaker=breaker, tracing=self.tracing
        )
        timers = TimerLoop(database, self.clock, self.watermark, firing, health=self.health, breaker=breaker)
        self.watermark.when_assigned(database.timers_armed.set)
        self._loops["timers"] = partial(timers.run, settings=self.settings)

    def include_router(self, router: APIRouter) -> None:
        """Serve the router's routes."""
        self._http.app.include_router(router)

    def add_background_loop(self, name: str, loop: BackgroundLoop) -> None:
        """Run `loop(stop)` while the service runs; it is restarted after a failure and must return soon after `stop` is set."""
        self._loops[name] = loop

    def add_cleanup(self, close: Callable[[], Awaitable[None]]) -> None:
        """Await this at the stop, once every request has been answered: what requests use has to live until then."""
        self._cleanups.append(close)

    def add_measurement(self, measurement: Measurement) -> None:
        """Set gauges from the database, in one elected process of the service."""
        self._loops[f"measure-{measurement.name}"] = partial(self._measuring.run, measurement)

    async def run(self) -> None:
        """Start, serve until SIGTERM or SIGINT, stop; exits the process when the stop takes longer than `stop_timeout`."""
        logging.configure(self.settings.log_level, self.name)
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self.stopping.set)
        try:
            await self.start()
            gc.freeze()  # procedures and models live as long as the process: no collection needs to visit them
            gc.set_threshold(_GC_THRESHOLD)
            await self.stopping.wait()
            async with asyncio.timeout(self.settings.stop_timeout):
                await self.stop()
        except TimeoutError:
            log.exception("stop timed out")
            self._hung = True
        if self._hung:
            # A normal exit waits for the tasks of the Kafka client, which a frozen broker keeps from ending.
            os._exit(_EXIT_CODE_HUNG)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Service"]:
        """Start the service for the length of a block, for tests and the demo."""
        try:
            await self.start()
            yield self
        finally:
            await self.stop()

    async def start(self) -> None:
        """Serve HTTP (unready), wait for the database, check its schema, start the relay and the loops; then join the group."""
        self.health.set_trouble("starting", "not all parts have started", blocking=True)
        metrics.READY.set_function(lambda: float(self.health.is_ready))
        metrics.DEGRADED.set_function(lambda: float(self.health.is_degraded))
        self.tracing.open()
        # First, so that probes get an answer while the database and the broker are awaited.
        await self._http.start()
        watching = self.watch.loops(self.subscription if self._subscribed and self._migrations else None)
        self._tasks = [self._spawn(name, loop, self.stopping) for name, loop in watching.items()]
        await self._wait_for_database()
        if self.stopping.is_set():
            return
        if self._migrations is not None:
            await self.watch.reporter.look_back()
        self._relay_task = self._spawn("relay", self.relay.run, self._relay_stop)
        self._loops.setdefault("housekeeping", partial(housekeeping.run, self.database, self.health))
        self._loops["database-watch"] = partial(watch_database, self.database, self.health)
        self._loops |= {"looks": self.looks.run, "event-loop": measure_event_loop, "measuring": self._measuring.stand_for_election}
        for measurement in housekeeping.measurements(self.clock):
            self.add_measurement(measurement)
        self._tasks += [self._spawn(name, loop, self.stopping) for name, loop in self._loops.items()]
        self.health.started = True
        self.health.clear_trouble("starting")
        log.info("started", http_port=self.http_port)
        # Ready without the broker: complaints wait in the outbox for it, and cases are read from the database.
        await self.subscription.start(self.stopping)

    async def stop(self) -> None:
        """End the loops; finish the batch and leave the group; stop HTTP; drain the outbox; close the pool."""
        self.health.set_trouble("stopping", "the process is stopping", blocking=True)
        self.stopping.set()
        # Before the consumer: loops that ask it for positions would fail.
        await self._finish(self._tasks)
        # Half of the time for the consumer, a quarter each for the loops and the relay: none can use up that of the others.
        if not await self.subscription.stop(self.settings.stop_timeout / 2):
            self._hung = True
            log.error("the Kafka client did not stop")
        await self._http.stop()
        for close in self._cleanups:
            await close()
        # The relay ends last: it drains what the last batch and the last requests added to the outbox.
        self._relay_stop.set()
        self.database.outbox_added.set()
        await self._finish([self._relay_task] if self._relay_task else [])
        await self._measuring.close()
        if self._migrations is not None:
            await self.watch.reporter.note_stop()
        await self.tracing.close(self.settings.stop_timeout / 8)
        await self.processing_database.close()
        await self.database.close()
        log.info("stopped")

    async def _finish(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        """Wait for the tasks and cancel those that do not end."""
        if tasks:
            _, running = await asyncio.wait(tasks, timeout=self.settings.stop_timeout / 4)
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    def _spawn(self, name: str, loop: BackgroundLoop, stop: asyncio.Event) -> asyncio.Task[None]:
        return asyncio.create_task(supervise(name, loop, stop, self.health), name=name)

    async def _wait_for_database(self) -> None:
        backoff = Backoff(initial_seconds=0.2, max_seconds=3.0)
        while True:
            try:
                if self._migrations is None:
                    await self.database.ping()
                else:
                    await check_schema(self.database, self._migrations)
            except Exception as error:
                if not is_infrastructure(error):
                    raise
                trouble = f"PostgreSQL cannot be used ({redacted_reason(error)}): check DATABASE_URL, its user and its password"
                self.health.set_trouble("database", trouble, blocking=True)
                metrics.DATABASE_UP.set(0)
                log.warning("waiting for the database", reason=trouble)
                await backoff.wait(self.stopping)
                if self.stopping.is_set():
                    return
            else:
                self.health.clear_trouble("database")
                metrics.DATABASE_UP.set(1)
                return


def run_service(build: Callable[[], Service]) -> None:
    """Build a service and run it on uvloop until it ends."""

    async def build_and_run() -> None:
        await build().run()

    try:
        uvloop.run(build_and_run())
    except ProcedureError as error:
        sys.exit(f"Error: {error.in_one_line()}")
    except (Misconfigured, CalendarError) as error:
        sys.exit(f"Error: {error}")
