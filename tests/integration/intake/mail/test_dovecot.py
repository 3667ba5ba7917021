"""Mailboxes of Debian's Dovecot: IDLE, a new UIDVALIDITY, and mails that arrive while nobody reads."""

from collections.abc import Iterator

import pytest

from tests.integration.intake.mail.conftest import MakeIntake, imap_mailbox
from tests.support.mail.building import mail
from tests.support.mail.hostile import hostile_mails
from tests.support.servers import dovecot
from tests.support.servers.dovecot import Dovecot

USER = "tousu"


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    if reason := dovecot.why_not_available():
        pytest.skip(reason)
    with dovecot.running_dovecot() as running:
        yield running


@pytest.mark.parametrize("after", ["keep", "delete"])
async def test_idle_and_new_uid_validity(server: Dovecot, make_intake: MakeIntake, after: str) -> None:
    user = f"{USER}-{after}"
    entry = imap_mailbox(server, user, imap={"after": after})
    intake = make_intake(mailboxes=[entry])
    for number in range(30):
        server.deliver(user, mail(f"text {number}", message_id=f"<{number}@x.cn>"), f"1.{number}.first")
    async with intake.running(f"mailbox-{user}"):
        await intake.until_recorded(30)
        server.deliver(user, mail("while idle", message_id="<idle@x.cn>"), "2.idle")
        await intake.until_recorded(31)
    server.forget_uids(user)
    server.deliver(user, mail("while nobody read", message_id="<away@x.cn>"), "3.away")
    again = make_intake(mailboxes=[entry])
    expected = 31 + (32 if after == "keep" else 1)
    async with again.running(f"mailbox-{user}"):
        outcomes = await again.until_recorded(expected)
    assert len(outcomes) == expected
    assert sum(outcome == "submission" for outcome, _ in outcomes) == 32
    assert {outcome for outcome, _ in outcomes} <= {"submission", "duplicate"}
    assert [row["count"] for row in await again.rows("SELECT count(*) FROM complaint")] == [32]


async def test_hostile_mails_do_not_stop_the_mailbox(server: Dovecot, make_intake: MakeIntake) -> None:
    intake = make_intake(mailboxes=[imap_mailbox(server, "hostile")])
    for number, raw in enumerate(hostile_mails(150, seed=2)):
        server.deliver("hostile", raw, f"1.{number:04}.hostile")
    server.deliver("hostile", mail("the last one", message_id="<last@x.cn>"), "2.last")
    async with intake.running("mailbox-hostile"):
        outcomes = await intake.until_recorded(151)
    assert len(outcomes) == 151
    assert not [reason for _, reason in outcomes if reason.startswith("fault")]
    [last] = await intake.rows("SELECT outcome FROM mail_message WHERE message_id = '<last@x.cn>'")
    assert last["outcome"] == "submission"
