"""One SMPP connection: receipts that cannot be recorded yet do not delay responses."""

import asyncio

from services.notify.providers.sms import smpp_pdu
from services.notify.providers.sms.smpp_pdu import Pdu
from services.notify.providers.sms.smpp_session import SmppOptions, SmppSession
from tests.integration.notify.providers.provider_peers import misbehaving_server

RECEIPTS = 21
"""One more than a session records at once."""


async def read_pdu(reader: asyncio.StreamReader) -> Pdu:
    header = await reader.readexactly(smpp_pdu.HEADER_LENGTH)
    return smpp_pdu.decode_pdu(header + await reader.readexactly(smpp_pdu.pdu_length(header) - smpp_pdu.HEADER_LENGTH))


async def test_receipt_without_a_free_slot_is_refused_for_now_and_responses_arrive() -> None:
    answers: list[tuple[int, int]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        bind = await read_pdu(reader)
        writer.write(smpp_pdu.encode_pdu(bind.command | smpp_pdu.RESPONSE, bind.sequence, body=b"SMSC\0"))
        submit = await read_pdu(reader)
        for number in range(RECEIPTS):
            writer.write(smpp_pdu.encode_pdu(smpp_pdu.DELIVER_SM, number + 1))
        writer.write(smpp_pdu.encode_pdu(submit.command | smpp_pdu.RESPONSE, submit.sequence, body=b"ab01\0"))
        refused = await read_pdu(reader)
        answers.append((refused.sequence, refused.status))

    hanging, recorded = asyncio.Event(), list[int]()

    async def hang(pdu: Pdu) -> int:
        recorded.append(pdu.sequence)
        await hanging.wait()
        return smpp_pdu.OK

    async with misbehaving_server(serve) as port:
        session = await SmppSession.bind(SmppOptions("127.0.0.1", port, "jiesu", "secret"), hang)
        async with asyncio.timeout(5):
            response = await session.request(lambda number: smpp_pdu.encode_pdu(smpp_pdu.SUBMIT_SM, number))
            await session.closed.wait()
        await session.close()
    assert (response.status, response.body) == (smpp_pdu.OK, b"ab01\0")
    assert recorded == list(range(1, RECEIPTS))
    assert answers == [(RECEIPTS, smpp_pdu.TEMPORARY_APPLICATION_ERROR)]
