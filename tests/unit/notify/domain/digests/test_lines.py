"""What a digest says, and which requests say the same."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.notify.bootstrap import template_sources
from services.notify.domain.digests.lines import LISTED_ROWS, DigestLine, is_urgent, render_digest, thing_id
from services.notify.domain.message_templates import MessageTemplates
from shared.contracts.events.notifications import NotificationRequested

NOON = datetime(2026, 9, 24, 12, tzinfo=UTC)
TEMPLATES = MessageTemplates(template_sources(None))
WINDOW = timedelta(minutes=15)


def line(number: int, **fields: Any) -> DigestLine:
    defaults = {"what": "三日内答复客户", "since": (NOON + timedelta(minutes=number)).isoformat(), "department": "工程部"}
    return DigestLine(number=f"TS-2026-{number:06}", **(defaults | fields))


def request(**fields: Any) -> NotificationRequested:
    defaults = {"case": "c1", "at": NOON, "about": "clock_breached", "template": "clock_breached", "values": {"clock": "reply"}}
    return NotificationRequested(**(defaults | fields))


def test_urgent_lines_come_first_then_those_due_longest() -> None:
    lines = [line(1), line(2, since=(NOON - WINDOW).isoformat()), line(3, urgent=True, overdue=True)]
    message = render_digest(TEMPLATES, "digest.zh.email", lines, 3)
    assert message.subject == "3 项待处理，其中 1 项紧急，1 项已超时"
    rows = [row for row in message.text.splitlines() if row.startswith("TS-")]
    assert rows == [
        "TS-2026-000003 | 【紧急】三日内答复客户 | 2026-09-24 20:03（已超时） | 工程部",
        "TS-2026-000002 | 三日内答复客户 | 2026-09-24 19:45 | 工程部",
        "TS-2026-000001 | 三日内答复客户 | 2026-09-24 20:01 | 工程部",
    ]


def test_a_mail_names_every_case_of_a_long_digest() -> None:
    lines = [line(number) for number in range(500)]
    for language in ("zh", "en"):
        message = render_digest(TEMPLATES, f"digest.{language}.email", lines, 500)
        assert message.text.count("TS-2026-") == 500
        assert len([row for row in message.text.splitlines() if row.startswith("TS-")]) == LISTED_ROWS
    assert "3 more are not listed" in render_digest(TEMPLATES, "digest.en.email", lines, 503).text


@pytest.mark.parametrize(("language", "longest"), [("zh", 2 * 67), ("en", 2 * 153)])
def test_a_text_message_names_the_count_and_three_numbers_within_two_parts(language: str, longest: int) -> None:
    lines = [DigestLine(f"TS-2026-{'9' * 30}-{n}", "x", NOON.isoformat(), overdue=True, urgent=True) for n in range(1900)]
    text = render_digest(TEMPLATES, f"digest.{language}.sms", lines, 19_999).text
    assert text.count("TS-2026-") == 3
    assert "19999" in text
    assert len(text) <= longest
    assert math.ceil(len(text) / (longest // 2)) <= 2


def test_same_event_and_words_are_the_same_thing_whatever_role_and_clause_ask() -> None:
    asked = {
        thing_id(request(**fields), "li", "sms")
        for fields in ({}, {"recipients": ["owner"], "clause": "3.1"}, {"recipients": ["manager"], "notification": "n2", "rule": "r"})
    }
    assert len(asked) == 1
    others = [
        thing_id(request(values={"clock": "visit"}), "li", "sms"),
        thing_id(request(at=NOON + WINDOW), "li", "sms"),
        thing_id(request(about="reminded"), "li", "sms"),
        thing_id(request(case="c2"), "li", "sms"),
        thing_id(request(), "wu", "sms"),
        thing_id(request(), "li", "email"),
    ]
    assert len({*asked, *others}) == 7


@pytest.mark.parametrize(
    ("fields", "urgent"),
    [
        ({}, False),
        ({"urgent": True}, True),
        ({"values": {"danger": True}}, True),
        ({"values": {"due_at": (NOON + 2 * WINDOW).isoformat()}}, True),
        ({"values": {"due_at": (NOON + 3 * WINDOW).isoformat()}}, False),
        ({"values": {"due_at": NOON.isoformat(), "overdue": True}}, False),
        ({"values": {"due_at": "soon"}}, False),
    ],
)
def test_urgent_by_procedure_or_danger_or_when_a_digest_would_come_too_late(fields: dict[str, Any], urgent: bool) -> None:
    assert is_urgent(request(**fields), NOON, WINDOW) is urgent


def test_line_survives_storage() -> None:
    assert DigestLine.decode(line(1, urgent=True).encode()) == line(1, urgent=True)
