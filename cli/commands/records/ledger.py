"""`jiesu ledger`: find what was changed in the cases' ledgers, and seal a year."""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.evidence.sla_database import EXIT_UNUSABLE, REPORT_ZONE, current_instant, exit_with, query_sla
from services.sla.application.seals import YearSealError, seal_faults, seal_year
from services.sla.domain.evidence.case_history import verify_history
from services.sla.storage import case_histories, seals
from services.sla.storage.seals import YearSeal
from shared.runtime.database.database import Database

app = typer.Typer(help="Verify a ledger, seal a year.", no_args_is_help=True)
Cases = Annotated[list[str] | None, typer.Option("--case", help="only this case; may be given several times")]
Json = Annotated[bool, typer.Option("--json", help="print JSON")]


@app.command()
def verify(case: Cases = None, as_json: Json = False) -> None:
    """Check every event against the one before it, the case's head, and the seals. Exit status 1 if anything was changed."""
    checked, problems = query_sla(lambda database: _verify_ledgers(database, case or []))
    if as_json:
        typer.echo(json.dumps({"cases": checked, "faults": problems}, ensure_ascii=False, indent=1))
    else:
        for problem in problems:
            typer.echo(f"{problem['case'] or 'seal'}: {problem['fault']}")
        typer.echo(f"{checked} cases, {len(problems)} faults")
    if problems:
        raise typer.Exit(1)


@app.command()
def seal(
    year: Annotated[int, typer.Argument(min=2000, max=2099)],
    out: Annotated[Path | None, typer.Option(help="where the seal is written; default var/seals/<year>.json")] = None,
    as_json: Json = False,
) -> None:
    """Bind the heads of the cases that ended in a year by a Merkle root. A sealed year stays as it is: sealing again shows its seal."""

    async def asked(database: Database) -> tuple[YearSeal, list[str]]:
        async with database.transaction() as tx:
            found = await seal_year(
                tx, year, (datetime(year, 1, 1, tzinfo=REPORT_ZONE), datetime(year + 1, 1, 1, tzinfo=REPORT_ZONE)), current_instant()
            )
            return found, await seal_faults(tx, found)

    try:
        found, problems = query_sla(asked)
    except YearSealError as error:
        exit_with(str(error))
    if problems:
        exit_with("\n".join(problems), 1)
    content = json.dumps(seal_document(found), ensure_ascii=False, indent=1)
    path = _write_seal_file(out or Path("var") / "seals" / f"{year}.json", content, found)
    if as_json:
        typer.echo(content)
        return
    said = "sealed" if found.created else f"was sealed on {found.sealed_at.astimezone(REPORT_ZONE).isoformat(timespec='seconds')}"
    typer.echo(f"{year} {said}: {len(found.leaves)} cases, root {found.root.hex()} ({path})")


def seal_document(seal: YearSeal) -> dict[str, Any]:
    """A seal as it is written to a file: root and leaves, nothing about persons."""
    leaves = [{"case": each.case, "sequence": each.sequence, "head": each.head.hex()} for each in seal.leaves]
    return {"year": seal.year, "root": seal.root.hex(), "sealed_at": seal.sealed_at.isoformat(), "cases": len(leaves), "leaves": leaves}


def _write_seal_file(path: Path, content: str, found: YearSeal) -> Path:
    """Write the seal's file; one that says something else is not overwritten."""
    if path.exists():
        try:
            root = json.loads(path.read_text(encoding="utf-8"))["root"]
        except (OSError, ValueError, KeyError, TypeError):
            root = None
        if root != found.root.hex():
            exit_with(f"{path}: holds another seal of {found.year}; a seal never changes: keep that file and give another --out", 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content + "\n", encoding="utf-8")
    return path


async def _verify_ledgers(database: Database, cases: list[str]) -> tuple[int, list[dict[str, str]]]:
    problems: list[dict[str, str]] = []
    seen: set[str] = set()
    async for dossier in case_histories.load_case_histories(database, cases):
        seen.add(dossier.case)
        problems += [{"case": dossier.case, "fault": fault} for fault in verify_history(dossier)]
    problems += [{"case": name, "fault": "there is no such case"} for name in cases if name not in seen]
    if not cases:
        async with database.transaction() as tx:
            problems += [
                {"case": name, "fault": "the ledger has events of it, but the case is gone"}
                for name in await case_histories.orphaned_ledgers(tx)
            ]
            for found in await seals.load_seals(tx):
                problems += [{"case": "", "fault": fault} for fault in await seal_faults(tx, found)]
    return len(seen), problems


__all__ = ["EXIT_UNUSABLE", "app", "seal_document"]
