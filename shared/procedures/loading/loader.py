"""Reads procedures, clauses and organisations from files; every error names file, line, clause, what is wrong and what would be right.

`load(reference)` takes the id of an installed pack (`hunan-property`), an id and version (`hunan-property@1`), a pack's folder, or the path
of a `procedure.yaml`. The newest version stands in `packs/<id>/procedure.yaml`, older ones in `packs/<id>/versions/<n>/procedure.yaml`, so
that cases stay with the version they began under. `bind(procedure, parameters)` (from `bound`) then makes it ready for use.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from shared.procedures.loading.duplicate_ids import duplicate_ids
from shared.procedures.loading.validation import validate_document
from shared.procedures.loading.yaml_document import YamlDocument, read_yaml
from shared.procedures.model.procedure import ClauseTexts, Procedure, Title
from shared.procedures.model.procedure_error import FileProblem, ProcedureError
from shared.procedures.organisation import Organisation

PACKS_FOLDER = Path(__file__).parents[1] / "packs"
_REFERENCE = re.compile(r"([a-z][a-z0-9-]*)(?:@([0-9]+))?")


@dataclass(frozen=True, slots=True)
class Pack:
    """A procedure with its clauses (id → words in both languages), its folder, and the files for the lines of its problems."""

    procedure: Procedure
    clauses: dict[str, Title]
    folder: Path
    document: YamlDocument
    clauses_document: YamlDocument | None

    @property
    def scenarios(self) -> list[Path]:
        """The pack's scenario files, sorted; an older version may have its own."""
        return sorted((self.folder / "scenarios").glob("*.yaml"))


def installed_packs() -> list[str]:
    """The ids of the installed packs, sorted."""
    return sorted(path.parent.name for path in PACKS_FOLDER.glob("*/procedure.yaml"))


def installed_versions(pack_id: str) -> list[int]:
    """The installed versions of a pack, oldest first; raises `ProcedureError` if there is no such pack."""
    older = [int(path.parent.name) for path in (PACKS_FOLDER / pack_id / "versions").glob("*/procedure.yaml") if path.parent.name.isdigit()]
    return sorted({*older, load_procedure(pack_id).version})


def load_procedure(reference: str | Path, *, base_folder: Path | None = None) -> Procedure:
    """The procedure for a reference (see the module); relative paths count from `base`, else from the current folder.

    Raises `ProcedureError` with every problem found.
    """
    return load_pack(reference, base_folder=base_folder).procedure


def load_clauses(reference: str | Path, *, base_folder: Path | None = None) -> dict[str, Title]:
    """The clauses of a pack: id → our own words in both languages; empty if the pack brings no clauses.yaml."""
    return load_pack(reference, base_folder=base_folder).clauses


def load_pack(reference: str | Path, *, base_folder: Path | None = None) -> Pack:
    """The whole pack for a reference; raises `ProcedureError`. Unchanged files are read once a process."""
    path = _procedure_path(reference, base_folder)
    beside = path.parent / "clauses.yaml"
    clauses = beside if beside.exists() or path.parent.parent.name != "versions" else path.parent.parent.parent / "clauses.yaml"
    return _load_cached(path, _file_stamp(path), clauses, _file_stamp(clauses))


def load_organisation(path: str | Path) -> Organisation:
    """The organisation of a file; raises `ProcedureError`."""
    return validate_document(Organisation, read_yaml(Path(path)))


def _procedure_path(reference: str | Path, base: Path | None) -> Path:
    match = _REFERENCE.fullmatch(reference) if isinstance(reference, str) else None
    newest = PACKS_FOLDER / match[1] / "procedure.yaml" if match else None
    if match and newest and newest.exists():
        return newest if match[2] is None else _version_path(newest, int(match[2]))
    path = (base or Path()) / reference
    path = path / "procedure.yaml" if path.is_dir() else path
    if path.is_file():
        return path
    have = ", ".join(installed_packs()) or "none"
    raise ProcedureError([FileProblem(str(reference), 1, "", f"there is no such procedure; give a path or an installed pack: {have}")])


def _version_path(newest: Path, wanted: int) -> Path:
    older = newest.parent / "versions" / str(wanted) / "procedure.yaml"
    if older.exists():
        return older
    if (current := load_pack(newest).procedure.version) == wanted:
        return newest
    have = sorted({current, *(int(p.name) for p in newest.parent.glob("versions/*") if p.name.isdigit())})
    message = f"there is no version {wanted}; installed are {', '.join(map(str, have))}"
    raise ProcedureError([FileProblem(newest.parent.name, 1, "", message)])


def _file_stamp(path: Path) -> tuple[int, int]:
    if not path.exists():
        return (0, 0)
    status = path.stat()
    return (status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=128)
def _load_cached(path: Path, _: tuple[int, int], clauses_path: Path, clauses_stamp: tuple[int, int]) -> Pack:
    document = read_yaml(path)
    procedure = validate_document(Procedure, document)
    if path.parent.parent.name == "versions" and path.parent.name != str(procedure.version):
        raise ProcedureError(
            [document.problem_at(("version",), f"is {procedure.version}, its folder says {path.parent.name}; make them agree")]
        )
    if twice := [document.problem_at(finding.yaml_path, finding.message) for finding in duplicate_ids(procedure)]:
        raise ProcedureError(twice)
    words = read_yaml(clauses_path) if any(clauses_stamp) else None
    return Pack(procedure, validate_document(ClauseTexts, words).clauses if words else {}, path.parent, document, words)
