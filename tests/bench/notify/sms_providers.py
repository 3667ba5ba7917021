"""Messages a second of each kind of SMS provider, with the CPU that a message costs: `python -m tests.bench.notify.sms_providers`.

SMPP's peer is a process of its own; the HTTP gateways run in this process, so their CPU is in the figure.
"""

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

from services.notify.domain.sms.parts import count_parts
from services.notify.providers.provider import OutgoingMessage, SendAccepted
from services.notify.providers.registry import PROVIDER_KINDS
from tests.integration.notify.providers.provider_peers import PEER_KINDS

MESSAGES = 1000
CONCURRENT = 20
TEXT = "投诉单 1 待办。\n请尽快办理。"


async def measure(name: str, folder: Path) -> tuple[float, float]:
    """Messages a second, and microseconds of CPU a message."""
    async with PEER_KINDS[name].connect(folder) as peer:
        places = asyncio.Semaphore(CONCURRENT)

        async def send(number: int) -> None:
            async with places:
                result = await peer.provider.send(OutgoingMessage(f"key-{number}", peer.address, "", TEXT))
            assert isinstance(result, SendAccepted), result

        await send(-1)
        started, used = time.perf_counter(), time.process_time()
        await asyncio.gather(*(send(number) for number in range(MESSAGES)))
        seconds = time.perf_counter() - started
        return MESSAGES / seconds, (time.process_time() - used) / MESSAGES * 1e6


async def main() -> None:
    load = os.getloadavg()[0]
    lines = [
        f"load {load:.1f}; {MESSAGES} messages, {CONCURRENT} at a time",
        "",
        "| kind | messages/s | CPU µs a message |",
        "| --- | --- | --- |",
    ]
    for name in sorted(kind for kind, each in PROVIDER_KINDS.items() if each.channel == "sms"):
        with tempfile.TemporaryDirectory() as folder:
            rate, cpu = await measure(name, Path(folder))
        lines.append(f"| `{name}` | {rate:,.0f} | {cpu:,.0f} |")
    started = time.process_time()
    for _ in range(MESSAGES):
        count_parts(TEXT * 10)
    lines.append(f"\ncounting the parts of {len(TEXT) * 10} characters: {(time.process_time() - started) / MESSAGES * 1e6:.0f} µs")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
