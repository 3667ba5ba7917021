"""Verifies an evidence archive without a database: the hash chain, the Merkle proofs, and the explanations against a replay."""

import hmac
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from cli.evidence.archived_attachments import attachment_faults
from services.sla.application.rulebooks import RulebookRegistry
from services.sla.domain.evidence import merkle
from services.sla.domain.evidence.case_history import CaseHistory, verify_history
from services.sla.domain.evidence.merkle import MerkleProof
from services.sla.domain.evidence.replay import ReplayResult, replay_decisions
from services.sla.domain.evidence.seal_leaf import encode_seal_leaf
from services.sla.domain.rules.rulebook import Rulebook
from services.sla.evidence.archive import (
    ArchiveError,
    clock_explanations,
    form_documents,
    in_format,
    parse_ledger_rows,
    read_decision_contexts,
)
from shared.procedures.loading.loader import load_procedure
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.model.procedure import Procedure

_PARSE_ERRORS = (ValueError, KeyError, TypeError, AttributeError)
"""Errors of reading an edited archive."""


def verify_archive(
    files: Mapping[str, bytes], published_root: str = "", attachment_digests: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Verify an archive's files; returns `case`, `faults` and, where there is no fault, what the archive proves (`shown`).

    `published_root` (hexadecimal) is a year's root as it was published: a proof of the archive must lead to it. `attachment_digests` are
    those of `read_digests`. Raises `ArchiveError` where the files are not an archive of a case.
    """
    try:
        manifest = orjson.loads(files["manifest.json"])
        rows = parse_ledger_rows(files["ledger.jsonl"])
        head, key = bytes.fromhex(manifest["head"]), bytes.fromhex(manifest["personal_key"])
        history = CaseHistory(manifest["case"], head, manifest["sequence"], "", b"", rows, key)
        events, proofs = orjson.loads(files["events.json"]), orjson.loads(files["proofs.json"])
    except _PARSE_ERRORS as error:
        raise ArchiveError(f"is not an archive of a case, or was changed and cannot be read: {error!r}") from error
    faults = verify_history(history)
    if events != [orjson.loads(row.body) for row in rows]:
        faults.append("events.json differs from the ledger")
    faults += [fault for proof in proofs for fault in _proof_faults(proof, history)]
    # The hashes and proofs of an edited archive can be recomputed; a root that was published elsewhere cannot.
    if published_root and not any(hmac.compare_digest(proof["root"], published_root.lower()) for proof in proofs):
        faults.append(f"no proof leads to the root {published_root}")
    faults += _explanation_faults(files, history)
    faults += _form_faults(files, events)
    digests = attachment_digests or {}
    faults += attachment_faults(files, events, digests)
    shown = [
        f"{len(rows)} events, each with the hash of the event before it",
        *(f"bound by the seal of {proof['year']}: {proof['root']}" for proof in proofs),
        "every explanation follows from the events",
        "every signed version of a form follows from the events",
        *([f"{len(digests)} attachments have the digests that the events name"] if digests else []),
    ]
    return {"case": history.case, "faults": faults, "shown": [] if faults else shown}


def _proof_faults(proof: Mapping[str, Any], history: CaseHistory) -> Iterator[str]:
    try:
        head = bytes.fromhex(proof["head"])
        path = MerkleProof(tuple((bytes.fromhex(sibling["hash"]), bool(sibling["left"])) for sibling in proof["siblings"]))
        of_this_case = proof["case"] == history.case and any(row.sequence == proof["sequence"] and row.hash == head for row in history.rows)
        leaf = encode_seal_leaf(proof["case"], proof["sequence"], head)
        leads_to_root = merkle.verify_inclusion(leaf, path, bytes.fromhex(proof["root"]))
        year = int(proof["year"])
    except _PARSE_ERRORS as error:
        yield f"a proof cannot be read: {error!r}"
        return
    if not of_this_case:
        yield f"the proof for {year} is of another case or another ledger"
    if not leads_to_root:
        yield f"the proof for {year} does not lead to its root"


def _explanation_faults(files: Mapping[str, bytes], history: CaseHistory) -> Iterator[str]:
    try:
        replayed = _replay_archive(files, history)
        # Through JSON and back, since the archive's explanations are JSON.
        explanations = orjson.loads(orjson.dumps(clock_explanations(replayed)))
        # A clock whose id is the name of a field keeps its explanation: only what stands within it is compared in the older form.
        archive_format = orjson.loads(files["manifest.json"])["format"]
        recomputed = {clock: in_format(explanation, archive_format) for clock, explanation in explanations.items()}
        archived = orjson.loads(files["explanations.json"])
    except _PARSE_ERRORS as error:
        yield f"the explanations cannot be recomputed: {error}"
        return
    if replayed.differences and history.is_erased and not archived:
        return
    yield from replayed.differences
    for clock in sorted({*recomputed, *archived}):
        if recomputed.get(clock) != archived.get(clock):
            yield f"the explanation of {clock} differs from the one recomputed from the events"


def _form_faults(files: Mapping[str, bytes], events: list[dict[str, Any]]) -> Iterator[str]:
    try:
        archived = {(version["form"], version["version"]): version for version in orjson.loads(files["forms.json"])}
        recomputed = {(version["form"], version["version"]): version for version in form_documents(_archived_procedure(files), events)}
    except _PARSE_ERRORS as error:
        yield f"the signed forms cannot be recomputed: {error}"
        return
    for form, version in sorted({*archived, *recomputed}):
        if archived.get((form, version)) != recomputed.get((form, version)):
            yield f"version {version} of the form {form} differs from the one recomputed from the events"


def _archived_procedure(files: Mapping[str, bytes]) -> Procedure:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "procedure.yaml"
        path.write_bytes(files["procedure.yaml"])
        return load_procedure(path)


def _replay_archive(files: Mapping[str, bytes], history: CaseHistory) -> ReplayResult:
    """Replay the case with the procedure, organisation and calendars of the archive; raises `ValueError`."""
    procedure = _archived_procedure(files)
    contexts = read_decision_contexts(files)
    rulebooks: dict[str, Rulebook] = {}

    def rulebook(stamp: str, procedure_id: str, version: int, parameters: Mapping[str, Any]) -> Rulebook:
        if (procedure_id, version) != (procedure.id, procedure.version):
            raise ValueError(
                f"the event was decided under {procedure_id}@{version}, the archive contains {procedure.id}@{procedure.version}"
            )
        if stamp not in rulebooks:
            registry = RulebookRegistry.from_decision_context(contexts[stamp])
            rulebooks[stamp] = Rulebook(bind_parameters(procedure, parameters), registry.organisation, registry.calendars)
        return rulebooks[stamp]

    return replay_decisions(history.recorded_events(), rulebook)
