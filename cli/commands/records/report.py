"""`jiesu report`: figures of a week, month, quarter or year, and the stored reports of the procedures' duties."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from cli.clock import REPORT_ZONE, current_instant
from cli.database import query_service
from cli.exit_status import exit_with
from services.sla.application import periodic_reports
from services.sla.domain.deadlines.worktime import Worktime, to_micros
from services.sla.storage.duties import CompletedDuty, completed_duties
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
    period: Annotated[ReportPeriod | None, typer.Argument(metavar="week|month|quarter|year")] = None,
    procedure: Annotated[str, typer.Option(help="an installed procedure's id, or a path")] = "",
    at: Annotated[str, typer.Option(help="a date in the period, e.g. 2026-09-24; default: today")] = "",
    stored: Annotated[bool, typer.Option("--stored", help="list the reports that duties have made instead")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON; times are in microseconds")] = False,
    language: Annotated[ReportLanguage, typer.Option(help="zh or en")] = ReportLanguage.ZH,
) -> None:
    """Print a procedure's figures of a period, computed from the events of its cases. Exit status 2 if that fails."""
    if stored:
        _print_stored_reports(procedure, period, as_json=as_json)
        return
    if period is None or not procedure:
        exit_with("give a period and --procedure, e.g. jiesu report month --procedure hunan-property")
    loaded, instant = _load_procedure(procedure), _parse_date(at)
    figures = query_service("sla", lambda database: _build_report(database, loaded, period.value, instant))
    if as_json:
        typer.echo(json.dumps(figures, ensure_ascii=False, indent=1))
    else:
        for line in report_lines(figures, loaded, language.value):
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
    "known_late": ("期限过后才获知", "Limits known only after they had passed"),
    "escalations": ("上报", "Escalations"),
    "causes_found": ("查明的原因", "Causes found"),
    "liable": ("责任单位", "Units liable"),
    "liable_persons": ("责任人数", "Persons liable"),
    "sanctions": ("处罚与警告", "Penalties and warnings"),
    "compensation": ("赔偿（元）", "Compensation (yuan)"),
    "proposed": ("提出", "proposed"),
    "approved": ("批准", "approved"),
    "paid": ("兑现", "paid"),
    "concealments": ("推诿与隐瞒", "Refusals and concealments"),
    "calls": ("电讯联系", "Phone calls"),
    "meetings": ("会议", "Meetings"),
    "time": ("处理时间（小时）", "Time (hours)"),
    "by_reason": ("按原因", "By reason"),
    "total": ("合计", "In all"),
    "none": ("未定", "none yet"),
    "all": ("全部", "all"),
}
_COUNTS = ("received", "open", "closed", "refused", "withdrawn", "reopened", "deemed")
_GROUPS = ("by_kind", "by_class", "by_channel", "by_subject", "by_department", "causes")
_HOUR_MICROS = 3_600_000_000


def report_lines(report: Mapping[str, Any], procedure: Procedure, language: str) -> Iterator[str]:
    """A report as lines of text in `zh` or `en`."""
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
    yield from _rate_lines(figures, label)
    for name in ("breaches", "known_late", "escalations"):
        by_clause = ", ".join(f"{clause or '-'} {count}" for clause, count in figures[name]["by_clause"].items())
        yield f"{label(name)}: {figures[name]['count']}" + (f" ({by_clause})" if by_clause else "")
    yield from _finding_lines(figures, label)
    yield from _time_lines(figures["time"], label)


def _rate_lines(figures: Mapping[str, Any], label: Callable[[str], str]) -> Iterator[str]:
    timely = figures["timely"]
    yield f"{label('timely')}: {percent(timely['rate'])} ({timely['in_time']}/{timely['finished']})"
    for clause, rounds in timely["by_clause"].items():
        yield f"  {clause or '-'}: {percent(rounds['rate'])} ({rounds['in_time']}/{rounds['finished']})"
    for kind, satisfaction in figures["satisfaction"].items():
        yield f"{label('satisfaction')} ({label(kind)}): {percent(satisfaction['rate'])}"
    call_back, repetition, extensions = figures["call_back"], figures["repetition"], figures["extensions"]
    yield f"{label('call_back')}: {percent(call_back['rate'])} ({call_back['called_back']}/{call_back['closed']})"
    yield f"{label('repetition')}: {percent(repetition['rate'])} ({repetition['repeated']}/{figures['received']})"
    yield f"{label('extensions')}: {extensions['requested']}/{extensions['granted']}/{extensions['refused']}"


def _finding_lines(figures: Mapping[str, Any], label: Callable[[str], str]) -> Iterator[str]:
    """Findings, penalties and payments; empty where none were recorded."""
    counts = {
        "causes_found": figures["causes_found"],
        "liable": figures["liable"]["units"],
        "sanctions": figures["sanctions"],
        "concealments": figures["concealments"],
        "calls": figures["calls"],
    }
    for name, by_value in counts.items():
        if by_value:
            yield f"{label(name)}: " + ", ".join(f"{value or label('none')} {count}" for value, count in by_value.items())
    for name, count in (("liable_persons", figures["liable"]["persons"]), ("meetings", figures["meetings"])):
        if count:
            yield f"{label(name)}: {count}"
    compensation = figures["compensation"]
    if compensation["proposed"]["count"]:
        steps = (f"{label(step)} {compensation[step]['amount']:,.2f}" for step in ("proposed", "approved", "paid"))
        yield f"{label('compensation')}: " + ", ".join(steps)


def _time_lines(time: Mapping[str, Any], label: Callable[[str], str]) -> Iterator[str]:
    yield f"{label('time')}: {label('total')} {time['elapsed'] / _HOUR_MICROS:.1f}"
    for name in ("by_department", "by_reason"):
        if time[name]:
            parts = ", ".join(f"{key or label('none')} {micros / _HOUR_MICROS:.1f}" for key, micros in time[name].items())
            yield f"  {label(name)}: {parts}"


def percent(rate: float | None) -> str:
    """A rate (0 to 1) in per cent; a dash for None."""
    return "–" if rate is None else f"{rate:.1%}"


def _load_procedure(reference: str) -> Procedure:
    try:
        return load_procedure(reference)
    except ProcedureError as error:
        exit_with(str(error))


def _parse_date(text: str) -> int:
    """The instant of `--at` in UTC microseconds; now for an empty text."""
    if not text:
        return to_micros(current_instant())
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        exit_with(f"--at {text}: is no date; write 2026-09-24")
    # A date without a zone is a day of the reports' zone, in which periods begin and end.
    return to_micros(instant if instant.tzinfo else instant.replace(tzinfo=REPORT_ZONE))


async def _build_report(database: Database, procedure: Procedure, period_name: str, at: int) -> dict[str, Any]:
    async with database.transaction() as tx:
        # Of the calendar only its zone matters, in which the period begins and ends.
        return await periodic_reports.build_report(tx, procedure, Worktime.for_calendar(default_calendar()), period_name, at)


def _print_stored_reports(procedure: str, only: ReportPeriod | None, *, as_json: bool) -> None:
    async def load(database: Database) -> list[CompletedDuty]:
        async with database.transaction() as tx:
            return list(await completed_duties(tx, procedure))

    duties = [duty for duty in query_service("sla", load) if only is None or duty.report["period"]["kind"] == only.value]
    if as_json:
        typer.echo(json.dumps([_duty_document(duty) for duty in duties], ensure_ascii=False, indent=1))
        return
    for duty in duties:
        period, figures = duty.report["period"], duty.report["figures"]
        summary = f"received={figures['received']} closed={figures['closed']} timely={percent(figures['timely']['rate'])}"
        signature = duty.report.get("signature")
        state = "drafted" if signature is None else f"signed by {signature['actor']}"
        typer.echo(f"{duty.procedure} {duty.duty} {period['from'][:10]} – {period['to'][:10]} {summary} {state}")
    if not duties:
        typer.echo("no reports")


def _duty_document(duty: CompletedDuty) -> dict[str, Any]:
    return {
        "procedure": duty.procedure,
        "duty": duty.duty,
        "period": duty.period.isoformat(),
        "carried_out_at": duty.carried_out_at.isoformat(),
        **duty.report,
    }
