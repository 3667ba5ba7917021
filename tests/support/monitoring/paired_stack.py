"""The demo's month on a stack that has two processes of each service."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx

from cli.demo.channel_steps import show_channels
from cli.demo.channels import DemoChannels, demo_channels
from cli.demo.demo_files import ORGANISATION_FILE
from cli.demo.hostile_input import send_hostile_input
from cli.demo.month_plan import START, MonthPlan, plan_month
from cli.demo.sender import DemoSender
from cli.demo.staff import StaffPlanner
from cli.demo.triage_steps import show_triage_steps
from cli.service_names import SERVICES
from cli.stack.process_environment import process_environment
from cli.stack.stack import Stack, recreate_database, running_stack, service_ports, wait_started
from deploy.embedded import EmbeddedServers
from deploy.embedded.ports import free_ports
from deploy.embedded.process import ManagedProcess
from shared.runtime.clock import Clock

FACTOR = 86_400
"""Domain seconds in a real second: a day passes in a second."""
START_ALLOWANCE = timedelta(seconds=8)
"""Real seconds for the services to start before the month begins; what is due earlier is sent late, which no query minds."""


@dataclass(frozen=True, slots=True)
class PairedStack:
    """A stack with two processes a service; `clock` is that of the demo's month."""

    stack: Stack
    channels: DemoChannels
    clock: Clock
    prefix: str

    @property
    def targets(self) -> dict[str, list[str]]:
        """The addresses of each service's processes, as Prometheus takes them."""
        return {service: [f"127.0.0.1:{self.stack.ports[name]}" for name in (service, f"{service}-2")] for service in SERVICES}

    async def play(self, first: int, end: int) -> DemoSender:
        """Send days of the demo's month, from the beginning on with its hostile input, mails, files and forms, until all is answered."""
        sender = DemoSender(self.stack, self.clock, self.prefix)
        await sender.run(_days(first, end), _send_nothing if first else self._send_alongside)
        return sender

    async def _send_alongside(self, sender: DemoSender) -> list[str]:
        lines = await asyncio.gather(send_hostile_input(sender), show_triage_steps(sender), show_channels(sender, self.channels.mail_port))
        return [line for part in lines for line in part]


@contextmanager
def paired_stack(root: Path, servers: EmbeddedServers, prefix: str) -> Iterator[PairedStack]:
    """Start the demo's stack and a second process of each service; all stop with the block."""
    clock = Clock(START, Clock().real_now() + START_ALLOWANCE, FACTOR)
    environment = {
        **servers.environment,
        "DATABASE_URL": recreate_database(servers.database_url, "paired"),
        "JIESU_CLOCK": f"{START.isoformat()}@{clock.real_origin.isoformat()}x{FACTOR}",
        "JIESU_CLOCK_TOLERANCE_MS": "0",
        "JIESU_TOPIC_PREFIX": prefix,
        "JIESU_OUTBOX_HOLD_SECONDS": "1",
        "JIESU_DATABASE_POOL": "3",  # eight processes share one small server
    }
    ports = service_ports("mail", "smpp")
    with (
        demo_channels(root, ports) as channels,
        running_stack(root, {**environment, **channels.environment}, ORGANISATION_FILE, ports=ports) as stack,
    ):
        channels.wait_ready()
        second = [_start_second(stack, service, port) for service, port in zip(SERVICES, free_ports(len(SERVICES)), strict=True)]
        for process, url in second:
            wait_started(process, lambda url=url: _is_ready(url))  # type: ignore[misc]
        yield PairedStack(stack, channels, clock, prefix)


def _start_second(stack: Stack, service: str, port: int) -> tuple[ManagedProcess, str]:
    name = f"{service}-2"
    process = ManagedProcess(name, stack.root / "logs" / f"{name}.log", signal.SIGTERM)
    settings = process_environment(service, stack.environment)
    settings.pop("JIESU_MAILBOXES", None)  # the mail port is the first process's
    process.start([sys.executable, "-P", "-m", f"services.{service}"], environment={**settings, "JIESU_HTTP_PORT": str(port)})
    stack.processes[name], stack.ports[name] = process, port
    return process, stack.url(name)


async def _send_nothing(_sender: DemoSender) -> list[str]:
    return []


def _days(first: int, end: int) -> MonthPlan:
    plan, begin, over = plan_month(StaffPlanner()), START + timedelta(days=first), START + timedelta(days=end)
    return MonthPlan(
        [item for item in plan.submissions if begin <= item.at < over], [item for item in plan.actions if begin <= item.at < over]
    )


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/ready", timeout=2).is_success
    except httpx.TransportError:
        return False
