"""Recognises mails that no person wrote to us: replies of programs, lists, reports (RFC 3834 and the common header fields)."""

import re

from services.intake.channels.mail.headers import decoded, read_sender
from services.intake.channels.mail.message import ParsedMail, parameter

_AUTOMATIC_SENDERS = re.compile(
    r"(?:no-?_?reply|do-?_?not-?_?reply|mailer-daemon|mail-?daemon|postmaster|bounces?|bounce[+-].*|owner-.*|.*-(?:request|bounces)|auto-?reply)@.*",
    re.IGNORECASE,
)
_AUTOMATIC_SUBJECTS = re.compile(
    r"\s*(?:自动回复|自動回覆|自动答复|自动应答|auto(?:matic)?[- ]?reply|auto(?:mated)? response|out of (?:the )?office"
    r"|automatische antwort)\s*"
    r"(?:[:：\]】(（-]|$)",
    re.IGNORECASE,
)
_LIST_FIELDS = ("list-id", "list-post", "list-help", "list-unsubscribe", "list-subscribe", "list-owner", "mailing-list", "x-mailing-list")
_REPLY_FIELDS = ("x-autoreply", "x-autorespond", "x-autoreply-from", "x-autoresponder", "x-mail-autoreply", "x-auto-reply")
_BULK = frozenset({"bulk", "junk", "list", "auto_reply", "auto-reply"})
_REPORT_TYPES = {"disposition-notification": "read_receipt", "feedback-report": "feedback_report"}


def automatic_reason(mail: ParsedMail, envelope_sender: str | None) -> str:
    """The reason why the mail counts as a program's, a word of a closed list; empty for a person's mail.

    `envelope_sender` is that of the SMTP session, None where it is not known.
    """
    if mail.root.get_content_type() == "multipart/report":
        return _REPORT_TYPES.get(parameter(mail.root, "report-type").lower(), "report")
    if (submitted := _word(mail, "auto-submitted")) and submitted != "no":
        return "auto_submitted"
    if any(name in mail.fields for name in _LIST_FIELDS):
        return "list"
    if any(_word(mail, name) not in {"", "no"} for name in _REPLY_FIELDS):
        return "auto_reply_field"
    if _word(mail, "precedence") in _BULK:
        return "precedence"
    # RFC 3834, 3.3: what has an empty return path must not be answered, since the answer could come back.
    if envelope_sender == "" or mail.field("return-path").strip() == "<>":
        return "empty_return_path"
    if _AUTOMATIC_SENDERS.fullmatch(read_sender(mail.field("from"))[1]):
        return "automatic_sender"
    if _AUTOMATIC_SUBJECTS.match(decoded(mail.field("subject"))):
        return "automatic_subject"
    return ""


def wants_no_answer(mail: ParsedMail) -> bool:
    """Whether a mail of a person forbids automatic answers."""
    return bool(mail.field("x-auto-response-suppress").strip())


def _word(mail: ParsedMail, name: str) -> str:
    """The first word of a field, in lower case and without parameters."""
    value = mail.field(name).strip().lower()
    return re.split(r"[\s;(]", value, maxsplit=1)[0] if value else ""
