"""Mails about our messages, as intake reads them: reports of mail servers and automatic replies."""

from typing import Literal

from shared.contracts.base import Instant, ShortText, WireModel


class MailReport(WireModel):
    """A message arrived at its recipient, or did not; `code` is the enhanced status code (RFC 3463), or `auto_reply`.

    `case` is empty for a message about several cases.
    """

    delivery: ShortText
    status: Literal["delivered", "failed"]
    code: ShortText = ""
    case: ShortText = ""
    at: Instant | None = None
