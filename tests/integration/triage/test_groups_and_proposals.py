"""A group has a page of its own, and a proposed link shows its reason and both complaints side by side; each to whom it concerns."""

from __future__ import annotations

from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.triage.application.cursors import PagePositionError, decode_cursor
from services.triage.bootstrap import build
from services.triage.config import TriageSettings
from shared.contracts import topics
from shared.contracts.events.base import CaseEvent
from shared.contracts.events.from_work_to_closing import Linked, Unlinked, Withdrawn
from shared.contracts.events.triage import Routed
from shared.contracts.events.up_to_approval import Amended
from shared.runtime.database.database import Transaction
from shared.runtime.service import Service
from tests.integration.triage.conftest import START, registration
from tests.support.messaging.cloud_events import case_event
from tests.support.messaging.sample_organisation import PROCEDURE, write_organisation
from tests.support.messaging.topic_client import TopicClient
from tests.support.waiting import wait_for

PEOPLE = {"li": None, "wang": "engineering", "qian": "gardens"}


@pytest.fixture
async def triage(settings: TriageSettings) -> AsyncIterator[Service]:
    people = [
        {"id": name, "roles": ["handler"], "department": department, "token_sha256": sha256(name.encode()).hexdigest()}
        for name, department in PEOPLE.items()
    ]
    departments = [{"id": name} for name in ("engineering", "gardens", "unassigned")]
    write_organisation(settings.organisation.parent, people=people, departments=departments)
    async with build(settings).running() as service:
        yield service


@pytest.fixture
async def client(triage: Service) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{triage.http_port}") as client:
        yield client


async def get(client: httpx.AsyncClient, path: str, person: str, **parameters: Any) -> httpx.Response:
    return await client.get(path, headers={"Authorization": f"Bearer {person}"}, params=parameters)


class Sla:
    """Sends registrations, and events as sla publishes them, and waits until triage has read them."""

    def __init__(self, topic_client: TopicClient, service: Service) -> None:
        self.topic_client, self.service = topic_client, service
        self.sent = 0

    async def send(self, topic: Any, event: CaseEvent, source: str) -> None:
        await self.topic_client.publish(case_event(topic, event, source))
        self.sent += 1
        await wait_for(self.is_read)

    async def is_read(self) -> bool:
        async with self.service.database.transaction() as tx:
            return bool(await count_rows(tx, "inbox") >= self.sent)

    async def register(self, case: str, minutes: float = 0, keys: tuple[str, ...] = (), **fields: Any) -> None:
        event = registration(case, minutes, **fields).model_copy(update={"complainant_keys": list(keys)})
        await self.send(topics.COMPLAINT_EVENTS, event, "intake")

    async def report(self, event: CaseEvent) -> None:
        await self.send(topics.CASE_EVENTS, event, "sla")


async def count_rows(tx: Transaction, table: str) -> int:
    return int(await tx.fetchval(f"SELECT count(*) FROM {table}"))


@pytest.fixture
def sla(topic_client: TopicClient, triage: Service) -> Sla:
    return Sla(topic_client, triage)


async def test_group_page_has_its_one_alarm_its_members_by_pages_and_its_history(sla: Sla, client: httpx.AsyncClient) -> None:
    for index, case in enumerate("abcde"):
        await sla.register(case, index, facts={"policy": "5G"})
    first = (await get(client, "/v1/groups/same_policy/c", "li", limit=2)).json()
    assert first["alarm"] == {"at": "2026-09-24T16:02:00+08:00", "case": "c", "size": 3}
    assert (first["size"], first["key"], first["clause"], first["dissolved_at"]) == (5, "5G", "5.1", None)
    assert [(m["case"], m["class"], m["reclassified"], m["linked_as"]) for m in first["members"]] == [
        ("a", "batch", True, "group"),
        ("b", "batch", True, "group"),
    ]
    second = (await get(client, "/v1/groups/same_policy/c", "li", limit=2, cursor=first["next_cursor"])).json()
    third = (await get(client, "/v1/groups/same_policy/c", "li", limit=2, cursor=second["next_cursor"])).json()
    assert [m["case"] for page in (second, third) for m in page["members"]] == ["c", "d", "e"]
    assert third["next_cursor"] is None
    events = [(entry["event"], entry["case"]) for entry in reversed(first["history"])]
    assert events[0] == ("group_found", "c")
    assert sorted(events[1:4]) == [("linked", case) for case in "abc"]
    assert events[4:] == [("linked", "d"), ("linked", "e")]
    for case in "abc":
        await sla.report(Amended(case=case, at=START, role="handler", facts={"policy": ""}))
    dissolved = (await get(client, "/v1/groups/same_policy/c", "li")).json()
    assert (dissolved["size"], dissolved["members"], dissolved["dissolved_at"] is not None) == (0, [], True)
    assert [entry["event"] for entry in dissolved["history"]].count("group_dissolved") == 1
    older = (await get(client, "/v1/groups/same_policy/c", "li", history_before=2)).json()
    assert [entry["event"] for entry in older["history"]] == ["group_found"]


async def test_group_is_shown_to_whom_one_of_its_cases_concerns(sla: Sla, client: httpx.AsyncClient) -> None:
    await sla.register("a", 0, facts={"policy": "5G"}, text="电梯坏了")
    await sla.register("b", 1, facts={"policy": "5G"}, text="电梯坏了", against=["wang"])
    await sla.register("c", 2, facts={"policy": "5G"}, text="电梯坏了")
    page = (await get(client, "/v1/groups/same_policy/c", "wang")).json()
    assert [member["case"] for member in page["members"]] == ["a", "c"], "whom b accuses does not see it"
    assert {entry["case"] for entry in page["history"]} == {"a", "c"}
    assert (await get(client, "/v1/groups/same_policy/c", "qian")).status_code == 404
    assert (await get(client, "/v1/groups/same_policy/x", "li")).json()["type"] == "urn:jiesu:problem:unknown_group"
    assert (await client.get("/v1/groups/same_policy/c")).status_code == 401
    assert (await get(client, "/v1/groups/same_policy/c", "li", cursor="x")).status_code == 422
    await sla.report(Routed(case="c", at=START, role="handler", department="gardens"))
    assert [member["case"] for member in (await get(client, "/v1/groups/same_policy/c", "qian")).json()["members"]] == ["c"]


async def test_proposal_shows_the_reason_and_both_texts_until_a_person_decides(sla: Sla, client: httpx.AsyncClient) -> None:
    await sla.register("a", 0, ("phone:1",), text="电梯坏了", object="3号楼")
    await sla.register("b", 9, ("phone:1",), text="电梯还没有修好", object="3号楼")
    await sla.register("c", 10, ("phone:1",), text="电梯第三天了", object="3号楼")
    page = (await get(client, "/v1/proposals", "wang")).json()
    assert [(p["case"], p["to_case"], p["as"], p["decision"]) for p in page["proposals"]] == [
        ("c", "b", "duplicate", ""),
        ("b", "a", "duplicate", ""),
    ]
    proposal = page["proposals"][1]
    assert proposal["reason"] == {"procedure": PROCEDURE["id"], "clause": "", "person": "same", "same": ["object"]}
    assert [(side["case"], side["text"]) for side in proposal["sides"]] == [("b", "电梯还没有修好"), ("a", "电梯坏了")]
    last = await get(
        client, "/v1/proposals", "wang", limit=1, cursor=(await get(client, "/v1/proposals", "wang", limit=1)).json()["next_cursor"]
    )
    assert [p["case"] for p in last.json()["proposals"]] == ["b"]
    assert (await get(client, "/v1/proposals", "qian")).json() == {"proposals": [], "next_cursor": None}
    link = {"at": START, "role": "handler", "actor": "li", "to_case": "a", "as": "duplicate"}
    await sla.report(Linked.model_validate({"case": "b", **link}))
    await sla.report(Withdrawn(case="c", at=START))
    assert (await get(client, "/v1/proposals", "li")).json()["proposals"] == []
    decided = (await get(client, "/v1/proposals", "li", state="decided")).json()["proposals"]
    assert [(p["case"], p["decision"]) for p in decided] == [("b", "duplicate")]
    await sla.report(Unlinked.model_validate({"case": "b", **link}))
    decided = (await get(client, "/v1/proposals", "li", state="decided")).json()["proposals"]
    assert [(p["case"], p["decision"]) for p in decided] == [("b", "unlinked")]
    assert (await get(client, "/v1/proposals", "li")).json()["proposals"] == [], "what a person has decided is not proposed again"


@given(text=st.one_of(st.text(), st.from_regex(r"[A-Za-z0-9_-]{0,40}", fullmatch=True)))
def test_a_forged_cursor_is_an_error_of_its_own(text: str) -> None:
    with pytest.raises(PagePositionError):
        decode_cursor(text, 7)
