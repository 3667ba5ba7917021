"""Decides the outcome of a mail: a submission, a supplement of its case, a report about a message of ours, or nothing; with its reason."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from services.intake.channels.mail.automatic import automatic_reason, wants_no_answer
from services.intake.channels.mail.bodies import read_body
from services.intake.channels.mail.delivery_report import is_delivery_report, read_delivery_report, reported_message, thread_references
from services.intake.channels.mail.headers import addresses, decoded, read_date, read_sender
from services.intake.channels.mail.message import ParsedMail, content_bytes, parse_mail
from services.intake.channels.mail.quoting import without_history
from services.intake.channels.mail.received import received_at
from services.intake.domain.plain_text import sanitised_text
from shared.contracts.mail.references import MessageReference, case_of_reply_address, read_message_id

CUT_MARK = "…"
_MAX_TEXT = 20_000
_MAX_TITLE = 500
_MAX_ID = 300
_RECIPIENT_FIELDS = ("to", "cc", "delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "resent-to")


class MailOutcome(StrEnum):
    """The outcomes of mails."""

    SUBMISSION = "submission"
    SUPPLEMENT = "supplement"
    DELIVERY_REPORT = "delivery_report"
    AUTO_REPLY = "auto_reply"
    IGNORED = "ignored"
    DUPLICATE = "duplicate"
    REFUSED = "refused"
    SET_ASIDE = "set_aside"


@dataclass(frozen=True, slots=True)
class MailboxRules:
    """Options for reading the mails of a mailbox: its own addresses and servers, and systems that write for people, such as a web form.

    `key` proves references of our own; without it every mail of a person is a new submission.
    """

    addresses: frozenset[str]
    own_servers: frozenset[str] = frozenset()
    systems: frozenset[str] = frozenset()
    key: bytes | None = None


@dataclass(frozen=True, slots=True)
class Envelope:
    """Data of the transport besides the mail: the time of arrival (real time), sender and recipients of an SMTP session."""

    arrived_at: datetime
    sender: str | None = None
    recipients: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class MailDecision:
    """The decision on a mail and its reason; `digest` recognises the same mail, by whichever mailbox and as often as it comes.

    `report` is for outcome `delivery_report` and `auto_reply`: status, code and the message of ours.
    """

    outcome: MailOutcome
    reason: str
    digest: bytes
    message_id: str = ""
    received_at: datetime | None = None
    claimed_at: datetime | None = None
    case: str = ""
    sender_name: str = ""
    sender: str = ""
    title: str = ""
    text: str = ""
    quoted: str = ""
    attachments: tuple[tuple[str, bytes], ...] = ()
    cut: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    answerable: bool = True
    report: tuple[MessageReference, str, str] | None = field(default=None)


def decide_mail(raw: bytes, rules: MailboxRules, envelope: Envelope) -> MailDecision:
    """The decision about a mail; raises `UnreadableMailError` for one whose structure cannot be read."""
    mail = parse_mail(raw)
    identity = _identity(mail, raw, rules, envelope)
    sender_name, sender = read_sender(mail.field("from"))
    is_system = sender.lower() in rules.systems
    if sender.lower() in rules.addresses:
        return MailDecision(MailOutcome.IGNORED, "own_address", **identity)
    if is_delivery_report(mail):
        return _report_decision(mail, rules, identity)
    if (reason := automatic_reason(mail, envelope.sender)) and not is_system:
        return _automatic_decision(mail, rules, identity, reason)
    if is_system and mail.field("reply-to"):
        sender_name, sender = read_sender(mail.field("reply-to"))
    content = _content(mail)
    if not content["text"]:
        return MailDecision(MailOutcome.SET_ASIDE, "empty", **identity)
    case, proof = _case(mail, rules, envelope)
    outcome = MailOutcome.SUPPLEMENT if case else MailOutcome.SUBMISSION
    return MailDecision(
        outcome,
        proof or "no_reference",
        **identity,
        **content,
        case=case,
        sender_name=sanitised_text(sender_name)[:_MAX_TITLE],
        sender=sanitised_text(sender)[:_MAX_TITLE],
        answerable=not wants_no_answer(mail) and not is_system,
    )


def content_digest(raw: bytes) -> bytes:
    """The identification of a mail that cannot be parsed: the digest of all of its bytes."""
    return hashlib.sha256(b"raw " + raw).digest()


def _identity(mail: ParsedMail, raw: bytes, rules: MailboxRules, envelope: Envelope) -> dict[str, Any]:
    message_id = sanitised_text(mail.field("message-id").strip())[:_MAX_ID]
    at = received_at(mail, rules.own_servers, envelope.arrived_at)
    # Trace fields differ from copy to copy. A Message-ID alone is no identity: whoever knows one could keep another's mail away with it.
    parts = [message_id, *(mail.field(name).strip() for name in ("from", "date", "subject"))]
    if not message_id and not parts[2]:
        parts.append(at.isoformat(timespec="seconds"))
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass") + b"\0\0" + _body(raw)).digest()
    return {"digest": digest, "message_id": message_id, "received_at": at, "claimed_at": read_date(mail.field("date"))}


def _body(raw: bytes) -> bytes:
    """The body after the header fields, with line ends of one form: servers store and send either."""
    normal = raw.replace(b"\r\n", b"\n")
    return normal.partition(b"\n\n")[2].rstrip()


def _content(mail: ParsedMail) -> dict[str, Any]:
    title = sanitised_text(decoded(mail.field("subject")))
    body = read_body(mail.root)
    answer = without_history(body.text, title)
    names = [name for name, _ in body.attachments]
    text = answer.text or title or (f"[{', '.join(names)}]" if names else "")
    cut = [name for name, value, limit in (("text", text, _MAX_TEXT), ("title", title, _MAX_TITLE)) if len(value) > limit]
    return {
        "title": _cut(title, _MAX_TITLE),
        "text": _cut(text, _MAX_TEXT),
        "quoted": answer.quoted[: _MAX_TEXT * 5],
        "attachments": tuple((name, content_bytes(part)) for name, part in body.attachments),
        "cut": tuple(cut),
        "notes": tuple(body.notes),
    }


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - len(CUT_MARK)] + CUT_MARK


def _case(mail: ParsedMail, rules: MailboxRules, envelope: Envelope) -> tuple[str, str]:
    """The case that the mail proves, and by what; empty where it proves none. A number in the subject proves nothing."""
    if rules.key is None:
        return "", ""
    written = [value for name in _RECIPIENT_FIELDS for value in mail.fields.get(name, [])]
    for address in [*envelope.recipients, *addresses(written)]:
        if case := case_of_reply_address(rules.key, address):
            return case, "reply_address"
    for text in thread_references(mail):
        if reference := read_message_id(rules.key, text):
            return reference.case, "message_id"
    return "", ""


def _report_decision(mail: ParsedMail, rules: MailboxRules, identity: dict[str, Any]) -> MailDecision:
    report = read_delivery_report(mail)
    reference = reported_message(mail, rules.key) if rules.key else None
    if reference is None:
        return MailDecision(MailOutcome.IGNORED, "report_of_unknown_message", **identity)
    reason = f"{report.status} {report.code}".strip()
    return MailDecision(
        MailOutcome.DELIVERY_REPORT, reason, **identity, case=reference.case, report=(reference, report.status, report.code)
    )


def _automatic_decision(mail: ParsedMail, rules: MailboxRules, identity: dict[str, Any], reason: str) -> MailDecision:
    """Nothing; an automatic reply to a message of ours shows that the message arrived."""
    references = (read_message_id(rules.key, text) for text in thread_references(mail)) if rules.key else ()
    reference = next((found for found in references if found), None)
    if reference is None:
        return MailDecision(MailOutcome.IGNORED, reason, **identity)
    return MailDecision(MailOutcome.AUTO_REPLY, reason, **identity, case=reference.case, report=(reference, "delivered", "auto_reply"))
