"""Reports with their lists, signature and improvement measures on real servers."""

import csv
import hashlib
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from services.sla.application.periodic_reports import DutyRunner
from services.sla.application.reports.report_faults import report_faults
from services.sla.application.rulebooks import RulebookRegistry
from services.sla.domain.evidence.hash_chain import verify_chain
from services.sla.storage.reports.report_events import load_chain
from shared.procedures.loading.loader import load_organisation
from shared.runtime.service import Service
from tests.integration.sla.application.test_periodic_reports import duty_notifications, start_duties_at
from tests.integration.sla.recorded_cases import wait_for_events
from tests.integration.sla.sla_harness import OTHER_DEPARTMENT_TOKEN, PERSON_TOKEN, SlaHarness, person_client, write_organisation
from tests.support.waiting import wait_for

CHIEF_TOKEN = "a token of the management"
RECEIVED_AT = datetime.now(UTC) - timedelta(days=24)
REPORTS, MEASURES = "/v1/reports/hunan-property", "/v1/improvements/hunan-property"


def person(person_id: str, token: str, *roles: str, **more: Any) -> dict[str, Any]:
    return {"id": person_id, "roles": [*roles], "token_sha256": hashlib.sha256(token.encode()).hexdigest(), **more}


def write_people(harness: SlaHarness) -> None:
    people = [
        person("li", PERSON_TOKEN, "assistant", "supervisor"),
        person("sun", CHIEF_TOKEN, "management"),
        person("qian", OTHER_DEPARTMENT_TOKEN, "handler", department="gardens"),
        {"id": "zhao", "roles": ["handler"], "department": "repairs"},
    ]
    write_organisation(harness.settings.organisation, people=people)


def runner(harness: SlaHarness, service: Service) -> DutyRunner:
    organisation = load_organisation(harness.settings.organisation)
    return DutyRunner(
        RulebookRegistry(organisation, procedure_folder=harness.settings.organisation.parent), service.database, service.clock
    )


async def weekly_reports(http: httpx.AsyncClient) -> list[dict[str, Any]]:
    reports = (await http.get(REPORTS)).json()["reports"]
    return [report for report in reports if report["duty"] == "weekly_check"]


async def refused(http: httpx.AsyncClient, path: str, body: dict[str, Any]) -> tuple[int, str]:
    answer = await http.post(path, json=body)
    return answer.status_code, answer.json()["detail"]


async def test_report_keeps_its_lists_and_is_signed_once_by_the_role_that_owes_it(harness: SlaHarness) -> None:
    write_people(harness)
    async with (
        harness.build().running() as service,
        person_client(service) as supervisor,
        person_client(service, CHIEF_TOKEN) as chief,
        person_client(service, OTHER_DEPARTMENT_TOKEN) as gardener,
    ):
        await harness.send_first_decision("kept", RECEIVED_AT)
        await wait_for_events(service, "kept", "clock_breached")
        await start_duties_at(service, RECEIVED_AT)
        await runner(harness, service).run_once()
        report, *_ = reversed(await weekly_reports(supervisor))
        path = f"{REPORTS}/weekly_check/{report['period']['from'][:10]}"
        document = (await supervisor.get(path)).json()
        # What happens after the period does not change what the report lists.
        for action in ("answer", "start_work", "handle"):
            body = {"action": action, "role": "assistant", "data": {"text": "已处理"}}
            assert (await supervisor.post("/v1/cases/kept/actions", json=body)).status_code == 200
        await wait_for_events(service, "kept", "handled")
        frozen = (await chief.get(f"{path}/lists/not_handled")).json()
        as_csv = await supervisor.get(f"{path}/lists/not_handled", headers={"Accept": "text/csv"})
        hidden = await gardener.get(f"{path}/lists/not_handled")
        unknown = [
            (await supervisor.get(f"{path}/lists/none")).status_code,
            (await supervisor.get(f"{REPORTS}/none/2026-09-21")).status_code,
        ]
        not_owner = await refused(chief, f"{path}/sign", {})
        signed = await supervisor.post(f"{path}/sign", json={"text": "已检查"})
        again = await refused(supervisor, f"{path}/sign", {})
        after = (await chief.get(path)).json()
        async with service.database.transaction() as tx:
            chain = await load_chain(tx, "hunan-property")
            assert [fault async for fault in report_faults(tx)] == []
            await tx.execute("UPDATE report_list SET content = '[]' WHERE list = 'not_handled'")
            await tx.execute("UPDATE duty SET report = convert_to(replace(convert_from(report, 'UTF8'), '已检查', '未检查'), 'UTF8')")
            await tx.execute('UPDATE report_event SET body = \'{"type": "x"}\' WHERE sequence = 1')
            faults = [fault async for fault in report_faults(tx)]
    assert [
        phrase
        for phrase in ("record of the reports", "list not_handled", "not in the record")
        if not any(phrase in fault for fault in faults)
    ] == []
    assert (document["state"], document["owner"], document["signature"]) == ("drafted", "supervisor", None)
    assert [entry["id"] for entry in document["lists"]] == ["records_to_complete", "not_handled", "not_called_back"]
    assert {entry["id"]: entry["rows"] for entry in document["lists"]}["not_handled"] == len(frozen["rows"]) == 1
    assert frozen["columns"][:2] == ["编号", "收到时间"]
    assert [row[0] for row in csv.reader(io.StringIO(as_csv.content.decode("utf-8-sig"), newline=""))][1:] == [frozen["rows"][0][0]]
    assert (hidden.status_code, unknown) == (404, [404, 404])
    assert (not_owner[0], again[0], signed.status_code) == (403, 409, 200)
    assert "supervisor" in not_owner[1]
    assert (signed.json()["state"], after["state"], after["signature"]["actor"]) == ("signed", "signed", "li")
    assert after["figures"] == document["figures"]
    assert verify_chain(chain) == []
    assert b"report_signed" in chain[-1].body


async def test_unsigned_report_and_overdue_measure_are_told_once(harness: SlaHarness) -> None:
    write_people(harness)
    async with harness.build().running() as service, person_client(service) as supervisor:
        await harness.send_first_decision("old", RECEIVED_AT)
        await wait_for_events(service, "old", "clock_breached")
        await start_duties_at(service, RECEIVED_AT)
        duties = runner(harness, service)
        await duties.run_once()
        added = await supervisor.post(MEASURES, json={"text": "更换轴承", "owner": "repairs", "due_at": in_days(1)})
        async with service.database.transaction() as tx:
            await tx.execute("UPDATE duty SET sign_by = carried_out_at WHERE duty = 'weekly_check'")
            await tx.execute("UPDATE improvement SET due_at = added_at")
        await duties.run_once()
        await duties.run_once()
        overdue = (await supervisor.get(MEASURES, params={"state": "overdue"})).json()["improvements"]

        async def notices() -> list[dict[str, Any]]:
            sent = [notice for notice in await duty_notifications(harness) if notice["values"].get("wording")]
            return sent if len(sent) >= 1 + len(await weekly_reports(supervisor)) else []

        sent = await wait_for(notices, what="notices", deadline=30)
        assert all(report["overdue"] for report in await weekly_reports(supervisor))
    assert added.status_code == 201
    assert [measure["id"] for measure in overdue] == [added.json()["id"]]
    measure = next(notice for notice in sent if "improvement" in notice["notification"])
    assert (measure["persons"], measure["values"]["text"]) == (["zhao", "li"], "更换轴承")
    reports = [notice for notice in sent if "sign" in notice["notification"]]
    assert all(notice["persons"] == ["li", "sun"] for notice in reports)
    assert len({notice["notification"] for notice in sent}) == len(sent)


def in_days(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


async def test_measures_are_tracked_until_another_person_confirms_their_effect(harness: SlaHarness) -> None:
    write_people(harness)
    async with (
        harness.build().running() as service,
        person_client(service) as supervisor,
        person_client(service, CHIEF_TOKEN) as chief,
        person_client(service, OTHER_DEPARTMENT_TOKEN) as gardener,
    ):
        await harness.send_first_decision("cause")
        await wait_for_events(service, "cause", "registered")
        accuse = {"action": "amend", "role": "assistant", "data": {"fields": {"against": ["qian"]}}}
        assert (await supervisor.post("/v1/cases/cause/actions", json=accuse)).status_code == 200
        new = {"text": "修剪树木", "owner": "qian", "due_at": in_days(5), "duty": "monthly_report"}
        added = (await supervisor.post(MEASURES, json=new)).json()
        about_case = (await supervisor.post(MEASURES, json={**new, "owner": "li", "case": "cause"})).json()
        problems = [
            await refused(gardener, MEASURES, new),
            await refused(supervisor, MEASURES, {**new, "owner": "nobody"}),
            await refused(supervisor, MEASURES, {**new, "due_at": in_days(-1)}),
            await refused(supervisor, MEASURES, {**new, "duty": "none"}),
            await refused(supervisor, MEASURES, {**new, "case": "none"}),
            await refused(supervisor, MEASURES, {**new, "case": "cause"}),
        ]
        actions = f"{MEASURES}/{added['id']}/actions"
        early = await refused(supervisor, actions, {"action": "confirm"})
        done = (await gardener.post(actions, json={"action": "done", "text": "已修剪"})).json()
        own = await refused(gardener, actions, {"action": "confirm"})
        confirmed = (await chief.post(actions, json={"action": "confirm"})).json()
        reopened = (await chief.post(actions, json={"action": "reopen", "text": "又长了"})).json()
        seen = [(await client.get(MEASURES)).json()["improvements"] for client in (supervisor, gardener)]
        foreign = await refused(gardener, f"{MEASURES}/{about_case['id']}/actions", {"action": "done"})
        async with service.database.transaction() as tx:
            chain = await load_chain(tx, "hunan-property")
    assert [status for status, _ in problems] == [403, 422, 422, 422, 404, 422]
    assert ["owner" in problems[1][1], "due_at" in problems[2][1], "duty" in problems[3][1], "owner" in problems[5][1]] == [True] * 4
    assert (early[0], own[0], foreign[0]) == (409, 403, 404)
    assert [document["state"] for document in (added, done, confirmed, reopened)] == ["open", "done", "confirmed", "open"]
    assert (done["done_by"], reopened["done_at"], reopened["texts"]) == ("qian", None, {"done": "已修剪", "reopen": "又长了"})
    assert [{measure["id"] for measure in measures} for measures in seen] == [{added["id"], about_case["id"]}, {added["id"]}]
    assert verify_chain(chain) == []
    assert [entry.sequence for entry in chain] == [1, 2, 3, 4, 5]
