"""Lengths of time as text."""

from datetime import timedelta
from typing import Final

_SECONDS_PER_MINUTE: Final = 60
_MINUTES_PER_HOUR: Final = 60


def duration_text(length: timedelta) -> str:
    """A length of time as hours and minutes, with seconds where there are any."""
    minutes, seconds = divmod(round(length.total_seconds()), _SECONDS_PER_MINUTE)
    hours, minutes = divmod(minutes, _MINUTES_PER_HOUR)
    parts = [f"{hours}h"] * (hours > 0) + [f"{minutes}min"] * (minutes > 0) + [f"{seconds}s"] * (seconds > 0)
    return " ".join(parts) or "0min"
