"""Faults of PostgreSQL: ended, out of connections, locked, on a full disk."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

import asyncpg

from cli.service_names import SERVICES
from deploy.embedded.errors import EmbeddedServerError
from deploy.embedded.postgres.server import PostgresServer
from tests.support.faults.broker_faults import start_again
from tests.support.faults.plan import PlannedFault
from tests.support.faults.small_disk import SmallDisk
from tests.support.servers.databases import asyncpg_dsn

DATABASE_ERRORS = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
_CLOSE_BACKENDS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name <> 'faults' AND datname = current_database()"
)
_LOCK_ROWS = (
    "SELECT FROM sla.cases ORDER BY id DESC LIMIT 500 FOR UPDATE SKIP LOCKED",
    "SELECT FROM sla.timer ORDER BY due_at LIMIT 500 FOR UPDATE SKIP LOCKED",
    "SELECT FROM triage.known ORDER BY case_id DESC LIMIT 500 FOR UPDATE SKIP LOCKED",
    "SELECT FROM notify.delivery WHERE status = 'pending' LIMIT 500 FOR UPDATE SKIP LOCKED",
    "SELECT FROM intake.book FOR UPDATE SKIP LOCKED",
)


@dataclass(frozen=True, slots=True)
class PostgresFaults:
    """Hits the server, and its database at `url`."""

    server: PostgresServer
    url: str
    disk: SmallDisk | None

    async def end_and_start(self, fault: PlannedFault) -> None:
        """Kill or stop the server, and start it again."""
        if fault.kind == "kill":
            await asyncio.to_thread(self.server.kill)
        else:
            if fault.kind == "stop at once":
                os.kill(self.server.process.pid, signal.SIGQUIT)
            await asyncio.to_thread(self.server.process.stop)
        await start_again(self.server)

    async def close_backends(self, _: PlannedFault) -> None:
        """End every connection of the services."""
        async with self._connection() as connection:
            await connection.execute(_CLOSE_BACKENDS)

    async def use_up_connections(self, fault: PlannedFault) -> None:
        """Hold every connection that the server allows."""
        async with AsyncExitStack() as exits:
            connections: list[asyncpg.Connection] = []
            await self._take_connections(exits, connections)
            if connections:
                # So that the services have to connect again, where few connections are left.
                await connections[0].execute(_CLOSE_BACKENDS)
                await self._take_connections(exits, connections)
            await asyncio.sleep(fault.seconds)

    async def hold_locks(self, fault: PlannedFault) -> None:
        """An idle transaction holds a table of each service."""
        # One table of each service: two, in another order than the service's, would be a deadlock.
        await self._hold(fault.seconds, *(f"LOCK TABLE {service}.outbox IN EXCLUSIVE MODE" for service in SERVICES))

    async def hold_rows(self, fault: PlannedFault) -> None:
        """An idle transaction holds rows of cases, timers, deliveries and numbers."""
        await self._hold(fault.seconds, *_LOCK_ROWS)

    async def fill_disk(self, fault: PlannedFault) -> None:
        """Leave no space for the write-ahead log."""
        assert self.disk is not None
        self.disk.fill()
        with suppress(*DATABASE_ERRORS):
            async with self._connection() as connection, asyncio.timeout(fault.seconds):
                while True:  # until the server finds no space for its next segment, and ends itself
                    await connection.execute("SELECT pg_logical_emit_message(false, 'faults', repeat('x', 1000)), pg_switch_wal()")
        await asyncio.sleep(fault.seconds)
        self.disk.clear()
        if self.server.process.running:
            with suppress(EmbeddedServerError):
                await asyncio.to_thread(self.server.wait_ready)
                return
        await start_again(self.server)

    async def _hold(self, seconds: float, *statements: str) -> None:
        async with self._connection() as connection:
            transaction = connection.transaction()
            await transaction.start()
            for statement in statements:
                await connection.execute(statement)
            await asyncio.sleep(seconds)
            await transaction.rollback()

    async def _take_connections(self, exits: AsyncExitStack, connections: list[asyncpg.Connection]) -> None:
        with suppress(asyncpg.TooManyConnectionsError):
            while True:
                connections.append(await exits.enter_async_context(self._connection()))

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(asyncpg_dsn(self.url), server_settings={"application_name": "faults"})
        try:
            yield connection
        finally:
            connection.terminate()
