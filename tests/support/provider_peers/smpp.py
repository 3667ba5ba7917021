"""The SMSC of `smpp`: a process with smpp34's server."""

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

from deploy.sinks.message_file import MessageFile
from services.notify.domain.sms.gsm7 import decode_gsm7
from services.notify.providers.kind import ProviderContext
from services.notify.providers.sms.smpp import KIND, SmppProvider, SmppSettings
from shared.runtime.clock import Clock
from tests.support.gateways.smsc_server import UNKNOWN_SUFFIX
from tests.support.provider_peers.peer_kind import TIMEOUT, PeerKind, ProviderPeer

ADDRESS = "+8613800000001"
RSYSERR, RTHROTTLED, RMSGQFUL, RX_R_APPN = 0x08, 0x58, 0x14, 0x66


class SmscProcess:
    """`async with SmscProcess(folder) as smsc`; `submits` are the submit_sm that arrived."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        self.message_file = MessageFile(folder / "smpp.jsonl")
        self.submits: list[dict[str, Any]] = []
        self.port = port
        self.counts: dict[str, int] = {}
        self.acknowledged: list[int] = []
        self._changed = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if not self.port:
            with socket.create_server(("127.0.0.1", 0)) as free:
                self.port = free.getsockname()[1]
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.support.gateways.smsc_server", str(self.port), stdin=pipe, stdout=pipe
        )
        self._reading = asyncio.ensure_future(self._read())
        await self.wait_for("started")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()

    async def kill(self) -> None:
        """End the process without a word to its sessions."""
        assert self._process is not None
        assert self._reading is not None
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._reading

    async def wait_for(self, event: str, times: int = 1) -> None:
        """Wait until an event has occurred so often."""
        async with asyncio.timeout(10):
            while self.counts.get(event, 0) < times:
                self._changed.clear()
                await self._changed.wait()

    async def reply(self, *statuses: int) -> None:
        """Answer the next submit_sm with these statuses; `SILENCE` with nothing."""
        self._command({"replies": statuses})
        await self.wait_for("queued", self.counts.get("queued", 0) + 1)

    async def deliver(self, text: bytes = b"", **options: Any) -> int:
        """Send a deliver_sm, by default a receipt, and return the status of its response."""
        number = len(self.acknowledged) + 1
        self._command({"deliver": {"octets": text.hex()} | options})
        await self.wait_for("acknowledged", number)
        return self.acknowledged[-1]

    def _command(self, command: dict[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            event = json.loads(line)
            name = event.pop("event")
            self.counts[name] = self.counts.get(name, 0) + 1
            if name == "submit":
                self.submits.append(event)
                if event["status"] == 0:
                    self.message_file.add(str(event["number"]), {"to": f"+{event['destination']}", "text": text_of(event)})
            elif name == "acknowledged":
                self.acknowledged.append(event["status"])
            self._changed.set()


def text_of(submit: dict[str, Any]) -> str:
    """The text of a submit_sm, without its header."""
    octets = bytes.fromhex(submit["octets"])
    if submit["esm_class"] & 0x40:
        octets = octets[octets[0] + 1 :]
    return octets.decode("utf-16-be", "replace") if submit["data_coding"] == 8 else decode_gsm7(octets)


def smpp_provider(port: int, timeout: float = TIMEOUT, **settings: Any) -> SmppProvider:
    context = ProviderContext("carrier", Clock(), timeout, environment={"SMSC_PASSWORD": "secret"})
    fields = {"host": "127.0.0.1", "port": port, "system_id": "jiesu", "password_env": "SMSC_PASSWORD", "source": "10690000"}
    provider = KIND.build(SmppSettings.model_validate(fields | settings), context)
    assert isinstance(provider, SmppProvider)
    return provider


@asynccontextmanager
async def connect(folder: Path) -> AsyncIterator[ProviderPeer]:
    async with SmscProcess(folder) as smsc:
        provider = smpp_provider(smsc.port, timeout=5)
        yield ProviderPeer(
            provider,
            smsc.message_file,
            ADDRESS,
            f"+861380000{UNKNOWN_SUFFIX}",
            lambda: smsc.reply(RSYSERR),
            lambda: smsc.reply(RX_R_APPN),
        )
        await provider.close()


# The beginning of a bind_transceiver_resp whose length is never reached.
PEER = PeerKind(smpp_provider, connect, ADDRESS, recognises_repeats=False, dribble=bytes.fromhex("00010000"))
