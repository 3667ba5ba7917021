"""Triage as a service: published decisions, groups across batches, events from sla, dead letters, restart."""

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
from shared.contracts.events.triage import Reclassified
from shared.contracts.events.up_to_approval import Amended
from shared.procedures.loading.loader import load_organisation
from shared.runtime.service import Service
from tests.integration.triage.conftest import START, registration, send_registration
from tests.support.messaging.cloud_events import case_event, cloud_event
from tests.support.messaging.topic_client import TopicClient
from tests.support.waiting import wait_for

PublishedEvents = list[tuple[str, str, dict[str, Any]]]
"""Type, key and body of each event."""


async def wait_events(topic_client: TopicClient, count: int) -> PublishedEvents:
    """The events on triage's topic, once there are that many."""

    async def enough_events() -> PublishedEvents | None:
        events = await topic_client.read_events(topics.TRIAGE_EVENTS)
        return events if len(events) >= count else None

    events = await wait_for(enough_events)
    assert events is not None
    assert len(events) == count, [(event_type, key) for event_type, key, _ in events]
    return events


def types_of(events: PublishedEvents, case: str) -> list[str]:
    return [event_type for event_type, key, _ in events if key == case]


async def send_case_event(topic_client: TopicClient, event: CaseEvent) -> None:
    """Publish an event of a case as sla does."""
    await topic_client.publish(case_event(topics.CASE_EVENTS, event, "sla"))


async def test_registration_is_classified_and_routed(triage: Service, topic_client: TopicClient) -> None:
    assert triage
    await send_registration(topic_client, "a", text="电梯坏了", facts={"media": True}, contact="k1.sealed")
    (first, _, classified), (second, _, routed) = await wait_events(topic_client, 2)
    assert (first, second) == ("classified", "routed")
    assert (classified["class"], classified["rule"], classified["clause"]) == ("urgent", "media", "4.1")
    assert classified["registered"]["complaint"]["contact"] == "k1.sealed"
    assert (routed["department"], routed["rule"], routed["by"]) == ("engineering", "subject lift", "triage")
    assert classified["at"] == classified["registered"]["at"] < classified["recorded_at"]
    assert [dict(r.headers)["ce_sequence"] for r in await topic_client.read_records(topics.TRIAGE_EVENTS)] == [b"1", b"2"]


async def test_registration_published_again_under_another_id_changes_nothing(triage: Service, topic_client: TopicClient) -> None:
    assert triage
    for _ in range(3):
        await send_registration(topic_client, "a")
    await send_registration(topic_client, "b")
    events = await wait_events(topic_client, 4)
    assert types_of(events, "a") == ["classified", "route_proposed"]


async def test_group_changes_cases_of_earlier_batches(triage: Service, topic_client: TopicClient) -> None:
    assert triage
    for index, case in enumerate(("a", "b")):
        await send_registration(topic_client, case, index, facts={"policy": "5G"})
        await wait_events(topic_client, 2 * (index + 1))
    await send_registration(topic_client, "c", 2, facts={"policy": "5G"})
    await send_registration(topic_client, "x", 3, facts={"policy": ""})
    events = await wait_events(topic_client, 15)
    assert types_of(events, "a") == types_of(events, "b") == ["classified", "route_proposed", "linked", "reclassified"]
    assert types_of(events, "c") == ["classified", "route_proposed", "group_found", "linked", "reclassified"]
    [group] = [body for event_type, _, body in events if event_type == "group_found"]
    assert (group["members"], group["count"], group["clause"]) == (["a", "b", "c"], 3, "5.1")
    [reclassified] = [body for event_type, key, body in events if event_type == "reclassified" and key == "a"]
    assert (reclassified["from_class"], reclassified["class"], reclassified["rule"]) == ("ordinary", "batch", "mass")
    await send_registration(topic_client, "d", 500, facts={"policy": "5G"})
    later = await wait_events(topic_client, 19)
    assert types_of(later, "d") == ["classified", "route_proposed", "linked", "reclassified"]


async def test_window_excludes_distant_cases(triage: Service, topic_client: TopicClient) -> None:
    assert triage
    for index, minutes in enumerate((0, 40, 45, 50)):
        await send_registration(topic_client, f"w{index}", minutes, facts={"fault_kind": "no signal"})
    await wait_events(topic_client, 8)
    await send_registration(topic_client, "w4", 69, facts={"fault_kind": "no signal"})
    events = await wait_events(topic_client, 8 + 2 + 1 + 4 * 2)
    [group] = [body for event_type, _, body in events if event_type == "group_found"]
    assert group["members"] == ["w1", "w2", "w3", "w4"]
    assert types_of(events, "w0") == ["classified", "route_proposed"]


async def test_events_from_sla_change_later_decisions(triage: Service, topic_client: TopicClient) -> None:
    assert triage
    await send_registration(topic_client, "a", facts={"policy": "x"})
    await send_registration(topic_client, "b", facts={"policy": "x"})
    await wait_events(topic_client, 4)
    await send_case_event(topic_client, Amended(case="a", at=START, role="handler", facts={"media": True}))
    events = await wait_events(topic_client, 5)
    assert types_of(events, "a")[2:] == ["reclassified"]
    await send_case_event(topic_client, Reclassified(case="b", at=START, role="handler", class_="urgent"))
    await send_case_event(topic_client, registration("a"))
    await send_registration(topic_client, "c", facts={"policy": "x"})

    async def c_is_linked() -> bool:
        return "linked" in types_of(await topic_client.read_events(topics.TRIAGE_EVENTS), "c")

    await wait_for(c_is_linked)
    final = await topic_client.read_events(topics.TRIAGE_EVENTS)
    assert types_of(final, "a") == ["classified", "route_proposed", "reclassified", "linked"]
    assert types_of(final, "b") == ["classified", "route_proposed", "linked"]


async def test_undecidable_record_is_a_dead_letter_and_others_are_decided(triage: Service, topic_client: TopicClient) -> None:
    await topic_client.publish(cloud_event(topics.COMPLAINT_EVENTS, "bad", "registered", b"{", "intake"))
    unknown_procedure = orjson.loads(encode_event(registration("moon"))) | {"procedure": "moon", "version": 1}
    await topic_client.publish(cloud_event(topics.COMPLAINT_EVENTS, "moon", "registered", unknown_procedure, "intake"))
    await send_registration(topic_client, "good")
    await wait_events(topic_client, 2)

    async def dead_letters() -> Any:
        async with triage.database.transaction() as tx:
            return await tx.fetch("SELECT key, reason FROM dead_letter ORDER BY id")

    letters = await wait_for(dead_letters)
    assert sorted(row["key"] for row in letters) == ["bad", "moon"]


async def test_decision_can_be_read_with_a_person_token(triage: Service, topic_client: TopicClient) -> None:
    await send_registration(topic_client, "a", facts={"policy": "x", "media": True})
    await wait_events(topic_client, 2)
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


async def test_restarted_process_continues_with_stored_state(settings: TriageSettings, topic_client: TopicClient) -> None:
    async with build(settings).running():
        await send_registration(topic_client, "a", facts={"policy": "x"})
        await wait_events(topic_client, 2)
    for case in "bc":
        await send_registration(topic_client, case, facts={"policy": "x"})
    async with build(settings).running() as service:
        events = await wait_events(topic_client, 2 * 3 + 1 + 2 * 3)
        async with service.database.transaction() as tx:
            rows = await tx.fetch("SELECT case_id, held_class, sequence FROM known ORDER BY case_id")
    assert [(row["case_id"], row["held_class"]) for row in rows] == [("a", "batch"), ("b", "batch"), ("c", "batch")]
    assert {row["sequence"] for row in rows} == {4, 5}
    assert len({(event_type, key) for event_type, key, _ in events}) == len(events)


async def test_groups_in_tables_equal_groups_in_memory(triage: Service, topic_client: TopicClient, settings: TriageSettings) -> None:
    chance = random.Random(7)
    facts = [{"policy": chance.choice(("", "a", "b")), "fault_kind": chance.choice(("", "f", "g"))} for _ in range(120)]
    events = [registration(f"case-{index}", chance.uniform(0, 600), facts=fact) for index, fact in enumerate(facts)]
    registry = ProcedureRegistry(load_organisation(settings.organisation), settings.organisation.parent)
    state = TriageState()
    for event in events:
        rules = registry.rules(event.procedure, event.version, {})
        state.add_case(event, rules, TriageContext(event.at, registry.zone(rules.procedure)))
    chance.shuffle(events)
    for event in events:
        await topic_client.publish(case_event(topics.COMPLAINT_EVENTS, event, "intake"))

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
