"""The whole system on servers of its own, with proxies before the brokers and the gateways, and every fault that a plan may name."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import MappingProxyType

import asyncpg

from cli.stack.stack import Stack, recreate_database, running_stack, service_ports
from deploy.embedded import EmbeddedServers
from deploy.embedded.kafka.server import KafkaServer
from shared.runtime.clock import Clock
from tests.support.faults.broker_faults import BrokerFaults
from tests.support.faults.plan import ALL_BROKERS, BROKER, FaultKind, PlannedFault, kinds_for
from tests.support.faults.postgres_faults import DATABASE_ERRORS, PostgresFaults
from tests.support.faults.process_faults import ProcessFaults, clock_setting
from tests.support.faults.small_disk import SETTINGS, SmallDisk, can_mount, write_ahead_log_on_small_disk
from tests.support.faults.tcp_proxy import ProxyMode, TcpProxy
from tests.support.messaging.workload import ORGANISATION
from tests.support.servers.databases import asyncpg_dsn
from tests.support.servers.kafka_cluster import KafkaCluster
from tests.support.servers.session_servers import FAST_POSTGRES_SETTINGS

START = datetime(2026, 9, 21, 8, 0, tzinfo=timezone(timedelta(hours=8)))
FACTOR = 60
"""Domain seconds in a real second, so that deadlines pass during a run."""
NO_SETTINGS: Mapping[str, str] = MappingProxyType({})
_MAIL_REFUSAL = b"421 4.3.2 not available\r\n"
_SMS_REFUSAL = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_SETTINGS = {"JIESU_DIGEST_AFTER": "1", "JIESU_DIGEST_WINDOW": "2", "JIESU_DIGEST_URGENT_GAP": "1", "JIESU_DATABASE_POOL": "5"}
_USES = ("clients", "controller", "proxy")
"""For each a broker has a port."""
_FURTHER_PROCESSES = [f"{service}-{number}" for service in ("intake", "triage", "sla", "notify") for number in (2, 3)]


@dataclass
class FaultySystem:
    """The running system; `proxies` are by the target that a plan names."""

    stack: Stack
    processes: ProcessFaults
    brokers: BrokerFaults
    postgres: PostgresFaults
    proxies: Mapping[str, TcpProxy]
    clock: Clock
    missed: Counter[str] = field(default_factory=Counter)
    """Faults that a busy machine kept from being injected, by kind: PostgreSQL took no connection in time."""
    _locks: dict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    @property
    def database_url(self) -> str:
        """The database of the services."""
        return self.stack.environment["DATABASE_URL"]

    @property
    def bootstrap_servers(self) -> str:
        """The brokers behind their proxies."""
        return self.stack.environment["KAFKA_BOOTSTRAP_SERVERS"]

    @property
    def kinds(self) -> list[FaultKind]:
        """The kinds of faults that this system allows."""
        return kinds_for([*self.brokers.nodes], small_disk=self.postgres.disk is not None)

    async def inject(self, fault: PlannedFault) -> None:
        """Carry out a fault, and return when its cause is over; faults of one target wait for one another."""
        async with AsyncExitStack() as exits:
            for target in sorted(self._hit(fault)):
                await exits.enter_async_context(self._locks[target])
            try:
                await self._action(fault)(fault)
            except DATABASE_ERRORS:
                self.missed[fault.kind] += 1

    def _action(self, fault: PlannedFault) -> Callable[[PlannedFault], Awaitable[None]]:
        if fault.kind in {mode.value for mode in ProxyMode}:
            return self._disturb_connections
        actions: dict[str, Callable[[PlannedFault], Awaitable[None]]] = {
            "join": self.processes.join,
            "join two": self.processes.join_two,
            "roll": self.processes.roll,
            "clock ahead": self.processes.shift_clock,
            "clock behind": self.processes.shift_clock,
            "close backends": self.postgres.close_backends,
            "no connections": self.postgres.use_up_connections,
            "hold locks": self.postgres.hold_locks,
            "hold rows": self.postgres.hold_rows,
            "full disk": self.postgres.fill_disk,
        }
        if fault.kind in actions:
            return actions[fault.kind]
        if fault.target == "postgres":
            return self.postgres.end_and_start
        part = self.brokers if fault.target in (ALL_BROKERS, *self.brokers.nodes) else self.processes
        return part.freeze if fault.kind == "freeze" else part.end_and_start

    def _hit(self, fault: PlannedFault) -> tuple[str, ...]:
        return (*self.brokers.nodes,) if fault.target == ALL_BROKERS else (fault.target,)

    async def _disturb_connections(self, fault: PlannedFault) -> None:
        proxies = [self.proxies[target] for target in self._hit(fault)]
        for proxy in proxies:
            proxy.mode = ProxyMode(fault.kind)
        await asyncio.sleep(fault.seconds)
        for proxy in proxies:
            proxy.mode = ProxyMode.PASS


@contextmanager
def faulty_system(
    root: Path, database: str, brokers: int = 1, factor: float = FACTOR, postgres_settings: Mapping[str, str] = NO_SETTINGS
) -> Iterator[FaultySystem]:
    """Start servers, proxies, sinks and services; all stop with the block. `brokers` is 1 or 3, `factor` the speed of domain time."""
    clock = Clock(START, Clock().real_now(), factor)
    names = [BROKER] if brokers == 1 else [f"{BROKER}-{number}" for number in range(1, brokers + 1)]
    # All before anything starts: the port of a process that is down counts as free.
    ports = service_ports("mail proxy", "sms proxy", *_FURTHER_PROCESSES, *(f"{name} {use}" for name in names for use in _USES))
    with ExitStack() as exits:
        proxies = {name: exits.enter_context(TcpProxy(ports[f"{name} proxy"], ports[f"{name} clients"])) for name in names}
        proxies["mail"] = exits.enter_context(TcpProxy(ports["mail proxy"], ports["smtp"], refusal=_MAIL_REFUSAL, server_speaks_first=True))
        proxies["sms"] = exits.enter_context(TcpProxy(ports["sms proxy"], ports["sms"], refusal=_SMS_REFUSAL))
        settings = {**FAST_POSTGRES_SETTINGS, **SETTINGS, "max_connections": "100", **postgres_settings}
        nodes, servers = _start_servers(exits, root, names, ports, settings)
        disk = _small_disk(exits, servers, root)
        environment = {
            "KAFKA_BOOTSTRAP_SERVERS": ",".join(f"127.0.0.1:{ports[f'{name} proxy']}" for name in names),
            "DATABASE_URL": recreate_database(servers.database_url, database),
            "JIESU_CLOCK": clock_setting(clock),
            "JIESU_SMTP_PORT": str(ports["mail proxy"]),
            "JIESU_SMS_URL": f"http://127.0.0.1:{ports['sms proxy']}",
            **({"JIESU_REPLICATION_FACTOR": str(brokers)} if brokers > 1 else {}),
            **_SETTINGS,
        }
        stack = exits.enter_context(running_stack(root / "stack", environment, ORGANISATION, ports=ports))
        assert servers.postgres is not None
        postgres = PostgresFaults(servers.postgres, environment["DATABASE_URL"], disk)
        yield FaultySystem(stack, ProcessFaults(stack, clock), BrokerFaults(nodes), postgres, proxies, clock)


def _start_servers(
    exits: ExitStack, root: Path, names: list[str], ports: Mapping[str, int], settings: Mapping[str, str]
) -> tuple[Mapping[str, KafkaServer], EmbeddedServers]:
    """The brokers by name, and PostgreSQL."""
    advertised = [f"CLIENTS://127.0.0.1:{ports[f'{name} proxy']}" for name in names]
    pairs = [(ports[f"{name} clients"], ports[f"{name} controller"]) for name in names]
    if len(names) == 1:
        properties = {"advertised.listeners": advertised[0]}
        servers = EmbeddedServers(root / "servers", kafka_ports=pairs[0], kafka_properties=properties, postgres_settings=settings)
        exits.enter_context(servers)
        assert servers.kafka is not None
        return {names[0]: servers.kafka}, servers
    servers = exits.enter_context(EmbeddedServers(root / "servers", kafka=False, postgres_settings=settings))
    cluster = exits.enter_context(KafkaCluster(root / "cluster", pairs, advertised))
    return dict(zip(names, cluster.nodes.values(), strict=True)), servers


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
