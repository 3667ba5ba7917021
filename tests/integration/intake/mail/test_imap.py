"""Mailboxes read by IMAP from a real server: every mail once, durable before the server loses it."""

import asyncio
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from shared.contracts import mail_references
from shared.contracts.mail_reports import MailReport
from tests.integration.intake.mail.conftest import MakeIntake, imap_mailbox
from tests.support.mail.building import CASE, DELIVERY, KEY, OUR_MESSAGE_ID, mail, sample
from tests.support.servers.greenmail import GreenMail
from tests.support.waiting import wait_for

TEN_MINUTES_AGO = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=10)


async def test_mails_become_cases_reports_or_nothing(greenmail: GreenMail, user: str, make_intake: MakeIntake) -> None:
    intake = make_intake(mailboxes=[imap_mailbox(greenmail, user)])
    names = ["01", "02", "03", "04", "05"]
    for name in names:
        greenmail.append(user, sample(name, OUR_MESSAGE_ID), TEN_MINUTES_AGO)
    async with intake.running(f"mailbox-{user}"):
        outcomes = await intake.until_recorded(5)
        greenmail.send(mail("又停了", message_id="<later@x.cn>"), f"{user}@jiesu.example")
        assert (await intake.until_recorded(6))[5] == ("submission", "no_reference"), "a mail that comes during IDLE"
    assert outcomes == [
        ("auto_reply", "auto_submitted"),
        ("delivery_report", "failed 5.1.1"),
        *[("submission", "no_reference")] * 3,
    ]
    rows = await intake.rows("SELECT received_at, channel, body FROM complaint ORDER BY number")
    complaints = [orjson.loads(row["body"])["complaint"] for row in rows]
    assert [complaint["text"] for complaint in complaints[:3]] == ["我是朱镕生，3号楼电梯–又坏了。", "𠮷田㼆：电梯\n停运", "电梯停运"]
    assert {row["channel"] for row in rows} == {"email"}
    assert [row["received_at"] for row in rows[:3]] == [TEN_MINUTES_AGO] * 3, "INTERNALDATE, since the lines of Received are far from it"
    assert complaints[0]["complainant"]["has"] == ["name", "email"]


async def test_reports_and_supplements_are_published(greenmail: GreenMail, user: str, make_intake: MakeIntake) -> None:
    intake = make_intake(mailboxes=[imap_mailbox(greenmail, user)])
    greenmail.append(user, mail(), TEN_MINUTES_AGO)
    async with intake.running(f"mailbox-{user}"):
        await intake.until_recorded(1)
        [case] = [row["case_id"] for row in await intake.rows("SELECT case_id FROM complaint")]
        answer = mail("又坏了\n\n-----原始邮件-----\n发件人: a", message_id="<2@x.cn>", fields=(f"In-Reply-To: {_message_id_of(case)}",))
        greenmail.append(user, answer, TEN_MINUTES_AGO)
        greenmail.append(user, sample("02", OUR_MESSAGE_ID), TEN_MINUTES_AGO)
        greenmail.append(user, mail("另一件事", message_id="<3@x.cn>", fields=(f"In-Reply-To: {OUR_MESSAGE_ID}",)), TEN_MINUTES_AGO)
        outcomes = await intake.until_recorded(4)
    assert outcomes[1:] == [("supplement", "message_id"), ("delivery_report", "failed 5.1.1"), ("submission", "case_unknown")]
    published = [
        (row["topic"], row["key"], orjson.loads(row["body"]))
        for row in await intake.rows("SELECT topic, unnest(keys) AS key, unnest(bodies) AS body FROM outbox ORDER BY id")
    ]
    [action] = [body for topic, key, body in published if topic == "case-actions" and key == case]
    assert action == {"case": case, "action": "supplement", "data": {"text": "又坏了", "attachments": []}}
    [(key, report)] = [(key, MailReport.model_validate(body)) for topic, key, body in published if topic == "mail-events"]
    assert (key, report.delivery, report.status, report.code) == (CASE, DELIVERY, "failed", "5.1.1")
    [kept] = [row["quoted"] for row in await intake.rows("SELECT quoted FROM mail_message WHERE quoted <> ''")]
    assert intake.service.key_ring.decrypt(kept, case) == {"quoted": "-----原始邮件-----\n发件人: a"}


def _message_id_of(case: str) -> str:
    return mail_references.message_id(KEY, DELIVERY, case, "jiesu.example")


async def test_restart_and_new_uid_validity_take_nothing_twice(greenmail: GreenMail, user: str, make_intake: MakeIntake) -> None:
    mailboxes = [imap_mailbox(greenmail, user)]
    for number in range(3):
        greenmail.append(user, mail(f"text {number}", message_id=f"<{number}@x.cn>"), TEN_MINUTES_AGO)
    intake = make_intake(mailboxes=mailboxes)
    async with intake.running(f"mailbox-{user}"):
        await intake.until_recorded(3)
    again = make_intake(mailboxes=mailboxes)
    greenmail.append(user, mail("text 3", message_id="<3@x.cn>"), TEN_MINUTES_AGO)
    async with again.running(f"mailbox-{user}"):
        assert len(await again.until_recorded(4)) == 4, "after a restart only what is new is read"
    # The server's value is the same: that it was another one before is written here. Dovecot's changes in its own test.
    await again.rows("UPDATE mailbox_position SET uid_validity = uid_validity - 1")
    await again.rows("UPDATE mail_message SET uid_validity = uid_validity - 1")
    greenmail.append(user, mail("text 4", message_id="<4@x.cn>"), TEN_MINUTES_AGO)
    async with again.running(f"mailbox-{user}"):
        outcomes = await again.until_recorded(9)
    assert outcomes[4:] == [*[("duplicate", "taken_before")] * 4, ("submission", "no_reference")]
    assert [row["count"] for row in await again.rows("SELECT count(*) FROM complaint")] == [5]


@pytest.mark.parametrize(("after", "seen", "left"), [("keep", 0, 2), ("seen", 2, 2), ("delete", 0, 0), ("move", 0, 0)])
async def test_server_keeps_a_mail_until_it_is_durable(
    greenmail: GreenMail, user: str, make_intake: MakeIntake, after: str, seen: int, left: int
) -> None:
    with greenmail.imap(user) as client:
        client.create("done")
    options = {"after": after} | ({"move_to": "done"} if after == "move" else {})
    intake = make_intake(mailboxes=[imap_mailbox(greenmail, user, imap=options)])
    for number in range(2):
        greenmail.append(user, mail(f"text {number}", message_id=f"<{number}@x.cn>"), TEN_MINUTES_AGO)

    async def settled() -> bool:
        return await asyncio.to_thread(_counts, greenmail, user) == (left, seen)

    async with intake.running(f"mailbox-{user}"):
        await intake.until_recorded(2)
        await wait_for(settled)
    with greenmail.imap(user, "done") as client:
        assert len(client.search(None, "ALL")[1][0].split()) == (2 if after == "move" else 0)


def _counts(greenmail: GreenMail, user: str) -> tuple[int, int]:
    """How many mails the inbox has, and how many of them are seen."""
    with greenmail.imap(user) as client:
        return tuple(len(client.search(None, word)[1][0].split()) for word in ("ALL", "SEEN"))  # type: ignore[return-value]


async def test_poison_and_large_mails_are_set_aside_and_stay_on_the_server(
    greenmail: GreenMail, user: str, make_intake: MakeIntake
) -> None:
    intake = make_intake(mailboxes=[imap_mailbox(greenmail, user, imap={"after": "delete"})], max_bytes=20_000)
    greenmail.append(user, mail("", subject="", message_id="<empty@x.cn>"), TEN_MINUTES_AGO)
    greenmail.append(user, mail("x" * 30_000, message_id="<large@x.cn>"), TEN_MINUTES_AGO)
    greenmail.append(user, b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + b"boundary" * 200, TEN_MINUTES_AGO)
    greenmail.append(user, mail("good", message_id="<good@x.cn>"), TEN_MINUTES_AGO)
    async with intake.running(f"mailbox-{user}"):
        outcomes = await intake.until_recorded(4)

        async def good_one_is_deleted() -> bool:
            return (await asyncio.to_thread(_counts, greenmail, user))[0] == 3

        await wait_for(good_one_is_deleted)
    reasons = ["empty", "too many parts inside each other", "too_large"]
    assert sorted(outcomes) == [*(("set_aside", reason) for reason in reasons), ("submission", "no_reference")]


async def test_wrong_password_leaves_the_process_ready_and_other_mailboxes_read(
    greenmail: GreenMail, user: str, make_intake: MakeIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTHER_PASSWORD", "wrong")
    wrong = imap_mailbox(greenmail, user, imap={"password_env": "OTHER_PASSWORD"}) | {"id": "wrong", "addresses": ["other@jiesu.example"]}
    intake = make_intake(mailboxes=[wrong, imap_mailbox(greenmail, user)])
    greenmail.append(user, mail(), TEN_MINUTES_AGO)
    async with intake.running("mailbox-wrong", f"mailbox-{user}"):
        assert await intake.until_recorded(1) == [("submission", "no_reference")]


async def test_one_acknowledgement_an_address_and_hour(greenmail: GreenMail, user: str, make_intake: MakeIntake) -> None:
    intake = make_intake(mailboxes=[imap_mailbox(greenmail, user, acknowledge=True)])
    for number, sender in enumerate(["a@x.cn", "A@X.cn", "b@x.cn", "c@x.cn"]):
        fields = ("X-Auto-Response-Suppress: All",) if sender == "c@x.cn" else ()
        greenmail.append(user, mail(f"text {number}", sender=sender, message_id=f"<{number}@x.cn>", fields=fields), TEN_MINUTES_AGO)
    async with intake.running(f"mailbox-{user}"):
        await intake.until_recorded(4)
    rows = await intake.rows("SELECT unnest(bodies) AS body FROM outbox WHERE topic = 'mail-events'")
    requests = [orjson.loads(row["body"]) for row in rows]
    addresses = [intake.service.key_ring.decrypt(request["contact"], request["case"])["email"] for request in requests]
    assert sorted(addresses) == ["a@x.cn", "b@x.cn"]
    assert {(tuple(request["recipients"]), tuple(request["by"]), request["about"]) for request in requests} == {
        (("complainant",), ("email",), "registered")
    }
