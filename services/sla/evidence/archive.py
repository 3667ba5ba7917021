"""The evidence archive of a case: a zip of JSON files, which holds no personal data beyond the ledger's."""

import shutil
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from services.sla.application.rulebooks import HistoricalRulebooks
from services.sla.domain.deadlines.explained_segments import Explanation
from services.sla.domain.evidence import merkle
from services.sla.domain.evidence.case_history import CaseHistory, LedgerRow
from services.sla.domain.evidence.decision_context import DecisionContext, parse_context, without_names
from services.sla.domain.evidence.replay import ReplayResult, replay_decisions
from services.sla.domain.lifecycle.case import Case
from services.sla.domain.views import clock_view
from services.sla.storage.seals import YearSeal
from shared.procedures.forms.versions import all_versions
from shared.procedures.loading.loader import load_pack
from shared.procedures.model.procedure import Procedure

FORMAT = 3
_ADDED_IN_FORMAT_3 = frozenset({"ended_at", "reminders", "days_off", "hours"})
"""Fields of explanations that archives of format 2 lack."""
MAX_UNPACKED_BYTES = 50_000_000
"""Limit against zip bombs: an archive may come from anybody."""
REQUIRED_FILES = (
    "manifest.json",
    "case.json",
    "ledger.jsonl",
    "events.json",
    "explanations.json",
    "forms.json",
    "clauses.json",
    "procedure.yaml",
    "proofs.json",
)
ATTACHMENT_FOLDER = "attachments/"
ATTACHMENT_LISTING = "attachments.json"
INCLUDED, ERASED, MISSING, NO_STORE = "included", "erased", "missing", "no_store"
"""States of an attachment in the listing."""
_CONTEXT_FOLDER = "basis/"
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
"""One date for all entries, so that equal content gives equal bytes."""
_SUMMARY_FIELDS = ("number", "procedure", "version", "kind", "subject", "department", "cooperating", "handler", "level")


class ArchiveError(ValueError):
    """A file that is not an evidence archive; the text gives the reason."""


def archive_files(history: CaseHistory, rulebooks: HistoricalRulebooks, seals: Sequence[YearSeal], now: datetime) -> dict[str, bytes]:
    """The archive's files by name; raises `ValueError` where a replay of the case differs, since nothing could be explained then.

    Only the replay of an erased case may differ, where a decision had depended on the words that are gone: it is then not explained.
    """
    replayed = replay_decisions(history.recorded_events(), rulebooks.rulebook)
    case = Case.from_dict(orjson.loads(history.state)) if replayed.differences and history.is_erased else replayed.case
    if case is None or replayed.rulebook is None or (replayed.differences and not history.is_erased):
        raise ValueError(f"a replay differs from its ledger: {'; '.join(replayed.differences) or 'there are no events'}")
    pack = load_pack(f"{case.procedure}@{case.version}")
    manifest = {
        "case": history.case,
        "head": history.head.hex(),
        "sequence": history.sequence,
        "format": FORMAT,
        "exported_at": now,
        # Without it nobody could check the events against their hashes; the archive holds the values that it protects anyway.
        "personal_key": history.personal_key.hex(),
        "procedure": case.procedure,
        "version": case.version,
    }
    return {
        "manifest.json": _encode(manifest),
        "case.json": _encode({"case": history.case, "status": case.status, **case_summary(case)}),
        "ledger.jsonl": b"".join(_ledger_line(row) for row in history.rows),
        "events.json": _encode([orjson.loads(row.body) for row in history.rows]),
        "explanations.json": _encode({} if replayed.differences else clock_explanations(replayed)),
        "forms.json": _encode(form_documents(pack.procedure, [orjson.loads(row.body) for row in history.rows])),
        "clauses.json": _encode({name: {"zh": text.zh, "en": text.en} for name, text in pack.clauses.items()}),
        "procedure.yaml": (pack.folder / "procedure.yaml").read_bytes(),
        "proofs.json": _encode([_proof_document(seal, history.case) for seal in seals]),
        **_context_files(history, rulebooks, case),
    }


def _context_files(history: CaseHistory, rulebooks: HistoricalRulebooks, case: Case) -> dict[str, bytes]:
    """The decision contexts without people's names, except those of the accused, which the case itself contains."""
    accused = frozenset(case.complaint.get("against") or ())
    stamps = dict.fromkeys(row.basis for row in history.rows)
    contexts = {stamp: without_names(rulebooks.for_context(stamp).decision_context, accused) for stamp in stamps}
    return {f"{_CONTEXT_FOLDER}{stamp}.json": context.content for stamp, context in contexts.items()}


def clock_explanations(replayed: ReplayResult) -> dict[str, list[Explanation]]:
    """Clock id → its rounds, each with the explanation of its due instants."""
    case, rulebook = replayed.case, replayed.rulebook
    explanations: dict[str, list[Explanation]] = {}
    if case is not None and rulebook is not None:
        for plan, run in clock_view.started_runs(case, rulebook):
            explanations.setdefault(plan.clock.id, []).append(clock_view.explained_run(case, rulebook, plan, run))
    return explanations


def in_format(explanation: Any, archive_format: int) -> Any:
    """An explanation as an archive of that format holds it, so that one that was exported years ago can be verified."""
    if archive_format >= FORMAT:
        return explanation
    match explanation:
        case dict():
            return {name: in_format(value, archive_format) for name, value in explanation.items() if name not in _ADDED_IN_FORMAT_3}
        case list():
            return [in_format(value, archive_format) for value in explanation]
    return explanation


def form_documents(procedure: Procedure, bodies: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The signed versions of the case's forms with their hashes, which follow from the events."""
    events = [{**body, "event": body["type"]} for body in bodies]
    return [asdict(version) for version in all_versions(procedure, events)]


def case_summary(case: Case) -> dict[str, Any]:
    """Fields of the case that hold no personal data."""
    return {"class": case.class_, **{name: getattr(case, name) for name in _SUMMARY_FIELDS}}


def write_archive(path: Path, files: Mapping[str, bytes], attachments: Mapping[str, Path] | None = None) -> None:
    """Write an archive; equal files give equal bytes. `attachments` are files by the names that they get."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_files(file, files, attachments)


def write_files(file: BinaryIO, files: Mapping[str, bytes], attachments: Mapping[str, Path] | None = None) -> None:
    """Write an archive to a file that is open for binary writing."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, _ZIP_EPOCH), data, zipfile.ZIP_DEFLATED)
        for name, content in sorted((attachments or {}).items()):
            # Photographs and PDF are compressed already.
            with content.open("rb") as source, archive.open(zipfile.ZipInfo(name, _ZIP_EPOCH), "w") as target:
                shutil.copyfileobj(source, target)


def read_archive(path: Path) -> dict[str, bytes]:
    """The files of an archive by name, without the attachments, which are too large to hold; raises `ArchiveError`."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.filename.startswith(ATTACHMENT_FOLDER)]
            if sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
                raise ArchiveError(f"unpacks to more than {MAX_UNPACKED_BYTES} bytes; no case is so large")
            files = {entry.filename: archive.read(entry) for entry in entries}
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:  # the last two: unknown compression, encryption
        raise ArchiveError(f"cannot be read: {error}") from error
    if missing := [name for name in REQUIRED_FILES if name not in files]:
        raise ArchiveError(f"{missing[0]} is missing")
    return files


def parse_ledger_rows(data: bytes) -> list[LedgerRow]:
    """The rows of a `ledger.jsonl`; raises `ValueError`, `KeyError` or `TypeError` where a line is not a row."""
    return [_parse_ledger_line(line) for line in data.splitlines()]


def read_decision_contexts(files: Mapping[str, bytes]) -> dict[str, DecisionContext]:
    """The decision contexts of an archive by the stamps of its ledger rows; raises `ValueError`."""
    # By the name of the file: without people's names the content no longer has the stamp that the ledger names.
    names = [name for name in files if name.startswith(_CONTEXT_FOLDER)]
    return {name.removeprefix(_CONTEXT_FOLDER).removesuffix(".json"): parse_context(files[name]) for name in names}


def _ledger_line(row: LedgerRow) -> bytes:
    # The body as text, not as JSON inside JSON: the hash is of these very bytes.
    fields = {"sequence": row.sequence, "cause": row.cause, "origin": row.origin, "basis": row.basis}
    return orjson.dumps({**fields, "hash": row.hash.hex(), "body": row.body.decode()}) + b"\n"


def _parse_ledger_line(line: bytes) -> LedgerRow:
    fields = orjson.loads(line)
    body = fields["body"].encode()
    event = orjson.loads(body)
    return LedgerRow(
        sequence=int(fields["sequence"]),
        body=body,
        hash=bytes.fromhex(fields["hash"]),
        type=event["type"],
        at=datetime.fromisoformat(event["at"]),
        recorded_at=datetime.fromisoformat(event["recorded_at"]),
        cause=str(fields["cause"]),
        origin=str(fields["origin"]),
        basis=str(fields["basis"]),
    )


def _proof_document(seal: YearSeal, case: str) -> dict[str, Any]:
    """The Merkle proof of a case's head in a year's seal (RFC 6962)."""
    position = next(position for position, leaf in enumerate(seal.leaves) if leaf.case == case)
    leaf = seal.leaves[position]
    proof = merkle.inclusion_proof([sealed.data for sealed in seal.leaves], position)
    return {
        "year": seal.year,
        "root": seal.root.hex(),
        "sealed_at": seal.sealed_at,
        "case": leaf.case,
        "sequence": leaf.sequence,
        "head": leaf.head.hex(),
        "siblings": [{"hash": sibling.hex(), "left": left} for sibling, left in proof.siblings],
    }


def _encode(document: Any) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
