"""The sink's reading of mails gives what Python's own parser gives."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import cast

import pytest

from deploy.sinks.mail_reading import read_mail
from services.notify.providers.mail.composing import MailSender, compose
from services.notify.providers.mail.layout_file import load_mail_layout
from services.notify.providers.provider import OutgoingMessage


def composed(*, html: bool) -> bytes:
    message = OutgoingMessage("k", "li@example.com", "投诉单 1 " + "长" * 40, "一\n.\n--=_alternative\n二" + "字" * 200, language="zh")
    sender = MailSender.parse("接诉 <jiesu@example.org>")
    return compose(message, sender, datetime(2026, 11, 28, tzinfo=UTC), load_mail_layout(None) if html else None).content


def nested() -> bytes:
    mail = EmailMessage(policy=policy.SMTP)
    mail["Subject"] = "Nested"
    mail.set_content("plain é", cte="quoted-printable")
    mail.add_alternative("<p>html</p>", subtype="html")
    mail.add_attachment(b"\x00\xff", maintype="application", subtype="octet-stream", filename="a.bin")
    return mail.as_bytes()


@pytest.mark.parametrize("content", [composed(html=False), composed(html=True), nested()], ids=["text", "html", "nested"])
def test_headers_and_parts_are_those_of_the_library(content: bytes) -> None:
    expected = message_from_bytes(content)
    mail = read_mail(content)
    assert [name for name, _ in mail.headers] == expected.keys()
    assert mail.header("subject") == str(expected["Subject"]).replace("\r\n", "")
    bodies = [
        (part.get_content_type(), cast("bytes", part.get_payload(decode=True))) for part in expected.walk() if not part.is_multipart()
    ]
    # A line break that ends a part may belong to its delimiter.
    assert [(part.content_type, (part.body or b"").rstrip()) for part in mail.parts] == [(kind, body.rstrip()) for kind, body in bodies]


def test_body_that_is_not_base64_is_not_taken_for_a_text() -> None:
    [part] = read_mail(b"Content-Transfer-Encoding: base64\r\n\r\nno base64!\r\n").parts
    assert (part.content_type, part.body) == ("text/plain", None)


def test_part_without_headers_is_plain_text() -> None:
    mail = read_mail(b'Content-Type: multipart/mixed; boundary="b"\r\n\r\nbefore\r\n--b\r\n\r\nwords\r\n--b--\r\nafter')
    assert [(part.content_type, part.body) for part in mail.parts] == [("text/plain", b"words")]
