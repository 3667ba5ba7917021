"""Mails carry references that intake can check: a Message-ID of delivery and case, and a reply address of the case."""

from pathlib import Path

from deploy.sinks import MailSink
from services.notify.providers.provider import OutgoingMessage
from shared.contracts.mail_references import MessageReference, mail_key, read_message_id
from tests.support.provider_peers.smtp import smtp_provider

CASE, DELIVERY = "0198a4c0-7b1e-7000-8000-00000000beef", "8b0b6a0e-5f6e-5d0f-9c3c-0a1b2c3d4e5f"
KEY = mail_key("secret")


async def test_message_id_and_reply_address_prove_the_case(tmp_path: Path) -> None:
    async with MailSink(tmp_path) as sink:
        provider = smtp_provider(sink.port, timeout=5, mail_key=KEY, reply_address="case@jiesu.example")
        await provider.send(OutgoingMessage(DELIVERY, "li@example.com", "s", "t", case=CASE))
        await provider.send(OutgoingMessage(DELIVERY, "li@example.com", "s", "t", case="digest:wang"))
        await provider.close()
    with_case, without = sink.message_file.messages
    assert read_message_id(KEY, with_case) == MessageReference(DELIVERY, CASE)
    assert read_message_id(KEY, without) == MessageReference(DELIVERY, "")
    headers = [message["headers"] for message in sink.message_file.messages.values()]
    assert "Reply-To" in headers[0]
    assert "Reply-To" not in headers[1], "a reply to a message about several cases is a new submission"


async def test_without_a_key_mails_have_no_references(tmp_path: Path) -> None:
    async with MailSink(tmp_path) as sink:
        provider = smtp_provider(sink.port, timeout=5, reply_address="case@jiesu.example")
        await provider.send(OutgoingMessage(DELIVERY, "li@example.com", "s", "t", case=CASE))
        await provider.close()
    [message_id] = sink.message_file.messages
    assert message_id.startswith(f"<{DELIVERY}@")
