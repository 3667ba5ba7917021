"""A mail that no parser reads is set aside; what is no property of the mail is not."""

import asyncio
from email.errors import HeaderParseError
from typing import Any, cast

import pytest

from services.intake.application.mail import mail_reading
from services.intake.application.mail.mail_reading import MailReader
from services.intake.application.mail.mailbox import IncomingMail, Mailbox
from services.intake.channels.mail.decision import MailOutcome
from tests.support.mail.building import ENVELOPE, RULES, mail

MAILBOX = Mailbox("tousu", cast("Any", None), RULES, acknowledge=False)


def fail_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def decide_mail(*_: object) -> None:
        raise error

    monkeypatch.setattr(mail_reading, "decide_mail", decide_mail)


@pytest.mark.parametrize("raw", [mail(), mail("x" * 200_000)])
@pytest.mark.parametrize("error", [AssertionError, UnicodeError, KeyError, OverflowError, RecursionError, HeaderParseError])
async def test_mail_on_which_a_parser_fails_is_set_aside(monkeypatch: pytest.MonkeyPatch, error: type[Exception], raw: bytes) -> None:
    fail_with(monkeypatch, error())
    decision = await MailReader().decide(IncomingMail(raw, MAILBOX, ENVELOPE))
    assert (decision.outcome, decision.reason) == (MailOutcome.SET_ASIDE, f"fault: {error.__name__}")


@pytest.mark.parametrize("error", [MemoryError, OSError, asyncio.CancelledError])
async def test_fault_of_the_machine_sets_no_mail_aside(monkeypatch: pytest.MonkeyPatch, error: type[BaseException]) -> None:
    fail_with(monkeypatch, error())
    with pytest.raises(error):
        await MailReader().decide(IncomingMail(mail(), MAILBOX, ENVELOPE))
