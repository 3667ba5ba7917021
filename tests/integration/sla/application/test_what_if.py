"""Trials of a procedure with other numbers over HTTP: who may, what they find, and that they change and send nothing."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.sla.application.identity import IdentityRegistry
from services.sla.application.queries import CaseQueries
from services.sla.application.rulebooks import RulebookRegistry
from services.sla.bootstrap import build
from services.sla.storage.trials import what_if_runs
from services.sla.what_if.orders import TrialOrders, TrialPeriod
from services.sla.what_if.running import TrialLimits, TrialRunner
from shared.contracts.events.triage import Classified
from shared.contracts.topics import CASE_ACTIONS, CASE_EVENTS, TRIAGE_EVENTS
from shared.procedures.loading.loader import load_organisation, load_procedure
from shared.procedures.numbers.stated_numbers import stated_numbers
from shared.runtime.clock import uuid7
from shared.runtime.service import Service
from tests.integration.sla.application.test_access import DEPARTMENTS, organisation_people
from tests.integration.sla.recorded_cases import wait_for_events
from tests.integration.sla.sla_harness import SlaHarness, first_decision, person_client, write_organisation
from tests.support.messaging.cloud_events import case_event
from tests.support.waiting import wait_for

NOW = datetime.now(UTC)
MAY = {"may": ["what_if"]}
PEOPLE = organisation_people(li=MAY, qian=MAY, sun=MAY)
MEASURES = next(number.key for number in stated_numbers(load_procedure("hunan-property")) if number.clauses == ("3.5.2",))
ORDER: dict[str, Any] = {
    "procedure": "hunan-property",
    "version": 1,
    "received_from": (NOW - timedelta(days=31)).isoformat(),
    "received_before": NOW.isoformat(),
    "numbers": {MEASURES: "60wd"},
}


@pytest.fixture
def trial_harness(harness: SlaHarness) -> SlaHarness:
    write_organisation(harness.settings.organisation, departments=DEPARTMENTS, people=PEOPLE, fallback="sun")
    return harness


async def register(harness: SlaHarness, service: Service, case: str, received: datetime, against: list[str] | None = None) -> None:
    event = first_decision(case, received)
    document = event.model_dump(mode="json", by_alias=True, exclude_none=True)
    document["registered"]["complaint"] |= {"against": against or []}
    await harness.topic_client.publish(case_event(TRIAGE_EVENTS, Classified.model_validate(document), "triage"))
    await wait_for_events(service, case, "registered")


async def finished(http: httpx.AsyncClient, order: Mapping[str, Any]) -> dict[str, Any]:
    answer = await http.post("/v1/what-if", json=order)
    assert answer.status_code == 202, answer.text
    run: dict[str, Any] = answer.json()
    while run["state"] == "running":
        run = (await http.get(f"/v1/what-if/{run['run']}", params={"wait": 5})).json()
    return run


async def contents(service: Service) -> dict[str, str]:
    """Each table that decides on cases or holds what is sent, as one text."""
    async with service.database.transaction() as tx:
        names = await tx.fetch(
            "SELECT table_name FROM information_schema.columns WHERE table_schema = current_schema() AND column_name = 'case_id'"
        )
        tables = sorted({row["table_name"] for row in names} | {"cases", "outbox", "basis", "duty"})
        return {name: await tx.fetchval(f"SELECT string_agg(t::text, '' ORDER BY t::text) FROM {name} t") or "" for name in tables}


async def check_bounds(service: Service, harness: SlaHarness) -> None:
    """A trial takes the newest cases, ends in time and with its process, and keeps nothing once it was cancelled."""
    organisation = load_organisation(harness.settings.organisation)
    identities = IdentityRegistry(organisation)
    rulebooks = RulebookRegistry(organisation, procedure_folder=harness.settings.organisation.parent)
    queries = CaseQueries(service.database, rulebooks, identities, service.clock)
    period = TrialPeriod(NOW - timedelta(days=31), NOW)
    orders = TrialOrders(organisation, harness.settings.organisation.parent)
    order = orders.check(identities.actor_by_id("li"), "hunan-property", 1, period, {MEASURES: "60wd"})

    async def run(limits: TrialLimits, *, cancelled: bool = False, stopping: bool = False) -> what_if_runs.WhatIfRun:
        run_id, stop = UUID(uuid7()), asyncio.Event()
        if stopping:
            stop.set()
        async with service.database.transaction() as tx:
            assert await what_if_runs.start(tx, run_id, "li", "hunan-property", {})
            if cancelled:
                await what_if_runs.cancel(tx, run_id, "li")
        await TrialRunner(queries, stop, limits).run(run_id, order)
        async with service.database.transaction() as tx:
            found = await what_if_runs.load(tx, run_id, "li")
        assert found is not None
        return found

    few = await run(TrialLimits(cases=1, seconds_between_beats=0.0))
    assert few.result is not None
    assert (few.done, few.total, few.result["more"]) == (1, 1, True)
    short = await run(TrialLimits(seconds=-1.0))
    assert short.result is not None
    assert (short.state, short.result["cases"], short.result["not_reached"]) == ("done", 0, 2)
    for ended, state in ((await run(TrialLimits(), cancelled=True), "cancelled"), (await run(TrialLimits(), stopping=True), "failed")):
        assert (ended.state, ended.result) == (state, None)


async def check_one_at_a_time(service: Service) -> None:
    """A person has one trial; a cancelled one and that of a process that died make room."""
    run_id = UUID(uuid7())
    async with service.database.transaction() as tx:
        assert await what_if_runs.start(tx, run_id, "li", "hunan-property", {})
    async with person_client(service, "li") as http:
        refused = await http.post("/v1/what-if", json=ORDER)
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:jiesu:problem:what_if_running")
        waiting = asyncio.create_task(http.get(f"/v1/what-if/{run_id}", params={"wait": 5}))
        cancelled = await http.post(f"/v1/what-if/{run_id}/cancel")
        assert cancelled.json()["state"] == "cancelled"
        assert (await waiting).json()["state"] == "cancelled"
        async with service.database.transaction() as tx:
            # The process that runs it learns by its next beat, and its result is not kept.
            assert not await what_if_runs.beat(tx, run_id, 1, 2)
            await what_if_runs.finish(tx, run_id, {"cases": 1}, 1, 2)
        assert (await http.get(f"/v1/what-if/{run_id}")).json()["result"] is None
        assert (await finished(http, ORDER))["state"] == "done"
    async with service.database.transaction() as tx:
        dead = UUID(uuid7())
        assert await what_if_runs.start(tx, dead, "li", "hunan-property", {})
        await tx.execute("UPDATE what_if_run SET beat_at = now() - interval '2 minutes' WHERE id = $1", dead)
    async with person_client(service, "li") as http:
        assert (await http.get(f"/v1/what-if/{dead}")).json()["state"] == "failed"
        assert (await finished(http, ORDER))["state"] == "done"


async def test_trials_find_what_differs_in_visible_cases_within_bounds_and_change_nothing(trial_harness: SlaHarness) -> None:
    async with build(trial_harness.settings).running() as service:
        long_ago = NOW - timedelta(days=20)
        await register(trial_harness, service, "late", long_ago)
        await register(trial_harness, service, "accused", long_ago, against=["qian"])
        await register(trial_harness, service, "older", NOW - timedelta(days=40))
        for case in ("late", "accused", "older"):
            await wait_for_events(service, case, "clock_breached")

        async def all_sent() -> bool:
            async with service.database.transaction() as tx:
                return bool(await tx.fetchval("SELECT count(*) = 0 FROM outbox"))

        async def sent() -> tuple[int, int]:
            client = trial_harness.topic_client
            return len(await client.read_records(CASE_EVENTS)), len(await client.read_records(CASE_ACTIONS))

        await wait_for(all_sent, what="an empty outbox")
        before = await contents(service), await sent()
        async with person_client(service, "li") as http:
            run = await finished(http, ORDER)
            assert (run["state"], run["done"], run["total"]) == ("done", 2, 2), run
            result = run["result"]
            assert (result["cases"], result["differing"], result["not_replayed"], result["more"]) == (2, 2, 0, False)
            counts = {(row["clause"], row["kind"]): row for row in result["summary"]}
            assert counts["3.5.2", "breach"] == {"clause": "3.5.2", "kind": "breach", "before": 2, "after": 0, "changed": 2}
            moved = [each for each in result["differences"] if each["kind"] == "deadline" and each["name"] == "measures_talked_over"]
            assert {each["case"] for each in moved} == {"late", "accused"}
            assert all(each["before"] < each["after"] and each["because"] == [MEASURES] for each in moved)
            # What the ledger says of the due instant stands under `before`.
            clocks = (await http.get("/v1/cases/late/clocks")).json()["clocks"]
            due = next(clock["due_at"] for clock in clocks if clock["clock"] == "measures_talked_over")
            assert datetime.fromisoformat(due) == datetime.fromisoformat(next(each["before"] for each in moved if each["case"] == "late"))
        async with person_client(service, "zhao") as http:
            assert (await http.post("/v1/what-if", json=ORDER)).status_code == 403
            assert (await http.get(f"/v1/what-if/{run['run']}")).status_code == 403
        async with person_client(service, "qian") as http:
            wrong = await http.post("/v1/what-if", json={**ORDER, "numbers": {MEASURES: "soon"}})
            assert (wrong.status_code, [fault["field"] for fault in wrong.json()["errors"]]) == (422, [f"numbers.{MEASURES}"])
            assert "soon" not in wrong.text
            assert (await http.get(f"/v1/what-if/{run['run']}")).status_code == 404
            hidden = await finished(http, ORDER)
            assert hidden["total"] == 1
            assert {each["case"] for each in hidden["result"]["differences"]} == {"late"}
        await check_bounds(service, trial_harness)
        await check_one_at_a_time(service)
        assert (await contents(service), await sent()) == before
