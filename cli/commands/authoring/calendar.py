"""`jiesu calendar`: show the working days of a year, check a calendar file."""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from cli.deadlines.calendar_file import calendar_warnings, read_calendar
from cli.exit_status import exit_with
from shared.procedures.calendars.calendar import WEEKDAYS, Calendar, CalendarError, MinuteInterval, format_interval
from shared.procedures.calendars.public_schedules import CHINA_PUBLISHED_UNTIL

app = typer.Typer(no_args_is_help=True, help="Show or check a working calendar.")

_SATURDAY = 5
_LEGEND = (
    "off: day off; work: make-up working day; *: other hours than its weekday; ?: from here on not published, counted by weekday and law"
)


@app.command()
def show(
    year: Annotated[
        int, typer.Argument(min=2000, max=2099, help="the year; by default the last one that is published")
    ] = CHINA_PUBLISHED_UNTIL.year,
    calendar: Annotated[Path | None, typer.Option(help="a calendar file; by default the Chinese public schedule")] = None,
) -> None:
    """Show hours, exceptions and working days of a year."""
    shown = _read_or_exit(calendar)
    typer.echo(
        f"calendar {shown.id}, version {shown.version}, zone {shown.zone.key}, published until {shown.published_until or 'any time'}"
    )
    for name, intervals in zip(WEEKDAYS, shown.hours, strict=True):
        typer.echo(f"  {name}  {_format_intervals(intervals) or 'off'}")
    typer.echo(f"{year} ({_LEGEND})")
    total = 0
    for month in range(1, 13):
        days = [date(year, month, day) for day in range(1, monthrange(year, month)[1] + 1)]
        worked = sum(bool(shown.intervals_on(day)) for day in days)
        total += worked
        notes = [note for day in days if (note := _note(shown, day))]
        typer.echo(f"  {year}-{month:02}  {worked:2} working days  {' '.join(notes)}".rstrip())
    typer.echo(f"  {total} working days")


@app.command()
def check(file: Annotated[Path, typer.Argument(help="a calendar file")]) -> None:
    """Check a calendar file; exit 0: usable (warnings are printed), 2: not usable."""
    checked = _read_or_exit(file)
    for warning in calendar_warnings(checked):
        typer.echo(f"warning: {warning}")
    published = checked.published_until or "any time"
    typer.echo(f"{checked.id}, version {checked.version}: {len(checked.days)} exceptions, published until {published}")


def _read_or_exit(path: Path | None) -> Calendar:
    try:
        return read_calendar(path)
    except CalendarError as error:
        exit_with(f"jiesu calendar: {error}")


def _note(calendar: Calendar, day: date) -> str:
    """The day of the month and how it differs from its weekday; empty for an ordinary day."""
    weekday, intervals = calendar.hours[day.weekday()], calendar.intervals_on(day)
    if not calendar.is_published(day):
        return f"{day:%d}?" if day.day == 1 else ""
    if bool(intervals) != bool(weekday):
        return f"{day:%d} {'work' if intervals else 'off'}"
    return f"{day:%d}*" if intervals != weekday and day.weekday() < _SATURDAY else ""


def _format_intervals(intervals: tuple[MinuteInterval, ...]) -> str:
    return " ".join(map(format_interval, intervals))
