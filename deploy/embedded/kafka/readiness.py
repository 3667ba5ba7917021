"""Asks a broker whether consumer groups could work on it, without leaving noise in anyone's log."""

import asyncio
import logging
import socket
from concurrent.futures import ThreadPoolExecutor

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

GROUP = "__ready__"


def broker_is_ready(bootstrap_servers: str) -> bool:
    """Whether the broker coordinates groups by now; asking makes it create its offsets topic.

    May be called with or without an event loop running in the caller's thread.
    """
    host, _, port = bootstrap_servers.split(",", maxsplit=1)[0].rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(asyncio.run, _coordinates_groups(bootstrap_servers)).result()


async def _coordinates_groups(bootstrap_servers: str) -> bool:
    quiet = _ConnectionNoiseFilter()
    loggers = [logging.getLogger(name) for name in ("aiokafka.conn", "aiokafka.client", "aiokafka.cluster", "aiokafka.admin.client")]
    for logger in loggers:
        logger.addFilter(quiet)
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
            logger.removeFilter(quiet)


class _ConnectionNoiseFilter(logging.Filter):
    """Drops what clients say about a broker that is only just starting."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno > logging.ERROR
