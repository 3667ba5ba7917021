"""Checks whether consumer groups work on a broker, without warnings in the log while it starts."""

import asyncio
import logging
import socket
from concurrent.futures import ThreadPoolExecutor

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

GROUP = "__ready__"


def broker_is_ready(bootstrap_servers: str) -> bool:
    """Whether the broker coordinates consumer groups; the request makes it create its offsets topic.

    Works with and without a running event loop in the caller's thread.
    """
    host, _, port = bootstrap_servers.split(",", maxsplit=1)[0].rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(asyncio.run, _coordinates_groups(bootstrap_servers)).result()


async def _coordinates_groups(bootstrap_servers: str) -> bool:
    noise_filter = _ConnectionNoiseFilter()
    loggers = [logging.getLogger(name) for name in ("aiokafka.conn", "aiokafka.client", "aiokafka.cluster", "aiokafka.admin.client")]
    for logger in loggers:
        logger.addFilter(noise_filter)
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers, request_timeout_ms=3_000)
    try:
        await admin.start()
        await admin.list_consumer_group_offsets(GROUP)
    except (KafkaError, OSError, TimeoutError):
        return False
    else:
        return True
    finally:
        await admin.close()
        for logger in loggers:
            logger.removeFilter(noise_filter)


class _ConnectionNoiseFilter(logging.Filter):
    """Drops the warnings and errors of a client whose broker is still starting."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno > logging.ERROR
