"""Nobody is woken for what can wait until the morning."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `start` (inclusive) to `end` (exclusive), wall time in `zone`, possibly across midnight, on the channels named."""

    start: time
    end: time
    zone: ZoneInfo
    channels: frozenset[str] = frozenset({"sms"})


def earliest_send_at(now: datetime, quiet_hours: QuietHours | None, channel: str, urgent: bool) -> datetime:
    """The instant at which a message asked for at `now` may go: at once, or when the quiet hours end. The urgent never waits."""
    if quiet_hours is None or urgent or channel not in quiet_hours.channels or quiet_hours.start == quiet_hours.end:
        return now
    local = now.astimezone(quiet_hours.zone)
    clock = local.time()
    across = quiet_hours.start > quiet_hours.end
    inside = (clock >= quiet_hours.start or clock < quiet_hours.end) if across else quiet_hours.start <= clock < quiet_hours.end
    if not inside:
        return now
    day = local.date() + timedelta(days=1 if across and clock >= quiet_hours.start else 0)
    return datetime.combine(day, quiet_hours.end, quiet_hours.zone).astimezone(now.tzinfo)


def parse_quiet_hours(text: str, zone: str, channels: tuple[str, ...] = ("sms",)) -> QuietHours | None:
    """Read `22:00-08:00`; empty means none. Raises ValueError that names the rule."""
    if not text.strip():
        return None
    try:
        start, end = (time.fromisoformat(part.strip()) for part in text.split("-"))
    except ValueError as error:
        raise ValueError("quiet hours must read HH:MM-HH:MM, e.g. 22:00-08:00, or be empty") from error
    return QuietHours(start, end, ZoneInfo(zone), frozenset(channels))
