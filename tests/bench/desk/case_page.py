"""Measures the page of a case with 300 events over HTTP: desk, sla and notify in one process, each on a port of its own.

`python -m tests.bench.desk.case_page [--open N] [--ended N]`: figures go to var/bench/desk_case.json. The CPU time of a request is that of
all three; the duration depends on what else the machine does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from statistics import quantiles
from time import perf_counter, process_time
from typing import Any

import httpx

from services.desk.application.confidential_fields import ConfidentialFields
from services.desk.application.projecting import ProjectRecords
from services.desk.bootstrap import build as build_desk
from services.desk.config import DeskSettings
from services.desk.storage.reading_progress import ReadingProgress
from services.notify.bootstrap import build as build_notify
from services.notify.config import NotifySettings
from services.sla.application.cases import UpdateCases
from services.sla.application.identity import IdentityRegistry
from services.sla.application.rulebooks import RulebookRegistry
from services.sla.bootstrap import build as build_sla
from services.sla.config import SlaSettings
from services.sla.domain.deadlines.worktime import to_micros
from services.sla.domain.lifecycle.inputs import CaseInput
from services.sla.domain.views.event_mapping import to_open_case, to_take_action
from shared.contracts import topics
from shared.contracts.actions import ActionData
from shared.contracts.events import decode_event
from shared.procedures.loading.loader import load_organisation
from shared.runtime.clock import Clock, uuid7
from shared.runtime.database.database import Database
from shared.runtime.service import Service
from tests.bench.desk.lists import FixedSession, measure
from tests.integration.sla.sla_harness import first_decision
from tests.support.messaging.sample_organisation import write_yaml

CASE, TOKEN = "case-of-300-events", "token"
EVENTS = 300
REQUESTS = 60
WARM_UP = 5
HANDLED: Sequence[tuple[str, Mapping[str, Any]]] = (
    ("answer", {"text": "已派人维修，明日回复"}),
    ("report_progress", {"text": "配件已到货"}),
    ("start_work", {"text": "开工"}),
    ("supplement", {"text": "二号楼也停运"}),
    ("handle", {"text": "更换曳引机"}),
    ("verify", {"passed": False, "text": "仍有异响"}),
    ("suspend", {"reason": "待料"}),
    ("resume", {"reason": "到料"}),
)


def organisation_file(folder: Path) -> Path:
    """An organisation whose one clerk gets every message."""
    people = [
        {"id": "chief", "name": "李雷", "roles": ["assistant", "supervisor"], "token_sha256": sha256(TOKEN.encode()).hexdigest()},
        {"id": "sun", "name": "孙总", "roles": ["management"]},
    ]
    sources = [{"id": "hotline", "procedure": "hunan-property"}]
    line = {"assistant": "supervisor", "supervisor": "management"}
    content = {"id": "estate", "people": people, "line": line, "sources": sources, "fallback": "sun"}
    return write_yaml(folder / "estate.yaml", content)


async def record_case(settings: SlaSettings) -> None:
    """Decide on inputs of forty days, as sla decides on them, until the case has its events."""
    database = Database(settings, "sla")
    rulebooks = RulebookRegistry(load_organisation(settings.organisation), procedure_folder=settings.organisation.parent)
    cases = UpdateCases(rulebooks, IdentityRegistry(rulebooks.organisation), Clock())
    at = datetime.now(UTC) - timedelta(days=40)
    procedure = rulebooks.get("hunan-property", 1, {}).procedure
    number = 0
    case_input: CaseInput = to_open_case(first_decision(CASE, at, facility_failure=True), procedure)
    while await _decide(database, cases, case_input) < EVENTS:
        action, data = HANDLED[number % len(HANDLED)]
        at, number = at + timedelta(hours=7), number + 1
        by = ("assistant", "chief")
        case_input = to_take_action(action, to_micros(at), by, ActionData.model_validate(data), procedure)
        if number > EVENTS:
            raise RuntimeError(f"{EVENTS} actions made fewer than {EVENTS} events")
    await database.close()


async def _decide(database: Database, cases: UpdateCases, case_input: CaseInput) -> int:
    async with database.transaction() as tx:
        batch = cases.new_batch()
        await batch.load(tx, [CASE])
        batch.decide(CASE, case_input)
        await batch.record(tx)
        return int(await tx.fetchval("SELECT count(*) FROM ledger WHERE case_id = $1", CASE))


async def fill_read_model(sla: Service, desk: Service, settings: DeskSettings) -> None:
    """Apply the case's events to the read model of the desk, as its consumer does."""
    fields = ConfidentialFields(load_organisation(settings.organisation), settings.organisation.parent)
    projection = ProjectRecords(fields, ReadingProgress(uuid7()))
    async with sla.database.transaction() as tx:
        rows = await tx.fetch("SELECT type, body FROM ledger WHERE case_id = $1 ORDER BY sequence", CASE)
    records = [(topics.CASE_EVENTS.name, decode_event(row["type"], row["body"]), bytes(row["body"])) for row in rows]
    async with desk.database.transaction() as tx:
        await projection.apply(tx, records)


async def measure_page(browser: httpx.AsyncClient, path: str) -> dict[str, float]:
    """Milliseconds: median and 95th percentile of the duration, and of the CPU time of all services."""
    durations, cpu = [], []
    for number in range(WARM_UP + REQUESTS):
        started, used = perf_counter(), process_time()
        answer = await browser.get(path)
        if number >= WARM_UP:
            durations.append((perf_counter() - started) * 1000)
            cpu.append((process_time() - used) * 1000)
        if answer.status_code != 200:
            raise RuntimeError(f"{path}: {answer.status_code}")
    names = {"median": (1, 2), "p95": (18, 20)}
    figures = {f"{name}_ms": quantiles(durations, n=n)[place if n > 2 else 0] for name, (place, n) in names.items()}
    return figures | {f"cpu_{name}_ms": quantiles(cpu, n=n)[place if n > 2 else 0] for name, (place, n) in names.items()}


async def run(settings: DeskSettings, _open_cases: int, _ended_cases: int) -> dict[str, Any]:
    """The figures of the page now, as of a past instant, and of the complainant's view."""
    file = organisation_file(settings.organisation.parent)
    common = {"environment": "test", "database_url": settings.database_url, "organisation": file}
    sla_settings = SlaSettings(**common, follow_key="a key of the bench")  # type: ignore[arg-type]
    await record_case(sla_settings)
    async with AsyncExitStack() as stack:
        sla, notify = build_sla(sla_settings), build_notify(NotifySettings(**common))  # type: ignore[arg-type]
        for service in (sla, notify):
            await serve(stack, service)
        urls = {f"desk_{name}_url": f"http://127.0.0.1:{each.http_port}" for name, each in (("sla", sla), ("notify", notify))}
        desk_settings = settings.model_copy(update={"organisation": file, **urls})
        desk = build_desk(desk_settings)
        desk.app.state.sessions = FixedSession(load_organisation(file))
        await serve(stack, desk)
        await fill_read_model(sla, desk, desk_settings)
        headers = {"Accept": "text/html"}
        browser = httpx.AsyncClient(base_url=f"http://127.0.0.1:{desk.http_port}", headers=headers, timeout=60)
        await stack.enter_async_context(browser)
        past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat().replace("+", "%2B")
        pages = {"now": f"/cases/{CASE}", "past": f"/cases/{CASE}?as_of={past}", "complainant": f"/cases/{CASE}/complainant"}
        figures: dict[str, Any] = {"events": EVENTS} | {name: await measure_page(browser, path) for name, path in pages.items()}
        await desk.app.state.dependencies.services.close()
    return figures


async def serve(stack: AsyncExitStack, service: Service) -> None:
    """Serve HTTP alone: the bench has no broker, and nothing to consume."""
    await service._http.start()
    for close in (service.database.close, service.processing_database.close, service._http.stop):
        stack.push_async_callback(close)


if __name__ == "__main__":
    measure("desk_case", run, __doc__)
