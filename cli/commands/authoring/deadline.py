"""`jiesu deadline`: the due instant of a duration, of many in a batch, or of a procedure's clock, each with its explanation."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import orjson
import typer

from cli.deadlines.calendar_file import read_calendar
from cli.deadlines.deadline_batch import answer_line
from cli.deadlines.deadline_text import deadline_lines
from cli.exit_status import exit_with
from services.sla.calculator.deadline_arguments import DeadlineRequest, InstantError, parse_extension, parse_instant, parse_pause
from services.sla.calculator.duration_answer import duration_answer
from services.sla.domain.deadlines.counting import CountingRule, DeadlineError
from services.sla.domain.deadlines.deadline import TimeLimit
from services.sla.domain.deadlines.pauses import PauseError, merge_pauses
from services.sla.domain.deadlines.worktime import Worktime
from shared.procedures.calendars.calendar import CalendarError
from shared.procedures.model.duration import Duration, DurationError
from shared.procedures.model.procedure_error import ProcedureError

app = typer.Typer(add_completion=False)

_INPUT_ERRORS = (DeadlineError, DurationError, PauseError, InstantError, CalendarError, ProcedureError)


@app.command()
def deadline(
    duration: Annotated[str | None, typer.Option(help="30m, 2h, 4wh, 0.5wd, 3wd, 15d, 1w, 1mo, 1q, 1y, same_day, same_working_day")] = None,
    start: Annotated[str | None, typer.Option(help="ISO 8601 with an offset, such as 2026-09-24T16:40:00+08:00")] = None,
    counting: Annotated[str, typer.Option(help="exclusive: the start day does not count; inclusive: it does")] = "exclusive",
    roll: Annotated[str, typer.Option(help="forward: a last day that is not worked moves on; none: it stays")] = "forward",
    day_end: Annotated[str, typer.Option(help="midnight or close: when the last calendar day ends")] = "midnight",
    pause: Annotated[list[str] | None, typer.Option(help="FROM/TO; FROM/ while it is open; may be repeated")] = None,
    extend: Annotated[list[str] | None, typer.Option(help="by:2d or until:<instant>; may be repeated")] = None,
    calendar: Annotated[Path | None, typer.Option(help="a calendar file; by default the Chinese public schedule")] = None,
    procedure: Annotated[str | None, typer.Option(help="an installed procedure or a path, with --clock")] = None,
    clock: Annotated[str | None, typer.Option(help="a clock or duty of the procedure, by id or clause")] = None,
    fact: Annotated[list[str] | None, typer.Option(help="name=value, a fact of the case; may be repeated")] = None,
    parameter: Annotated[list[str] | None, typer.Option(help="name=value, a parameter of the procedure; may be repeated")] = None,
    batch: Annotated[bool, typer.Option(help="read JSON Lines on standard input, write each back with due and provisional")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Compute due instants; exit 2 where an option cannot be used."""
    try:
        worktime = Worktime.for_calendar(read_calendar(calendar))
        if batch:
            _batch(worktime)
            return
        if start is None or (duration is None) == (procedure is None) or (procedure is None) != (clock is None):
            raise DeadlineError("options: give --start, and either --duration or --procedure with --clock; or --batch")
        request = DeadlineRequest(
            parse_instant("start", start),
            merge_pauses(parse_pause(argument) for argument in pause or ()),
            [parse_extension(argument) for argument in extend or ()],
        )
        if procedure is not None and clock is not None:
            # Importing procedures takes a second; a duration needs none.
            from services.sla.calculator.procedure_clock import answer_for_clock, rulebook_for  # noqa: PLC0415
            from shared.procedures.loading.loader import load_procedure  # noqa: PLC0415

            rulebook = rulebook_for(load_procedure(procedure), parameter or ())
            answer = answer_for_clock(worktime, request, rulebook, clock, fact or ())
        else:
            rule = CountingRule.parse(counting, roll, day_end)
            answer = duration_answer(worktime, TimeLimit(request.start, Duration.parse(duration), rule, request.pauses, request.extensions))
    except _INPUT_ERRORS as error:
        exit_with(f"jiesu deadline: {error}")
    typer.echo(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode() if as_json else "\n".join(deadline_lines(answer)))


def _batch(worktime: Worktime) -> None:
    """Answer each line of standard input with one line; a line that cannot be used is answered with its error."""
    output = sys.stdout
    for number, line in enumerate(sys.stdin.buffer, 1):
        if line.strip():
            output.write(orjson.dumps(answer_line(worktime, number, line)).decode() + "\n")
    output.flush()
