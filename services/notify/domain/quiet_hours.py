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


def due(now: datetime, quiet: QuietHours | None, channel: str, urgent: bool) -> datetime:
    """The instant at which a message asked for at `now` may go: at once, or when the quiet hours end. The urgent never waits."""
    if quiet is None or urgent or channel not in quiet.channels or quiet.start == quiet.end:
        return now
    local = now.astimezone(quiet.zone)
    clock = local.time()
    across = quiet.start > quiet.end
    inside = (clock >= quiet.start or clock < quiet.end) if across else quiet.start <= clock < quiet.end
    if not inside:
        return now
    day = local.date() + timedelta(days=1 if across and clock >= quiet.start else 0)
    return datetime.combine(day, quiet.end, quiet.zone).astimezone(now.tzinfo)


def parse(text: str, zone: str, channels: tuple[str, ...] = ("sms",)) -> QuietHours | None:
    """Read `22:00-08:00`; empty means none. Raises ValueError that names the rule."""
    if not text.strip():
        return None
    try:
        start, end = (time.fromisoformat(part.strip()) for part in text.split("-"))
    except ValueError as error:
        raise ValueError("quiet hours must read HH:MM-HH:MM, e.g. 22:00-08:00, or be empty") from error
    return QuietHours(start, end, ZoneInfo(zone), frozenset(channels))
