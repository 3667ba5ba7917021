"""`jiesu procedure`: check, explain, coverage, diff, replay, new, schema."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from shared.procedures.checks.pack_check import check_pack as problems_of
from shared.procedures.coverage import pack_coverage as coverage_of
from shared.procedures.explain.html_page import render_html as as_html
from shared.procedures.explain.page import build_page
from shared.procedures.explain.text_page import render_text as as_text
from shared.procedures.loading import new_pack
from shared.procedures.loading.editor_schema import editor_schema_json as schema_text
from shared.procedures.loading.loader import Pack, installed_packs, load_organisation, load_pack, load_procedure
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.model.procedure_error import FileProblem, ProcedureError
from shared.procedures.organisation import Organisation
from shared.procedures.version_difference import EntryChange, compare_versions

EXIT_UNUSABLE = 2
app = typer.Typer(no_args_is_help=True, add_completion=False, help="Check, explain, cover, compare and start procedures.")


class OutputLanguage(StrEnum):
    """The languages of a page."""

    ZH = "zh"
    EN = "en"


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
    """Find what is wrong with a procedure; exit 0: no errors (warnings may be), 1: errors."""
    try:
        loaded = load_pack(pack)
        found = _with_organisation(loaded, organisation)
    except ProcedureError as error:
        found = error.problems
    for problem in found:
        typer.echo(f"{problem.level}: {problem}")
    errors = sum(problem.level == "error" for problem in found)
    typer.echo(f"{pack}: {errors} errors, {len(found) - errors} warnings")
    if errors:
        raise typer.Exit(1)


@app.command()
def explain(
    pack: PackArgument,
    language: LanguageOption = OutputLanguage.ZH,
    html: Annotated[Path | None, typer.Option(help="write one self-contained HTML file there instead")] = None,
) -> None:
    """Say clause by clause what the regulation demands and what the system does about it."""
    with _exit_on_procedure_error():
        loaded = load_pack(pack)
    made = build_page(loaded.procedure, loaded.clauses, language.value)
    if html is None:
        typer.echo(as_text(made), nl=False)
        return
    html.write_text(as_html(made), "utf-8")
    typer.echo(f"{html}: {made.title}")


@app.command()
def coverage(
    packs: Annotated[list[str] | None, typer.Argument(metavar="[PACK]…", help="packs; none: all installed")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print a list of {procedure, clause, entries, scenarios, uncovered}")] = False,
) -> None:
    """Show which entries and scenarios cover each clause; exit 1 if there is a hole."""
    with _exit_on_procedure_error():
        found = [coverage_of(load_pack(pack)) for pack in packs or installed_packs()]
    rows = [row for each in found for row in each.clauses]
    holes = [hole for each in found for hole in each.gaps]
    if as_json:
        typer.echo(json.dumps([row.to_json() for row in rows], ensure_ascii=False, indent=1))
    else:
        for row in rows:
            state = (
                f"uncovered: {row.uncovered_reason}"
                if row.uncovered_reason and not row.entries
                else f"{', '.join(row.entries)} ← {', '.join(row.scenarios) or '-'}"
            )
            typer.echo(f"{row.procedure}/{row.clause}  {state}")
    for hole in holes:
        typer.echo(f"hole: {hole}", err=True)
    if holes:
        raise typer.Exit(1)


@app.command()
def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="a pack, as for check; id@1 names an older version")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="likewise")],
    language: LanguageOption = OutputLanguage.ZH,
) -> None:
    """Say in words what changes from one procedure to another."""
    with _exit_on_procedure_error():
        before, after = load_procedure(old), load_procedure(new)
    changes = compare_versions(before, after, language.value)
    words = ("新增", "取消", "变更", "没有变化") if language is OutputLanguage.ZH else ("new", "gone", "changed", "nothing changes")
    for change in changes:
        typer.echo("\n".join(_lines(change, words)))
    if not changes:
        typer.echo(words[3])


@app.command()
def replay(
    new: Annotated[str, typer.Argument(metavar="NEW", help="id, id@version, a folder, or the path of a procedure.yaml")],
    cases: Annotated[
        list[str],
        typer.Option(help="an evidence archive, a scenario file or a folder of them; a case's id in the database, or `all`; repeatable"),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Run recorded cases under another version: which deadlines, breaches and escalations would have differed. Nothing is written."""
    # Imported when called: it needs the database, the other commands do not.
    import_module("simulator.version_comparison").rehearse(new, cases, as_json=as_json)


@app.command()
def new(
    pack_id: Annotated[str, typer.Argument(metavar="ID", help="small letters, digits, hyphens")],
    into: Annotated[Path, typer.Option(help="the folder that the pack's folder is made in")] = Path(),
) -> None:
    """Start a procedure from a skeleton that passes every check."""
    with _exit_on_procedure_error():
        folder = new_pack.create_pack(pack_id, into)
    typer.echo(f"{folder}: edit procedure.yaml and clauses.yaml, then run: jiesu procedure check {folder}")


@app.command()
def schema(output: Annotated[Path | None, typer.Option(help="write it there instead of printing it")] = None) -> None:
    """Print the JSON Schema of procedure.yaml, for editors."""
    if output is None:
        typer.echo(schema_text(), nl=False)
    else:
        output.write_text(schema_text(), "utf-8")


def _with_organisation(pack: Pack, path: Path | None) -> list[FileProblem]:
    if path is None:
        return problems_of(pack)
    organisation = load_organisation(path)
    return [*problems_of(pack, organisation), *_unbound_parameters(pack, organisation, path)]


def _unbound_parameters(pack: Pack, organisation: Organisation, path: Path) -> Iterator[FileProblem]:
    for source in organisation.sources:
        if source.procedure != pack.procedure.id or source.version not in (None, pack.procedure.version):
            continue
        try:
            bind_parameters(pack.procedure, source.parameters)
        except ProcedureError as error:
            yield from (FileProblem(str(path), 1, each.clause, f"source {source.id}: {each.message}") for each in error.problems)


def _lines(change: EntryChange, words: tuple[str, ...]) -> Iterator[str]:
    kind = words[0] if not change.before else words[1] if not change.after else words[2]
    clauses = f" ({', '.join(change.clauses)})" if change.clauses else ""
    yield f"{kind}: {change.entry}{clauses}"
    yield from (f"  - {line}" for line in change.before)
    yield from (f"  + {line}" for line in change.after)


@contextmanager
def _exit_on_procedure_error() -> Iterator[None]:
    """Turns a procedure that cannot be used into lines on standard error and exit status 2."""
    try:
        yield
    except ProcedureError as error:
        for problem in error.problems:
            typer.echo(f"error: {problem}", err=True)
        raise typer.Exit(EXIT_UNUSABLE) from error
