"""Hostile mails: each becomes a case or a recorded reason, and the mailbox is read to its end."""

import imaplib
from collections import Counter
from datetime import UTC, datetime

from tests.integration.intake.mail.conftest import MakeIntake, imap_mailbox
from tests.support.mail.building import mail
from tests.support.mail.hostile import hostile_mails
from tests.support.servers.greenmail import GreenMail

COUNT = 300


async def test_each_hostile_mail_has_an_outcome_and_none_stops_the_mailbox(
    greenmail: GreenMail, user: str, make_intake: MakeIntake
) -> None:
    intake = make_intake(mailboxes=[imap_mailbox(greenmail, user)])
    stored = 0
    with greenmail.imap(user) as client:
        for raw in hostile_mails(COUNT):
            # The server of the tests itself fails at some of them: those cannot be in a mailbox.
            stored += _appended(client, raw)
        assert client.append("INBOX", "", "", mail("the last one", message_id="<last@x.cn>"))[0] == "OK"
    assert stored > COUNT * 0.9
    async with intake.running(f"mailbox-{user}"):
        outcomes = await intake.until_recorded(stored + 1)
    assert len(outcomes) == stored + 1
    assert all(reason for _, reason in outcomes)
    assert not [reason for outcome, reason in outcomes if reason.startswith("fault")], "a fault of ours, not of the mail"
    kinds = Counter(outcome for outcome, _ in outcomes)
    assert {"submission", "ignored", "set_aside"} <= set(kinds)
    [last] = await intake.rows("SELECT outcome FROM mail_message WHERE message_id = '<last@x.cn>'")
    assert last["outcome"] == "submission"
    [cases] = await intake.rows("SELECT count(*) FROM complaint")
    assert cases["count"] == kinds["submission"]


def _appended(client: imaplib.IMAP4, raw: bytes) -> bool:
    return client.append("INBOX", "", imaplib.Time2Internaldate(datetime.now(UTC)), raw)[0] == "OK"
