"""Faults of one broker, or of all of a cluster at once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from deploy.embedded.errors import EmbeddedServerError
from deploy.embedded.kafka.server import KafkaServer
from deploy.embedded.postgres.server import PostgresServer
from tests.support.faults.plan import ALL_BROKERS, PlannedFault

_STARTS = 10
"""On a machine with many other processes one start may take longer than the limit for it."""


async def start_again(server: KafkaServer | PostgresServer) -> None:
    """Start a server that has ended, and wait until it answers."""
    for _ in range(_STARTS - 1):
        # Here and not in a thread: a server ends with the thread that started it.
        server.launch()
        with suppress(EmbeddedServerError):
            await asyncio.to_thread(server.wait_ready)
            return
    server.launch()
    await asyncio.to_thread(server.wait_ready)


@dataclass(frozen=True, slots=True)
class BrokerFaults:
    """`nodes` are the brokers by the name under which a plan targets them."""

    nodes: Mapping[str, KafkaServer]

    def named(self, target: str) -> list[KafkaServer]:
        """The brokers that a fault hits."""
        return [*self.nodes.values()] if target == ALL_BROKERS else [self.nodes[target]]

    async def end_and_start(self, fault: PlannedFault) -> None:
        """Kill or terminate the brokers, and start them again."""
        nodes = self.named(fault.target)
        await asyncio.gather(*(asyncio.to_thread(node.kill if fault.kind == "kill" else node.stop) for node in nodes))
        # Together: two of three have to answer before one is ready.
        await asyncio.gather(*map(start_again, nodes))

    async def freeze(self, fault: PlannedFault) -> None:
        """Stop the brokers with SIGSTOP for the length of the fault."""
        for act in ("freeze", "thaw"):
            for node in self.named(fault.target):
                with suppress(ProcessLookupError):  # it ended by itself a moment before
                    getattr(node.process, act)()
            await asyncio.sleep(fault.seconds if act == "freeze" else 0)
