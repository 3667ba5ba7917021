"""The roles of the CloudNativePG example, by its own statements on a real PostgreSQL."""

import re
from typing import Any

import asyncpg
import pytest
import yaml

from cli.service_names import SERVICES
from tests.support.repository import PROJECT
from tests.support.servers.databases import asyncpg_dsn, database_name

EXAMPLE = PROJECT / "deploy/kubernetes/examples/cloudnativepg/cluster.yaml"


async def test_each_role_may_create_its_schema_and_read_no_other(empty_database_url: str) -> None:
    cluster: dict[str, Any] = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    connection = await asyncpg.connect(asyncpg_dsn(empty_database_url))
    transaction = connection.transaction()
    await transaction.start()  # roles belong to the whole server: nothing is committed
    for statement in cluster["spec"]["bootstrap"]["initdb"]["postInitApplicationSQL"]:
        await connection.execute(statement.replace("DATABASE jiesu", f'DATABASE "{database_name(empty_database_url)}"'))
    for service in SERVICES:
        await connection.execute(f"SET LOCAL ROLE {service}; CREATE SCHEMA {service}; CREATE TABLE {service}.t (); RESET ROLE")
    for service in SERVICES:
        for other in SERVICES:
            readable = await connection.fetchval("SELECT has_schema_privilege($1, $2, 'USAGE')", service, other)
            assert readable is (service == other)
        assert not await connection.fetchval("SELECT rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = $1", service)
    # Retention takes personal data out of every schema; it makes nothing of its own.
    for service in SERVICES:
        await connection.execute(f"SET LOCAL ROLE keeper; DELETE FROM {service}.t; RESET ROLE")
    assert not await connection.fetchval("SELECT rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = 'keeper'")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute("SET LOCAL ROLE triage; CREATE TABLE public.t ()")
    await transaction.rollback()
    await connection.close()
    managed = {role["name"]: role["passwordSecret"]["name"] for role in cluster["spec"]["managed"]["roles"]}
    assert managed == {role: f"role-{role}" for role in (*SERVICES, "keeper")}


def test_compose_gives_the_same_roles() -> None:
    script = (PROJECT / "deploy/compose/postgres/10-roles.sh").read_text(encoding="utf-8")
    [services] = re.findall(r"^for service in (.*); do$", script, re.MULTILINE)
    of_service, of_keeper, of_all = (
        block.strip().splitlines() for block in re.findall(r"<<'SQL'\n(.*?)^SQL$", script, re.MULTILINE | re.DOTALL)
    )
    written = [line.replace(':"service"', service) for service in services.split() for line in of_service] + of_keeper + of_all
    cluster: dict[str, Any] = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    expected = cluster["spec"]["bootstrap"]["initdb"]["postInitApplicationSQL"]
    # Passwords come from secrets there; how many connections a role may have depends on the number of processes.
    plain = [re.sub(r" CONNECTION LIMIT \d+| PASSWORD \S+|;$", "", line.replace(':"database"', "jiesu")) for line in written]
    assert plain == [re.sub(r" CONNECTION LIMIT \d+", "", line) for line in expected]
