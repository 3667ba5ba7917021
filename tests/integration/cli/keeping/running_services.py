"""Complaints through all services, and a search for bytes in everything that they store."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from typer.testing import CliRunner, Result

from cli.main import app
from cli.reconciliation.topic_contents import topic_reader
from cli.service_names import SERVICES
from services.desk import bootstrap as desk
from services.desk.config import DeskSettings
from services.intake import bootstrap as intake
from services.intake.config import IntakeSettings
from services.notify import bootstrap as notify
from services.notify.config import NotifySettings
from services.sla import bootstrap as sla
from services.sla.config import SlaSettings
from services.triage import bootstrap as triage
from services.triage.config import TriageSettings
from shared.contracts.topics import TOPICS, department_topic
from shared.runtime.kafka.topic_admin import apply_topics
from shared.runtime.service import Service
from tests.support.messaging.sample_organisation import API_KEYS, ENCRYPTION_KEYS, PROCEDURE, SOURCES, write_yaml
from tests.support.messaging.settings import SettingsFactory
from tests.support.waiting import wait_for

ATTACHMENT_KEY = "an attachment key of the tests"
FOLLOW_KEY = "a follow key of the tests"
PERSON_TOKENS = {"li": "a token of li in the tests", "zhao": "a token of zhao in the tests"}
PROCEDURE_WITH_COUNTS: dict[str, Any] = {
    **PROCEDURE,
    "roles": ["handler", "keeper"],
    "counts": [
        {
            "id": "people",
            "key": "facts.policy",
            "threshold": 2,
            "clause": "5.1",
            "distinct": "complainant",
            "does": {"as": "group", "reclassify": "batch"},
        },
        {"id": "event", "similar": {}, "window": "2h", "threshold": 9, "clause": "5.2", "does": {"as": "same_event"}},
    ],
    "clocks": [
        {
            "id": "first_answer",
            "starts": "registered",
            "stops": ["first_answered"],
            "owner": "handler",
            "due": [{"within": "1d", "do": ["breach"]}],
        }
    ],
    "reactions": [{"id": "told", "on": "registered", "do": [{"notify": "complainant", "by": ["sms", "email"]}], "clause": "3.3"}],
}
_TEXT_COLUMNS = """
SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema = ANY($1::text[]) AND table_type = 'BASE TABLE'
"""


@dataclass
class RunningServices:
    """Running services, the settings that the commands use, and the folder of attachments."""

    running: dict[str, Service]
    settings: IntakeSettings
    store: Path

    def source(self) -> httpx.AsyncClient:
        """A client of the source `web`."""
        return self._client("intake", API_KEYS["web"])

    def person(self, person: str = "li") -> httpx.AsyncClient:
        """A client of a member of the staff."""
        return self._client("sla", PERSON_TOKENS[person])

    async def submit(self, **fields: Any) -> str:
        """Register a complaint and wait until sla has opened the case; returns its id."""
        async with self.source() as web:
            answer = await web.post("/v1/complaints", json={"received_at": datetime.now(UTC).isoformat(), "channel": "web", **fields})
        assert answer.is_success, answer.text
        case = str(answer.json()["case"])
        await self.wait_for_events(case, "first", 2)
        return case

    async def attach(self, name: str, content: bytes) -> str:
        """Store an attachment; returns its reference."""
        async with self.source() as web:
            answer = await web.post("/v1/attachments", params={"name": name}, content=content)
        assert answer.is_success, answer.text
        return str(answer.json()["reference"])

    async def act(self, case: str, action: str, **data: Any) -> None:
        """Let li act as handler."""
        async with self.person() as http:
            answer = await http.post(f"/v1/cases/{case}/actions", json={"action": action, "role": "handler", "data": data})
        assert answer.is_success, answer.text

    async def end(self, case: str, **texts: str) -> None:
        """Answer, call back and close a case."""
        await self.act(case, "answer", text=texts.get("answer", "已答复"))
        await self.act(case, "call_back", outcome="satisfied", text=texts.get("call", "满意"))
        await self.act(case, "close", reason="completed")

    async def wait_for_events(self, case: str, what: str, number: int) -> None:
        """Wait until the case has so many events."""

        async def enough() -> bool:
            return len(await self.rows("sla", "SELECT sequence FROM ledger WHERE case_id = $1", case)) >= number

        await wait_for(enough, what=f"{what}: {number} events of {case}")

    async def settle(self) -> None:
        """Wait until every outbox is empty, every delivery is settled, and the desk has read every event."""

        async def quiet() -> bool:
            unsent = [await self.rows(service, "SELECT FROM outbox LIMIT 1") for service in self.running]
            pending = await self.rows("notify", "SELECT FROM delivery WHERE settled_at IS NULL LIMIT 1")
            known = await self.rows("triage", "SELECT case_id FROM known WHERE ended = ''")
            last = "SELECT case_id, max(sequence) FROM {} GROUP BY 1 ORDER BY 1"
            behind = await self.rows("sla", last.format("ledger")) != await self.rows("desk", last.format("case_event"))
            return not any(unsent) and not pending and not behind and known is not None

        await wait_for(quiet, what="outboxes and deliveries are done")

    async def rows(self, service: str, query: str, *arguments: Any) -> list[Any]:
        """The rows of a query in a service's schema."""
        async with self.running[service].database.transaction() as tx:
            return await tx.fetch(query, *arguments)

    async def places_of(self, needles: list[str]) -> set[str]:
        """The tables, topics and attachments that hold one of these texts."""
        return {*await self.stores_of(needles), *await self._topics_with(needles)}

    async def stores_of(self, needles: list[str]) -> set[str]:
        """As `places_of`, without the topics, which take seconds to read."""
        return {*await self._tables_with(needles), *self._attachments_with(needles)}

    async def _tables_with(self, needles: list[str]) -> set[str]:
        patterns = [*needles, *(needle.encode().hex() for needle in needles)]
        found = set()
        for schema, table in await self.rows("sla", _TEXT_COLUMNS, list(SERVICES)):
            statement = f'SELECT count(*) FROM "{schema}"."{table}" AS one WHERE EXISTS (SELECT FROM unnest($1::text[]) AS needle WHERE position(needle IN one::text) > 0)'  # noqa: E501
            if (await self.rows("sla", statement, patterns))[0][0]:
                found.add(f"{schema}.{table}")
        return found

    async def _topics_with(self, needles: list[str]) -> set[str]:
        found = set()
        # Not by counting up to the end offsets: an erasure deletes records from the beginning.
        async with topic_reader(self.settings.kafka_bootstrap_servers, self.settings.topic_prefix) as reader:
            for topic in await reader.topic_names():
                async for record in reader.records(topic):
                    if any(needle.encode() in record.body for needle in needles):
                        found.add(topic)
        return found

    def _attachments_with(self, needles: list[str]) -> set[str]:
        files = [path for path in self.store.rglob("*") if path.is_file()]
        return {"attachments" for path in files for needle in needles if needle.encode() in path.read_bytes()}

    def _client(self, service: str, token: str) -> httpx.AsyncClient:
        url = f"http://127.0.0.1:{self.running[service].http_port}"
        return httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30)


def services_settings(make_settings: SettingsFactory, folder: Path) -> IntakeSettings:
    """Write the organisation and its pack into the folder; returns intake's settings, which commands use too."""
    pack = folder / "packs" / "shop"
    pack.mkdir(parents=True)
    write_yaml(folder / "procedure.yaml", PROCEDURE_WITH_COUNTS)
    # Commands find the procedure of a stored case among the installed packs.
    write_yaml(pack / "procedure.yaml", PROCEDURE_WITH_COUNTS)
    write_yaml(pack / "clauses.yaml", {"clauses": {}})
    people: list[dict[str, Any]] = [
        {"id": "li", "name": "李经理", "roles": ["handler", "keeper"]},
        {"id": "zhao", "name": "赵工", "roles": ["handler"], "department": "engineering"},
    ]
    for person in people:
        person["token_sha256"] = hashlib.sha256(PERSON_TOKENS[person["id"]].encode()).hexdigest()
    departments = [{"id": "engineering"}, {"id": "unassigned"}]
    content = {"id": "test", "departments": departments, "people": people, "sources": SOURCES, "may_erase": ["keeper"]}
    return make_settings(
        IntakeSettings,
        sealing_keys=ENCRYPTION_KEYS,
        organisation=write_yaml(folder / "organisation.yaml", content),
        attachment_store=str(folder / "attachments"),
        attachment_key=ATTACHMENT_KEY,
        follow_key=FOLLOW_KEY,
    )


def command_environment(settings: IntakeSettings) -> dict[str, str]:
    """The variables by which commands use the same servers, keys and files."""
    folder = Path(settings.organisation).parent
    return {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "JIESU_TOPIC_PREFIX": settings.topic_prefix,
        "JIESU_ENVIRONMENT": "test",
        "JIESU_PACKS": str(folder / "packs"),
        "JIESU_ORGANISATION": str(settings.organisation),
        "JIESU_SEALING_KEYS": ENCRYPTION_KEYS.get_secret_value(),
        "JIESU_ATTACHMENT_STORE": settings.attachment_store,
        "JIESU_ATTACHMENT_KEY": ATTACHMENT_KEY,
    }


@asynccontextmanager
async def open_services(make_settings: SettingsFactory, settings: IntakeSettings) -> AsyncIterator[RunningServices]:
    """The services in this process, for the length of a block."""
    await apply_topics(settings, [*TOPICS.values(), department_topic("engineering"), department_topic("unassigned")])
    organisation, keys = settings.organisation, {"attachment_key": ATTACHMENT_KEY, "follow_key": FOLLOW_KEY}
    built = {
        "intake": intake.build(settings),
        "triage": triage.build(make_settings(TriageSettings, organisation=organisation)),
        "sla": sla.build(make_settings(SlaSettings, organisation=organisation, **keys)),
        "notify": notify.build(make_settings(NotifySettings, organisation=organisation, sealing_keys=ENCRYPTION_KEYS, digest_window=0)),
        "desk": desk.build(make_settings(DeskSettings, organisation=organisation)),
    }
    async with AsyncExitStack() as stack:
        running = {name: await stack.enter_async_context(service.running()) for name, service in built.items()}
        yield RunningServices(running, settings, Path(settings.attachment_store))


async def jiesu(*arguments: Any, stdin: str = "") -> Result:
    """Run `jiesu` in a thread: commands start an event loop of their own."""
    return await asyncio.to_thread(CliRunner().invoke, app, [str(argument) for argument in arguments], stdin)
