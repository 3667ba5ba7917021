"""The processes of a stack by their heartbeats and, for those of `jiesu up`, by the processes of this machine."""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import httpx
from aiokafka.errors import KafkaError

from cli.service_names import SERVICES
from cli.stack.addresses import Addresses
from cli.status.model import ABSENT, ENDED, SILENT_HTTP, STALLED, ProcessStatus
from shared.runtime.heartbeats.listener import hear, heartbeat_consumer, next_records
from shared.runtime.heartbeats.peers import Peer, Peers
from shared.runtime.process.settings import RuntimeSettings

_READ_SECONDS = 5.0
_HTTP_SECONDS = 2.0
_ZOMBIE = "Z"


async def read_peers(settings: RuntimeSettings) -> Peers:
    """The processes with a recent heartbeat; raises KafkaError, OSError or TimeoutError without the broker or the topic."""
    peers = Peers()
    async with heartbeat_consumer(settings) as consumer, asyncio.timeout(_READ_SECONDS):
        [partition] = consumer.assignment()
        [end] = (await consumer.end_offsets([partition])).values()
        while await consumer.position(partition) < end:
            hear(peers, await next_records(consumer, 200))
    return peers


async def process_statuses(
    settings: RuntimeSettings, addresses: Addresses | None, now: datetime, troubles: list[str]
) -> list[ProcessStatus]:
    """A status for each process, and one that is `absent` for a service without any; `troubles` gets what could not be read."""
    try:
        peers: Iterable[Peer] = await read_peers(settings)
    except (KafkaError, OSError, TimeoutError) as error:
        peers = ()
        troubles.append(f"heartbeats cannot be read ({type(error).__name__}): is the broker up, has `jiesu topics apply` run?")
    heard = [_status(peer, now, settings.silence_seconds) for peer in peers]
    if addresses is not None:
        heard = list(await asyncio.gather(*(_local(addresses, service, heard) for service in SERVICES)))
    missing = [ProcessStatus(service=service, state=ABSENT) for service in SERVICES if service not in {each.service for each in heard}]
    return sorted([*heard, *missing], key=lambda each: (SERVICES.index(each.service) if each.service in SERVICES else 9, each.process))


def _status(peer: Peer, now: datetime, silence_seconds: float) -> ProcessStatus:
    # By the clock of this machine: where all processes stand still, no later heartbeat tells how long.
    silent = max(0.0, now.timestamp() - peer.heard_ms / 1000)
    beat = peer.beat
    return ProcessStatus(
        service=beat.service,
        process=beat.process,
        state=STALLED if silent > silence_seconds else beat.state,
        silent_seconds=round(silent, 1),
        started_at=beat.started_at,
        reasons=beat.reasons,
        stalled_loops=beat.stalled,
        start=beat.start,
    )


async def _local(addresses: Addresses, service: str, heard: Iterable[ProcessStatus]) -> ProcessStatus:
    """The process that `jiesu up` runs: its heartbeat, unless it is gone, stalled, or gives no answer yet."""
    port = addresses.services[service].rpartition(":")[2]
    found = [each for each in heard if each.service == service and each.process.endswith(f":{port}")]
    status = found[0] if found else ProcessStatus(service=service, process=f"127.0.0.1:{port}", state=ABSENT)
    known = addresses.processes.get(service)
    if known is not None:
        status = status.model_copy(update=known.model_dump())
        if not _is_running(known.pid):
            return status.model_copy(update={"state": ENDED})
    if status.state != STALLED and not await _answers(addresses.services[service]):
        return status.model_copy(update={"state": SILENT_HTTP})
    return status


async def _answers(url: str) -> bool:
    try:
        async with httpx.AsyncClient(timeout=_HTTP_SECONDS) as client:
            await client.get(f"{url}/live")
    except httpx.TransportError:
        return False
    return True


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != _ZOMBIE
