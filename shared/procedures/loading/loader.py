"""Reads packs and organisations from files; every error names file, line, clause and remedy.

A reference is the id of an installed pack (`hunan-property`), an id with a version (`hunan-property@1`), a pack's folder, or the path of a
`procedure.yaml`. Installed packs keep the newest version in `packs/<id>/procedure.yaml` and older ones in
`packs/<id>/versions/<n>/procedure.yaml`, because a case keeps the version under which it was registered. Packs of the user's, with the same
structure, are installed by the environment variable JIESU_PACKS, which names their folder.
"""

import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from shared.procedures.loading.duplicate_ids import duplicate_ids
from shared.procedures.loading.validation import validate_document
from shared.procedures.loading.yaml_document import YamlDocument, display_path, read_yaml
from shared.procedures.model.procedure import ClauseText, ClauseTexts, Procedure
from shared.procedures.model.procedure_error import FileProblem, ProcedureError
from shared.procedures.organisation import Organisation

PACKS_VARIABLE = "JIESU_PACKS"
"""The environment variable with the folder of further packs; every process of the platform has to get the same."""
PACKS_FOLDER = Path(__file__).parents[1] / "packs"
_REFERENCE = re.compile(r"([a-z][a-z0-9-]{0,99})(?:@([0-9]{1,9}))?")


@dataclass(frozen=True, slots=True)
class Pack:
    """A procedure with the texts of its clauses by id, its folder, and its files for line numbers of problems."""

    procedure: Procedure
    clauses: dict[str, ClauseText]
    folder: Path
    document: YamlDocument
    clauses_document: YamlDocument | None

    @property
    def scenarios(self) -> list[Path]:
        """The scenario files of this version of the pack, sorted; those of the second reading come last."""
        return [*sorted((self.folder / "scenarios").glob("*.yaml")), *self.sense_scenarios]

    @property
    def sense_scenarios(self) -> list[Path]:
        """The scenarios that were written from the text of the regulation alone, sorted."""
        return sorted((self.folder / "scenarios" / "sense").glob("*.yaml"))

    def scenario_name(self, path: Path) -> str:
        """The name of a scenario file of this pack, unique within it: `late`, `sense/late`."""
        return path.relative_to(self.folder / "scenarios").with_suffix("").as_posix()


def installed_packs() -> list[str]:
    """The ids of the installed packs, sorted."""
    return sorted({path.parent.name for folder in _packs_folders() for path in folder.glob("*/procedure.yaml")})


def installed_versions(pack_id: str) -> list[int]:
    """The installed versions of a pack, oldest first; raises `ProcedureError` for an unknown pack."""
    newest = load_procedure(pack_id).version
    versions = _procedure_path(pack_id, None).parent / "versions"
    older = [int(path.parent.name) for path in versions.glob("*/procedure.yaml") if path.parent.name.isdigit()]
    return sorted({*older, newest})


def load_procedure(reference: str | Path, *, base_folder: Path | None = None) -> Procedure:
    """Load the procedure of a reference; paths are relative to `base_folder` or the current folder.

    Raises `ProcedureError` with all problems.
    """
    return load_pack(reference, base_folder=base_folder).procedure


def load_installed(procedure_id: str, version: int) -> Procedure:
    """Load a version of an installed pack for a record or a stored case, which may name anything; raises `ProcedureError`."""
    # Never as a path: a record must not make a service read a file, and a name that is too long is no fault of the file system.
    match = _REFERENCE.fullmatch(f"{procedure_id}@{version}")
    if match is None or _installed_procedure(match[1]) is None:
        raise ProcedureError([FileProblem(procedure_id[:100], 1, "", "no installed pack has this id; its packs are in JIESU_PACKS")])
    return load_procedure(match[0])


def load_clauses(reference: str | Path, *, base_folder: Path | None = None) -> dict[str, ClauseText]:
    """Load the texts of a pack's clauses by id; empty without a clauses.yaml. Raises `ProcedureError`."""
    return load_pack(reference, base_folder=base_folder).clauses


def load_pack(reference: str | Path, *, base_folder: Path | None = None) -> Pack:
    """Load the pack of a reference, from a cache as long as its files do not change; raises `ProcedureError`."""
    path = _procedure_path(reference, base_folder)
    clauses_path = path.parent / "clauses.yaml"  # an earlier version without a clauses.yaml uses that of the newest
    if path.parent.parent.name == "versions" and not clauses_path.exists():
        clauses_path = path.parent.parent.parent / "clauses.yaml"
    return _load_cached(path, _file_stamp(path), clauses_path, _file_stamp(clauses_path))


def load_organisation(path: str | Path) -> Organisation:
    """Load an organisation from a file; raises `ProcedureError`."""
    return load_organisation_document(Path(path))[0]


def load_organisation_document(path: Path) -> tuple[Organisation, YamlDocument]:
    """Load an organisation with its file, for the line numbers of further problems; raises `ProcedureError`."""
    document = read_yaml(path)
    return validate_document(Organisation, document), document


def _procedure_path(reference: str | Path, base: Path | None) -> Path:
    match = _REFERENCE.fullmatch(reference) if isinstance(reference, str) else None
    newest = _installed_procedure(match[1]) if match else None
    if match and newest:
        return newest if match[2] is None else _version_path(newest, int(match[2]))
    path = (base or Path()) / reference
    try:
        path = path / "procedure.yaml" if path.is_dir() else path
        if path.is_file():
            return path
    except OSError as error:  # a name that is too long, a folder that may not be read
        raise ProcedureError([FileProblem(str(reference)[:100], 1, "", f"it cannot be read ({error.strerror})")]) from error
    packs = ", ".join(installed_packs()) or "none"
    raise ProcedureError([FileProblem(str(reference), 1, "", f"there is no such procedure; give a path or an installed pack: {packs}")])


def _packs_folders() -> list[Path]:
    extra = os.environ.get(PACKS_VARIABLE, "")
    return [PACKS_FOLDER, *([Path(extra)] if extra else [])]


def _installed_procedure(pack_id: str) -> Path | None:
    """The file of the newest version of an installed pack; raises `ProcedureError` for an id that two packs have."""
    paths = [path for folder in _packs_folders() if (path := folder / pack_id / "procedure.yaml").exists()]
    # Cases are pinned to an id and a version: a pack that replaced another of the same id would decide the cases of that one.
    if len(paths) > 1:
        message = f"{pack_id} is the id of an installed pack; give the one in {PACKS_VARIABLE} an id of its own"
        raise ProcedureError([FileProblem(display_path(paths[1]), 1, "", message)])
    return paths[0] if paths else None


def _version_path(newest: Path, version: int) -> Path:
    older = newest.parent / "versions" / str(version) / "procedure.yaml"
    if older.exists():
        return older
    if load_pack(newest).procedure.version == version:
        return newest
    installed = ", ".join(map(str, installed_versions(newest.parent.name)))
    message = f"there is no version {version}; installed are {installed}"
    raise ProcedureError([FileProblem(newest.parent.name, 1, "", message)])


def _file_stamp(path: Path) -> tuple[int, int]:
    """Time of change and size of a file, as part of the cache key; zeros if it does not exist."""
    if not path.exists():
        return (0, 0)
    status = path.stat()
    return (status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=128)
def _load_cached(path: Path, _stamp: tuple[int, int], clauses_path: Path, clauses_stamp: tuple[int, int]) -> Pack:
    document = read_yaml(path)
    procedure = validate_document(Procedure, document)
    if path.parent.parent.name == "versions" and path.parent.name != str(procedure.version):
        raise ProcedureError(
            [document.problem_at(("version",), f"is {procedure.version}, but its folder is {path.parent.name}; make them equal")]
        )
    if duplicates := [document.problem_at(finding.yaml_path, finding.message) for finding in duplicate_ids(procedure)]:
        raise ProcedureError(duplicates)
    clauses_document = read_yaml(clauses_path) if any(clauses_stamp) else None
    clauses = validate_document(ClauseTexts, clauses_document).clauses if clauses_document else {}
    return Pack(procedure, clauses, path.parent, document, clauses_document)
