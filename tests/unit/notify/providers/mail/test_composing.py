"""A composed mail states what the message states, in lines that every server accepts."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from services.notify.providers.mail.composing import ComposedMail, MailReferences, MailSender, compose
from services.notify.providers.mail.layout_file import load_mail_layout
from services.notify.providers.provider import OutgoingMessage

SENDER = MailSender.parse("接诉中心 <jiesu@example.org>")
NOW = datetime(2026, 11, 28, 8, 30, tzinfo=UTC)
TEXT = "投诉事项：漏水\n期限：2026-09-25 10:00\n\n.\n" + "长" * 900


def composed(subject: str = "s", address: str = "li@example.com", *, html: bool = True, sender: MailSender = SENDER) -> ComposedMail:
    message = OutgoingMessage("key-1", address, subject, TEXT, language="zh")
    return compose(message, sender, NOW, load_mail_layout(None) if html else None, MailReferences(b"k" * 32, "case@example.org"))


def parsed(mail: ComposedMail) -> EmailMessage:
    return message_from_bytes(mail.content, policy=policy.default)


@pytest.mark.parametrize("subject", ["A leak", "投诉单 " + "长" * 146, "=?utf-8?q?a?=", "🚰" * 40, "a" * 150, ""])
def test_subject_is_read_as_it_was_written(subject: str) -> None:
    mail = composed(subject)
    assert parsed(mail)["Subject"] == subject
    assert all(len(line) <= 76 or line == b"Subject: " + b"a" * 150 for line in mail.content.splitlines())


@pytest.mark.parametrize(
    ("sender", "name", "address"),
    [
        ("接诉中心 <jiesu@example.org>", "接诉中心", "jiesu@example.org"),
        ('"Water, \\"Gas\\"" <a@b.cn>', 'Water, "Gas"', "a@b.cn"),
        ("a@b.cn", "", "a@b.cn"),
    ],
)
def test_sender_is_read_with_its_name(sender: str, name: str, address: str) -> None:
    [header] = parsed(composed(sender=MailSender.parse(sender)))["From"].addresses
    assert (header.display_name, header.addr_spec) == (name, address)


@pytest.mark.parametrize(("html", "types"), [(True, ["text/plain", "text/html"]), (False, ["text/plain"])])
def test_parts_have_the_text_and_no_defect(html: bool, types: list[str]) -> None:
    mail = parsed(composed(html=html))
    parts = list(mail.iter_parts()) or [mail]
    assert [part.get_content_type() for part in parts] == types
    assert parts[0].get_content().replace("\r\n", "\n") == TEXT + "\n"
    assert [part.defects for part in mail.walk()] == [[] for _ in mail.walk()]
    assert (mail["Date"].datetime, mail["Auto-Submitted"], mail["Content-Language"]) == (NOW, "auto-generated", "zh")


def test_lines_end_with_cr_lf() -> None:
    content = composed().content
    assert content.endswith(b"\r\n")
    assert content.count(b"\n") == content.count(b"\r\n") == content.count(b"\r")


def test_address_beyond_ascii_stays_as_it_is() -> None:
    assert "To: 李四@xn--fiqs8s.cn\r\n".encode() in composed(address="李四@xn--fiqs8s.cn").content


@pytest.mark.parametrize(("subject", "address"), [("a\r\nBcc: b@x.cn", "li@example.com"), ("s", "li@example.com\nBcc: b@x.cn")])
def test_line_break_in_a_header_is_refused(subject: str, address: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        composed(subject, address)
