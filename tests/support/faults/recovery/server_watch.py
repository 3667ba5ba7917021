"""Watches whether PostgreSQL and the brokers answer, and whether every consumer group is whole."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import asyncpg
import httpx
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from aiokafka.protocol.admin import DescribeGroupsRequest_v2
from aiokafka.protocol.api import Request

from cli.service_names import SERVICES
from tests.support.faults.postgres_faults import DATABASE_ERRORS
from tests.support.servers.databases import asyncpg_dsn

_PAUSE_SECONDS = 0.2
_ANSWER_SECONDS = 1.0
_STABLE = "Stable"


# aiokafka 0.14 decodes the answer to version 3, which its administration client sends, by the schema of version 2.
class _DescribeGroups(Request[DescribeGroupsRequest_v2]):  # type: ignore[misc]
    API_KEY = DescribeGroupsRequest_v2.API_KEY

    def build(self, request_struct_class: type[DescribeGroupsRequest_v2]) -> DescribeGroupsRequest_v2:
        return request_struct_class(list(SERVICES))


@dataclass
class ServerWatch:
    """`answering` and `whole` hold, in real seconds, since when all servers answer and since when each group has its members; or None.

    `looked` is when the last look began: one that began before an instant proves nothing about the time after it.
    """

    urls: Sequence[str]
    database_url: str
    bootstrap_servers: str
    looked: float = 0.0
    answering: float | None = None
    whole: float | None = None
    _members: dict[str, int] = field(default_factory=dict)
    _client: AIOKafkaClient | None = None

    async def run(self) -> None:
        """Watch until cancelled; the members that a group has at the first look are those that it has to have."""
        try:
            while True:
                now = time.time()
                database, members, ready = await asyncio.gather(self._database_answers(), self._group_members(), self._services_are_ready())
                self._members = self._members or dict(members or {})
                answers = database and members is not None
                self.answering = (self.answering or now) if answers else None
                # A killed process stays a member until its session ends: the services are asked too.
                self.whole = (self.whole or now) if answers and ready and members == self._members else None
                self.looked = now
                await asyncio.sleep(_PAUSE_SECONDS)
        finally:
            await self._close()

    async def _database_answers(self) -> bool:
        with suppress(*DATABASE_ERRORS):
            async with asyncio.timeout(_ANSWER_SECONDS):
                connection = await asyncpg.connect(asyncpg_dsn(self.database_url), server_settings={"application_name": "faults"})
                try:
                    return bool(await connection.fetchval("SELECT true"))
                finally:
                    connection.terminate()
        return False

    async def _services_are_ready(self) -> bool:
        with suppress(httpx.TransportError):
            async with httpx.AsyncClient(timeout=_ANSWER_SECONDS) as client:
                answers = await asyncio.gather(*(client.get(f"{url}/ready") for url in self.urls))
            return all(answer.is_success and answer.json()["state"] == "ready" for answer in answers)
        return False

    async def _group_members(self) -> Mapping[str, int] | None:
        """Members of each group, none of one that is rebalancing; None where a broker does not answer."""
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                if self._client is None:
                    self._client = AIOKafkaClient(bootstrap_servers=self.bootstrap_servers)
                    await self._client.bootstrap()
                answer = await self._client.send(self._client.get_random_node(), _DescribeGroups())
        except (KafkaError, OSError, TimeoutError):
            await self._close()
            return None
        return {group[1]: len(group[5]) if group[2] == _STABLE else 0 for group in answer.groups}

    async def _close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(KafkaError, OSError, TimeoutError):
                async with asyncio.timeout(_ANSWER_SECONDS):
                    await client.close()
