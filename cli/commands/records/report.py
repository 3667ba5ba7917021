"""`jiesu report`: the figures of a week, month, quarter or year, and the reports that the procedures' duties have made."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from cli.evidence.sla_database import REPORT_ZONE, current_instant, exit_with, query_sla
from services.sla.application import periodic_reports
from services.sla.domain.deadlines.worktime import Worktime, to_micros
from services.sla.storage import duties
from services.sla.storage.duties import CompletedDuty
from shared.procedures.calendars.calendar import default_calendar
from shared.procedures.loading.loader import load_procedure
from shared.procedures.model.procedure import Procedure
from shared.procedures.model.procedure_error import ProcedureError
from shared.runtime.database.database import Database


class ReportPeriod(StrEnum):
    """The periods of reports."""

    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class ReportLanguage(StrEnum):
    """The languages of a report."""

    ZH = "zh"
    EN = "en"


def report(
    kind: Annotated[ReportPeriod | None, typer.Argument(metavar="week|month|quarter|year")] = None,
    procedure: Annotated[str, typer.Option(help="an installed procedure's id, or a path")] = "",
    at: Annotated[str, typer.Option(help="a date in the period, e.g. 2026-09-24; default: today")] = "",
    stored: Annotated[bool, typer.Option("--stored", help="list the reports that duties have made instead")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON; times are in microseconds")] = False,
    language: Annotated[ReportLanguage, typer.Option(help="zh or en")] = ReportLanguage.ZH,
) -> None:
    """Print a procedure's figures of a period, out of the events of its cases. Exit status 2 if they cannot be had."""
    if stored:
        _print_stored_reports(procedure, kind, as_json=as_json)
        return
    if kind is None or not procedure:
        exit_with("give a period and --procedure, e.g. jiesu report month --procedure hunan-property")
    loaded, instant = _load_procedure(procedure), _instant(at)
    found = query_sla(lambda database: _build_report(database, loaded, kind.value, instant))
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=1))
    else:
        for line in report_lines(found, loaded, language.value):
            typer.echo(line)


LABELS: dict[str, tuple[str, str]] = {
    "received": ("受理", "Received"),
    "open": ("期末在办", "Open at the end"),
    "closed": ("办结", "Closed"),
    "refused": ("不予受理", "Refused"),
    "withdrawn": ("撤回", "Withdrawn"),
    "reopened": ("重新办理", "Reopened"),
    "deemed": ("视为批准", "Deemed approved"),
    "by_kind": ("按类别", "By kind"),
    "by_class": ("按级别", "By class"),
    "by_channel": ("按渠道", "By channel"),
    "by_subject": ("按专业", "By subject"),
    "by_department": ("按部门", "By department"),
    "causes": ("原因与情形", "Causes and circumstances"),
    "timely": ("及时率", "In time"),
    "satisfaction": ("满意率", "Satisfaction"),
    "call_back": ("回访率", "Called back"),
    "repetition": ("重复率", "Repeated"),
    "extensions": ("延期（申请/批准/不批准）", "Extensions (requested/granted/refused)"),
    "breaches": ("逾期", "Breaches"),
    "escalations": ("上报", "Escalations"),
    "time": ("处理时间（小时）", "Time (hours)"),
    "by_reason": ("按原因", "By reason"),
    "total": ("合计", "In all"),
    "none": ("未定", "none yet"),
    "all": ("全部", "all"),
}
_COUNTS = ("received", "open", "closed", "refused", "withdrawn", "reopened", "deemed")
_GROUPS = ("by_kind", "by_class", "by_channel", "by_subject", "by_department", "causes")
_HOUR = 3_600_000_000


def report_lines(report: Mapping[str, Any], procedure: Procedure, language: str) -> Iterator[str]:
    """A report as lines of text."""
    chinese = language == "zh"

    def label(name: str) -> str:
        return LABELS[name][0 if chinese else 1] if name in LABELS else name

    figures, period = report["figures"], report["period"]
    title = procedure.title.zh if chinese else procedure.title.en
    yield f"{title} ({procedure.id})  {period['from'][:10]} – {period['to'][:10]}"
    for name in _COUNTS:
        yield f"{label(name)}: {figures[name]}"
    for name in _GROUPS:
        if figures[name]:
            yield f"{label(name)}: " + ", ".join(f"{key or label('none')} {count}" for key, count in figures[name].items())
    timely = figures["timely"]
    yield f"{label('timely')}: {percent(timely['rate'])} ({timely['in_time']}/{timely['finished']})"
    for clause, own in timely["by_clause"].items():
        yield f"  {clause or '-'}: {percent(own['rate'])} ({own['in_time']}/{own['finished']})"
    for kind, own in figures["satisfaction"].items():
        yield f"{label('satisfaction')} ({label(kind)}): {percent(own['rate'])}"
    call_back, repetition, extensions = figures["call_back"], figures["repetition"], figures["extensions"]
    yield f"{label('call_back')}: {percent(call_back['rate'])} ({call_back['called_back']}/{call_back['closed']})"
    yield f"{label('repetition')}: {percent(repetition['rate'])} ({repetition['repeated']}/{figures['received']})"
    yield f"{label('extensions')}: {extensions['requested']}/{extensions['granted']}/{extensions['refused']}"
    for name in ("breaches", "escalations"):
        own = ", ".join(f"{clause or '-'} {count}" for clause, count in figures[name]["by_clause"].items())
        yield f"{label(name)}: {figures[name]['count']}" + (f" ({own})" if own else "")
    yield from _times(figures["time"], label)


def percent(rate: float | None) -> str:
    """A rate as people read it."""
    return "–" if rate is None else f"{rate:.1%}"


def _times(time: Mapping[str, Any], label: Any) -> Iterator[str]:
    yield f"{label('time')}: {label('total')} {time['elapsed'] / _HOUR:.1f}"
    for name in ("by_department", "by_reason"):
        if time[name]:
            yield f"  {label(name)}: " + ", ".join(f"{key or label('none')} {length / _HOUR:.1f}" for key, length in time[name].items())


def _load_procedure(reference: str) -> Procedure:
    try:
        return load_procedure(reference)
    except ProcedureError as error:
        exit_with(str(error))


def _instant(written: str) -> int:
    if not written:
        return to_micros(current_instant())
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        exit_with(f"--at {written}: is no date; write 2026-09-24")
    return to_micros(found if found.tzinfo else found.replace(tzinfo=REPORT_ZONE))


async def _build_report(database: Database, procedure: Procedure, kind: str, at: int) -> dict[str, Any]:
    async with database.transaction() as tx:
        return await periodic_reports.build_report(tx, procedure, Worktime.for_calendar(default_calendar()), kind, at)


def _print_stored_reports(procedure: str, kind: ReportPeriod | None, *, as_json: bool) -> None:
    async def asked(database: Database) -> list[CompletedDuty]:
        async with database.transaction() as tx:
            return list(await duties.completed_duties(tx, procedure))

    found = [each for each in query_sla(asked) if kind is None or each.report["period"]["kind"] == kind.value]
    if as_json:
        rows = [
            {
                "procedure": e.procedure,
                "duty": e.duty,
                "period": e.period.isoformat(),
                "carried_out_at": e.carried_out_at.isoformat(),
                **e.report,
            }
            for e in found
        ]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for each in found:
        period, figures = each.report["period"], each.report["figures"]
        said = f"received={figures['received']} closed={figures['closed']} timely={percent(figures['timely']['rate'])}"
        typer.echo(f"{each.procedure} {each.duty} {period['from'][:10]} – {period['to'][:10]} {said}")
    if not found:
        typer.echo("no reports")
