"""Hostile mails: each becomes a case or a recorded reason, and none stops those behind it."""

from collections import Counter
from datetime import UTC, datetime

from services.intake.application.mail.mailbox import IncomingMail
from services.intake.channels.mail.decision import Envelope
from tests.integration.intake.mail.conftest import MakeIntake, port_of
from tests.support.mail.building import ADDRESS, mail
from tests.support.mail.hostile import hostile_mails

COUNT = 300


async def test_each_hostile_mail_has_an_outcome(make_intake: MakeIntake) -> None:
    intake = make_intake(mailboxes=[{"id": "tousu", "source": "mails", "addresses": [ADDRESS]}], port={"port": 0})
    handler = port_of(intake.service)._handler
    envelope = Envelope(datetime.now(UTC))
    raws = [*hostile_mails(COUNT), mail("the last one", message_id="<last@x.cn>")]
    for start in range(0, len(raws), 20):
        batch = [IncomingMail(raw, handler._mailboxes[ADDRESS], envelope) for raw in raws[start : start + 20]]
        assert len(await handler._intake.take(batch)) == len(batch)
    outcomes = await intake.outcomes()
    assert len(outcomes) == len(raws)
    assert all(reason for _, reason in outcomes)
    assert not [reason for _, reason in outcomes if reason.startswith("fault")], "a fault of ours, not of the mail"
    kinds = Counter(outcome for outcome, _ in outcomes)
    assert {"submission", "ignored", "delivery_report", "set_aside"} <= set(kinds)
    assert outcomes[-1] == ("submission", "no_reference")
    [cases] = await intake.rows("SELECT count(*) FROM complaint")
    [named] = await intake.rows("SELECT count(DISTINCT case_id) FROM mail_message WHERE outcome = 'submission'")
    assert cases["count"] == named["count"] > COUNT / 2
