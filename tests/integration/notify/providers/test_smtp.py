"""SMTP only: STARTTLS, login, headers, sessions, the replies of the status table."""

import base64
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import dkim
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from deploy.sinks import MailSink
from services.notify.domain.failure_reason import FailureReason
from services.notify.providers.mail.composing import MailSender
from services.notify.providers.mail.dkim_signing import DkimOptions, DkimSigner
from services.notify.providers.mail.layout_file import load_mail_layout
from services.notify.providers.mail.sessions import SmtpOptions
from services.notify.providers.mail.smtp import SmtpProvider
from services.notify.providers.provider import OutgoingMessage, SendAccepted, SendFailed
from shared.runtime.clock import Clock
from shared.runtime.errors import Misconfigured
from tests.support.provider_peers.smtp import send_mail, smtp_provider

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


async def test_mail_has_an_html_twin_of_its_text(tmp_path: Path) -> None:
    message = replace(MESSAGE, text="投诉事项：漏水\n期限：2026-09-25 10:00\n\nhttps://complaints.example.org/f/A", language="zh")
    async with MailSink(tmp_path) as sink:
        provider = SmtpProvider(SmtpOptions("127.0.0.1", sink.port, "none", timeout=5), Clock(), load_mail_layout(None))
        assert isinstance(await provider.send(message), SendAccepted)
        await provider.close()
        mail = message_from_bytes(sink.contents[-1], policy=policy.default)
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    [received] = sink.message_file.messages.values()
    assert received["text"] == message.text + "\n"
    assert '<a href="https://complaints.example.org/f/A"' in received["html"]
    assert ("Content-Language", "zh") in mail.items()


@pytest.fixture(scope="session")
def dkim_key(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A private key's file, and the TXT record of its public key."""
    key = rsa.generate_private_key(65537, 2048)
    path = tmp_path_factory.mktemp("dkim") / "key.pem"
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return path, b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)


async def received_signed_mail(folder: Path, key: Path, address: str = "li@example.com", **sink_options: bool) -> bytes:
    signer = DkimSigner(DkimOptions("xn--fiqs8s.example.org", "s2026", key))
    async with MailSink(folder, **sink_options) as sink:  # type: ignore[arg-type]
        options = SmtpOptions("127.0.0.1", sink.port, "none", sender="接诉中心 <jiesu@中国.example.org>", timeout=5)
        provider = SmtpProvider(options, Clock(), load_mail_layout(None), signer)
        result = await provider.send(replace(MESSAGE, address=address, subject="投诉单 TS-1", text="电梯停运。\n.\n\n" + "长" * 900))
        assert isinstance(result, SendAccepted)
        await provider.close()
        return sink.contents[-1]


@pytest.mark.parametrize("address", ["li@example.com", "李四@xn--fiqs8s.cn"])
async def test_signature_is_verified_by_the_key_in_dns(tmp_path: Path, dkim_key: tuple[Path, bytes], address: str) -> None:
    path, record = dkim_key
    asked: list[bytes] = []

    def dns(name: bytes, **_options: object) -> bytes:
        asked.append(name)
        return record

    mail = await received_signed_mail(tmp_path, path, address)
    assert dkim.verify(mail, dnsfunc=dns)
    assert asked == [b"s2026._domainkey.xn--fiqs8s.example.org."]
    tampered = [
        mail.replace(b"Subject: ", b"Subject: Re: ", 1),
        mail.replace(b"From: ", b"From: other@example.org\r\nFrom: ", 1),
        mail.rstrip() + b"\r\nmore\r\n",
    ]
    assert [dkim.verify(each, dnsfunc=dns) for each in tampered] == [False, False, False]
    # Relays fold headers anew and strip trailing spaces.
    assert dkim.verify(mail.replace(b"Auto-Submitted: auto-generated", b"Auto-Submitted:\r\n auto-generated  "), dnsfunc=dns)


@pytest.mark.parametrize("content", ["no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", None])
def test_key_that_cannot_sign_names_its_setting(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "key.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(Misconfigured, match=r"JIESU_SMTP_DKIM_KEY_FILE: .*; |JIESU_SMTP_DKIM_KEY_FILE: .*see openssl"):
        DkimSigner(DkimOptions("example.org", "s", path))


def test_elliptic_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="must be an RSA key"):
        DkimSigner(DkimOptions("example.org", "s", self_signed_certificate(tmp_path, "localhost")))


async def test_address_beyond_ascii_needs_smtputf8_of_the_server(tmp_path: Path) -> None:
    message = replace(MESSAGE, address="李四@xn--fiqs8s.cn")
    async with MailSink(tmp_path) as sink:
        assert isinstance(await send_mail(sink.port, message, timeout=5), SendAccepted)
    assert [received["to"] for received in sink.message_file.messages.values()] == [["李四@xn--fiqs8s.cn"]]
    async with MailSink(tmp_path / "old", smtputf8=False) as old:
        assert await send_mail(old.port, message, timeout=5) == SendFailed(FailureReason.REFUSED, permanent=True, code="553 5.6.7")
        assert isinstance(await send_mail(old.port, MESSAGE, timeout=5), SendAccepted)


@pytest.mark.parametrize(
    ("sender", "address", "name"),
    [
        ("jiesu@localhost", "jiesu@localhost", ""),
        ("接诉 <jiesu@Straße.de>", "jiesu@xn--strae-oqa.de", "接诉"),
        ('"A, B" <a@b.cn>', "a@b.cn", "A, B"),
    ],
)
def test_sender_is_read_with_its_name_and_an_ascii_domain(sender: str, address: str, name: str) -> None:
    parsed = MailSender.parse(sender)
    assert (parsed.address, parsed.name) == (address, name)


@pytest.mark.parametrize("sender", ["", "jiesu", "jiesu@", "@b.cn", "a@-\u4e2d.cn"])
def test_sender_that_is_no_address_is_refused(sender: str) -> None:
    with pytest.raises(ValueError, match=r"smtp_sender: .*write name <address@domain>"):
        MailSender.parse(sender)
