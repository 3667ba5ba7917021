"""The SMPP sink as a separate process, with the client that notify sends with."""

import asyncio
import json
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from services.notify.providers.provider import DeliveryReceipt, OutgoingMessage, ReceiptStatus, SendAccepted
from services.notify.providers.sms import smpp_pdu
from services.notify.providers.sms.smpp_pdu import Pdu
from services.notify.providers.sms.smpp_session import SmppOptions, SmppSession
from tests.support.provider_peers.smpp import smpp_provider
from tests.support.repository import PROJECT
from tests.support.waiting import wait_for

MESSAGE = OutgoingMessage("01999999-0000-7000-8000-000000000001", "+8613800000001", "", "投诉单 1 待办")


async def start_sink(folder: Path, port: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.sinks.smpp", "--folder", str(folder), "--port", str(port)),
        cwd=PROJECT,
        stderr=asyncio.subprocess.PIPE,
    )


@asynccontextmanager
async def running_sink(folder: Path) -> AsyncIterator[int]:
    """The port of a sink that listens; it ends with the block, by SIGTERM and with status 0."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = await start_sink(folder, port)
    try:
        await wait_for(lambda: is_listening(port) or process.returncode is not None, 30, "the sink listens")
        yield port
        assert process.returncode is None, "the sink ended by itself"
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 20) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def receipts_of(port: int, count: int, *messages: OutgoingMessage) -> list[DeliveryReceipt]:
    """Bind, send, and return the receipts that arrive."""
    provider, receipts = smpp_provider(port, 5), list[DeliveryReceipt]()

    async def record(receipt: DeliveryReceipt) -> None:
        receipts.append(receipt)

    listening = asyncio.ensure_future(provider.listen(record))
    for message in messages:
        assert isinstance(await provider.send(message), SendAccepted)
    await wait_for(lambda: len(receipts) == count, 20, "receipts")
    listening.cancel()
    await provider.close()
    return receipts


async def test_messages_are_stored_and_get_a_receipt_each(tmp_path: Path) -> None:
    async with running_sink(tmp_path) as port:
        receipts = await receipts_of(port, 1, MESSAGE)
    [stored] = [json.loads(line) for line in (tmp_path / "smpp.jsonl").read_text(encoding="utf-8").splitlines()]
    assert stored == {"key": "1", "to": "+8613800000001", "part": "", "text": MESSAGE.text}
    assert receipts == [DeliveryReceipt("", ReceiptStatus.DELIVERED, "", "1")]


async def test_a_refused_receipt_is_sent_again_and_waits_for_a_session(tmp_path: Path) -> None:
    refused = asyncio.Event()

    async def refuse(_pdu: Pdu) -> int:
        refused.set()
        return smpp_pdu.TEMPORARY_APPLICATION_ERROR

    async with running_sink(tmp_path) as port:
        # A provider without a listener refuses receipts; its session is gone before the receipt comes again.
        session = await SmppSession.bind(SmppOptions(host="127.0.0.1", port=port, system_id="jiesu", password=""), refuse)
        submit = smpp_pdu.load_codec().SubmitSm("10690000", "8613800000001", b"text", registered_delivery=1)
        body = submit.encode()[smpp_pdu.HEADER_LENGTH :]
        response = await session.request(lambda number: smpp_pdu.encode_pdu(smpp_pdu.SUBMIT_SM, number, body=body))
        assert response.status == smpp_pdu.OK
        await asyncio.wait_for(refused.wait(), 10)
        await session.close()
        assert await receipts_of(port, 1) == [DeliveryReceipt("", ReceiptStatus.DELIVERED, "", "1")]


async def test_a_session_that_breaks_with_receipts_open_does_not_end_the_sink(tmp_path: Path) -> None:
    async def hang(_pdu: Pdu) -> int:
        await asyncio.Event().wait()
        return smpp_pdu.OK

    async with running_sink(tmp_path) as port:
        session = await SmppSession.bind(SmppOptions(host="127.0.0.1", port=port, system_id="jiesu", password=""), hang)
        submit = smpp_pdu.load_codec().SubmitSm("10690000", "8613800000001", b"text", registered_delivery=1)
        body = submit.encode()[smpp_pdu.HEADER_LENGTH :]
        for _ in range(3):
            await session.request(lambda number: smpp_pdu.encode_pdu(smpp_pdu.SUBMIT_SM, number, body=body))
        await session.close()
        receipts = await receipts_of(port, 4, MESSAGE)
    assert sorted(receipt.reference for receipt in receipts) == ["1", "2", "3", "4"]


async def test_a_port_in_use_is_one_line_and_status_1(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as used:
        port = used.getsockname()[1]
        process = await start_sink(tmp_path, port)
        _, errors = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 1
    assert errors.decode().startswith(f"Error: port {port}: ")
    assert errors.count(b"\n") == 1
