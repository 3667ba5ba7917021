"""An SMSC made with smpp34's server, driven by lines of JSON: a process of its own, as its threads abort the interpreter at exit.

`python -m tests.support.gateways.smsc_server PORT`; commands on standard input, events on standard output.
"""

import asyncio
import json
import os
import sys
from collections import deque
from typing import Any

import smpp34

UNKNOWN_SUFFIX = "0550"
SILENCE = -1
INVALID_DESTINATION = 0x0B


class Smsc:
    def __init__(self, port: int) -> None:
        self.server = smpp34.Server("127.0.0.1", port, system_id="SMSC")
        self.replies: deque[int] = deque()
        self.sessions: dict[str, smpp34.Esme] = {}
        self.number = 0xAB00
        self.unanswered: list[smpp34.SubmitSmEvent] = []

    async def serve(self) -> None:
        await self.server.start()
        report(event="started")
        while True:
            event = await self.server.next()
            if isinstance(event, smpp34.Esme):
                self.sessions[event.session_id] = event
                report(event="bound", system_id=event.system_id)
            elif isinstance(event, smpp34.SubmitSmEvent):
                self.submit(event)
            else:
                self.sessions.pop(event.session_id, None)
                report(event="unbound")

    def submit(self, event: smpp34.SubmitSmEvent) -> None:
        status = self.replies.popleft() if self.replies else 0
        if event.destination_addr.endswith(UNKNOWN_SUFFIX):
            status = INVALID_DESTINATION
        self.number += 1
        report(
            event="submit",
            status=status,
            number=self.number,
            destination=event.destination_addr,
            ton=event.dest_addr_ton,
            source=event.source_addr,
            esm_class=event.esm_class,
            data_coding=event.data_coding,
            receipt=event.registered_delivery,
            octets=event.short_message.hex(),
        )
        if status == SILENCE:
            self.unanswered.append(event)  # kept: an event that is dropped is refused
        elif status:
            event.reject(status)
        else:
            event.accept(f"{self.number:x}")

    async def deliver(self, command: dict[str, Any]) -> None:
        session = list(self.sessions.values())[-1]
        tlvs = [smpp34.Tlv(int(tag), bytes.fromhex(value)) for tag, value in command.get("tlvs", {}).items()]
        response = await session.deliver_sm(
            source_addr="8613800000001",
            destination_addr="10690000",
            esm_class=command.get("esm_class", 4),
            data_coding=command.get("data_coding", 0),
            short_message=bytes.fromhex(command.get("octets", "")),
            tlvs=tlvs,
        )
        report(event="acknowledged", status=response.command_status)

    async def obey(self) -> None:
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            command = json.loads(line)
            if "replies" in command:
                self.replies.extend(command["replies"])
                report(event="queued")
            else:
                await self.deliver(command["deliver"])


def report(**event: object) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


async def main() -> None:
    smsc = Smsc(int(sys.argv[1]))
    serving = asyncio.ensure_future(smsc.serve())
    await smsc.obey()
    serving.cancel()


if __name__ == "__main__":
    asyncio.run(main())
    os._exit(0)
