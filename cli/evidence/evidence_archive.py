"""The archive that a case's evidence travels in: a zip of JSON files, with nothing in it that the ledger does not hold."""

import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from services.sla.domain.deadlines.explanation import Explanation
from services.sla.domain.evidence import decision_context as bases
from services.sla.domain.evidence import merkle
from services.sla.domain.evidence.case_history import CaseHistory, LedgerRow
from services.sla.domain.evidence.replay import ReplayResult, replay_decisions
from services.sla.domain.lifecycle.case import Case
from services.sla.domain.views import clock_view
from services.sla.storage.ledgers import HistoricalRulebooks, SealLeaf, YearSeal
from shared.procedures.loading.loader import load_pack

FORMAT = 1
MAX_UNPACKED_BYTES = 50_000_000
"""Bytes that an archive may unfold to."""
REQUIRED_FILES = (
    "manifest.json",
    "case.json",
    "ledger.jsonl",
    "events.json",
    "explanations.json",
    "clauses.json",
    "procedure.yaml",
    "proofs.json",
)
_INDENTED = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS


class ArchiveError(ValueError):
    """A file that is no archive of a case; the text says what is wrong."""


def archive_files(dossier: CaseHistory, basis_library: HistoricalRulebooks, seals: Sequence[YearSeal], now: datetime) -> dict[str, bytes]:
    """The archive's files by name; raises `ValueError` where the case cannot be decided again, so that nothing could be explained."""
    found = replay_decisions(dossier.recorded_events(), basis_library.rulebook)
    if found.differences or found.case is None or found.rulebook is None:
        raise ValueError(f"its explanation does not come out of its events: {'; '.join(found.differences) or 'there are none'}")
    stamps = list(dict.fromkeys(row.basis for row in dossier.rows))
    named = frozenset(found.case.complaint.get("against") or ())
    kept = {stamp: bases.without_names(basis_library.for_context(stamp).decision_context, named) for stamp in stamps}
    pack = load_pack(f"{found.case.procedure}@{found.case.version}")
    head = {"case": dossier.case, "head": dossier.head.hex(), "sequence": dossier.sequence}
    return {
        "manifest.json": _dump(
            {**head, "format": FORMAT, "exported_at": now, "procedure": found.case.procedure, "version": found.case.version}
        ),
        "case.json": _dump({"case": dossier.case, "status": found.case.status, **case_summary(found.case)}),
        "ledger.jsonl": b"".join(_line(row) for row in dossier.rows),
        "events.json": _dump([orjson.loads(row.body) for row in dossier.rows]),
        "explanations.json": _dump(clock_explanations(found)),
        "clauses.json": _dump({name: {"zh": words.zh, "en": words.en} for name, words in pack.clauses.items()}),
        "procedure.yaml": (pack.folder / "procedure.yaml").read_bytes(),
        "proofs.json": _dump([_proof_document(seal, dossier.case) for seal in seals]),
        **{f"basis/{stamp}.json": found_basis.content for stamp, found_basis in kept.items()},
    }


def clock_explanations(replayed: ReplayResult) -> dict[str, list[Explanation]]:
    """Every clock of a replayed case with its rounds explained."""
    case, rulebook = replayed.case, replayed.rulebook
    made: dict[str, list[Explanation]] = {}
    if case is not None and rulebook is not None:
        for plan, each in clock_view.started_runs(case, rulebook):
            made.setdefault(plan.clock.id, []).append(clock_view.explained_run(case, rulebook, plan, each))
    return made


def case_summary(case: Case) -> dict[str, Any]:
    """The case as it stands, without personal data."""
    names = ("number", "procedure", "version", "kind", "subject", "department", "cooperating", "handler", "level")
    return {"class": case.class_, **{name: getattr(case, name) for name in names}}


def write_archive(path: Path, files: Mapping[str, bytes]) -> None:
    """Write an archive; the same content gives the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)


def read_archive(path: Path) -> dict[str, bytes]:
    """The files of an archive; raises `ArchiveError`."""
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(each.file_size for each in archive.infolist()) > MAX_UNPACKED_BYTES:
                raise ArchiveError(f"unfolds to more than {MAX_UNPACKED_BYTES} bytes; no case is so large")
            files = {name: archive.read(name) for name in archive.namelist()}
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise ArchiveError(f"cannot be read: {error}") from error
    if missing := [name for name in REQUIRED_FILES if name not in files]:
        raise ArchiveError(f"{missing[0]} is missing")
    return files


def parse_ledger_rows(data: bytes) -> list[LedgerRow]:
    """The lines of a ledger.jsonl; raises `ValueError`, `KeyError` or `TypeError` for what is none."""
    found = []
    for line in data.splitlines():
        each = orjson.loads(line)
        body = each["body"].encode()
        own = orjson.loads(body)
        at, recorded_at = (datetime.fromisoformat(own[name]) for name in ("at", "recorded_at"))
        came = (str(each[name]) for name in ("cause", "origin", "basis"))
        found.append(LedgerRow(int(each["sequence"]), body, bytes.fromhex(each["hash"]), own["type"], at, recorded_at, *came))
    return found


def _line(row: LedgerRow) -> bytes:
    fields = {"sequence": row.sequence, "cause": row.cause, "origin": row.origin, "basis": row.basis}
    return orjson.dumps({**fields, "hash": row.hash.hex(), "body": row.body.decode()}) + b"\n"


def _proof_document(seal: YearSeal, case: str) -> dict[str, Any]:
    place = next(place for place, each in enumerate(seal.leaves) if each.case == case)
    own: SealLeaf = seal.leaves[place]
    shown = merkle.inclusion_proof([each.data for each in seal.leaves], place)
    return {
        "year": seal.year,
        "root": seal.root.hex(),
        "sealed_at": seal.sealed_at,
        "case": own.case,
        "sequence": own.sequence,
        "head": own.head.hex(),
        "siblings": [{"hash": sibling.hex(), "left": left} for sibling, left in shown.siblings],
    }


def _dump(data: Any) -> bytes:
    return orjson.dumps(data, option=_INDENTED)
