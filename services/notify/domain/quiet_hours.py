"""Decides when a message may be sent: text messages and calls that are not urgent wait for the end of the quiet hours."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `start` (inclusive) to `end` (exclusive), wall-clock time in `zone`, across midnight if `start` is later, on `channels`."""

    start: time
    end: time
    zone: ZoneInfo
    channels: frozenset[str] = frozenset({"sms", "voice"})


def earliest_send_at(now: datetime, quiet_hours: QuietHours | None, channel: str, urgent: bool) -> datetime:
    """The first instant at or after `now` at which the message may be sent: the end of the quiet hours, or `now` outside them."""
    if quiet_hours is None or urgent or channel not in quiet_hours.channels or quiet_hours.start == quiet_hours.end:
        return now
    local = now.astimezone(quiet_hours.zone)
    wall_time = local.time()
    spans_midnight = quiet_hours.start > quiet_hours.end
    if spans_midnight:
        is_quiet = wall_time >= quiet_hours.start or wall_time < quiet_hours.end
    else:
        is_quiet = quiet_hours.start <= wall_time < quiet_hours.end
    if not is_quiet:
        return now
    day = local.date() + timedelta(days=1 if spans_midnight and wall_time >= quiet_hours.start else 0)
    return datetime.combine(day, quiet_hours.end, quiet_hours.zone).astimezone(now.tzinfo)


def parse_quiet_hours(text: str, zone: str, channels: tuple[str, ...] = ("sms", "voice")) -> QuietHours | None:
    """Parse `22:00-08:00`; None for an empty text. Raises `ValueError` with the rule."""
    if not text.strip():
        return None
    try:
        start, end = (time.fromisoformat(part.strip()) for part in text.split("-"))
    except ValueError as error:
        raise ValueError("quiet hours must read HH:MM-HH:MM, e.g. 22:00-08:00, or be empty") from error
    return QuietHours(start, end, ZoneInfo(zone), frozenset(channels))
