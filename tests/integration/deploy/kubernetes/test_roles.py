"""The roles of the CloudNativePG example, by its own statements on a real PostgreSQL."""

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
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute("SET LOCAL ROLE triage; CREATE TABLE public.t ()")
    await transaction.rollback()
    await connection.close()
    managed = {role["name"]: role["passwordSecret"]["name"] for role in cluster["spec"]["managed"]["roles"]}
    assert managed == {service: f"role-{service}" for service in SERVICES}
