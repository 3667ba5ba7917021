"""`jiesu procedure`: check, test, explain, messages, coverage, diff, replay, new, schema."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from cli.exit_status import exit_with
from cli.output_file import writing_out
from shared.procedures.checks.pack_check import blocking_problems, check_pack
from shared.procedures.coverage import ClauseCoverage
from shared.procedures.explain.page import build_page
from shared.procedures.explain.rendering.html_page import render_html
from shared.procedures.explain.rendering.text_page import render_text
from shared.procedures.loading import new_pack
from shared.procedures.loading.editor_schema import editor_schema_json
from shared.procedures.loading.loader import Pack, installed_packs, load_organisation, load_pack, load_procedure
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.model.procedure_error import FileProblem, ProcedureError
from shared.procedures.organisation import Organisation
from shared.procedures.version_difference import EntryChange, compare_versions

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Check, explain, cover, compare and start procedures.")


class OutputLanguage(StrEnum):
    """The languages of a printed page."""

    ZH = "zh"
    EN = "en"


class _ChangeLabels(NamedTuple):
    new: str
    removed: str
    changed: str
    unchanged: str


_CHANGE_LABELS = {
    OutputLanguage.ZH: _ChangeLabels("新增", "取消", "变更", "没有变化"),
    OutputLanguage.EN: _ChangeLabels("new", "gone", "changed", "nothing changes"),
}

PackArgument = Annotated[
    str, typer.Argument(metavar="PACK", help="an installed pack's id, id@version, a folder, or the path of a procedure.yaml")
]
LanguageOption = Annotated[OutputLanguage, typer.Option(help="zh or en")]


@app.command()
def check(
    pack: PackArgument,
    organisation: Annotated[
        Path | None, typer.Option(help="an organisation file: also finds roles that nobody holds, and parameters unset")
    ] = None,
) -> None:
    """Check a procedure and run its scenarios; exit 0: no errors (there may be warnings), 1: errors."""
    failures: list[str] = []
    warnings: list[str] = []
    try:
        loaded = load_pack(pack)
        problems = _problems(loaded, organisation)
        if not any(problem.level == "error" for problem in problems):
            failures = _scenario_failures(loaded)
            warnings = _message_warnings(loaded)
    except ProcedureError as error:
        problems = error.problems
    for problem in problems:
        typer.echo(f"{problem.level}: {problem}")
    for failure in failures:
        typer.echo(f"error: {failure}")
    for warning in warnings:
        typer.echo(warning)
    faults = sum(problem.level == "error" for problem in problems)
    errors = faults + len(failures)
    typer.echo(f"{pack}: {errors} errors, {len(problems) - faults + len(warnings)} warnings")
    if errors:
        raise typer.Exit(1)


@app.command("test")
def run_tests(pack: PackArgument) -> None:
    """Run a pack's scenarios and name each entry that none of them needs; exit 0: none fails and each entry is needed, else 1."""
    from simulator.pack_test import run_pack_scenarios, unneeded_entries  # noqa: PLC0415 - see replay

    with _exit_on_procedure_error():
        loaded = load_pack(pack)
        if errors := blocking_problems(loaded):
            raise ProcedureError(errors)
        results = run_pack_scenarios(loaded)
        for result in results:
            typer.echo(f"{'failed' if result.failures else 'ok':<7} {result.name}")
            for failure in result.failures:
                typer.echo(f"        {failure}")
        failed = sum(bool(result.failures) for result in results)
        # Where a scenario fails already, its failure without an entry proves nothing.
        unneeded = [] if failed else unneeded_entries(loaded)
    for entry in unneeded:
        typer.echo(f"unneeded: {entry}")
    typer.echo(f"{pack}: {len(results)} scenarios, {failed} failed, {len(unneeded)} entries that no scenario needs")
    if failed or unneeded:
        raise typer.Exit(1)


@app.command()
def explain(
    pack: PackArgument,
    language: LanguageOption = OutputLanguage.ZH,
    html: Annotated[Path | None, typer.Option(help="write one self-contained HTML file there instead")] = None,
) -> None:
    """Explain clause by clause what the regulation demands and what the system does about it."""
    with _exit_on_procedure_error():
        loaded = load_pack(pack)
    page = build_page(loaded.procedure, loaded.clauses, language.value)
    if html is None:
        typer.echo(render_text(page), nl=False)
        return
    with writing_out("--html"):
        html.write_text(render_html(page), "utf-8")
    typer.echo(f"{html}: {page.title}")


@app.command()
def messages(
    pack: PackArgument,
    language: LanguageOption = OutputLanguage.ZH,
    html: Annotated[Path | None, typer.Option(help="write one self-contained HTML file there instead")] = None,
) -> None:
    """Show every message that the scenarios of a pack cause, as its recipients read it."""
    # Imported when called: it loads the notify service's parts, which the other commands of this group do not need.
    from cli.messages.message_pages import messages_html, messages_text  # noqa: PLC0415
    from cli.messages.pack_messages import pack_messages  # noqa: PLC0415

    with _exit_on_procedure_error():
        loaded = load_pack(pack)
        found = pack_messages(loaded)
    if html is None:
        typer.echo(messages_text(found, language.value), nl=False)
        return
    with writing_out("--html"):
        html.write_text(messages_html(loaded.procedure.title, found, language.value), "utf-8")
    typer.echo(f"{html}: {len(found)} messages")


@app.command()
def coverage(
    packs: Annotated[list[str] | None, typer.Argument(metavar="[PACK]…", help="packs; none: all installed")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="print {procedure, clause, entries, scenarios, uncovered, shown, unshown}")
    ] = False,
) -> None:
    """Show which entries and scenarios cover each clause; exit 1 where one is not covered or not shown, or a scenario fails.

    A clause is shown by a scenario of scenarios/sense/ that fails when an entry of the clause is removed.
    """
    from simulator.sense_coverage import sense_coverage  # noqa: PLC0415 - see replay

    with _exit_on_procedure_error():
        loaded = [load_pack(pack) for pack in packs or installed_packs()]
        coverages = [sense_coverage(pack) for pack in loaded]
        failures = [failure for pack in loaded for failure in _scenario_failures(pack)]
    rows = [row for pack in coverages for row in pack.clauses]
    gaps = [gap for pack in coverages for gap in pack.gaps]
    if as_json:
        typer.echo(json.dumps([row.to_json() for row in rows], ensure_ascii=False, indent=1))
    else:
        for row in rows:
            typer.echo(f"{row.procedure}/{row.clause}  {_coverage_state(row)}")
    for gap in gaps:
        typer.echo(f"hole: {gap}", err=True)
    for failure in failures:
        typer.echo(f"failed: {failure}", err=True)
    if gaps or failures:
        raise typer.Exit(1)


@app.command()
def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="a pack, as for check; id@1 names an older version")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="a pack, as for OLD")],
    language: LanguageOption = OutputLanguage.ZH,
) -> None:
    """Describe what changes from one procedure to another."""
    with _exit_on_procedure_error():
        before, after = load_procedure(old), load_procedure(new)
    changes = compare_versions(before, after, language.value)
    labels = _CHANGE_LABELS[language]
    for change in changes:
        typer.echo("\n".join(_change_lines(change, labels)))
    if not changes:
        typer.echo(labels.unchanged)


@app.command()
def replay(
    new: Annotated[str, typer.Argument(metavar="NEW", help="id, id@version, a folder, or the path of a procedure.yaml")],
    cases: Annotated[
        list[str],
        typer.Option(help="an evidence archive, a scenario file or a folder of them; a case's id in the database, or `all`; repeatable"),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Run recorded cases under another version and list the deadlines, breaches and escalations that differ. Writes nothing."""
    # Imported when called: it imports SQLAlchemy, which the other commands of this group do not need.
    from cli.commands.authoring.version_replay import replay_version  # noqa: PLC0415

    replay_version(new, cases, as_json=as_json)


@app.command()
def new(
    pack_id: Annotated[str, typer.Argument(metavar="ID", help="small letters, digits, hyphens")],
    into: Annotated[Path, typer.Option(help="the folder in which the pack's folder is created")] = Path(),
) -> None:
    """Create a procedure from a skeleton that passes every check."""
    with _exit_on_procedure_error(), writing_out("--into"):
        folder = new_pack.create_pack(pack_id, into)
    typer.echo(f"{folder}: edit procedure.yaml and clauses.yaml, then run: jiesu procedure check {folder}")


@app.command()
def schema(output: Annotated[Path | None, typer.Option(help="write it there instead of printing it")] = None) -> None:
    """Print the JSON Schema of procedure.yaml, for editors."""
    if output is None:
        typer.echo(editor_schema_json(), nl=False)
    else:
        with writing_out("--output"):
            output.write_text(editor_schema_json(), "utf-8")


def _coverage_state(row: ClauseCoverage) -> str:
    if row.uncovered_reason and not row.entries:
        return f"uncovered: {row.uncovered_reason}"
    shown = ", ".join(f"{entry} by {scenario}" for entry, scenario in row.shown)
    unshown = f"; not shown: {', '.join(row.unshown)}" if row.unshown else ""
    return f"{', '.join(row.entries)} ← {', '.join(row.scenarios) or '-'}; shown: {shown or '-'}{unshown}"


def _problems(pack: Pack, organisation_file: Path | None) -> list[FileProblem]:
    if organisation_file is None:
        return check_pack(pack)
    organisation = load_organisation(organisation_file)
    return [*check_pack(pack, organisation), *_unbound_parameters(pack, organisation, organisation_file)]


def _message_warnings(pack: Pack) -> list[str]:
    """One line for each message of the pack that is too long for its channel with the longest words."""
    from cli.messages.message_lint import lint_pack_messages  # noqa: PLC0415 - see messages

    # A template that the organisation brings is unknown here; `jiesu notify check` knows it, and fails without it.
    return [f"warning: {finding.where}: {finding.message}" for finding in lint_pack_messages(pack)]


def _scenario_failures(pack: Pack) -> list[str]:
    """One line for each expectation of the pack's scenarios that is not met, and for each scenario that cannot run."""
    from simulator.pack_test import run_pack_scenarios  # noqa: PLC0415 - see replay

    return [f"{pack.procedure.id}/{result.name}: {failure}" for result in run_pack_scenarios(pack) for failure in result.failures]


def _unbound_parameters(pack: Pack, organisation: Organisation, path: Path) -> Iterator[FileProblem]:
    """The parameters that a source of the organisation leaves unset or sets wrongly."""
    for source in organisation.sources:
        if source.procedure != pack.procedure.id or source.version not in (None, pack.procedure.version):
            continue
        try:
            bind_parameters(pack.procedure, source.parameters)
        except ProcedureError as error:
            for problem in error.problems:
                yield FileProblem(str(path), 1, problem.clause, f"source {source.id}: {problem.message}")


def _change_lines(change: EntryChange, labels: _ChangeLabels) -> Iterator[str]:
    kind = labels.new if not change.before else labels.removed if not change.after else labels.changed
    clauses = f" ({', '.join(change.clauses)})" if change.clauses else ""
    yield f"{kind}: {change.entry}{clauses}"
    yield from (f"  - {line}" for line in change.before)
    yield from (f"  + {line}" for line in change.after)


@contextmanager
def _exit_on_procedure_error() -> Iterator[None]:
    """End the command with the problems of a procedure that cannot be used."""
    try:
        yield
    except ProcedureError as error:
        exit_with("\n".join(f"error: {problem}" for problem in error.problems))
