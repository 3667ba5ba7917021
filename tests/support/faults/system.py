"""The whole system on servers of its own, with proxies before the broker and the gateways, and every fault that a plan may name."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import asyncpg

from cli.service_names import SERVICES
from cli.stack.process_environment import process_environment
from cli.stack.stack import SINKS, Stack, recreate_database, running_stack, service_ports
from deploy.embedded import EmbeddedServers
from deploy.embedded.process import ManagedProcess
from shared.runtime.clock import Clock
from tests.support.faults.plan import PlannedFault
from tests.support.faults.small_disk import SETTINGS, SmallDisk, can_mount, write_ahead_log_on_small_disk
from tests.support.faults.tcp_proxy import ProxyMode, TcpProxy
from tests.support.messaging.workload import ORGANISATION
from tests.support.servers.databases import asyncpg_dsn
from tests.support.servers.session_servers import FAST_POSTGRES_SETTINGS

START = datetime(2026, 9, 21, 8, 0, tzinfo=timezone(timedelta(hours=8)))
FACTOR = 60
"""Domain seconds in a real second, so that deadlines pass during a run."""
SUPERVISION_SECONDS = 0.5
CLOCK_SHIFT = timedelta(minutes=10)
DATABASE_ERRORS = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
_MAIL_REFUSAL = b"421 4.3.2 not available\r\n"
_SMS_REFUSAL = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_SETTINGS = {"JIESU_DIGEST_AFTER": "1", "JIESU_DIGEST_WINDOW": "2", "JIESU_DIGEST_URGENT_GAP": "1", "JIESU_DATABASE_POOL": "5"}
_CLOSE_BACKENDS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name <> 'faults' AND datname = current_database()"
)


@dataclass
class FaultySystem:
    """The running system; `restarts` counts processes that ended by themselves and were started again."""

    stack: Stack
    servers: EmbeddedServers
    proxies: Mapping[str, TcpProxy]
    clock: Clock
    disk: SmallDisk | None
    restarts: Counter[str] = field(default_factory=Counter)
    _locks: dict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    _down: set[str] = field(default_factory=set)

    @property
    def database_url(self) -> str:
        """The database of the services."""
        return self.stack.environment["DATABASE_URL"]

    @property
    def bootstrap_servers(self) -> str:
        """The broker behind its proxy."""
        return self.stack.environment["KAFKA_BOOTSTRAP_SERVERS"]

    async def inject(self, fault: PlannedFault) -> None:
        """Carry out a fault, and return when its cause is over; faults of one target wait for one another."""
        actions: dict[str, Callable[[PlannedFault], Awaitable[None]]] = {
            "freeze": self._freeze,
            "join": self._join,
            "clock ahead": self._shift_clock,
            "clock behind": self._shift_clock,
            "close backends": self._close_backends,
            "no connections": self._use_up_connections,
            "hold locks": self._hold_locks,
            "full disk": self._fill_disk,
            **dict.fromkeys(("kill", "terminate", "stay down", "stop at once", "restart"), self._end_and_start),
            **dict.fromkeys(("cut off", "delay", "reset", "garbage", "unavailable"), self._disturb_connections),
        }
        async with self._locks[fault.target]:
            await actions[fault.kind](fault)

    async def supervise(self) -> None:
        """Start again what ended by itself, as an orchestrator does, until cancelled."""
        while True:
            for name in (SINKS, *SERVICES):
                if name not in self._down and not self.stack.processes[name].running:
                    self.restarts[f"{name}, {self.stack.processes[name].how_it_ended}"] += 1
                    self.stack.start(name, keep_log=True)
            await asyncio.sleep(SUPERVISION_SECONDS)

    async def _end_and_start(self, fault: PlannedFault) -> None:
        if fault.target in ("kafka", "postgres"):
            await self._end_and_start_server(fault)
            return
        self._down.add(fault.target)
        process = self.stack.processes[fault.target]
        await asyncio.to_thread(process.stop if fault.kind == "terminate" else process.kill)
        await asyncio.sleep(fault.seconds)
        self.stack.start(fault.target, keep_log=True)
        self._down.discard(fault.target)

    async def _end_and_start_server(self, fault: PlannedFault) -> None:
        server = self.servers.kafka if fault.target == "kafka" else self.servers.postgres
        assert server is not None
        if fault.kind == "kill":
            await asyncio.to_thread(server.kill)
        else:
            if fault.kind == "stop at once":
                os.kill(server.process.pid, signal.SIGQUIT)
            await asyncio.to_thread(server.process.stop)
        # Here and not in a thread: a server ends with the thread that started it.
        server.launch()
        await asyncio.to_thread(server.wait_ready)

    async def _freeze(self, fault: PlannedFault) -> None:
        process = self.servers.kafka.process if fault.target == "kafka" and self.servers.kafka else self.stack.processes[fault.target]
        with suppress(ProcessLookupError):  # it ended by itself a moment before
            process.freeze()
            await asyncio.sleep(fault.seconds)
            process.thaw()

    async def _join(self, fault: PlannedFault) -> None:
        """A second process joins the service's consumer group and leaves it again."""
        second = ManagedProcess(f"{fault.target}-2", self.stack.root / "logs" / f"{fault.target}-2.log", signal.SIGTERM)
        settings = {
            **process_environment(fault.target, self.stack.environment),
            "JIESU_HTTP_PORT": str(self.stack.ports[f"{fault.target}-2"]),
        }
        second.start([sys.executable, "-P", "-m", f"services.{fault.target}"], environment=settings, keep_log=True)
        await asyncio.sleep(fault.seconds)
        await asyncio.to_thread(second.stop)

    async def _shift_clock(self, fault: PlannedFault) -> None:
        """The process runs on a clock ten minutes ahead or behind, and then on the right one again."""
        shift = CLOCK_SHIFT if fault.kind == "clock ahead" else -CLOCK_SHIFT
        shifted = replace(self.stack, environment={**self.stack.environment, "JIESU_CLOCK": _clock_setting(self.clock, shift)})
        self._down.add(fault.target)
        for stack, seconds in ((shifted, fault.seconds), (self.stack, 0.0)):
            await asyncio.to_thread(self.stack.processes[fault.target].kill)
            stack.start(fault.target, keep_log=True)
            await asyncio.sleep(seconds)
        self._down.discard(fault.target)

    async def _disturb_connections(self, fault: PlannedFault) -> None:
        proxy = self.proxies[fault.target]
        proxy.mode = ProxyMode(fault.kind)
        await asyncio.sleep(fault.seconds)
        proxy.mode = ProxyMode.PASS

    async def _close_backends(self, _: PlannedFault) -> None:
        async with self._connection() as connection:
            await connection.execute(_CLOSE_BACKENDS)

    async def _use_up_connections(self, fault: PlannedFault) -> None:
        async with AsyncExitStack() as exits:
            connections: list[asyncpg.Connection] = []
            await self._take_connections(exits, connections)
            if connections:
                # So that the services have to connect again, where few connections are left.
                await connections[0].execute(_CLOSE_BACKENDS)
                await self._take_connections(exits, connections)
            await asyncio.sleep(fault.seconds)

    async def _take_connections(self, exits: AsyncExitStack, connections: list[asyncpg.Connection]) -> None:
        with suppress(asyncpg.TooManyConnectionsError):
            while True:
                connections.append(await exits.enter_async_context(self._connection()))

    async def _hold_locks(self, fault: PlannedFault) -> None:
        async with self._connection() as connection:
            transaction = connection.transaction()
            await transaction.start()
            # One table of each service: two, in another order than the service's, would be a deadlock.
            for service in SERVICES:
                await connection.execute(f"LOCK TABLE {service}.outbox IN EXCLUSIVE MODE")
            await asyncio.sleep(fault.seconds)
            await transaction.rollback()

    async def _fill_disk(self, fault: PlannedFault) -> None:
        assert self.disk is not None
        assert self.servers.postgres is not None
        self.disk.fill()
        with suppress(*DATABASE_ERRORS):
            async with self._connection() as connection, asyncio.timeout(fault.seconds):
                while True:  # until the server finds no space for its next segment, and ends itself
                    await connection.execute("SELECT pg_logical_emit_message(false, 'faults', repeat('x', 1000)), pg_switch_wal()")
        await asyncio.sleep(fault.seconds)
        self.disk.clear()
        if not self.servers.postgres.process.running:
            self.servers.postgres.launch()
        await asyncio.to_thread(self.servers.postgres.wait_ready)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(asyncpg_dsn(self.database_url), server_settings={"application_name": "faults"})
        try:
            yield connection
        finally:
            connection.terminate()


@contextmanager
def faulty_system(root: Path, database: str) -> Iterator[FaultySystem]:
    """Start servers, proxies, sinks and services; all stop with the block."""
    clock = Clock(START, Clock().real_now(), FACTOR)
    # All before anything starts: the port of a process that is down counts as free.
    ports = service_ports("broker", "controller", "broker proxy", "mail proxy", "sms proxy", "triage-2", "sla-2", "notify-2")
    with ExitStack() as exits:
        broker, mail, sms = (
            exits.enter_context(TcpProxy(ports["broker proxy"], ports["broker"])),
            exits.enter_context(TcpProxy(ports["mail proxy"], ports["smtp"], refusal=_MAIL_REFUSAL, server_speaks_first=True)),
            exits.enter_context(TcpProxy(ports["sms proxy"], ports["sms"], refusal=_SMS_REFUSAL)),
        )
        servers = exits.enter_context(
            EmbeddedServers(
                root / "servers",
                kafka_ports=(ports["broker"], ports["controller"]),
                kafka_properties={"advertised.listeners": f"CLIENTS://127.0.0.1:{broker.port}"},
                postgres_settings={**FAST_POSTGRES_SETTINGS, **SETTINGS, "max_connections": "100"},
            )
        )
        disk = _small_disk(exits, servers, root)
        environment = {
            "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{broker.port}",
            "DATABASE_URL": recreate_database(servers.database_url, database),
            "JIESU_CLOCK": _clock_setting(clock, timedelta()),
            "JIESU_SMTP_PORT": str(mail.port),
            "JIESU_SMS_URL": f"http://127.0.0.1:{sms.port}",
            **_SETTINGS,
        }
        stack = exits.enter_context(running_stack(root / "stack", environment, ORGANISATION, ports=ports))
        yield FaultySystem(stack, servers, {"kafka": broker, "mail": mail, "sms": sms}, clock, disk)


def _clock_setting(clock: Clock, shift: timedelta) -> str:
    return f"{(START + shift).isoformat()}@{clock.real_origin.isoformat()}x{FACTOR}"


def _small_disk(exits: ExitStack, servers: EmbeddedServers, root: Path) -> SmallDisk | None:
    if not can_mount(root / "mount"):
        return None
    assert servers.postgres is not None
    return exits.enter_context(write_ahead_log_on_small_disk(servers.postgres, asyncio.run(_data_folder(servers.database_url))))


async def _data_folder(url: str) -> Path:
    connection = await asyncpg.connect(asyncpg_dsn(url))
    try:
        return Path(await connection.fetchval("SHOW data_directory"))
    finally:
        await connection.close()
