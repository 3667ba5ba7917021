"""An SMSC for text messages by SMPP 3.4: stores each submit_sm and sends its receipt; a process of its own.

`python -m deploy.sinks.smpp --folder var/sinks --port 2775`
"""

import argparse
import asyncio
import os
import signal
from datetime import UTC, datetime
from pathlib import Path

import smpp34

from deploy.sinks.message_file import MessageFile

_UCS2 = 8
_HAS_HEADER, _IS_RECEIPT = 0x40, 0x04


class SmppSink:
    """Stores messages in `smpp.jsonl`, keyed by the id that it gives each; `serve` runs until cancelled."""

    def __init__(self, folder: Path, port: int) -> None:
        self.message_file = MessageFile(folder / "smpp.jsonl")
        self._server = smpp34.Server("127.0.0.1", port, system_id="SINK")
        self._sessions: dict[str, smpp34.Esme] = {}
        self._receipts: asyncio.Queue[tuple[str, smpp34.SubmitSmEvent, str]] = asyncio.Queue()

    async def serve(self) -> None:
        """Accept sessions and messages."""
        await self._server.start()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._send_receipts())
            while True:
                event = await self._server.next()
                if isinstance(event, smpp34.Esme):
                    self._sessions[event.session_id] = event
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
            self._receipts.put_nowait((number, event, datetime.now(UTC).strftime("%y%m%d%H%M")))  # noqa: TID251 - imports nothing of ours

    async def _send_receipts(self) -> None:
        while True:
            number, event, at = await self._receipts.get()
            text = f"id:{number} sub:001 dlvrd:001 submit date:{at} done date:{at} stat:DELIVRD err:000 text:"
            if self._sessions:
                session = list(self._sessions.values())[-1]
                await session.deliver_sm(
                    source_addr=event.destination_addr,
                    destination_addr=event.source_addr,
                    esm_class=_IS_RECEIPT,
                    data_coding=0,
                    short_message=text.encode(),
                    tlvs=[],
                )


async def serve(folder: Path, port: int) -> None:
    """Serve until SIGINT or SIGTERM."""
    serving = asyncio.ensure_future(SmppSink(folder, port).serve())
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, serving.cancel)
    await asyncio.wait([serving])


def main() -> None:
    """Parse the command line and run the sink."""
    parser = argparse.ArgumentParser(prog="python -m deploy.sinks.smpp", description="Store text messages that come by SMPP 3.4.")
    parser.add_argument("--folder", type=Path, default=Path("var/sinks"), help="folder of smpp.jsonl")
    parser.add_argument("--port", type=int, default=2775, help="port of the SMSC")
    options = parser.parse_args()
    asyncio.run(serve(options.folder, options.port))
    # The library's threads abort the interpreter at its end.
    os._exit(0)


if __name__ == "__main__":
    main()
