"""What a mail becomes: the samples with their right results, and each rule on its own."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.intake.channels.mail.decision import Envelope, MailDecision, MailOutcome, decide_mail
from shared.contracts.mail import references as mail_references
from shared.contracts.mail.references import MessageReference
from tests.support.mail.building import ARRIVED_AT, CASE, DELIVERY, ENVELOPE, KEY, OUR_MESSAGE_ID, RULES, mail, multipart, sample

OTHER_CASE = "0198a4c0-7b1e-7000-8000-00000000cafe"


def decide(raw: bytes, **changes: object) -> MailDecision:
    return decide_mail(raw, replace(RULES, **changes), ENVELOPE)  # type: ignore[arg-type]


def test_out_of_office_makes_no_case_and_shows_that_the_message_arrived() -> None:
    decision = decide(sample("01", OUR_MESSAGE_ID))
    assert (decision.outcome, decision.reason) == (MailOutcome.AUTO_REPLY, "auto_submitted")
    assert decision.report == (MessageReference(DELIVERY, CASE), "delivered", "auto_reply")
    unknown = decide(sample("01"))
    assert (unknown.outcome, unknown.reason, unknown.report) == (MailOutcome.IGNORED, "auto_submitted", None)


def test_bounce_settles_its_delivery() -> None:
    decision = decide(sample("02", OUR_MESSAGE_ID))
    assert decision.outcome is MailOutcome.DELIVERY_REPORT
    assert decision.report == (MessageReference(DELIVERY, CASE), "failed", "5.1.1")
    unknown = decide(sample("02"))
    assert (unknown.outcome, unknown.reason) == (MailOutcome.IGNORED, "report_of_unknown_message")


@pytest.mark.parametrize(
    ("action", "status", "expected"),
    [
        ("failed", "5.1.1", ("failed", "5.1.1")),
        ("failed", "4.4.7", ("undecided", "4.4.7")),
        ("delayed", "4.4.1", ("undecided", "4.4.1")),
        ("delayed", "5.0.0", ("undecided", "5.0.0")),
        ("delivered", "2.0.0", ("delivered", "2.0.0")),
        ("relayed", "2.0.0", ("undecided", "2.0.0")),
        ("failed", "no code", ("undecided", "")),
    ],
)
def test_status_of_a_report(action: str, status: str, expected: tuple[str, str]) -> None:
    raw = (
        sample("02", OUR_MESSAGE_ID)
        .replace(b"Action: failed", f"Action: {action}".encode())
        .replace(b"Status: 5.1.1", f"Status: {status}".encode())
    )
    decision = decide(raw)
    assert decision.report is not None
    assert decision.report[1:] == expected


def test_report_with_the_returned_mail_is_recognised() -> None:
    returned = f"Message-ID: {OUR_MESSAGE_ID}\r\nSubject: x\r\n\r\ntext".encode()
    status = b"Reporting-MTA: dns; mx\r\n\r\nAction: failed\r\nStatus: 5.2.2\r\n"
    raw = multipart("report", ("message/delivery-status", status), ("message/rfc822", returned))
    assert decide(raw).report == (MessageReference(DELIVERY, CASE), "failed", "5.2.2")


@pytest.mark.parametrize("before", [b"Subject: a\x0cX:b", b"Subject: \xd6\xd0\x85Y:c", b"no field", b"Content-Type: multipart/mixed"])
def test_report_with_returned_fields_is_recognised_whatever_they_are(before: bytes) -> None:
    status = b"Reporting-MTA: dns; mx\r\n\r\nAction: failed\r\nStatus: 5.2.2\r\n"
    returned = before + b"\r\nMessage-ID:\r\n " + OUR_MESSAGE_ID.encode() + b"\r\n"
    for kind in ("message/rfc822-headers", "text/rfc822-headers"):
        raw = multipart("report", ("message/delivery-status", status), (kind, returned))
        assert decide(raw).report == (MessageReference(DELIVERY, CASE), "failed", "5.2.2")


def test_gb2312_label_is_read_as_gb18030() -> None:
    decision = decide(sample("03"))
    assert decision.outcome is MailOutcome.SUBMISSION
    assert decision.sender_name == "朱镕生"
    assert decision.title == "投诉：电梯–停运"
    assert decision.text == "我是朱镕生，3号楼电梯–又坏了。"
    assert decision.notes == ()


def test_four_byte_characters_stay_whole() -> None:
    decision = decide(sample("04"))
    assert decision.title == "𠮷田㼆"
    assert decision.text == "𠮷田㼆：电梯\n停运"


def test_received_at_is_that_of_our_server_and_the_date_a_claim() -> None:
    decision = decide(sample("05"))
    assert decision.received_at == datetime(2026, 11, 9, 1, 3, tzinfo=UTC)
    assert decision.claimed_at == datetime(2096, 3, 17, 5, 32, tzinfo=UTC)
    assert decision.text == "电梯停运", "one line, so that the fact is read from it"


def test_received_line_of_another_server_counts_for_nothing() -> None:
    assert decide(sample("05"), own_servers=frozenset({"other.example"})).received_at == ARRIVED_AT
    assert decide(sample("05"), own_servers=frozenset()).received_at == ARRIVED_AT


@pytest.mark.parametrize("offset", [timedelta(days=-30), timedelta(days=30), timedelta(minutes=2)])
def test_received_line_far_from_the_arrival_is_not_believed(offset: timedelta) -> None:
    at = ARRIVED_AT + offset
    raw = mail(fields=(f"Received: from x by mail.jiesu.example; {at.strftime('%a, %d %b %Y %H:%M:%S +0000')}",))
    assert decide(raw).received_at == ARRIVED_AT


def test_reply_address_proves_the_case() -> None:
    address = mail_references.reply_address(KEY, "case@jiesu.example", CASE)
    for raw in (mail(to=f"Jiesu <{address}>"), mail(fields=(f"Delivered-To: {address}",))):
        decision = decide(raw)
        assert (decision.outcome, decision.reason, decision.case) == (MailOutcome.SUPPLEMENT, "reply_address", CASE)
    envelope = Envelope(ARRIVED_AT, "wang@customer.example", (address or "",))
    assert decide_mail(mail(), RULES, envelope).case == CASE


def test_message_id_of_ours_proves_the_case() -> None:
    for field in (f"In-Reply-To: {OUR_MESSAGE_ID}", f"References: <a@b.cn>\r\n {OUR_MESSAGE_ID} <c@d.cn>"):
        decision = decide(mail(fields=(field,)))
        assert (decision.outcome, decision.reason, decision.case) == (MailOutcome.SUPPLEMENT, "message_id", CASE)


@pytest.mark.parametrize(
    ("subject", "fields", "to"),
    [
        ("Re: 您的投诉 TS-2026-00001", (), "tousu@jiesu.example"),
        (f"Re: {CASE}", (f"In-Reply-To: <{DELIVERY}@jiesu.example>",), "tousu@jiesu.example"),
        ("Re: x", (f"In-Reply-To: {OUR_MESSAGE_ID.replace('8b0b', '8b0c')}",), f"case+{'a' * 42}@jiesu.example"),
    ],
)
def test_what_anybody_can_write_proves_no_case(subject: str, fields: tuple[str, ...], to: str) -> None:
    decision = decide(mail(subject=subject, fields=fields, to=to))
    assert (decision.outcome, decision.reason, decision.case) == (MailOutcome.SUBMISSION, "no_reference", "")


def test_without_a_key_every_mail_is_a_new_submission() -> None:
    assert decide(mail(fields=(f"In-Reply-To: {OUR_MESSAGE_ID}",)), key=None).outcome is MailOutcome.SUBMISSION


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (("Auto-Submitted: auto-replied",), "auto_submitted"),
        (("Auto-Submitted: auto-generated; owner=x",), "auto_submitted"),
        (("List-Id: <news.example>",), "list"),
        (("List-Unsubscribe: <https://x.example>",), "list"),
        (("Precedence: bulk",), "precedence"),
        (("X-Autoreply: yes",), "auto_reply_field"),
        (("X-Autorespond: away",), "auto_reply_field"),
        (("Return-Path: <>",), "empty_return_path"),
    ],
)
def test_fields_of_programs_and_lists_make_no_case(fields: tuple[str, ...], reason: str) -> None:
    decision = decide(mail(fields=fields))
    assert (decision.outcome, decision.reason) == (MailOutcome.IGNORED, reason)


@pytest.mark.parametrize(
    "fields",
    [
        ("Auto-Submitted: no",),
        ("Precedence: first-class",),
        ("X-Autoreply: no",),
        ("Return-Path: <wang@customer.example>",),
        ("Precedence:",),
    ],
)
def test_fields_of_a_person_make_a_case(fields: tuple[str, ...]) -> None:
    decision = decide(mail(fields=fields))
    assert decision.outcome is MailOutcome.SUBMISSION
    assert decision.answerable


@pytest.mark.parametrize("sender", ["no-reply@x.cn", "noreply@x.cn", "MAILER-DAEMON@mx.x.cn", "do_not_reply@x.cn", "list-bounces@x.cn"])
def test_senders_that_nobody_reads_make_no_case(sender: str) -> None:
    assert decide(mail(sender=sender)).reason == "automatic_sender"


def test_subject_of_an_automatic_reply_makes_no_case() -> None:
    assert decide(mail(subject="自动回复：我正在休假")).reason == "automatic_subject"
    assert decide(mail(subject="Automatic reply: lift")).reason == "automatic_subject"
    assert decide(mail(subject="自动回复功能坏了，投诉")).outcome is MailOutcome.SUBMISSION


def test_empty_sender_of_the_session_makes_no_case() -> None:
    assert decide_mail(mail(), RULES, Envelope(ARRIVED_AT, "")).reason == "empty_return_path"


def test_own_address_and_system() -> None:
    assert decide(mail(sender="Tousu <TOUSU@jiesu.example>")).reason == "own_address"
    form = decide(mail(sender="forms@jiesu.example", fields=("Auto-Submitted: auto-generated", "Reply-To: 李四 <li@customer.example>")))
    assert (form.outcome, form.sender, form.sender_name) == (MailOutcome.SUBMISSION, "li@customer.example", "李四")
    assert not form.answerable


def test_mail_that_wants_no_answer_makes_a_case() -> None:
    decision = decide(mail(fields=("X-Auto-Response-Suppress: All",)))
    assert decision.outcome is MailOutcome.SUBMISSION
    assert not decision.answerable


def test_same_mail_has_one_digest_whatever_way_it_came() -> None:
    first = decide(mail(fields=("Received: from a by b; x", "Delivered-To: a@b.cn")))
    assert first.digest == decide(mail()).digest == decide(mail().replace(b"\r\n", b"\n")).digest


def test_other_text_under_the_same_message_id_is_another_mail() -> None:
    assert decide(mail("a")).digest != decide(mail("b")).digest


def test_mail_without_message_id_and_date_is_told_apart_by_its_arrival() -> None:
    raw = mail(message_id="").replace(b"Date: Mon, 09 Nov 2026 09:00:00 +0800\r\n", b"")
    later = Envelope(ARRIVED_AT + timedelta(days=1))
    assert decide(raw).digest == decide(raw).digest != decide_mail(raw, RULES, later).digest


def test_empty_mail_is_set_aside_and_a_lone_subject_is_a_text() -> None:
    assert decide(mail("", subject="")).reason == "empty"
    assert decide(mail("  ", subject="电梯坏了")).text == "电梯坏了"


def test_long_text_is_cut_with_a_mark() -> None:
    decision = decide(mail("电" * 30_000, subject="题" * 800))
    assert (len(decision.text), decision.text[-1], len(decision.title)) == (20_000, "…", 500)
    assert decision.cut == ("text", "title")
