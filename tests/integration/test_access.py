"""The access rules on a real broker with TLS, SCRAM and an authorizer, and the roles of PostgreSQL: each wrong principal is refused."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import yaml
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError, TopicAuthorizationFailedError, for_code

from cli.stack.stack import migrate_service
from deploy.embedded import EmbeddedServers
from deploy.sinks import MailSink
from services.desk.bootstrap import build as build_desk
from services.desk.config import DeskSettings
from shared.contracts.operations.access import AccessNames, access_rules
from shared.contracts.topics import (
    CASE_EVENTS,
    COMPLAINT_EVENTS,
    CREATED_TOPICS,
    HEARTBEATS,
    NOTIFICATION_EVENTS,
    PARTITIONS,
    SERVICES,
    TRIAGE_EVENTS,
    department_topic,
)
from shared.runtime.errors import Misconfigured
from shared.runtime.kafka.access_admin import apply_access
from shared.runtime.kafka.connection import connection_options, missing_rule
from shared.runtime.kafka.topic_admin import apply_topics
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.service import Service
from tests.support.messaging.all_services import build_services, http_client, write_estate
from tests.support.messaging.sample_organisation import submission_body
from tests.support.messaging.settings import SettingsFactory
from tests.support.messaging.topic_client import read_records
from tests.support.repository import PROJECT
from tests.support.servers.databases import asyncpg_dsn, database_name
from tests.support.servers.secure_servers import SecureServers, start_secure_servers
from tests.support.waiting import wait_for

PREFIX = "test."
DEPARTMENTS = ("repairs", "gardens")
NAMES = AccessNames(PREFIX, "jiesu-", DEPARTMENTS, ("hotline",), ("warehouse",))
USERS = sorted({rule.user for rule in access_rules(NAMES)})
"""One for each principal of the rules."""


@pytest.fixture
async def secured(own_servers: Callable[..., EmbeddedServers], tmp_path: Path) -> SecureServers:
    return await asyncio.to_thread(start_secure_servers, own_servers, tmp_path, [*USERS, "stranger"])


@pytest.fixture
def settings_of(secured: SecureServers, make_settings: SettingsFactory) -> Callable[[str], RuntimeSettings]:
    return lambda user: make_settings(RuntimeSettings, topic_prefix=PREFIX, **secured.options(user))


@pytest.fixture
def owner(secured: SecureServers, make_settings: SettingsFactory) -> RuntimeSettings:
    return make_settings(RuntimeSettings, topic_prefix=PREFIX, kafka_bootstrap_servers=secured.open_servers)


async def write(settings: RuntimeSettings, topic: str) -> None:
    producer = AIOKafkaProducer(enable_idempotence=True, **connection_options(settings))
    try:
        await producer.start()
        await producer.send_and_wait(f"{PREFIX}{topic}", b"{}", key=b"c")
    finally:
        await producer.stop()


async def read(settings: RuntimeSettings, topic: str, group: str | None = None) -> None:
    """Read a record of the topic, which must have one, in a group if one is named."""
    name = f"{PREFIX}{topic}"
    # A consumer waits for ever for the leader of a topic that it may not see.
    async with admin_of(settings) as admin:
        raise_first(described["error_code"] for described in await admin.describe_topics([name]))
    options = {"enable_auto_commit": False, "auto_offset_reset": "earliest", **connection_options(settings)}
    consumer = AIOKafkaConsumer(*([name] if group else []), group_id=group and f"{PREFIX}{group}", **options)
    try:
        await consumer.start()
        if group is None:
            consumer.assign([TopicPartition(name, number) for number in range(PARTITIONS)])
        await asyncio.wait_for(consumer.getone(), 20)
    finally:
        await consumer.stop()


@asynccontextmanager
async def admin_of(settings: RuntimeSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**connection_options(settings))
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()


async def create_topic(settings: RuntimeSettings) -> None:
    async with admin_of(settings) as admin:
        answer = await admin.create_topics([NewTopic(f"{PREFIX}mine", 1, 1)])
    raise_first(code for _, code, *_ in answer.topic_errors)


async def delete_records(settings: RuntimeSettings) -> None:
    async with admin_of(settings) as admin:
        await admin.delete_records({TopicPartition(f"{PREFIX}{CASE_EVENTS.name}", 0): RecordsToDelete(before_offset=0)})


async def change_rules(settings: RuntimeSettings) -> None:
    try:
        await apply_access(settings, NAMES)
    except Misconfigured as error:
        raise KafkaError(str(error)) from error


def raise_first(codes: Any) -> None:
    for code in codes:
        if code:
            raise for_code(code)


FORBIDDEN: list[tuple[str, str, Callable[[RuntimeSettings], Awaitable[None]]]] = [
    ("a department reads another's topic", "department-gardens", lambda s: read(s, "department-repairs")),
    ("a department reads the events of all cases", "department-gardens", lambda s: read(s, "case-events")),
    ("a department writes events", "department-gardens", lambda s: write(s, "case-events")),
    ("a department joins another's group", "department-gardens", lambda s: read(s, "department-gardens", "department-repairs.robot")),
    ("a department joins a service's group", "department-gardens", lambda s: read(s, "department-gardens", "sla")),
    ("a department creates a topic", "department-gardens", create_topic),
    ("a contact centre reads what others sent", "source-hotline", lambda s: read(s, "complaint-submissions")),
    ("a contact centre acts on cases", "source-hotline", lambda s: write(s, "case-actions")),
    ("a warehouse writes", "warehouse", lambda s: write(s, "triage-events")),
    ("a warehouse reads a department's topic", "warehouse", lambda s: read(s, "department-repairs")),
    ("triage writes events of cases", "jiesu-triage", lambda s: write(s, "case-events")),
    ("triage reads submissions", "jiesu-triage", lambda s: read(s, "complaint-submissions")),
    ("notify acts on cases", "jiesu-notify", lambda s: write(s, "case-actions")),
    ("notify joins sla's group", "jiesu-notify", lambda s: read(s, "case-events", "sla")),
    ("intake writes to a department", "jiesu-intake", lambda s: write(s, "department-repairs")),
    ("sla writes submissions", "jiesu-sla", lambda s: write(s, "complaint-submissions")),
    ("sla creates a topic", "jiesu-sla", create_topic),
    ("sla deletes records", "jiesu-sla", delete_records),
    ("the topics' job reads records", "jiesu-topics", lambda s: read(s, "case-events")),
    ("the topics' job writes records", "jiesu-topics", lambda s: write(s, "case-events")),
    ("a scaler reads records", "jiesu-scaler", lambda s: read(s, "case-events")),
    ("a scaler writes", "jiesu-scaler", lambda s: write(s, "case-events")),
    ("sla changes rules", "jiesu-sla", change_rules),
    ("a department changes rules", "department-repairs", change_rules),
    ("an observer sets a service's positions", "jiesu-observer", lambda s: read(s, "case-events", "sla")),
    ("a warehouse joins a department's group", "warehouse", lambda s: read(s, "case-events", "department-repairs.robot")),
    ("an observer writes", "jiesu-observer", lambda s: write(s, "case-events")),
    ("an observer deletes records", "jiesu-observer", delete_records),
    ("a keeper writes", "jiesu-keeper", lambda s: write(s, "case-events")),
    ("a user without a rule reads", "stranger", lambda s: read(s, "case-events")),
    ("a user without a rule writes", "stranger", lambda s: write(s, "complaint-submissions")),
]
ALLOWED: list[tuple[str, str, Callable[[RuntimeSettings], Awaitable[None]]]] = [
    ("a department reads its topic", "department-repairs", lambda s: read(s, "department-repairs", "department-repairs.robot")),
    ("a department acts", "department-repairs", lambda s: write(s, "case-actions")),
    ("sla tells a department", "jiesu-sla", lambda s: write(s, "department-repairs")),
    ("a contact centre submits", "source-hotline", lambda s: write(s, "complaint-submissions")),
    ("a warehouse reads the events of all cases", "warehouse", lambda s: read(s, "case-events", "warehouse.nightly")),
    ("an observer reads a department's topic", "jiesu-observer", lambda s: read(s, "department-repairs")),
    ("a keeper deletes records", "jiesu-keeper", delete_records),
]


async def refused(attempt: Callable[[RuntimeSettings], Awaitable[None]], settings: RuntimeSettings) -> bool:
    try:
        await attempt(settings)
    except (TopicAuthorizationFailedError, GroupAuthorizationFailedError):
        return True
    except KafkaError as error:
        return "AuthorizationFailed" in f"{type(error).__name__} {error}"
    return False


@pytest.mark.timeout(240)
async def test_every_principal_does_its_work_and_nothing_else(
    secured: SecureServers,
    owner: RuntimeSettings,
    settings_of: Callable[[str], RuntimeSettings],
    make_settings: SettingsFactory,
    tmp_path: Path,
) -> None:
    await apply_topics(owner, [*CREATED_TOPICS, *map(department_topic, DEPARTMENTS)])
    await create_roles(secured)
    connections: dict[str, Any] = {
        service: secured.options(f"jiesu-{service}") | {"database_url": secured.database_of(service)} for service in SERVICES
    }
    for service in SERVICES:
        await migrate_service(RuntimeSettings(environment="test", **connections[service]), service)
    async with MailSink(tmp_path) as mail:
        connections["notify"] |= {"smtp_host": "127.0.0.1", "smtp_port": mail.port, "smtp_security": "none", "delivery_poll": 0.05}
        options: dict[str, Any] = {"topic_prefix": PREFIX, "heartbeat_seconds": 0.2}
        organisation = write_estate(tmp_path)
        services = build_services(make_settings, organisation, **options, **connections)
        services["desk"] = build_desk(make_settings(DeskSettings, organisation=organisation, **options, **connections["desk"]))
        async with starting(services):
            await wait_for(lambda: services["intake"].health.started, deadline=60)
            case = await submit(services["intake"])
            await wait_for(lambda: missing_rule("jiesu-sla") in services["sla"].health.troubles().get("consumer", ""), deadline=60)
            await wait_for(lambda: missing_rule("jiesu-intake") in services["intake"].health.troubles().get("relay", ""), deadline=60)
            await apply_rules(owner, settings_of("jiesu-topics"))
            # What was taken before comes through, and nobody had to be started again.
            await wait_for(lambda: has_records(owner, case), deadline=60, what="the complaint passes all services", pause=0.5)
            assert all("consumer" not in service.health.troubles() for service in services.values())

    await write(owner, "complaint-submissions")
    await write(owner, "department-gardens")
    await write(owner, "department-repairs")
    assert [what for what, user, attempt in ALLOWED if await refused(attempt, settings_of(user))] == []
    assert [what for what, user, attempt in FORBIDDEN if not await refused(attempt, settings_of(user))] == []

    for role in SERVICES:
        assert [query for query in foreign_queries(role) if not await is_denied(secured.database_of(role), query)] == []

    # Rules of a department that is gone are shown, and removed on request only; another installation's stay.
    earlier = replace(NAMES, departments=(*DEPARTMENTS, "cellars"))
    of_cellars = {rule for rule in access_rules(earlier) if rule.user == "department-cellars"}
    stage = replace(NAMES, topic_prefix="stage.")
    await apply_access(owner, earlier)
    await apply_access(owner, stage)
    assert set((await apply_access(owner, NAMES)).surplus) == of_cellars
    assert set((await apply_access(owner, NAMES, prune=True)).surplus) == of_cellars
    assert (await apply_access(owner, NAMES)).surplus == []
    assert (await apply_access(owner, stage, dry_run=True)).created == []


@asynccontextmanager
async def starting(services: dict[str, Service]) -> AsyncIterator[None]:
    """Start the services, which wait for what they may not do, without waiting for them; stop them at the end of the block."""
    starts = [asyncio.create_task(service.start()) for service in services.values()]
    try:
        yield
    finally:
        for service in services.values():
            service.stopping.set()
        await asyncio.gather(*starts)
        for service in services.values():
            await service.stop()


async def submit(intake: Service) -> str:
    body = submission_body(received_at=intake.clock.now().isoformat(), text="三号楼电梯停运")
    async with http_client(intake) as client:
        return str((await client.post("/v1/complaints", json=body)).json()["case"])


async def apply_rules(owner: RuntimeSettings, job: RuntimeSettings) -> None:
    """Once by the owner; from then on the job that makes topics is enough: it may give every right, and reads nothing."""
    wanted = access_rules(NAMES)
    planned = await apply_access(owner, NAMES, dry_run=True)
    assert (planned.created, planned.kept) == (sorted(wanted), [])
    with pytest.raises(Misconfigured, match=r"refused user 'jiesu-topics' .*Alter and Describe on the cluster"):
        await apply_access(job, NAMES)
    assert (await apply_access(owner, NAMES)).created == sorted(wanted)
    await apply_topics(job, [*CREATED_TOPICS, *map(department_topic, DEPARTMENTS)])
    assert (await apply_access(job, NAMES)).kept == sorted(wanted)


async def create_roles(secured: SecureServers) -> None:
    """The statements that the example of CloudNativePG gives a new database."""
    cluster = yaml.safe_load((PROJECT / "deploy/kubernetes/examples/cloudnativepg/cluster.yaml").read_text(encoding="utf-8"))
    connection = await asyncpg.connect(asyncpg_dsn(secured.database_url))
    for statement in cluster["spec"]["bootstrap"]["initdb"]["postInitApplicationSQL"]:
        await connection.execute(statement.replace("DATABASE jiesu", f'DATABASE "{database_name(secured.database_url)}"'))
    await connection.close()


def foreign_queries(role: str) -> list[str]:
    """Statements that a role must not run: reads and changes of the other schemas, a table in `public`, more rights."""
    others = [service for service in SERVICES if service != role]
    return [
        *(f"SELECT 1 FROM {other}.outbox" for other in others),
        *(f"DELETE FROM {other}.inbox" for other in others),
        *(f"ALTER TABLE {other}.outbox ADD COLUMN extra int" for other in others),
        *(f"DROP SCHEMA {other} CASCADE" for other in others),
        *(f"SET ROLE {other}" for other in others),
        "CREATE TABLE public.extra ()",
        "CREATE ROLE extra",
        f"ALTER ROLE {role} SUPERUSER",
        "SELECT pg_read_file('postgresql.conf')",
        "COPY (SELECT 1) TO PROGRAM 'true'",
    ]


async def is_denied(url: str, query: str) -> bool:
    connection = await asyncpg.connect(asyncpg_dsn(url))
    try:
        await connection.execute(query)
    except asyncpg.InsufficientPrivilegeError:
        return True
    finally:
        await connection.close()
    return False


async def has_records(owner: RuntimeSettings, case: str) -> bool:
    """Every topic of the way has a record of the case, and each service has sent heartbeats."""
    ways = [COMPLAINT_EVENTS, TRIAGE_EVENTS, CASE_EVENTS, NOTIFICATION_EVENTS]
    keys = [{(record.key or b"").decode() for record in await read_records(owner, topic)} for topic in ways]
    beating = {(record.key or b"").decode().split()[0] for record in await read_records(owner, HEARTBEATS)}
    return all(case in found for found in keys) and beating == set(SERVICES)
