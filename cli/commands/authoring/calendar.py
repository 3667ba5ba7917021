"""`jiesu calendar`: show the working days of a year, check a calendar file."""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from cli.deadlines.calendar_file import calendar_warnings, read_calendar
from cli.exit_status import exit_with
from shared.procedures.calendars.calendar import WEEKDAYS, Calendar, CalendarError, MinuteInterval
from shared.procedures.calendars.public_schedules import CHINA_PUBLISHED_UNTIL

app = typer.Typer(no_args_is_help=True, help="Show or check a working calendar.")

_SATURDAY = 5
_LEGEND = "off: a day off; work: made up for; *: hours of its own; ?: not published, judged by its weekday"


@app.command()
def show(
    year: Annotated[
        int, typer.Argument(min=2000, max=2099, help="the year; by default the last one that is published")
    ] = CHINA_PUBLISHED_UNTIL.year,
    calendar: Annotated[Path | None, typer.Option(help="a calendar file; by default the Chinese public schedule")] = None,
) -> None:
    """Show hours, exceptions and working days of a year."""
    found = _read_or_exit(calendar)
    typer.echo(
        f"calendar {found.id}, version {found.version}, zone {found.zone.key}, published until {found.published_until or 'any time'}"
    )
    for name, intervals in zip(WEEKDAYS, found.hours, strict=True):
        typer.echo(f"  {name}  {_format_intervals(intervals) or 'off'}")
    typer.echo(f"{year} ({_LEGEND})")
    total = 0
    for month in range(1, 13):
        days = [date(year, month, day) for day in range(1, monthrange(year, month)[1] + 1)]
        worked = sum(bool(found.intervals_on(day)) for day in days)
        total += worked
        notes = [note for day in days if (note := _note(found, day))]
        typer.echo(f"  {year}-{month:02}  {worked:2} working days  {' '.join(notes)}".rstrip())
    typer.echo(f"  {total} working days")


@app.command()
def check(file: Annotated[Path, typer.Argument(help="a calendar file")]) -> None:
    """Check a calendar file; exit 0: usable (warnings are printed), 2: not usable."""
    found = _read_or_exit(file)
    for warning in calendar_warnings(found):
        typer.echo(f"warning: {warning}")
    typer.echo(f"{found.id}, version {found.version}: {len(found.days)} exceptions, published until {found.published_until or 'any time'}")


def _read_or_exit(path: Path | None) -> Calendar:
    try:
        return read_calendar(path)
    except CalendarError as error:
        exit_with(f"jiesu calendar: {error}")


def _note(calendar: Calendar, day: date) -> str:
    """Say how a date differs from its weekday, or that its schedule is unknown; empty for an ordinary day."""
    weekday, intervals = calendar.hours[day.weekday()], calendar.intervals_on(day)
    if not calendar.is_published(day):
        return f"{day:%d}?" if day.day == 1 else ""
    if bool(intervals) != bool(weekday):
        return f"{day:%d} {'work' if intervals else 'off'}"
    return f"{day:%d}*" if intervals != weekday and day.weekday() < _SATURDAY else ""


def _format_intervals(intervals: tuple[MinuteInterval, ...]) -> str:
    return " ".join(f"{one // 60:02}:{one % 60:02}-{other // 60:02}:{other % 60:02}" for one, other in intervals)
