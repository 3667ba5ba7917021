"""Reads instants as people and spreadsheets write them; an ambiguous instant is refused."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Any, Literal

from shared.contracts.instants import is_possible_instant, read_instant

DateOrder = Literal["dmy", "mdy"] | None
_EXAMPLE = "write e.g. 2026-11-09 09:05"
_SEPARATOR = r"\s*[-/.年月]\s*"
_YEAR_FIRST = re.compile(rf"(\d{{4}}){_SEPARATOR}(\d{{1,2}}){_SEPARATOR}(\d{{1,2}})\s*[日号]?(?:[\sT]*(\D?.*))?", re.ASCII)
_YEAR_LAST = re.compile(r"(\d{1,2})\s*[-/.]\s*(\d{1,2})\s*[-/.]\s*(\d{4})(?:\s+(.*))?", re.ASCII)
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:[\sT]?(\d\d):?(\d\d)(?::?(\d\d))?)?", re.ASCII)
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?", re.ASCII)
_WEEKDAY = re.compile(r"\s*[(]?(?:星期|周|礼拜)[一二三四五六日天][)]?\s*")
_OFFSET = re.compile(r"\s*(?:([Zz])|([+-])(\d\d):?(\d\d))$", re.ASCII)
_MORNING, _AFTERNOON = ("凌晨", "早上", "上午", "am", "a.m."), ("下午", "傍晚", "晚上", "pm", "p.m.")
_MARKS = "|".join(map(re.escape, (*_MORNING, *_AFTERNOON, "中午")))
_TIME = re.compile(
    rf"(?P<before>{_MARKS})?\s*(?P<hour>\d{{1,2}})"
    r"(?::(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.\d+)?)?"
    r"|[时時点](?:(?P<half>半)|整|(?P<minute_zh>\d{1,2})分?(?:(?P<second_zh>\d{1,2})秒?)?)?)?"
    rf"\s*(?P<after>{_MARKS})?",
    re.ASCII | re.IGNORECASE,
)
# Excel counts days from 1899-12-30 on, since it takes 1900 for a leap year as Lotus 1-2-3 did.
_SERIAL_ORIGIN = datetime(1899, 12, 30)  # noqa: DTZ001 - a serial number has no zone: the map's is added
_FIRST_SERIAL, _END_OF_SERIALS = 36_526, 73_051
"""2000-01-01 and 2100-01-01: other numbers of five digits are no instants of complaints."""
_NOON = 12
_DAY_HOURS = 24
_LATEST_NOON_HOUR = 2


class UnreadableDateError(ValueError):
    """An instant that cannot be read: `rule` and `remedy`, which never repeats the value."""

    def __init__(self, rule: str, remedy: str) -> None:
        super().__init__(rule)
        self.rule, self.remedy = rule, remedy


@dataclass(frozen=True, slots=True)
class DateRules:
    """The source's conventions for instants: zone, order of dates with the year last, time of dates without one."""

    zone: tzinfo
    order: DateOrder = None
    time_of_day: time = time()


def read_written_instant(value: Any, rules: DateRules) -> datetime:
    """The instant in a cell; raises `UnreadableDateError`. 24:00 is the next day's 00:00."""
    if isinstance(value, datetime):
        return _bounded(value if value.tzinfo else value.replace(tzinfo=rules.zone))
    if isinstance(value, date):
        return _bounded(datetime.combine(value, rules.time_of_day, rules.zone))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_serial(float(value), rules)
    if not isinstance(value, str):
        raise UnreadableDateError("date_unreadable", _EXAMPLE)
    text = _WEEKDAY.sub(" ", unicodedata.normalize("NFKC", value)).strip()
    if (instant := read_instant(text)) is not None:
        return instant
    if _SERIAL.fullmatch(text):
        return _from_serial(float(text), rules)
    return _bounded(_from_text(text, rules))


def read_epoch(value: Any, *, milliseconds: bool) -> datetime:
    """The instant in seconds or milliseconds since 1970, as a number or its digits; raises `UnreadableDateError`."""
    try:
        seconds = float(value) / (1000 if milliseconds else 1)
        return _bounded(datetime.fromtimestamp(seconds, UTC))
    except (TypeError, ValueError, OverflowError, OSError):
        unit = "milliseconds" if milliseconds else "seconds"
        raise UnreadableDateError("date_unreadable", f"send {unit} since 1970, or correct `times` of the map") from None


def _from_serial(serial: float, rules: DateRules) -> datetime:
    if not _FIRST_SERIAL <= serial < _END_OF_SERIALS:
        raise UnreadableDateError("date_unreadable", _EXAMPLE)
    # The fraction is a binary one: 09:05 comes as 09:04:59.999997.
    return (_SERIAL_ORIGIN + timedelta(seconds=round(serial * 86_400))).replace(tzinfo=rules.zone)


def _from_text(text: str, rules: DateRules) -> datetime:
    if match := _COMPACT.fullmatch(text):
        year, month, day, hour, minute, second = match.groups()
        clock = f"{hour}:{minute}:{second or '00'}" if hour else ""
    elif match := _YEAR_FIRST.fullmatch(text):
        year, month, day, clock = match.groups()
    elif match := _YEAR_LAST.fullmatch(text):
        first, other, year, clock = match.groups()
        if rules.order is None:
            raise UnreadableDateError("date_ambiguous", f"{_EXAMPLE}, or state date_order in the column map")
        day, month = (first, other) if rules.order == "dmy" else (other, first)
    else:
        raise UnreadableDateError("date_unreadable", _EXAMPLE)
    try:
        on = date(int(year), int(month), int(day))
    except ValueError:
        raise UnreadableDateError("date_impossible", f"there is no such day; {_EXAMPLE}") from None
    return _at_time(on, (clock or "").strip(), rules)


def _at_time(on: date, text: str, rules: DateRules) -> datetime:
    zone = rules.zone
    if match := _OFFSET.search(text):
        utc, sign, hours, minutes = match.groups()
        offset = timedelta() if utc else timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == "-" else 1)
        if abs(offset) >= timedelta(hours=_DAY_HOURS):
            raise UnreadableDateError("time_unreadable", _EXAMPLE)
        zone, text = timezone(offset), text[: match.start()]
    if not text:
        return datetime.combine(on, rules.time_of_day, zone)
    parsed = _TIME.fullmatch(text)
    hour = _hour(parsed) if parsed and text != parsed["hour"] else None
    if parsed is None or hour is None:
        raise UnreadableDateError("time_unreadable", _EXAMPLE)
    minute = 30 if parsed["half"] else int(parsed["minute"] or parsed["minute_zh"] or 0)
    second = int(parsed["second"] or parsed["second_zh"] or 0)
    if hour == _DAY_HOURS and not minute and not second:
        return datetime.combine(on + timedelta(days=1), time(), zone)
    try:
        return datetime.combine(on, time(hour, minute, second), zone)
    except ValueError:
        raise UnreadableDateError("time_impossible", f"there is no such time; {_EXAMPLE}") from None


def _hour(parsed: re.Match[str]) -> int | None:
    """The hour of the day, None where the mark and the hour do not fit: 晚上12点 is midnight to some and noon to none."""
    hour, mark = int(parsed["hour"]), (parsed["before"] or parsed["after"] or "").lower()
    if parsed["before"] and parsed["after"]:
        return None
    if mark in _MORNING:
        return (0 if mark in ("am", "a.m.", "凌晨") else None) if hour == _NOON else hour if hour < _NOON else None
    if mark in _AFTERNOON:
        if hour == _NOON:
            return _NOON if mark in ("pm", "p.m.", "下午") else None
        return hour + _NOON if 0 < hour < _NOON else hour if _NOON < hour < _DAY_HOURS else None
    if mark:
        return hour + _NOON if 0 < hour <= _LATEST_NOON_HOUR else hour if hour in (_NOON - 1, _NOON) else None
    return hour


def _bounded(instant: datetime) -> datetime:
    if not is_possible_instant(instant):
        raise UnreadableDateError("date_out_of_range", "write an instant from 2000 to 2099")
    return instant
