"""Dates in conditions: texts such as 2026-01-31, which order like the dates themselves."""

from calendar import monthrange
from datetime import date
from typing import Final

MONTHS_AFTER: Final = "months_after"


def months_after(day: str, months: int) -> str:
    """The same day some months later, or the last day of that month; empty for an absent date.

    By date and not by a number of days (Civil Code, article 202): a warranty of one year that begins on 29 February ends on the 28th.
    """
    if not day:
        return ""
    start = date.fromisoformat(day)
    year, month = divmod(start.year * 12 + start.month - 1 + int(months), 12)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1])).isoformat()
