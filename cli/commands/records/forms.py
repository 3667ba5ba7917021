"""`jiesu forms`: issue numbered forms, account for them, list the register, and bind a year's closed records in one volume."""

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.clock import REPORT_ZONE, current_instant
from cli.commands.records.form import case_texts
from cli.database import query_service
from cli.exit_status import exit_with
from cli.output_file import require_folder, writing_out
from services.sla.application.forms import form_register as register_use_cases
from services.sla.application.forms.form_register import MAX_COUNT, IssuedTo, case_events
from services.sla.application.rulebooks import HistoricalRulebooks
from services.sla.application.seals import seal_faults
from services.sla.domain.evidence.case_history import CaseHistory
from services.sla.storage import case_histories, form_register, seals
from services.sla.storage.form_register import FormIssue
from services.sla.storage.seals import YearSeal
from shared.procedures.forms.case_record import case_record
from shared.procedures.forms.field_text import FormTexts
from shared.procedures.forms.filling import blank_form
from shared.procedures.forms.printing import FormError, find_form, print_case_form, require_format
from shared.procedures.forms.versions import is_opened
from shared.procedures.loading.loader import load_organisation, load_procedure
from shared.procedures.model.procedure import Procedure
from shared.procedures.organisation import Organisation, open_organisation
from shared.runtime.database.database import Database

app = typer.Typer(help="Issue numbered forms, and bind a year's records.", no_args_is_help=True)
ProcedureArgument = Annotated[str, typer.Argument(metavar="PROCEDURE", help="an installed procedure's id")]
FormArgument = Annotated[str, typer.Argument(metavar="FORM", help="a form's id in the procedure")]
KeeperOption = Annotated[str, typer.Option(help="the keeper of the register")]


@app.command()
def issue(
    procedure: ProcedureArgument,
    form: FormArgument,
    keeper: KeeperOption,
    to: Annotated[str, typer.Option(help="who receives the forms")],
    count: Annotated[int, typer.Option(min=1, max=MAX_COUNT, help="how many blank forms")] = 1,
    case: Annotated[str, typer.Option(help="a copy of this case's form instead of blank ones")] = "",
    version: Annotated[int | None, typer.Option(help="with --case: the signed version; default: the last")] = None,
    organisation: Annotated[Path | None, typer.Option(help="the organisation file, whose name blank forms have at their head")] = None,
    out: Annotated[Path | None, typer.Option(help="the PDF; default <form>-<first number>.pdf")] = None,
) -> None:
    """Number forms, register their issue, and print them. Exit status 2 if nothing was issued."""
    require_folder(out)
    loaded, to_whom = load_procedure(procedure), IssuedTo(keeper, to)
    try:
        require_format("pdf")
        find_form(loaded, form)
        if case:
            issues, content = query_service("sla", lambda database: _issue_copy(database, loaded, form, case, version, to_whom))
        else:
            named = open_organisation() if organisation is None else load_organisation(organisation)
            issues, content = query_service("sla", lambda database: _issue_blank(database, loaded, form, count, to_whom, named))
    except FormError as error:
        exit_with(str(error))
    path = out or Path(f"{form}-{issues[0].number}.pdf")
    with writing_out():
        path.write_bytes(content)
    last = f" to {issues[-1].number}" if len(issues) > 1 else ""
    typer.echo(f"{path}: {form} {issues[0].number}{last}, issued to {to}, kept by {keeper}")


@app.command("return")
def return_form(
    procedure: ProcedureArgument,
    form: FormArgument,
    number: Annotated[str, typer.Argument(help="the number on the form, e.g. 2026-00007")],
    case: Annotated[str, typer.Option(help="the case that the form was used for")] = "",
    void: Annotated[str, typer.Option(help="why the form is spoilt or lost")] = "",
) -> None:
    """Record what became of an issued form: used for a case, or void. Exit status 2 if it is not out."""
    if bool(case) == bool(void):
        exit_with("outcome: give either --case CASE or --void REASON")
    year, dash, serial = number.partition("-")
    if not (dash and year.isascii() and year.isdigit() and serial.isascii() and serial.isdigit()):
        exit_with("number: must be year and serial, e.g. 2026-00007")
    key, now = (procedure, form, int(year), int(serial)), current_instant()

    async def record(database: Database) -> bool:
        async with database.transaction() as tx:
            return await form_register.record_return(tx, key, now, f"void: {void}" if void else "used", case)

    if not query_service("sla", record):
        exit_with(f"number: {number} is not out; see jiesu forms register")
    typer.echo(f"{form} {number}: {'void' if void else f'used for {case}'}")


@app.command()
def register(
    procedure: Annotated[str, typer.Option(help="only this procedure")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """List the issued forms with what became of each. Exit status 1 if a number is missing."""

    async def load(database: Database) -> list[FormIssue]:
        async with database.transaction() as tx:
            return await form_register.load_issues(tx, procedure)

    issues = query_service("sla", load)
    faults = list(register_use_cases.number_faults(issues))
    if as_json:
        typer.echo(json.dumps({"forms": [_issue_fields(one) for one in issues], "faults": faults}, ensure_ascii=False, indent=1))
    else:
        for one in issues:
            about = f"copy of {one.case} version {one.version}" if one.version else "blank"
            typer.echo(f"{one.procedure} {one.form} {one.number}: {about}, to {one.issued_to}, {one.outcome or 'out'}")
        for fault in faults:
            typer.echo(fault)
    if faults:
        raise typer.Exit(1)


@app.command()
def volume(
    year: Annotated[int, typer.Argument(min=2000, max=2099, help="a sealed year")],
    procedure: Annotated[str, typer.Option(help="the procedure whose closed records are bound")],
    keeper: Annotated[str, typer.Option(help="who keeps the volume and signs its receipt")],
    out: Annotated[Path | None, typer.Option(help="the PDF; default <procedure>-<year>.pdf")] = None,
) -> None:
    """Bind the closed records of a sealed year in one PDF. Exit status: 1 the seal does not hold, 2 nothing to bind."""
    require_folder(out)
    try:
        require_format("pdf")
    except FormError as error:
        exit_with(str(error))
    # Imported here: the module needs the extra.
    from shared.procedures.forms.bound_volume import render_volume  # noqa: PLC0415

    seal, faults, histories, rulebooks = query_service("sla", lambda database: _load_year(database, year, procedure))
    if seal is None:
        exit_with(f"year: {year} is not sealed; seal it with jiesu ledger seal {year}")
    if faults:
        exit_with("\n".join(faults), 1)
    bound = _bound_volume(seal, histories, rulebooks, keeper)
    if bound is None:
        exit_with(f"procedure: no case of {procedure} was closed in {year}")
    path = out or Path(f"{procedure}-{year}.pdf")
    content = render_volume(bound)
    with writing_out():
        path.write_bytes(content)
    typer.echo(f"{path}: {len(bound.cases)} closed cases of {year}, root {bound.root}")


async def _issue_blank(
    database: Database, procedure: Procedure, form_id: str, count: int, to: IssuedTo, organisation: Organisation
) -> tuple[list[FormIssue], bytes]:
    from shared.procedures.forms.pdf_form import render_forms_pdf  # noqa: PLC0415 - needs the extra

    now = current_instant()
    texts, form = FormTexts(procedure, organisation), find_form(procedure, form_id)
    # Printed before the transaction ends: a form whose printing fails is not registered as issued.
    async with database.transaction() as tx:
        issues = await register_use_cases.issue_blank_forms(tx, procedure, form_id, count, to, _year(now), now)
        return issues, render_forms_pdf([blank_form(form, texts, f"{form.code or form.id} {one.number}") for one in issues])


async def _issue_copy(
    database: Database, procedure: Procedure, form_id: str, case: str, version: int | None, to: IssuedTo
) -> tuple[list[FormIssue], bytes]:
    from shared.procedures.forms.pdf_form import render_forms_pdf  # noqa: PLC0415 - needs the extra

    histories, rulebooks = await _load_cases(database, [case])
    if not histories:
        raise FormError("case: must be the id of a registered case")
    texts, events, now = case_texts(histories[0], rulebooks, "zh"), case_events(histories[0]), current_instant()
    if texts.procedure.id != procedure.id:
        raise FormError(f"procedure: the case is under {texts.procedure.id}; give that")
    _, versions = print_case_form(texts, form_id, events)
    number = version or len(versions)
    filled, _ = print_case_form(texts, form_id, events, number)
    signed = (form_id, case, number, versions[number - 1].hash)
    async with database.transaction() as tx:
        issued = await register_use_cases.issue_signed_copy(tx, procedure, signed, to, _year(now), now)
        return [issued], render_forms_pdf([filled])


async def _load_cases(database: Database, cases: list[str]) -> tuple[list[CaseHistory], HistoricalRulebooks]:
    async with database.transaction() as tx:
        rulebooks = await HistoricalRulebooks.load(tx)
    return [history async for history in case_histories.load_case_histories(database, cases)], rulebooks


async def _load_year(
    database: Database, year: int, procedure: str
) -> tuple[YearSeal | None, list[str], list[CaseHistory], HistoricalRulebooks]:
    async with database.transaction() as tx:
        rulebooks = await HistoricalRulebooks.load(tx)
        seal = await seals.load_seal(tx, year)
        faults = [] if seal is None else await seal_faults(tx, seal)
    sealed = {leaf.case for leaf in seal.leaves} if seal else set()
    histories = [history async for history in case_histories.load_case_histories(database, (), procedure) if history.case in sealed]
    return seal, faults, histories, rulebooks


def _bound_volume(seal: YearSeal, histories: list[CaseHistory], rulebooks: HistoricalRulebooks, keeper: str) -> Any:
    from shared.procedures.forms.bound_volume import BoundVolume, VolumeCase  # noqa: PLC0415 - needs the extra

    sequences = {leaf.case: leaf.sequence for leaf in seal.leaves}
    cases: list[VolumeCase] = []
    texts: FormTexts | None = None
    for history in histories:
        # As it was when the year was sealed: a case that is opened again later belongs to another year too.
        events = [event for event in case_events(history) if event["sequence"] <= sequences[history.case]]
        record = case_record(events)
        if record.values["status"] != "closed":
            continue
        texts = case_texts(history, rulebooks, "zh")
        opened = [form for form in texts.procedure.forms if form.per == "case" and is_opened(form, events)]
        forms = tuple(print_case_form(texts, form.id, events)[0] for form in opened)
        cases.append(VolumeCase(str(record.values["number"]), texts.instant(record.value("closed.at")), forms))
    if texts is None:
        return None
    cases.sort(key=lambda case: case.number)
    organisation, procedure = texts.organisation, texts.procedure
    sealed_at = texts.instant(seal.sealed_at)
    return BoundVolume(seal.year, organisation.zh or organisation.en, procedure.title.zh, keeper, seal.root.hex(), sealed_at, tuple(cases))


def _issue_fields(issued: FormIssue) -> dict[str, Any]:
    digest = issued.hash.hex() if issued.hash else None
    times = {"issued_at": issued.issued_at.isoformat(), "returned_at": issued.returned_at and issued.returned_at.isoformat()}
    return {**asdict(issued), "hash": digest, "number": issued.number, **times}


def _year(now: datetime) -> int:
    return now.astimezone(REPORT_ZONE).year
