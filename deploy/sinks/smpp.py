"""An SMSC for text messages by SMPP 3.4: stores each submit_sm and sends its receipt; a process of its own.

`python -m deploy.sinks.smpp --folder var/sinks --port 2775`
"""

import argparse
import asyncio
import os
import signal
import sys
import traceback
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import smpp34

from deploy.sinks.message_file import MessageFile

_UCS2 = 8
_HAS_HEADER, _IS_RECEIPT = 0x40, 0x04
_RECEIPT_ATTEMPTS, _RECEIPT_PAUSE, _RESPONSE_SECONDS = 5, 0.2, 5.0


@dataclass(frozen=True, slots=True)
class _Receipt:
    """A receipt to send; `source` and `destination` are those of the message."""

    number: str
    source: str
    destination: str
    at: str


class SmppSink:
    """Stores messages in `smpp.jsonl`, keyed by the id that it gives each; `serve` runs until cancelled."""

    def __init__(self, folder: Path, port: int) -> None:
        self.message_file = MessageFile(folder / "smpp.jsonl")
        self._server = smpp34.Server("127.0.0.1", port, system_id="SINK")
        self._sessions: dict[str, smpp34.Esme] = {}
        self._bound = asyncio.Event()
        self._receipts: asyncio.Queue[_Receipt] = asyncio.Queue()

    async def start(self) -> None:
        """Listen; raises `SmppError` where the port is in use."""
        await self._server.start()

    async def serve(self) -> None:
        """Accept sessions and messages."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._send_receipts())
            while True:
                event = await self._server.next()
                if isinstance(event, smpp34.Esme):
                    if event.can_receive:
                        self._sessions[event.session_id] = event
                        self._bound.set()
                elif isinstance(event, smpp34.SubmitSmEvent):
                    self._accept(event)
                else:
                    self._sessions.pop(event.session_id, None)

    def _accept(self, event: smpp34.SubmitSmEvent) -> None:
        number = f"{len(self.message_file.messages) + 1:x}"
        octets = bytes(event.short_message)
        header = octets[: octets[0] + 1] if event.esm_class & _HAS_HEADER and octets else b""
        text = octets[len(header) :].decode("utf-16-be" if event.data_coding == _UCS2 else "latin-1", "replace")
        self.message_file.add(number, {"to": f"+{event.destination_addr}", "part": header.hex(), "text": text})
        event.accept(number)
        if event.registered_delivery:
            at = datetime.now(UTC).strftime("%y%m%d%H%M")  # noqa: TID251 - imports nothing of ours
            self._receipts.put_nowait(_Receipt(number, event.source_addr, event.destination_addr, at))

    async def _send_receipts(self) -> None:
        while True:
            receipt = await self._receipts.get()
            for attempt in range(_RECEIPT_ATTEMPTS):
                problem = await self._deliver(await self._session(), receipt)
                if not problem:
                    break
                print(f"receipt {receipt.number}, attempt {attempt + 1}: {problem}", file=sys.stderr, flush=True)  # noqa: T201 - a command
                await asyncio.sleep(_RECEIPT_PAUSE * 2**attempt)

    async def _session(self) -> smpp34.Esme:
        """The session that was bound last; waits while there is none."""
        while not self._sessions:
            self._bound.clear()
            await self._bound.wait()
        return list(self._sessions.values())[-1]

    async def _deliver(self, session: smpp34.Esme, receipt: _Receipt) -> str:
        """Send a receipt; returns why the peer does not have it, empty if it does."""
        text = f"id:{receipt.number} sub:001 dlvrd:001 submit date:{receipt.at} done date:{receipt.at} stat:DELIVRD err:000 text:"
        try:
            async with asyncio.timeout(_RESPONSE_SECONDS):
                response = await session.deliver_sm(
                    source_addr=receipt.destination,
                    destination_addr=receipt.source,
                    esm_class=_IS_RECEIPT,
                    data_coding=0,
                    short_message=text.encode(),
                    tlvs=[],
                )
        except smpp34.SmppError as error:  # the session has ended
            return str(error)
        except TimeoutError:
            return "no response"
        return "" if response.is_success else f"refused with status 0x{response.command_status:x}"


async def serve(folder: Path, port: int) -> int:
    """Serve until SIGINT or SIGTERM; returns the exit status, 1 for a sink that cannot run."""
    sink = SmppSink(folder, port)
    try:
        await sink.start()
    except smpp34.SmppError as error:
        print(f"Error: port {port}: {error}; give another one with --port", file=sys.stderr, flush=True)  # noqa: T201 - a command
        return 1
    print(f"text messages by SMPP: 127.0.0.1:{port}, stored in {folder}", flush=True)  # noqa: T201 - a command
    serving = asyncio.ensure_future(sink.serve())
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, serving.cancel)
    await asyncio.wait([serving])
    if serving.cancelled():
        return 0
    traceback.print_exception(serving.exception())
    return 1


def main() -> None:
    """Parse the command line and run the sink."""
    parser = argparse.ArgumentParser(prog="python -m deploy.sinks.smpp", description="Store text messages that come by SMPP 3.4.")
    parser.add_argument("--folder", type=Path, default=Path("var/sinks"), help="folder of smpp.jsonl")
    parser.add_argument("--port", type=int, default=2775, help="port of the SMSC")
    options = parser.parse_args()
    status = asyncio.run(serve(options.folder, options.port))
    # The library's threads abort the interpreter at its end.
    os._exit(status)


if __name__ == "__main__":
    main()
