"""SMTP only: STARTTLS, login, headers, sessions, the replies of the status table."""

import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deploy.sinks import MailSink
from services.notify.domain.failure_reason import FailureReason
from services.notify.providers.provider import OutgoingMessage, SendAccepted, SendFailed
from tests.integration.notify.providers.peers.smtp import send_mail, smtp_provider

MESSAGE = OutgoingMessage("key-1", "li@example.com", "Subject", "Text")
LOGIN = ("jiesu", "correct horse")


def self_signed_certificate(folder: Path, name: str) -> Path:
    """A PEM file with a key and a self-signed certificate for `name`."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path


def server_context(path: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


async def test_mail_is_sent_with_starttls_and_login_and_a_wrong_password_is_named(tmp_path: Path) -> None:
    pem = self_signed_certificate(tmp_path, "localhost")
    async with MailSink(tmp_path, tls=server_context(pem), login=LOGIN) as sink:
        common = {"host": "localhost", "security": "starttls", "ca_file": str(pem), "timeout": 5, "username": LOGIN[0]}
        assert isinstance(await send_mail(sink.port, MESSAGE, **common, password=LOGIN[1]), SendAccepted)
        wrong = await send_mail(sink.port, MESSAGE, **common, password="wrong")
    assert len(sink.message_file.messages) == 1
    assert wrong == SendFailed(FailureReason.CREDENTIALS, permanent=False, code="535 5.7.8")


async def test_server_with_a_certificate_for_another_name_receives_no_mail(tmp_path: Path) -> None:
    pem = self_signed_certificate(tmp_path, "elsewhere.example.com")
    async with MailSink(tmp_path, tls=server_context(pem)) as sink:
        result = await send_mail(sink.port, MESSAGE, host="localhost", security="starttls", ca_file=str(pem), timeout=5)
    assert isinstance(result, SendFailed)
    assert not result.permanent
    assert sink.message_file.messages == {}


async def test_server_without_starttls_receives_no_mail(tmp_path: Path) -> None:
    async with MailSink(tmp_path) as sink:
        result = await send_mail(sink.port, MESSAGE, security="starttls", timeout=5)
    assert result == SendFailed(FailureReason.CREDENTIALS, permanent=False)
    assert sink.message_file.messages == {}


async def test_message_cannot_add_headers_or_recipients(tmp_path: Path) -> None:
    async with MailSink(tmp_path) as sink:
        provider = smtp_provider(sink.port, sender="Jiesu 接诉 <jiesu@example.org>", timeout=5)
        await provider.send(OutgoingMessage("key-1", "li@example.com", "投诉单 1 " + "长" * 120, "一\n.\n二\n" + "字" * 3000))
        for injected in (
            OutgoingMessage("k2", "li@example.com", "a\r\nBcc: b@example.com", "t"),
            OutgoingMessage("k3", "li@example.com\nBcc: b@x.cn", "s", "t"),
        ):
            assert await provider.send(injected) == SendFailed(FailureReason.TEMPLATE, permanent=True)
    assert len(sink.message_file.messages) == 1
    received = sink.message_file.messages["<key-1@example.org>"]
    assert received["from"] == "jiesu@example.org"
    assert received["subject"] == "投诉单 1 " + "长" * 120
    assert received["text"] == "一\n.\n二\n" + "字" * 3000 + "\n"
    assert sorted(received["headers"]) == sorted(
        ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Type", "Content-Transfer-Encoding", "MIME-Version"]
    )


@pytest.mark.parametrize(
    ("reply", "reason", "permanent"),
    [
        ("421 4.3.2 shutting down", FailureReason.BUSY, False),
        ("450 4.2.1 greylisted", FailureReason.BUSY, False),
        ("451 later", FailureReason.BUSY, False),
        ("452 4.2.2 full", FailureReason.BUSY, False),
        ("530 5.7.0 log in first", FailureReason.CREDENTIALS, False),
        ("503 5.5.1 bad sequence", FailureReason.GARBAGE, False),
        ("550 5.7.1 policy", FailureReason.REFUSED, True),
        ("552 5.3.4 too big", FailureReason.REFUSED, True),
        ("554 no", FailureReason.REFUSED, True),
    ],
)
async def test_reply_decides_reason_and_permanence(tmp_path: Path, reply: str, reason: FailureReason, permanent: bool) -> None:
    async with MailSink(tmp_path) as sink:
        sink.queued_replies.append(reply)
        result = await send_mail(sink.port, MESSAGE, timeout=5)
    assert isinstance(result, SendFailed)
    assert (result.reason, result.permanent) == (reason, permanent)
    assert result.code.split()[0] == reply[:3]


async def test_session_is_reused_until_an_error(tmp_path: Path) -> None:
    async with MailSink(tmp_path) as sink:
        provider = smtp_provider(sink.port, timeout=5)
        for number in range(3):
            assert isinstance(await provider.send(replace(MESSAGE, idempotency_key=f"k{number}")), SendAccepted)
        assert len(sink.sessions) == 1
        sink.queued_replies.append("451 later")
        await provider.send(replace(MESSAGE, idempotency_key="k3"))
        await provider.send(replace(MESSAGE, idempotency_key="k3"))
        assert len(sink.sessions) == 2
        await provider.close()
    assert len(sink.message_file.messages) == 4


async def test_session_closed_by_the_server_costs_no_attempt(tmp_path: Path) -> None:
    async with MailSink(tmp_path) as sink:
        provider = smtp_provider(sink.port, timeout=5)
        await provider.send(MESSAGE)
        transport = sink.sessions[0].transport
        assert transport is not None
        transport.close()
        assert isinstance(await provider.send(replace(MESSAGE, idempotency_key="k2")), SendAccepted)
        await provider.close()
    assert len(sink.sessions) == 2
