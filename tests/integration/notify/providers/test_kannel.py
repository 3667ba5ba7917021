"""Debian's Kannel: sendsms in, SMPP to an SMSC out, and its calls of our receipts."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.notify.domain.failure_reason import FailureReason
from services.notify.providers.kind import ProviderContext
from services.notify.providers.provider import DeliveryReceipt, OutgoingMessage, ReceiptStatus, SendAccepted, SendFailed
from services.notify.providers.receipts import ReceiptCall
from services.notify.providers.sms.kannel import KannelProvider, KannelSettings
from shared.runtime.clock import Clock
from tests.support.gateways.simulated_gateway import SimulatedGateway
from tests.support.provider_peers.kannel import ENVIRONMENT
from tests.support.provider_peers.smpp import SmscProcess, text_of
from tests.support.servers.debian_packages import why_not_available

ADDRESS = "+8613800000001"
LONG_CHINESE = "投诉𠮷" * 60
CONFIGURATION = """
group = core
admin-port = {admin}
admin-password = x
smsbox-port = {box}
box-allow-ip = 127.0.0.1

group = smsc
smsc = smpp
host = 127.0.0.1
port = {smsc}
smsc-username = kannel
smsc-password = secret
system-type = ""
transceiver-mode = true
interface-version = 34
reconnect-delay = 1
msg-id-type = 0x01

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {box}
sendsms-port = {sendsms}

group = sendsms-user
username = jiesu
password = {password}
concatenation = true
max-messages = 10
"""


@pytest.fixture(scope="module", autouse=True)
def _kannel() -> None:
    if reason := why_not_available("bearerbox", "kannel"):
        pytest.skip(reason)


class Receipts(SimulatedGateway):
    """Where Kannel reports; each call is read as notify reads it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.provider: KannelProvider | None = None
        self.receipts: asyncio.Queue[DeliveryReceipt] = asyncio.Queue()

    async def answer(self, request: Request, body: bytes) -> Response:
        assert self.provider is not None
        call = ReceiptCall(request.method, request.query_params.multi_items(), request.headers, body, Clock().real_now())
        for receipt in self.provider.read_receipts(call):
            self.receipts.put_nowait(receipt)
        return JSONResponse(self.provider.receipt_reply())


class Kannel:
    """bearerbox and smsbox between a provider and an SMSC."""

    def __init__(self, provider: KannelProvider, smsc: SmscProcess, receipts: Receipts) -> None:
        self.provider, self.smsc, self.receipts = provider, smsc, receipts


def free_ports(number: int) -> list[int]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


async def accepts_connections(port: int) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                await asyncio.wait([asyncio.ensure_future(asyncio.sleep(0.05))])
                continue
            writer.close()
            return


@pytest.fixture
async def kannel(tmp_path: Path) -> AsyncIterator[Kannel]:
    admin, box, sendsms = free_ports(3)
    async with SmscProcess(tmp_path) as smsc, Receipts(tmp_path) as receipts:
        ports = {"admin": admin, "box": box, "sendsms": sendsms, "smsc": smsc.port}
        configuration = tmp_path / "kannel.conf"
        configuration.write_text(CONFIGURATION.format(**ports, password=ENVIRONMENT["KANNEL_PASSWORD"]), encoding="utf-8")
        with (tmp_path / "kannel.log").open("wb") as log:
            programs = []
            for program, port in (("bearerbox", box), ("smsbox", sendsms)):
                programs.append(await asyncio.create_subprocess_exec(program, str(configuration), stdout=log, stderr=log))
                await accepts_connections(port)
            await smsc.wait_for("bound")
            settings = KannelSettings(
                url=f"http://127.0.0.1:{sendsms}/cgi-bin/sendsms",
                username="jiesu",
                password_env="KANNEL_PASSWORD",
                receipt_secret_env="KANNEL_RECEIPTS",
                source="10690000",
            )
            receipts.provider = KannelProvider(settings, ProviderContext("kannel", Clock(), 5, f"{receipts.url}/kannel", ENVIRONMENT))
            yield Kannel(receipts.provider, smsc, receipts)
            await receipts.provider.close()
            for running in programs:
                running.kill()
            await asyncio.gather(*(running.wait() for running in programs))


async def test_text_goes_through_kannel_and_its_receipt_comes_back(kannel: Kannel) -> None:
    message = OutgoingMessage("01999999-0000-7000-8000-000000000001", ADDRESS, "", "投诉单 1 待办")
    assert await kannel.provider.send(message) == SendAccepted(message.idempotency_key, (f"{message.idempotency_key}.1",), 1)
    await kannel.smsc.wait_for("submit")
    [submit] = kannel.smsc.submits
    assert (text_of(submit), submit["source"]) == (message.text, "10690000")
    receipt = f"id:{submit['number']:x} sub:001 dlvrd:001 submit date:2609241605 done date:2609241606 stat:DELIVRD err:000 text:"
    await kannel.smsc.deliver(receipt.encode())
    async with asyncio.timeout(10):
        assert await kannel.receipts.receipts.get() == DeliveryReceipt("", ReceiptStatus.DELIVERED, "", f"{message.idempotency_key}.1")


async def test_long_text_and_rejected_message(kannel: Kannel) -> None:
    message = OutgoingMessage("01999999-0000-7000-8000-000000000002", ADDRESS, "", LONG_CHINESE)
    assert isinstance(await kannel.provider.send(message), SendAccepted)
    await kannel.smsc.wait_for("submit", 4)
    # Kannel's queue may change the order; the header has the number of each part, with which the telephone joins them.
    parts = sorted(kannel.smsc.submits, key=lambda submit: bytes.fromhex(submit["octets"])[5])
    assert "".join(text_of(submit) for submit in parts) == LONG_CHINESE
    refused = OutgoingMessage("01999999-0000-7000-8000-000000000003", "+8613800000550", "", "text {1} €")
    assert isinstance(await kannel.provider.send(refused), SendAccepted), "Kannel asks the SMSC only afterwards"
    async with asyncio.timeout(10):
        assert await kannel.receipts.receipts.get() == DeliveryReceipt("", ReceiptStatus.FAILED, "", f"{refused.idempotency_key}.1")
    assert text_of(kannel.smsc.submits[-1]) == "text {1} €"


async def test_wrong_password_is_named(kannel: Kannel) -> None:
    settings = kannel.provider._settings
    wrong = KannelProvider(settings, ProviderContext("kannel", Clock(), 5, environment={**ENVIRONMENT, "KANNEL_PASSWORD": "wrong"}))
    result = await wrong.send(OutgoingMessage("k", ADDRESS, "", "text"))
    assert result == SendFailed(FailureReason.CREDENTIALS, permanent=False, code="403")
    await wrong.close()
