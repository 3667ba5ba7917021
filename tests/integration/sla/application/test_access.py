"""The matrix of people, endpoints and cases over sla's HTTP API."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import httpx

from services.sla.bootstrap import build
from shared.runtime.service import Service
from tests.integration.sla.recorded_cases import wait_for_events
from tests.integration.sla.sla_harness import SlaHarness, person_client, write_organisation

PEOPLE: dict[str, dict[str, Any]] = {
    "li": {"roles": ["assistant"]},
    "zhao": {"roles": ["handler"], "department": "repairs", "substitute": "qian"},
    "sun": {"roles": ["management"], "department": "estate"},
    "qian": {"roles": ["handler"], "department": "gardens"},
    "guest": {"department": "gardens"},
}
DEPARTMENTS = [{"id": "estate"}, {"id": "repairs", "parent": "estate", "head": "zhao"}, {"id": "gardens"}]
ROUTES: dict[str, dict[str, Any] | None] = {
    "unrouted": None,
    "repairs": {"department": "repairs"},
    "gardens": {"department": "gardens"},
    "shared": {"department": "gardens", "cooperating": ["repairs"]},
}
READERS = {
    "unrouted": {"li", "zhao", "sun", "qian"},
    "repairs": {"li", "zhao", "sun"},
    "gardens": {"li", "qian", "guest"},
    "shared": {"li", "zhao", "sun", "qian", "guest"},
}
REPORT_ROLES = {  # the role with which a person acts, by case; without one the action is forbidden to a reader
    ("li", "unrouted"): "assistant",
    ("zhao", "unrouted"): "handler",
    ("sun", "unrouted"): "management",
    ("qian", "unrouted"): "handler",
    ("li", "repairs"): "assistant",
    ("zhao", "repairs"): "handler",
    ("sun", "repairs"): "management",
    ("li", "gardens"): "assistant",
    ("qian", "gardens"): "handler",
    ("li", "shared"): "assistant",
    ("qian", "shared"): "handler",
}


def organisation_people(**changes: dict[str, Any]) -> list[dict[str, Any]]:
    people = {name: fields | changes.get(name, {}) for name, fields in PEOPLE.items()}
    return [{"id": name, "token_sha256": sha256(name.encode()).hexdigest(), **fields} for name, fields in people.items()]


async def register_and_route(harness: SlaHarness, service: Service, cases: dict[str, dict[str, Any] | None]) -> None:
    async with person_client(service, "li") as clerk:
        for case, route in cases.items():
            await harness.send_first_decision(case)
            await wait_for_events(service, case, "registered")
            if route is not None:
                body = {"action": "route", "role": "assistant", "data": route}
                answer = await clerk.post(f"/v1/cases/{case}/actions", json=body)
                assert answer.status_code == 200, answer.text


async def test_every_endpoint_obeys_the_policy_for_every_person_and_case(harness: SlaHarness) -> None:
    write_organisation(harness.settings.organisation, departments=DEPARTMENTS, people=organisation_people(), fallback="sun")
    read, act = {}, {}
    async with build(harness.settings).running() as service:
        await register_and_route(harness, service, ROUTES)
        for name in PEOPLE:
            async with person_client(service, name) as http:
                for case in (*ROUTES, "unknown"):
                    case_answer = await http.get(f"/v1/cases/{case}")
                    clock_answer = await http.get(f"/v1/cases/{case}/clocks/same_day")
                    read[name, case] = (case_answer.status_code, clock_answer.json().get("type"))
                    role = REPORT_ROLES.get((name, case), "handler")
                    body = {"action": "report_progress", "role": role, "data": {"text": "x"}}
                    act[name, case] = (await http.post(f"/v1/cases/{case}/actions", json=body)).status_code
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{service.http_port}") as stranger:
            urls = ["/v1/cases/repairs", "/v1/cases/repairs/clocks/same_day"]
            denied = [(await stranger.get(url)).status_code for url in urls]
            denied.append((await stranger.post("/v1/cases/repairs/actions", json={"action": "close"})).status_code)
    pairs = [(name, case) for name in PEOPLE for case in (*ROUTES, "unknown")]
    assert {pair: status == 200 for pair, (status, _) in read.items()} == {
        (name, case): name in READERS.get(case, ()) for name, case in pairs
    }
    assert {problem for status, problem in read.values() if status != 200} == {"urn:jiesu:problem:unknown_case"}
    assert act == {
        (name, case): 404 if name not in READERS.get(case, ()) else 200 if (name, case) in REPORT_ROLES else 403 for name, case in pairs
    }
    assert denied == [401, 401, 401]


async def test_substitute_reads_and_acts_as_the_head_who_is_away(harness: SlaHarness) -> None:
    now = datetime.now(UTC)
    absence = [{"from": (now - timedelta(days=1)).isoformat(), "to": (now + timedelta(days=1)).isoformat()}]
    people = organisation_people(zhao={"absent": absence})
    write_organisation(harness.settings.organisation, departments=DEPARTMENTS, people=people, fallback="sun")
    async with build(harness.settings).running() as service, person_client(service, "qian") as substitute:
        await register_and_route(harness, service, {"repairs": ROUTES["repairs"]})
        seen = await substitute.get("/v1/cases/repairs")
        body = {"action": "report_progress", "role": "owner", "data": {"text": "x"}}
        acted = await substitute.post("/v1/cases/repairs/actions", json=body)
    assert (seen.status_code, acted.status_code) == (200, 200)


async def test_a_link_to_a_case_of_others_is_answered_like_one_to_a_case_that_does_not_exist(harness: SlaHarness) -> None:
    write_organisation(harness.settings.organisation, departments=DEPARTMENTS, people=organisation_people(), fallback="sun")

    async def link(http: httpx.AsyncClient, case: str, role: str) -> httpx.Response:
        body = {"action": "link", "role": role, "data": {"case": case, "as": "repeat"}}
        return await http.post("/v1/cases/gardens/actions", json=body)

    async with build(harness.settings).running() as service:
        await register_and_route(harness, service, {name: ROUTES[name] for name in ("repairs", "gardens")})
        async with person_client(service, "qian") as gardener:
            of_others, of_nobody = await link(gardener, "repairs", "handler"), await link(gardener, "nowhere", "handler")
        async with person_client(service, "li") as clerk:
            of_all = await link(clerk, "repairs", "assistant")
    assert of_others.status_code == 409
    assert (of_others.json()["type"], of_others.json()["detail"]) == (of_nobody.json()["type"], of_nobody.json()["detail"])
    assert of_all.status_code == 200, of_all.text
