"""Whether a case's archive holds: the chain of its events, its proofs, and that its explanations come out of its events again."""

import hmac
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from cli.evidence.evidence_archive import ArchiveError, clock_explanations, parse_ledger_rows
from services.sla.application.rulebooks import RulebookRegistry
from services.sla.domain.evidence import decision_context as bases
from services.sla.domain.evidence import merkle
from services.sla.domain.evidence.case_history import CaseHistory, verify_history
from services.sla.domain.evidence.decision_context import DecisionContext
from services.sla.domain.evidence.merkle import MerkleProof
from services.sla.domain.evidence.replay import ReplayResult, replay_decisions
from services.sla.domain.rules.rulebook import Rulebook
from services.sla.storage.ledgers import encode_seal_leaf
from shared.procedures.loading.loader import load_procedure
from shared.procedures.model.bound_procedure import bind_parameters

_PARSE_ERRORS = (ValueError, KeyError, TypeError, AttributeError)


def verify_archive(files: Mapping[str, bytes], published_root: str = "") -> dict[str, Any]:
    """What an archive shows and what is wrong with it; `root` is a published root to hold its seals against. Raises `ArchiveError`."""
    try:
        manifest = orjson.loads(files["manifest.json"])
        own = parse_ledger_rows(files["ledger.jsonl"])
        dossier = CaseHistory(manifest["case"], bytes.fromhex(manifest["head"]), manifest["sequence"], "", b"", own)
        events, proofs = orjson.loads(files["events.json"]), orjson.loads(files["proofs.json"])
    except _PARSE_ERRORS as error:
        raise ArchiveError(f"is no archive of a case, or was changed beyond reading: {error!r}") from error
    problems = verify_history(dossier)
    if events != [orjson.loads(row.body) for row in own]:
        problems.append("events.json does not say what the ledger says")
    problems += [fault for proof in proofs for fault in _proof_faults(proof, dossier)]
    if published_root and not any(hmac.compare_digest(proof["root"], published_root.lower()) for proof in proofs):
        problems.append(f"no proof leads to the root {published_root}")
    problems += _explanation_faults(files, dossier)
    shown = [
        f"{len(own)} events, each bound to the one before",
        *(f"bound by the seal of {proof['year']}: {proof['root']}" for proof in proofs),
    ]
    return {"case": dossier.case, "faults": problems, "shown": [] if problems else [*shown, "every explanation comes out of the events"]}


def _proof_faults(proof: Mapping[str, Any], dossier: CaseHistory) -> Iterator[str]:
    try:
        head = bytes.fromhex(proof["head"])
        shown = MerkleProof(tuple((bytes.fromhex(each["hash"]), bool(each["left"])) for each in proof["siblings"]))
        bound = any(row.sequence == proof["sequence"] and row.hash == head for row in dossier.rows) and proof["case"] == dossier.case
        leads = merkle.verify_inclusion(encode_seal_leaf(proof["case"], proof["sequence"], head), shown, bytes.fromhex(proof["root"]))
        year = int(proof["year"])
    except _PARSE_ERRORS as error:
        yield f"a proof cannot be read: {error!r}"
        return
    if not bound:
        yield f"the proof for {year} is of another case or another course of it"
    if not leads:
        yield f"the proof for {year} does not lead to its root"


def _explanation_faults(files: Mapping[str, bytes], dossier: CaseHistory) -> Iterator[str]:
    try:
        found = _replay_archive(files, dossier)
        made = orjson.loads(orjson.dumps(clock_explanations(found)))
        kept = orjson.loads(files["explanations.json"])
    except _PARSE_ERRORS as error:
        yield f"the explanations cannot be made again: {error}"
        return
    yield from found.differences
    for name in sorted({*made, *kept}):
        if made.get(name) != kept.get(name):
            yield f"the explanation of {name} does not come out of the events"


def _replay_archive(files: Mapping[str, bytes], dossier: CaseHistory) -> ReplayResult:
    """The case decided again with the procedure, organisation and calendars that the archive brings."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "procedure.yaml"
        path.write_bytes(files["procedure.yaml"])
        procedure = load_procedure(path)
    kept = read_decision_contexts(files)
    made: dict[str, Rulebook] = {}

    def find(stamp: str, name: str, version: int, parameters: Mapping[str, Any]) -> Rulebook:
        if (name, version) != (procedure.id, procedure.version):
            raise ValueError(f"the event was decided under {name}@{version}, the archive brings {procedure.id}@{procedure.version}")
        if stamp not in made:
            own = RulebookRegistry.from_decision_context(kept[stamp])
            made[stamp] = Rulebook(bind_parameters(procedure, parameters), own.organisation, own.calendars)
        return made[stamp]

    return replay_decisions(dossier.recorded_events(), find)


def read_decision_contexts(files: Mapping[str, bytes]) -> dict[str, DecisionContext]:
    """What the decisions of an archive's case rested on, by the stamps of its ledger; raises `ValueError`."""
    found = {name.removeprefix("basis/").removesuffix(".json"): data for name, data in files.items() if name.startswith("basis/")}
    return {stamp: bases.parse_context(data) for stamp, data in found.items()}
