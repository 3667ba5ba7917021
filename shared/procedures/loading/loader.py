"""Reads procedures, clauses and organisations from files; every error names file, line, clause, what is wrong and what would be right.

`load(reference)` takes the id of an installed pack (`hunan-property`), an id and version (`hunan-property@1`), a pack's folder, or the path
of a `procedure.yaml`. The newest version stands in `packs/<id>/procedure.yaml`, older ones in `packs/<id>/versions/<n>/procedure.yaml`, so
that cases stay with the version they began under. `bind(procedure, parameters)` (from `bound`) then makes it ready for use.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from shared.procedures.loading.duplicate_ids import repeated
from shared.procedures.loading.validation import validated
from shared.procedures.loading.yaml_document import Document, read
from shared.procedures.model.bound_procedure import Bound, bind
from shared.procedures.model.procedure import Clauses, Procedure, Title
from shared.procedures.model.procedure_error import Problem, ProcedureError
from shared.procedures.organisation import Organisation

PACKS = Path(__file__).parents[1] / "packs"
_REFERENCE = re.compile(r"([a-z][a-z0-9-]*)(?:@([0-9]+))?")


@dataclass(frozen=True, slots=True)
class Pack:
    """A procedure with its clauses (id → words in both languages), its folder, and the files for the lines of its problems."""

    procedure: Procedure
    clauses: dict[str, Title]
    folder: Path
    document: Document
    clauses_document: Document | None

    @property
    def scenarios(self) -> list[Path]:
        """The pack's scenario files, sorted; an older version may have its own."""
        return sorted((self.folder / "scenarios").glob("*.yaml"))


def installed() -> list[str]:
    """The ids of the installed packs, sorted."""
    return sorted(path.parent.name for path in PACKS.glob("*/procedure.yaml"))


def versions(pack_id: str) -> list[int]:
    """The installed versions of a pack, oldest first; raises `ProcedureError` if there is no such pack."""
    older = [int(path.parent.name) for path in (PACKS / pack_id / "versions").glob("*/procedure.yaml") if path.parent.name.isdigit()]
    return sorted({*older, load(pack_id).version})


def load(reference: str | Path, *, base: Path | None = None) -> Procedure:
    """The procedure for a reference (see the module); relative paths count from `base`, else from the current folder.

    Raises `ProcedureError` with every problem found.
    """
    return load_pack(reference, base=base).procedure


def load_clauses(reference: str | Path, *, base: Path | None = None) -> dict[str, Title]:
    """The clauses of a pack: id → our own words in both languages; empty if the pack brings no clauses.yaml."""
    return load_pack(reference, base=base).clauses


def load_pack(reference: str | Path, *, base: Path | None = None) -> Pack:
    """The whole pack for a reference; raises `ProcedureError`. Unchanged files are read once a process."""
    path = _find(reference, base)
    beside = path.parent / "clauses.yaml"
    clauses = beside if beside.exists() or path.parent.parent.name != "versions" else path.parent.parent.parent / "clauses.yaml"
    return _load(path, _stamp(path), clauses, _stamp(clauses))


def load_organisation(path: str | Path) -> Organisation:
    """The organisation of a file; raises `ProcedureError`."""
    return validated(Organisation, read(Path(path)))


def _find(reference: str | Path, base: Path | None) -> Path:
    match = _REFERENCE.fullmatch(reference) if isinstance(reference, str) else None
    newest = PACKS / match[1] / "procedure.yaml" if match else None
    if match and newest and newest.exists():
        return newest if match[2] is None else _version(newest, int(match[2]))
    path = (base or Path()) / reference
    path = path / "procedure.yaml" if path.is_dir() else path
    if path.is_file():
        return path
    have = ", ".join(installed()) or "none"
    raise ProcedureError([Problem(str(reference), 1, "", f"there is no such procedure; give a path or an installed pack: {have}")])


def _version(newest: Path, wanted: int) -> Path:
    older = newest.parent / "versions" / str(wanted) / "procedure.yaml"
    if older.exists():
        return older
    if (current := load_pack(newest).procedure.version) == wanted:
        return newest
    have = sorted({current, *(int(p.name) for p in newest.parent.glob("versions/*") if p.name.isdigit())})
    message = f"there is no version {wanted}; installed are {', '.join(map(str, have))}"
    raise ProcedureError([Problem(newest.parent.name, 1, "", message)])


def _stamp(path: Path) -> tuple[int, int]:
    if not path.exists():
        return (0, 0)
    status = path.stat()
    return (status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=128)
def _load(path: Path, _: tuple[int, int], clauses_path: Path, clauses_stamp: tuple[int, int]) -> Pack:
    document = read(path)
    procedure = validated(Procedure, document)
    if path.parent.parent.name == "versions" and path.parent.name != str(procedure.version):
        raise ProcedureError(
            [document.problem(("version",), f"is {procedure.version}, its folder says {path.parent.name}; make them agree")]
        )
    if twice := [document.problem(finding.way, finding.message) for finding in repeated(procedure)]:
        raise ProcedureError(twice)
    words = read(clauses_path) if any(clauses_stamp) else None
    return Pack(procedure, validated(Clauses, words).clauses if words else {}, path.parent, document, words)


__all__ = ["Bound", "Pack", "ProcedureError", "bind", "installed", "load", "load_clauses", "load_organisation", "load_pack", "versions"]
