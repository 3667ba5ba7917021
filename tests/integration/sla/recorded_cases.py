"""Three cases with a history in the tests' database, and `jiesu` run on them."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from shared.runtime.service import Service
from tests.integration.sla.sla_harness import SlaHarness, event_types
from tests.support.waiting import wait_for

RECORDED_CASES = ("past-1", "past-2", "past-3")


async def record_three_cases(harness: SlaHarness, service: Service) -> None:
    """Record RECORDED_CASES: one closed in time, one breached, reminded and escalated, one reclassified by a person and withdrawn."""
    long_ago = datetime.now(UTC) - timedelta(days=20)
    await harness.send_first_decision("past-1")
    await harness.send_first_decision("past-2", long_ago, facility_failure=True)
    await harness.send_first_decision("past-3", long_ago)
    for action in ("answer", "start_work", "handle"):
        await harness.send_action("past-1", action, text="已处理")
    await harness.send_action("past-1", "call_back", role="supervisor", outcome="satisfied")
    await harness.send_action("past-1", "close", role="supervisor")
    to_improve: dict[str, Any] = {"class": "to_improve"}
    await harness.send_action("past-3", "reclassify", role="supervisor", **to_improve)
    await harness.send_action("past-3", "request_extension", clock="no_such", by="2d")
    await harness.send_action("past-3", "withdraw", reason="客户撤回")
    await wait_for_events(service, "past-1", "closed")
    await wait_for_events(service, "past-2", "clock_breached", "reminded")
    await wait_for_events(service, "past-3", "withdrawn", "action_refused")


async def record_routed_cases(harness: SlaHarness, service: Service, http: httpx.AsyncClient, routes: Mapping[str, dict[str, Any]]) -> None:
    """Register these cases and route each with its data; one without data stays where no department leads."""
    for case in routes:
        await harness.send_first_decision(case)
        await wait_for_events(service, case, "registered")
    for case, data in routes.items():
        if data:
            answer = await http.post(f"/v1/cases/{case}/actions", json={"action": "route", "role": "assistant", "data": data})
            assert answer.status_code == 200, answer.text


async def wait_for_events(service: Service, case: str, *expected: str) -> list[str]:
    """Wait until a case has these events; returns the types of all its events."""

    async def types() -> list[str]:
        recorded = await event_types(service, case)
        return recorded if set(expected) <= set(recorded) else []

    return await wait_for(types, what=f"{expected} on {case}")


class CommandLine:
    """Runs `jiesu` on one database, in a thread: commands start an event loop of their own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
        monkeypatch.setenv("DATABASE_URL", database_url)
        self.monkeypatch = monkeypatch

    async def __call__(self, *arguments: Any) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, [str(argument) for argument in arguments])
