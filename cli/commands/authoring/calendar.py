"""`jiesu calendar`: show the working days of a year, check a calendar file."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import typer
import yaml

from shared.procedures.calendars.calendar import WEEKDAYS, Calendar, CalendarError, Interval, standard
from shared.procedures.calendars.public_schedules import CHINA_PUBLISHED_UNTIL

app = typer.Typer(no_args_is_help=True, help="Show or check a working calendar.")

EXIT_UNUSABLE = 2
_SATURDAY = 5
_LEGEND = "off: a day off; work: made up for; *: hours of its own; ?: not published, judged by its weekday"


def read_calendar(path: Path | None) -> Calendar:
    """Read a calendar file (YAML or JSON), or give the standard calendar for None; raises CalendarError."""
    if path is None:
        return standard()
    try:
        data = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValueError) as error:
        raise CalendarError(f"calendar file {path}: cannot be read ({error}); give a YAML file with id, version, hours, days") from None
    if not isinstance(data, Mapping):
        raise CalendarError(f"calendar file {path}: must be a mapping; begin with id: and version:")
    return Calendar.parse(data)


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
        worked = sum(bool(found.on(day)) for day in days)
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


def calendar_warnings(calendar: Calendar) -> list[str]:
    """Give what is allowed in a calendar but probably not meant, each with its remedy."""
    until = calendar.published_until
    if until is None:
        return []
    found: list[str] = []
    later = [day for day in calendar.days if day > until]
    if later:
        found.append(f"days: {later[0]} lies after published_until {until}; move published_until once the whole schedule is entered")
    years = range(CHINA_PUBLISHED_UNTIL.year + 1, until.year + 1)
    empty = [year for year in years if not any(day.year == year for day in calendar.days)]
    found.extend(f"published_until {until}: {year} has no exception at all; enter its days off and make-up days" for year in empty)
    if (until + timedelta(days=1)).day != 1:
        found.append(f"published_until {until}: is not the end of a month; a public schedule is announced for whole years")
    return found


def _read_or_exit(path: Path | None) -> Calendar:
    try:
        return read_calendar(path)
    except CalendarError as error:
        typer.echo(f"jiesu calendar: {error}", err=True)
        raise typer.Exit(EXIT_UNUSABLE) from None


def _note(calendar: Calendar, day: date) -> str:
    """Say how a date differs from its weekday, or that its schedule is unknown; empty for an ordinary day."""
    weekday, intervals = calendar.hours[day.weekday()], calendar.on(day)
    if not calendar.known(day):
        return f"{day:%d}?" if day.day == 1 else ""
    if bool(intervals) != bool(weekday):
        return f"{day:%d} {'work' if intervals else 'off'}"
    return f"{day:%d}*" if intervals != weekday and day.weekday() < _SATURDAY else ""


def _format_intervals(intervals: tuple[Interval, ...]) -> str:
    return " ".join(f"{one // 60:02}:{one % 60:02}-{other // 60:02}:{other % 60:02}" for one, other in intervals)
