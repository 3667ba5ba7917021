"""Reads instants and dates as senders write them, and bounds them; every service uses these limits."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pydantic_core import PydanticCustomError

FIRST_DATE = date(2000, 1, 1)
LAST_DATE = date(2099, 12, 31)
FIRST_FACT_DATE = date(1900, 1, 1)
FIRST_INSTANT = datetime(FIRST_DATE.year, FIRST_DATE.month, FIRST_DATE.day, tzinfo=UTC)
END_OF_INSTANTS = datetime(LAST_DATE.year, LAST_DATE.month, LAST_DATE.day, tzinfo=UTC) + timedelta(days=1)
"""Instants lie before it."""
INSTANT_REMEDY = "send an instant with offset, e.g. 2026-09-24T16:40:00+08:00"
RANGE_REMEDY = f"send an instant from {FIRST_DATE} to {LAST_DATE} in UTC"

# RFC 3339, section 5.6, without leap seconds; seconds may be left out. `fromisoformat` alone would also read 20261109 and 2026-W46.
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?([Zz]|[+-]\d\d(?::?\d\d)?)?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def is_possible_instant(instant: datetime) -> bool:
    """Whether an aware instant lies within the bound of every service."""
    return FIRST_INSTANT <= instant < END_OF_INSTANTS


def read_instant(value: Any) -> datetime | None:
    """The instant in an ISO 8601 text with offset or an aware datetime; None for anything else and beyond the bound."""
    instant = value if isinstance(value, datetime) else _parsed_date_time(value)
    return instant if instant is not None and instant.tzinfo is not None and is_possible_instant(instant) else None


def read_date(value: Any) -> date | None:
    """The date in `2026-01-01`, from 1900; an instant counts as its day at its own offset. None for anything else."""
    if isinstance(value, str) and _DATE.fullmatch(value.strip()):
        try:
            value = date.fromisoformat(value.strip())
        except ValueError:
            return None
    if isinstance(value, date) and not isinstance(value, datetime):
        return value if FIRST_FACT_DATE <= value <= LAST_DATE else None
    instant = value if isinstance(value, datetime) else _parsed_date_time(value)
    if instant is None or instant.tzinfo is None:
        return None
    return read_date(instant.date())


def require_date_time_text(value: Any) -> Any:
    """The value if it is a datetime or reads as a date with a time; raises pydantic's error otherwise.

    Pydantic alone takes numbers and digits as seconds or milliseconds since 1970, so that 20261109 becomes a day of August 1970.
    """
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise PydanticCustomError("datetime_type", INSTANT_REMEDY)
    if _DATE_TIME.fullmatch(value) is None:
        raise PydanticCustomError("datetime_parsing", INSTANT_REMEDY)
    return value


def require_possible_instant(instant: datetime) -> datetime:
    """The instant if it lies within the bound; raises pydantic's error otherwise."""
    if not is_possible_instant(instant):
        raise PydanticCustomError("instant_out_of_range", RANGE_REMEDY)
    return instant


def _parsed_date_time(value: Any) -> datetime | None:
    if not isinstance(value, str) or _DATE_TIME.fullmatch(value.strip()) is None:
        return None
    try:
        return datetime.fromisoformat(value.strip())
    except ValueError:
        return None
