"""Triage end to end: decisions on the wire, groups that reach back, news from sla, and nothing twice."""

import random
from typing import Any

import httpx
import orjson

from services.triage.application.procedure_registry import ProcedureRegistry
from services.triage.bootstrap import build
from services.triage.config import TriageSettings
from services.triage.domain.rule_scope import TriageContext
from services.triage.domain.state import TriageState
from shared.contracts import topics
from shared.contracts.events import CaseEvent, encode_event
from shared.contracts.events.measures import Amended
from shared.contracts.events.triage import Reclassified
from shared.procedures.loading.loader import load_organisation
from shared.runtime.service import Service
from tests.integration.triage.conftest import START, registered_event, send_registration
from tests.support.services import TopicClient, cloud_event_headers
from tests.support.waiting import wait_for

Told = list[tuple[str, str, dict[str, Any]]]


async def told(wire: TopicClient, count: int) -> Told:
    """The events on triage's topic, once there are that many."""

    async def enough() -> Told | None:
        events = await wire.read_events(topics.TRIAGE_EVENTS)
        return events if len(events) >= count else None

    events = await wait_for(enough)
    assert events is not None
    assert len(events) == count, [(kind, key) for kind, key, _ in events]
    return events


def of(events: Told, case: str) -> list[str]:
    return [kind for kind, key, _ in events if key == case]


async def news(wire: TopicClient, event: CaseEvent) -> None:
    await wire.send(topics.CASE_EVENTS, event.case, encode_event(event), cloud_event_headers(event.type, "sla"))


async def test_a_registration_is_classified_with_all_that_sla_needs_and_routed(triage: Service, wire: TopicClient) -> None:
    assert triage
    await send_registration(wire, "a", text="电梯坏了", facts={"media": True}, contact="k1.sealed")
    (first, _, classified), (second, _, routed) = await told(wire, 2)
    assert (first, second) == ("classified", "routed")
    assert (classified["class"], classified["rule"], classified["clause"]) == ("urgent", "media", "4.1")
    assert classified["registered"]["complaint"]["contact"] == "k1.sealed"
    assert (routed["department"], routed["rule"], routed["by"]) == ("engineering", "subject lift", "triage")
    assert classified["at"] == classified["registered"]["at"] < classified["recorded_at"]
    assert [dict(r.headers)["ce_sequence"] for r in await wire.read_records(topics.TRIAGE_EVENTS)] == [b"1", b"2"]


async def test_the_same_registration_under_another_id_changes_nothing(triage: Service, wire: TopicClient) -> None:
    assert triage
    for _ in range(3):
        await send_registration(wire, "a")
    await send_registration(wire, "b")
    events = await told(wire, 4)
    assert of(events, "a") == ["classified", "route_proposed"]


async def test_a_group_reaches_back_across_batches(triage: Service, wire: TopicClient) -> None:
    assert triage
    for place, case in enumerate(("a", "b")):
        await send_registration(wire, case, place, facts={"policy": "5G"})
        await told(wire, 2 * (place + 1))
    await send_registration(wire, "c", 2, facts={"policy": "5G"})
    await send_registration(wire, "x", 3, facts={"policy": ""})
    events = await told(wire, 15)
    assert of(events, "a") == of(events, "b") == ["classified", "route_proposed", "linked", "reclassified"]
    assert of(events, "c") == ["classified", "route_proposed", "group_found", "linked", "reclassified"]
    [found] = [body for kind, _, body in events if kind == "group_found"]
    assert (found["members"], found["count"], found["clause"]) == (["a", "b", "c"], 3, "5.1")
    [change] = [body for kind, key, body in events if kind == "reclassified" and key == "a"]
    assert (change["from_class"], change["class"], change["rule"]) == ("ordinary", "batch", "mass")
    await send_registration(wire, "d", 500, facts={"policy": "5G"})
    later = await told(wire, 19)
    assert of(later, "d") == ["classified", "route_proposed", "linked", "reclassified"]


async def test_a_window_counts_only_what_lies_close(triage: Service, wire: TopicClient) -> None:
    assert triage
    for place, minutes in enumerate((0, 40, 45, 50)):
        await send_registration(wire, f"w{place}", minutes, facts={"fault_kind": "no signal"})
    await told(wire, 8)
    await send_registration(wire, "w4", 69, facts={"fault_kind": "no signal"})
    events = await told(wire, 8 + 2 + 1 + 4 * 2)
    [found] = [body for kind, _, body in events if kind == "group_found"]
    assert found["members"] == ["w1", "w2", "w3", "w4"]
    assert of(events, "w0") == ["classified", "route_proposed"]


async def test_news_from_sla_changes_what_triage_decides(triage: Service, wire: TopicClient) -> None:
    assert triage
    await send_registration(wire, "a", facts={"policy": "x"})
    await send_registration(wire, "b", facts={"policy": "x"})
    await told(wire, 4)
    await news(wire, Amended(case="a", at=START, role="handler", facts={"media": True}))
    events = await told(wire, 5)
    assert of(events, "a")[2:] == ["reclassified"]
    await news(wire, Reclassified(case="b", at=START, role="handler", class_="urgent"))
    await news(wire, registered_event("a"))
    await send_registration(wire, "c", facts={"policy": "x"})

    async def joined() -> bool:
        return "linked" in of(await wire.read_events(topics.TRIAGE_EVENTS), "c")

    await wait_for(joined)
    final = await wire.read_events(topics.TRIAGE_EVENTS)
    assert of(final, "a") == ["classified", "route_proposed", "reclassified", "linked"]
    assert of(final, "b") == ["classified", "route_proposed", "linked"]


async def test_what_cannot_be_decided_is_a_dead_letter_and_the_rest_goes_on(triage: Service, wire: TopicClient) -> None:
    await wire.send(topics.COMPLAINT_EVENTS, "bad", b"{", cloud_event_headers("registered", "intake"))
    other = orjson.loads(encode_event(registered_event("moon"))) | {"procedure": "moon", "version": 1}
    await wire.send(topics.COMPLAINT_EVENTS, "moon", other, cloud_event_headers("registered", "intake"))
    await send_registration(wire, "good")
    await told(wire, 2)

    async def letters() -> Any:
        async with triage.database.transaction() as tx:
            return await tx.fetch("SELECT key, reason FROM dead_letter ORDER BY id")

    found = await wait_for(letters)
    assert sorted(row["key"] for row in found) == ["bad", "moon"]


async def test_a_decision_can_be_looked_up_with_a_persons_token(triage: Service, wire: TopicClient) -> None:
    await send_registration(wire, "a", facts={"policy": "x", "media": True})
    await told(wire, 2)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{triage.http_port}") as client:
        refused = await client.get("/v1/decisions/a")
        assert (refused.status_code, refused.headers["content-type"]) == (401, "application/problem+json")
        auth = {"Authorization": "Bearer li-token"}
        answer = (await client.get("/v1/decisions/a", headers=auth)).json()
        assert (await client.get("/v1/decisions/b", headers=auth)).status_code == 404
        metrics = (await client.get("/metrics")).text
    assert (answer["held"], answer["counts"]) == (
        {"class_": "urgent", "rule": "media"},
        [{"count": "same_policy", "key": "x", "group": ""}],
    )
    assert 'jiesu_triage_classified_total{class="urgent",procedure="shop"}' in metrics


async def test_what_a_stopped_process_left_is_taken_up_by_the_next(settings: TriageSettings, wire: TopicClient) -> None:
    async with build(settings).running():
        await send_registration(wire, "a", facts={"policy": "x"})
        await told(wire, 2)
    for case in "bc":
        await send_registration(wire, case, facts={"policy": "x"})
    async with build(settings).running() as service:
        events = await told(wire, 2 * 3 + 1 + 2 * 3)
        async with service.database.transaction() as tx:
            held = await tx.fetch("SELECT case_id, held_class, sequence FROM known ORDER BY case_id")
    assert [(r["case_id"], r["held_class"]) for r in held] == [("a", "batch"), ("b", "batch"), ("c", "batch")]
    assert {r["sequence"] for r in held} == {4, 5}
    assert len({(kind, key) for kind, key, _ in events}) == len(events)


async def test_groups_in_tables_equal_groups_in_memory(triage: Service, wire: TopicClient, settings: TriageSettings) -> None:
    chance = random.Random(7)
    facts = [{"policy": chance.choice(("", "a", "b")), "fault_kind": chance.choice(("", "f", "g"))} for _ in range(120)]
    events = [registered_event(f"case-{index}", chance.uniform(0, 600), facts=fact) for index, fact in enumerate(facts)]
    registry = ProcedureRegistry(load_organisation(settings.organisation), settings.organisation.parent)
    state = TriageState()
    for event in events:
        rules = registry.rules(event.procedure, event.version, {})
        state.add_case(event, rules, TriageContext(event.at, registry.zone(rules.procedure)))
    chance.shuffle(events)
    for event in events:
        await wire.send(topics.COMPLAINT_EVENTS, event.case, encode_event(event), cloud_event_headers("registered", "intake"))

    async def all_registered() -> bool:
        async with triage.database.transaction() as tx:
            return bool(await tx.fetchval("SELECT count(*) = 120 FROM known"))

    await wait_for(all_registered)
    async with triage.database.transaction() as tx:
        occurrences = await tx.fetch("SELECT count, key, case_id, group_id <> '' AS grouped FROM mark")
        classes = {row["case_id"]: row["held_class"] for row in await tx.fetch("SELECT case_id, held_class FROM known")}
    expected = {(key.count, key.key, o.case, bool(o.group)) for key, counter in state.counters.items() for o in counter.occurrences}
    assert {(row["count"], row["key"], row["case_id"], row["grouped"]) for row in occurrences} == expected
    assert classes == {case: triage_case.effective.class_ for case, triage_case in state.cases.items()}
