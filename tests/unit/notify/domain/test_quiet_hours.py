"""When a message may be sent, and how the setting is parsed."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest

from services.notify.domain.quiet_hours import QuietHours, earliest_send_at, parse_quiet_hours

ZONE = ZoneInfo("Asia/Shanghai")
NIGHT = QuietHours(time(22), time(8), ZONE)
NOON = QuietHours(time(12), time(14), ZONE)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}:00+08:00")


@pytest.mark.parametrize(
    ("quiet", "now", "expected"),
    [
        (NIGHT, "09-24T21:59", "09-24T21:59"),
        (NIGHT, "09-24T22:00", "09-25T08:00"),
        (NIGHT, "09-24T23:59", "09-25T08:00"),
        (NIGHT, "09-25T00:00", "09-25T08:00"),
        (NIGHT, "09-25T07:59", "09-25T08:00"),
        (NIGHT, "09-25T08:00", "09-25T08:00"),
        (NIGHT, "12-30T22:30", "12-31T08:00"),
        (NOON, "09-24T11:59", "09-24T11:59"),
        (NOON, "09-24T12:30", "09-24T14:00"),
        (NOON, "09-24T14:00", "09-24T14:00"),
        (QuietHours(time(8), time(8), ZONE), "09-24T08:00", "09-24T08:00"),
        (None, "09-24T23:00", "09-24T23:00"),
    ],
)
def test_text_message_waits_for_the_end_of_the_quiet_hours(quiet: QuietHours | None, now: str, expected: str) -> None:
    assert earliest_send_at(at(now), quiet, "sms", urgent=False) == at(expected)


def test_urgent_messages_and_other_channels_do_not_wait() -> None:
    assert earliest_send_at(at("09-24T23:00"), NIGHT, "sms", urgent=True) == at("09-24T23:00")
    assert earliest_send_at(at("09-24T23:00"), NIGHT, "email", urgent=False) == at("09-24T23:00")


def test_end_of_the_quiet_hours_is_wall_clock_time_across_a_dst_change() -> None:
    berlin = QuietHours(time(22), time(8), ZoneInfo("Europe/Berlin"))
    before_change = datetime.fromisoformat("2026-10-24T23:00:00+02:00")
    assert earliest_send_at(before_change, berlin, "sms", urgent=False) == datetime.fromisoformat("2026-10-25T08:00:00+01:00")


def test_setting_is_parsed_or_rejected() -> None:
    assert parse_quiet_hours("22:00-08:00", "Asia/Shanghai") == NIGHT
    assert parse_quiet_hours(" ", "Asia/Shanghai") is None
    for wrong in ("22:00", "22-8-9", "late-early"):
        with pytest.raises(ValueError, match="HH:MM-HH:MM"):
            parse_quiet_hours(wrong, "Asia/Shanghai")
