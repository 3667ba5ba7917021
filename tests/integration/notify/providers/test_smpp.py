"""SMPP with a server of another make: parts, throttling, lost connections, receipts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from services.notify.domain.failure_reason import FailureReason
from services.notify.providers.provider import DeliveryReceipt, OutgoingMessage, ReceiptStatus, SendAccepted, SendFailed
from services.notify.providers.sms import smpp_pdu
from services.notify.providers.sms.smpp import SmppProvider
from tests.integration.notify.providers.provider_peers import misbehaving_server
from tests.integration.notify.providers.test_smtp import self_signed_certificate, server_context
from tests.support.gateways.smsc_server import SILENCE
from tests.support.provider_peers.smpp import (
    ADDRESS,
    RMSGQFUL,
    RSYSERR,
    RTHROTTLED,
    SmscProcess,
    smpp_provider,
    text_of,
)

MESSAGE = OutgoingMessage("01999999-0000-7000-8000-000000000001", ADDRESS, "", "投诉单 1 待办")
LONG_CHINESE = "投诉𠮷" * 60
LONG_ENGLISH = "Complaint {1} is due. €" * 12
RECEIPT = b"id:%s sub:001 dlvrd:001 submit date:2609241605 done date:2609241606 stat:%s err:%s text:..."


@pytest.fixture
async def smsc(tmp_path: Path) -> AsyncIterator[SmscProcess]:
    async with SmscProcess(tmp_path) as process:
        yield process


def message(text: str, number: int = 2) -> OutgoingMessage:
    return OutgoingMessage(f"01999999-0000-7000-8000-{number:012}", ADDRESS, "", text)


@asynccontextmanager
async def bound(smsc: SmscProcess, **settings: object) -> AsyncIterator[tuple[SmppProvider, list[DeliveryReceipt]]]:
    """A provider that listens, and the receipts that it reports."""
    provider, receipts = smpp_provider(smsc.port, 5, **settings), list[DeliveryReceipt]()

    async def record(receipt: DeliveryReceipt) -> None:
        receipts.append(receipt)

    listening = asyncio.ensure_future(provider.listen(record))
    await smsc.wait_for("bound")
    yield provider, receipts
    listening.cancel()
    await provider.close()


async def test_short_text_is_one_part_with_the_registered_sender(smsc: SmscProcess) -> None:
    async with bound(smsc) as (provider, _):
        result = await provider.send(MESSAGE)
    [submit] = smsc.submits
    assert result == SendAccepted("ab01", ("ab01",), 1)
    assert (submit["source"], submit["destination"], submit["ton"], submit["receipt"]) == ("10690000", "8613800000001", 1, 1)
    assert (submit["esm_class"], submit["data_coding"], text_of(submit)) == (0, 8, MESSAGE.text)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("text", [LONG_CHINESE, LONG_ENGLISH])
async def test_long_text_is_joined_from_parts_without_a_cut_character(smsc: SmscProcess, bits: int, text: str) -> None:
    async with bound(smsc, reference_bits=bits) as (provider, _):
        result = await provider.send(message(text))
    assert isinstance(result, SendAccepted)
    headers = [bytes.fromhex(submit["octets"])[: 6 if bits == 8 else 7] for submit in smsc.submits]
    assert len(result.parts) == len(headers) > 1
    assert [header[-1] for header in headers] == list(range(1, len(headers) + 1))
    assert {header[:-1] for header in headers} == {headers[0][:-1]}
    assert headers[0][1:3] == (b"\x00\x03" if bits == 8 else b"\x08\x04")
    assert "".join(text_of(submit) for submit in smsc.submits) == text
    assert all(len(bytes.fromhex(submit["octets"])) <= (140 if submit["data_coding"] == 8 else 160) for submit in smsc.submits)


@pytest.mark.parametrize("status", [RTHROTTLED, RMSGQFUL])
async def test_throttled_part_is_sent_again_after_the_pause(smsc: SmscProcess, status: int) -> None:
    async with bound(smsc, throttle_pause=0.05) as (provider, _):
        await smsc.reply(0, status, status)
        result = await provider.send(message(LONG_CHINESE))
    assert isinstance(result, SendAccepted)
    assert [submit["status"] for submit in smsc.submits][:4] == [0, status, status, 0]
    assert "".join(text_of(submit) for submit in smsc.submits if submit["status"] == 0) == LONG_CHINESE


async def test_throttling_beyond_the_attempt_is_busy(smsc: SmscProcess) -> None:
    provider = smpp_provider(smsc.port, 0.5, throttle_pause=0.2)
    await smsc.reply(*[RTHROTTLED] * 9)
    assert await provider.send(MESSAGE) == SendFailed(FailureReason.BUSY, permanent=False, code="0x58", retry_after=0.2)
    await provider.close()


async def test_repeated_attempt_goes_on_behind_the_accepted_parts(smsc: SmscProcess) -> None:
    async with bound(smsc) as (provider, _):
        await smsc.reply(0, RSYSERR)
        first = await provider.send(message(LONG_CHINESE))
        assert isinstance(first, SendFailed)
        assert (first.reason, first.in_doubt) == (FailureReason.BUSY, True), "one part is with this carrier"
        result = await provider.send(message(LONG_CHINESE))
    assert isinstance(result, SendAccepted)
    accepted = [submit for submit in smsc.submits if submit["status"] == 0]
    assert "".join(text_of(submit) for submit in accepted) == LONG_CHINESE
    assert len({bytes.fromhex(submit["octets"])[3] for submit in accepted}) == 1, "the same reference joins them"


async def test_message_without_a_response_is_in_doubt(smsc: SmscProcess) -> None:
    provider = smpp_provider(smsc.port, 0.3)
    await smsc.reply(SILENCE)
    assert await provider.send(MESSAGE) == SendFailed(FailureReason.UNREACHABLE, permanent=False, in_doubt=True)
    assert isinstance(await provider.send(MESSAGE), SendAccepted)
    await provider.close()


async def test_lost_connection_is_in_doubt_and_bound_again(smsc: SmscProcess, tmp_path: Path) -> None:
    async with bound(smsc) as (provider, _):
        await smsc.reply(SILENCE)
        sending = asyncio.ensure_future(provider.send(MESSAGE))
        await smsc.wait_for("submit")
        await smsc.kill()
        assert await sending == SendFailed(FailureReason.UNREACHABLE, permanent=False, in_doubt=True)
        async with SmscProcess(tmp_path, smsc.port) as restarted:
            await restarted.wait_for("bound")
            assert isinstance(await provider.send(MESSAGE), SendAccepted)


async def test_window_bounds_the_requests_without_a_response(smsc: SmscProcess) -> None:
    provider = smpp_provider(smsc.port, 0.4, window=2)
    await smsc.reply(SILENCE, SILENCE)
    results = await asyncio.gather(*(provider.send(message("text", number)) for number in range(3)))
    doubts = [isinstance(result, SendFailed) and result.in_doubt for result in results]
    assert (len(smsc.submits), sorted(doubts)) == (2, [False, True, True]), "the third one was not sent"
    await provider.close()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (RECEIPT % (b"ab01", b"DELIVRD", b"000"), [DeliveryReceipt("", ReceiptStatus.DELIVERED, "", "ab01")]),
        (RECEIPT % (b"ab01", b"UNDELIV", b"011"), [DeliveryReceipt("", ReceiptStatus.FAILED, "011", "ab01")]),
        (RECEIPT % (b"ab01", b"EXPIRED", b"0x1f"), [DeliveryReceipt("", ReceiptStatus.FAILED, "0x1f", "ab01")]),
        (RECEIPT % (b"ab01", b"ACCEPTD", b"000"), [DeliveryReceipt("", ReceiptStatus.UNDECIDED, "", "ab01")]),
        (b"hello", []),
    ],
)
async def test_receipt_in_text_form_is_recorded_before_its_response(
    smsc: SmscProcess, text: bytes, expected: list[DeliveryReceipt]
) -> None:
    async with bound(smsc) as (_, receipts):
        assert await smsc.deliver(text) == smpp_pdu.OK
        assert receipts == expected


async def test_receipt_in_optional_parameters_outranks_the_text(smsc: SmscProcess) -> None:
    async with bound(smsc) as (_, receipts):
        tlvs = {"30": b"cd02\0".hex(), "1063": b"\x05".hex()}
        await smsc.deliver(RECEIPT % (b"ab01", b"DELIVRD", b"007"), tlvs=tlvs)
        assert receipts == [DeliveryReceipt("", ReceiptStatus.FAILED, "007", "cd02")]


async def test_message_of_a_person_is_acknowledged_and_ignored(smsc: SmscProcess) -> None:
    async with bound(smsc) as (_, receipts):
        assert await smsc.deliver(RECEIPT % (b"ab01", b"DELIVRD", b"000"), esm_class=0) == smpp_pdu.OK
        assert receipts == []


async def test_ids_agree_where_the_carrier_writes_them_in_two_forms(smsc: SmscProcess) -> None:
    async with bound(smsc, response_ids="hex", receipt_ids="decimal") as (provider, receipts):
        result = await provider.send(MESSAGE)
        await smsc.deliver(RECEIPT % (b"0000043777", b"DELIVRD", b"000"))
    assert isinstance(result, SendAccepted)
    assert [receipt.reference for receipt in receipts] == list(result.parts) == ["43777"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ConnectionError("the database is away"), smpp_pdu.TEMPORARY_APPLICATION_ERROR),
        (ValueError("a bug"), smpp_pdu.PERMANENT_APPLICATION_ERROR),
    ],
)
async def test_receipt_that_cannot_be_recorded_is_repeated_unless_the_fault_is_ours(
    smsc: SmscProcess, error: Exception, status: int
) -> None:
    provider = smpp_provider(smsc.port, 5)

    async def fail(_receipt: DeliveryReceipt) -> None:
        raise error

    with capture_logs() as lines:
        listening = asyncio.ensure_future(provider.listen(fail))
        await smsc.wait_for("bound")
        assert await smsc.deliver(RECEIPT % (b"ab01", b"DELIVRD", b"000")) == status
        listening.cancel()
        await provider.close()
    assert [type(error).__name__ in line["reason"] for line in lines] == [True]


@pytest.mark.parametrize(
    ("status", "reason"), [(0x0E, FailureReason.CREDENTIALS), (0x0F, FailureReason.CREDENTIALS), (0x05, FailureReason.BUSY)]
)
async def test_refused_bind_is_no_permanent_failure(status: int, reason: FailureReason) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        header = await reader.readexactly(16)
        await reader.readexactly(smpp_pdu.pdu_length(header) - 16)
        sequence = smpp_pdu.decode_pdu(header).sequence
        writer.write(smpp_pdu.encode_pdu(smpp_pdu.BIND_TRANSCEIVER | smpp_pdu.RESPONSE, sequence, status=status, body=b"\0"))

    async with misbehaving_server(refuse) as port:
        provider = smpp_provider(port, 5)
        assert await provider.send(MESSAGE) == SendFailed(reason, permanent=False, code=f"0x{status:x}")
        second = await provider.send(MESSAGE)
    assert isinstance(second, SendFailed)
    assert second.reason is FailureReason.UNREACHABLE, "no bind in a loop, for which carriers lock accounts"
    await provider.close()


async def test_silent_peer_is_noticed_by_enquire_link() -> None:
    async def fall_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        header = await reader.readexactly(16)
        await reader.readexactly(smpp_pdu.pdu_length(header) - 16)
        sequence = smpp_pdu.decode_pdu(header).sequence
        writer.write(smpp_pdu.encode_pdu(smpp_pdu.BIND_TRANSCEIVER | smpp_pdu.RESPONSE, sequence, body=b"SMSC\0"))
        binds.append(sequence)
        enquiries.append((await reader.readexactly(16))[7])
        await reader.read()

    binds: list[int] = []
    enquiries: list[int] = []
    async with misbehaving_server(fall_silent) as port:
        provider = smpp_provider(port, 0.2, enquire_link=0.05)

        async def ignore(_receipt: DeliveryReceipt) -> None:
            return

        listening = asyncio.ensure_future(provider.listen(ignore))
        async with asyncio.timeout(5):
            while len(binds) < 2:
                await asyncio.wait([listening], timeout=0.02)
        listening.cancel()
        await provider.close()
    assert enquiries[0] == smpp_pdu.ENQUIRE_LINK


async def test_connection_can_be_encrypted(smsc: SmscProcess, tmp_path: Path) -> None:
    certificate = self_signed_certificate(tmp_path, "localhost")

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        other_reader, other_writer = await asyncio.open_connection("127.0.0.1", smsc.port)
        await asyncio.gather(pump(reader, other_writer), pump(other_reader, writer))

    server = await asyncio.start_server(forward, "127.0.0.1", 0, ssl=server_context(certificate))
    port = server.sockets[0].getsockname()[1]
    async with server:
        for ca_file, accepted in ((str(certificate), True), (None, False)):
            provider = smpp_provider(port, 5, host="localhost", tls=True, ca_file=ca_file)
            result = await provider.send(MESSAGE)
            await provider.close()
            assert isinstance(result, SendAccepted) == accepted
    assert result == SendFailed(FailureReason.CREDENTIALS, permanent=False)


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while octets := await reader.read(4096):
        writer.write(octets)
    writer.close()
