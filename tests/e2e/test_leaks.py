"""An anonymous and a confidential complaint go through all services; whoever must not know of them finds nothing of them anywhere."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from cli.stack.stack import Stack, recreate_database, running_stack
from deploy.embedded import EmbeddedServers
from shared.contracts.topics import TOPICS, department_topic
from shared.runtime.process.settings import RuntimeSettings
from tests.support.leaks import Marks, database_texts, file_texts, find_leaks, topic_texts
from tests.support.messaging.sample_organisation import write_yaml
from tests.support.messaging.topic_client import open_topic_client
from tests.support.servers.topics import fresh_prefix
from tests.support.waiting import wait_for

# Nothing of a contact may be readable outside the sealed field: the phone in the forms in which it could be written down.
CONTACT = Marks(
    "contact",
    ("欧阳守密", "15912345987", "159 1234 5987", "leak-mark@private.example", "11010519491231002X"),
)
WORDS = Marks("words", ("暗记甲七三一", "暗记乙八四二"))
ACCUSED, REPORTS_TO_ACCUSED, STRANGER, INVESTIGATOR, MANAGER = "qian-li", "zhao-wu", "sun-qi", "li-ren", "zhou-ba"
OUTSIDERS = (ACCUSED, REPORTS_TO_ACCUSED, STRANGER)
PHONES = {
    ACCUSED: "13800000001",
    REPORTS_TO_ACCUSED: "13800000002",
    STRANGER: "13800000003",
    INVESTIGATOR: "13800000004",
    MANAGER: "13800000005",
}
DEPARTMENTS = ("hr", "office", "sales", "engineering", "unassigned")
API_KEY = "leak-test-key"
LIMITS = {
    "customer_4": "5wd",
    "time_customer_1": "2wd",
    "time_customer_2_progress": "3wd",
    "time_customer_2_done": "10wd",
    "time_customer_3_interim": "4h",
    "time_customer_3_solved": "3wd",
    "time_employee_1": "5wd",
    "time_employee_2_progress": "5wd",
    "time_employee_2_done": "15wd",
    "follow_up_2": "3wd",
}
STEPS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("assign", {"person": INVESTIGATOR, "role": "hr"}),
    ("sign", {}),
    ("contact", {"text": "暗记甲七三一"}),
    ("survey", {"text": "暗记甲七三一"}),
    ("report_progress", {"text": "暗记甲七三一", "to": "complainant"}),
    ("answer", {"text": "已收到，正在核实。"}),
    ("object", {"text": "暗记甲七三一"}),
    ("request_extension", {"clock": "employee_answer", "reason": "暗记甲七三一"}),
    ("submit_measures", {"text": "暗记甲七三一"}),
    ("handle", {"text": "暗记甲七三一"}),
    ("call_back", {"outcome": "satisfied"}),
    ("follow_up", {"text": "暗记甲七三一"}),
    ("close", {"reason": "已办结"}),
    ("reopen", {"reason": "暗记甲七三一"}),
    ("evaluate", {"text": "暗记甲七三一"}),
)
"""What the investigator does; a refusal carries the text through the ledger as well."""


@pytest.mark.timeout(300)
def test_nobody_outside_a_case_finds_its_contact_data_or_words(servers: EmbeddedServers, tmp_path: Path) -> None:
    environment = {
        **servers.environment,
        "DATABASE_URL": recreate_database(servers.database_url, "leaks"),
        "JIESU_TOPIC_PREFIX": fresh_prefix(),
        "JIESU_LOG_LEVEL": "DEBUG",
    }
    with running_stack(tmp_path / "stack", environment, write_organisation(tmp_path)) as stack:
        asyncio.run(_run(stack))


async def _run(stack: Stack) -> None:
    async with httpx.AsyncClient(timeout=30) as http:
        anonymous = await _submit(stack, http, "1", kind="employee", anonymous=True, text="钱利克扣工资，暗记甲七三一。")
        named = await _submit(stack, http, "2", kind="customer", anonymous=False, text="销售人员钱利态度恶劣，暗记乙八四二。")
        cases = {"anonymous": anonymous["case"], "named": named["case"]}
        await wait_for(lambda: _is_open(stack, http, cases), deadline=120, what="both cases are open", pause=0.2)
        # Until it has a department, everybody in the organisation may read a case.
        await wait_for(lambda: _is_routed(stack, http, cases["named"]), deadline=60, what="the case is with sales", pause=0.2)
        await _take_all_steps(stack, http, cases["anonymous"])
        await _act_as_complainant(stack, http, anonymous["follow_code"])
        await _send_what_is_refused(stack, http, cases["anonymous"])
        await wait_for(lambda: _everything_is_sent(stack), deadline=120, what="every message is sent", pause=0.2)

        leaks = await _leaks(stack, http, cases)
        assert not leaks, leaks
        # The search can fail: the same marks, planted where a leak would show.
        log = stack.root / "logs/notify.log"
        with log.open("a", encoding="utf-8") as lines:
            lines.write("sent to +8615912345987\n")
        await _plant_record(stack, cases["anonymous"])
        assert await _leaks(stack, http, cases) == [
            ("contact", "log notify"),
            ("contact", "topic department-sales"),
            ("words", "topic department-sales"),
            ("case", "topic department-sales"),
        ]


async def _submit(stack: Stack, http: httpx.AsyncClient, reference: str, *, kind: str, anonymous: bool, text: str) -> dict[str, Any]:
    name, phone, _, email, id_number = CONTACT.texts
    body = {
        "external_id": reference,
        "received_at": (datetime.now(UTC) - timedelta(minutes=1)).isoformat(),
        "channel": "letter",
        "title": "反映钱利的问题",
        "text": text,
        "product": "门店服务",
        "against": [ACCUSED],
        "complainant": {"kind": kind, "anonymous": anonymous, "name": name, "phone": phone, "email": email, "id_number": id_number},
    }
    answer = await http.post(f"{stack.url('intake')}/v1/complaints", json=body, headers=_bearer(API_KEY))
    assert answer.status_code == 202, answer.text
    document: dict[str, Any] = answer.json()
    return document


async def _is_open(stack: Stack, http: httpx.AsyncClient, cases: Mapping[str, str]) -> bool:
    answers = [await _get(stack, http, "sla", f"/v1/cases/{case}", MANAGER) for case in cases.values()]
    return all(answer.is_success for answer in answers)


async def _is_routed(stack: Stack, http: httpx.AsyncClient, case: str) -> bool:
    return bool((await _get(stack, http, "sla", f"/v1/cases/{case}", MANAGER)).json().get("department") == "sales")


async def _take_all_steps(stack: Stack, http: httpx.AsyncClient, case: str) -> None:
    statuses = [await _take_step(stack, http, case, action, data) for action, data in STEPS]
    assert set(statuses) <= {200, 202, 409}, statuses
    assert len([status for status in statuses if status != 409]) > len(STEPS) // 2, statuses


async def _take_step(stack: Stack, http: httpx.AsyncClient, case: str, action: str, data: dict[str, Any]) -> int:
    body = {"action": action, "role": "hr", "data": data}
    answer = await http.post(f"{stack.url('sla')}/v1/cases/{case}/actions", json=body, headers=_bearer(f"token-{INVESTIGATOR}"))
    return answer.status_code


async def _act_as_complainant(stack: Stack, http: httpx.AsyncClient, code: str) -> None:
    for action, data in (("urge", {"text": "暗记甲七三一"}), ("supplement", {"text": "补充：暗记甲七三一"}), ("rate", {"score": 5})):
        answer = await http.post(f"{stack.url('sla')}/v1/follow/{code}", json={"action": action, "data": data})
        assert answer.status_code < 500, answer.text
    assert (await http.get(f"{stack.url('sla')}/f/{code}")).is_success, "he reads his answer"


async def _send_what_is_refused(stack: Stack, http: httpx.AsyncClient, case: str) -> None:
    """The accused acts on the case, somebody guesses a code, and a source sends what cannot be read: errors name no value."""
    body = {"action": "answer", "role": "handler", "data": {"text": "我是钱利"}}
    answer = await http.post(f"{stack.url('sla')}/v1/cases/{case}/actions", json=body, headers=_bearer(f"token-{ACCUSED}"))
    assert answer.status_code == 404
    assert (await http.get(f"{stack.url('sla')}/v1/follow/0000-0000-0000-0000")).status_code == 404
    unreadable = {"received_at": CONTACT.texts[1], "text": WORDS.texts[0], "complainant": {"phone": CONTACT.texts[1]}}
    answer = await http.post(f"{stack.url('intake')}/v1/complaints", json=unreadable, headers=_bearer(API_KEY))
    assert answer.is_client_error
    assert not CONTACT.found_in(answer.text)


async def _everything_is_sent(stack: Stack) -> bool:
    queues = [("intake", "outbox"), ("triage", "outbox"), ("sla", "outbox"), ("notify", "outbox")]
    rows = [text async for _, text in database_texts(stack.environment["DATABASE_URL"], queues)]
    return not rows


async def _leaks(stack: Stack, http: httpx.AsyncClient, cases: Mapping[str, str]) -> list[tuple[str, str]]:
    """Every kind of mark with the place where it must not be found and was."""
    settings = RuntimeSettings(
        environment="test",
        kafka_bootstrap_servers=stack.environment["KAFKA_BOOTSTRAP_SERVERS"],
        topic_prefix=stack.environment["JIESU_TOPIC_PREFIX"],
    )
    departments = [department_topic(department) for department in DEPARTMENTS]
    topics = [item async for item in topic_texts(settings, [*TOPICS.values(), *departments])]
    logs = list(file_texts("log", stack.root / "logs", "*.log"))
    metrics = [(f"metrics {name}", (await http.get(f"{stack.url(name)}/metrics")).text) for name in ("intake", "triage", "sla", "notify")]
    tables = [item async for item in database_texts(stack.environment["DATABASE_URL"])]
    pages = [item async for item in _pages(stack, http, cases)]
    outside = [(place, text) for place, text in topics if place in ("topic department-sales", "topic department-engineering")]
    to_organisation = [(f"message to {to}", text) for to, text in _messages(stack) if not CONTACT.found_in(to)]
    to_outsiders = [(place, text) for place, text in to_organisation if any(address in place for address in _addresses(OUTSIDERS))]
    # The case of human resources concerns nobody else; the one of sales is on the topic of sales, without contact data.
    return [
        *find_leaks(CONTACT, [*topics, *logs, *metrics, *to_organisation, *tables, *pages]),
        *find_leaks(WORDS, [*logs, *metrics, *to_outsiders, *pages]),
        *find_leaks(Marks("words", WORDS.texts[:1]), outside),
        *find_leaks(Marks("case", (cases["anonymous"],)), [*pages, *outside]),
        *find_leaks(Marks("case", (cases["named"],)), pages),
    ]


def _messages(stack: Stack) -> Iterator[tuple[str, str]]:
    """Recipient and whole text of every message that notify sent."""
    for file in sorted((stack.root / "sinks").glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            message = orjson.loads(line)
            yield str(message["to"]), str(message)


def _addresses(people: Sequence[str]) -> list[str]:
    return [address for id_ in people for address in (f"{id_}@org.example", PHONES[id_])]


async def _pages(stack: Stack, http: httpx.AsyncClient, cases: Mapping[str, str]) -> AsyncIterator[tuple[str, str]]:
    """Everything that the accused, those who report to him and strangers can ask for, by HTTP of every service."""
    for person in OUTSIDERS:
        paths = [
            ("sla", path) for path in ("/v1/cases", "/v1/reviews", "/v1/reports/grievance-system", "/v1/improvements/grievance-system")
        ]
        paths += [("triage", "/v1/proposals")]
        for case in cases.values():
            paths += [("sla", f"/v1/cases/{case}{part}") for part in ("", "/clocks", "/clocks/employee_answer", "/forms/registration")]
            paths += [("triage", f"/v1/decisions/{case}"), ("triage", f"/v1/groups/{case}"), ("sla", f"/f/{case}")]
        for service, path in paths:
            answer = await _get(stack, http, service, path, person)
            text = answer.text
            for case in cases.values():
                # A problem document repeats the path that was asked for.
                text = text.replace(path, "") if case in path else text
            yield f"page {path.partition('?')[0]} of {person}", text


async def _plant_record(stack: Stack, case: str) -> None:
    settings = RuntimeSettings(
        environment="test",
        kafka_bootstrap_servers=stack.environment["KAFKA_BOOTSTRAP_SERVERS"],
        topic_prefix=stack.environment["JIESU_TOPIC_PREFIX"],
    )
    async with open_topic_client(settings) as client:
        # Escaped as some JSON writers do.
        body = b'{"text": "\\u6697\\u8bb0\\u7532\\u4e03\\u4e09\\u4e00", "phone": "15912345987"}'
        await client.send("department-sales", case.encode(), body, [])


async def _get(stack: Stack, http: httpx.AsyncClient, service: str, path: str, person: str) -> httpx.Response:
    return await http.get(f"{stack.url(service)}{path}", headers=_bearer(f"token-{person}"))


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def write_organisation(folder: Path) -> Path:
    """Human resources investigate; the accused heads sales, one person reports to him, one is a stranger to both."""

    def person(id_: str, name: str, department: str, *roles: str) -> dict[str, Any]:
        contact = {"email": f"{id_}@org.example", "phone": PHONES[id_]}
        return {"id": id_, "name": name, "department": department, "roles": list(roles), "token_sha256": _sha(f"token-{id_}"), **contact}

    return write_yaml(
        folder / "organisation.yaml",
        {
            "id": "leaks",
            "departments": [
                {"id": "office", "head": MANAGER},
                {"id": "hr", "head": INVESTIGATOR, "parent": "office"},
                {"id": "sales", "head": ACCUSED, "parent": "office"},
                {"id": "engineering", "head": STRANGER, "parent": "office"},
                {"id": "unassigned", "head": INVESTIGATOR, "parent": "office"},
            ],
            "people": [
                person(MANAGER, "周八", "office", "manager"),
                person(INVESTIGATOR, "李仁", "hr", "hr", "administration", "customer_service"),
                person(ACCUSED, "钱利", "sales", "department_head", "handler"),
                person(REPORTS_TO_ACCUSED, "赵五", "sales", "handler", "co_handler"),
                person(STRANGER, "孙七", "engineering", "handler"),
            ],
            "line": {"department_head": "manager", "customer_service": "manager", "hr": "manager", "administration": "manager"},
            "fallback": MANAGER,
            "routing": [{"when": "complaint.text.contains('态度恶劣')", "department": "sales", "because": "销售服务归销售部"}],
            "sources": [{"id": "box", "procedure": "grievance-system", "parameters": LIMITS, "key_sha256": [_sha(API_KEY)]}],
        },
    )


def _sha(text: str) -> str:
    return sha256(text.encode()).hexdigest()
