"""`jiesu form`: print a form of a case or of a period, list its signed versions, or check a version's hash."""

import json
from pathlib import Path
from typing import Annotated

import typer

from cli.database import query_service
from cli.exit_status import exit_with
from cli.output_file import require_folder, writing_out
from services.sla.application.forms.form_register import case_events
from services.sla.application.rulebooks import HistoricalRulebooks
from services.sla.domain.evidence.case_history import CaseHistory, verify_history
from services.sla.storage import case_histories
from shared.procedures.forms.field_text import FormTexts
from shared.procedures.forms.filled_form import FilledForm
from shared.procedures.forms.period_filling import FormPeriod, fill_period_form
from shared.procedures.forms.printing import FormError, FormFormat, find_form, print_case_form, render_form, require_format
from shared.procedures.forms.versions import FormVersion
from shared.procedures.model.procedure import LanguageCode
from shared.runtime.database.database import Database


def form(
    case: Annotated[str, typer.Argument(metavar="CASE", help="a case's id, or a period: 2026-09 or 2026, with --procedure")],
    form_id: Annotated[str, typer.Argument(metavar="FORM", help="a form's id in the procedure")],
    html: Annotated[bool, typer.Option("--html", help="HTML, the default")] = False,
    pdf: Annotated[bool, typer.Option("--pdf", help="PDF; needs the extra: pip install 'jiesu[forms]'")] = False,
    docx: Annotated[bool, typer.Option("--docx", help="DOCX; needs the extra: pip install 'jiesu[forms]'")] = False,
    version: Annotated[int | None, typer.Option(help="a signed version; default: the present state")] = None,
    english: Annotated[bool, typer.Option("--english", help="in English instead of Chinese")] = False,
    procedure: Annotated[str, typer.Option(help="with a period: the procedure's id")] = "",
    out: Annotated[Path | None, typer.Option(help="the file; default <case>-<form>.<format>")] = None,
    versions: Annotated[bool, typer.Option("--versions", help="list the signed versions with their hashes instead")] = False,
    verify: Annotated[str, typer.Option(help="check that a signed version has this hash, instead")] = "",
) -> None:
    """Print a form. Exit status: 0 printed or the hash is right, 1 it is not, 2 case, form or format cannot be used."""
    if html + pdf + docx > 1:
        exit_with("format: give one of --html, --pdf and --docx")
    require_folder(out)
    form_format: FormFormat = "pdf" if pdf else "docx" if docx else "html"
    language: LanguageCode = "en" if english else "zh"
    try:
        # Before the database is read: a format that is not installed fails at once.
        require_format(form_format)
        period = FormPeriod.parse(case)
        if period is not None:
            filled = _period_form(period, form_id, procedure, language)
        else:
            filled, signed = _case_form(case, form_id, version, language)
            if versions or verify:
                _show_versions(signed, verify)
                return
        path = out or Path(f"{case}-{form_id}.{form_format}")
        content = render_form(filled, form_format)
    except FormError as error:
        exit_with(str(error))
    with writing_out():
        path.write_bytes(content)
    typer.echo(f"{path}: {filled.title} {filled.number} {filled.state}".rstrip())


def case_texts(history: CaseHistory, rulebooks: HistoricalRulebooks, language: LanguageCode) -> FormTexts:
    """The texts of a case's forms, with the names of people and departments at its latest event."""
    registered = history.recorded_events()[0].body
    rulebook = rulebooks.rulebook(
        history.rows[-1].basis, registered["procedure"], registered["version"], registered.get("parameters") or {}
    )
    return FormTexts(rulebook.procedure, rulebook.organisation, language)


def _case_form(case: str, form_id: str, version: int | None, language: LanguageCode) -> tuple[FilledForm, list[FormVersion]]:
    histories, rulebooks = query_service("sla", lambda database: _load(database, [case], ""))
    if not histories:
        exit_with(f"{case}: there is no such case")
    # A form printed from a changed ledger would look as valid as one printed from the true one.
    if faults := verify_history(histories[0]):
        exit_with("\n".join([f"{case}: its ledger does not hold, so its forms prove nothing", *faults]), 1)
    return print_case_form(case_texts(histories[0], rulebooks, language), form_id, case_events(histories[0]), version)


def _period_form(period: FormPeriod, form_id: str, procedure: str, language: LanguageCode) -> FilledForm:
    if not procedure:
        exit_with("procedure: a form of a period needs it; give --procedure ID")
    histories, rulebooks = query_service("sla", lambda database: _load(database, [], procedure))
    if not histories:
        exit_with(f"{procedure}: no case was registered under it")
    texts = case_texts(histories[-1], rulebooks, language)
    return fill_period_form(find_form(texts.procedure, form_id, period.per), period, [case_events(history) for history in histories], texts)


async def _load(database: Database, cases: list[str], procedure: str) -> tuple[list[CaseHistory], HistoricalRulebooks]:
    async with database.transaction() as tx:
        rulebooks = await HistoricalRulebooks.load(tx)
    return [history async for history in case_histories.load_case_histories(database, cases, procedure)], rulebooks


def _show_versions(versions: list[FormVersion], verify: str) -> None:
    if not verify:
        fields = [{"version": v.version, "sequence": v.sequence, "event": v.event, "at": str(v.at), "hash": v.hash} for v in versions]
        typer.echo(json.dumps(fields, ensure_ascii=False, indent=1))
        return
    match = next((version for version in versions if version.hash == verify.strip().lower()), None)
    if match is None:
        exit_with("hash: is that of no signed version of the form; compare the printed form with --versions", 1)
    typer.echo(f"version {match.version}: holds")
