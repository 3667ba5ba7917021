"""Creates topics on a running Kafka broker."""

from collections.abc import Mapping
from itertools import count
from secrets import token_hex

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import for_code

from tests.support.waiting import wait_for

PREFIX = "jiesu-test-"
_SESSION = token_hex(3)
_numbers = count(1)


def fresh_prefix() -> str:
    """A prefix for topics and groups that no other test has; ends with a dot."""
    return f"{PREFIX}{_SESSION}-{next(_numbers)}."


class Topics:
    """Creates topics on the broker at `bootstrap_servers` and deletes those of earlier runs."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._bootstrap = bootstrap_servers

    async def create(self, *names: str, partitions: int = 1, configs: Mapping[str, str] | None = None) -> None:
        """Create topics and wait until every partition has a leader; raises the broker's error if it refuses one."""
        async with _Admin(self._bootstrap) as admin:
            requested = [NewTopic(name, partitions, 1, topic_configs=dict(configs or {})) for name in names]
            response = await admin.create_topics(requested)
            for topic, code, *message in response.topic_errors:
                if code:
                    raise for_code(code)(f"{topic}: {message}")

            async def have_leaders() -> bool:
                described = await admin.describe_topics(list(names))
                return all(
                    len(topic["partitions"]) == partitions and all(p["leader"] >= 0 for p in topic["partitions"]) for topic in described
                )

            await wait_for(have_leaders, what=f"leaders of {names}")

    async def drop_left_over(self) -> None:
        """Delete the topics of earlier runs."""
        await self.drop(PREFIX)

    async def drop(self, prefix: str) -> None:
        """Delete the topics whose names begin with the prefix."""
        async with _Admin(self._bootstrap) as admin:
            names = [name for name in await admin.list_topics() if name.startswith(prefix)]
            if names:
                await admin.delete_topics(names)


class _Admin:
    """An administration client for the length of a block."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._client = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)

    async def __aenter__(self) -> AIOKafkaAdminClient:
        await self._client.start()
        return self._client

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()
