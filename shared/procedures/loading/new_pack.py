"""Creates a new pack from the skeleton."""

import re
from pathlib import Path

from shared.procedures.model.procedure_error import FileProblem, ProcedureError

_SKELETON = Path(__file__).parents[1] / "skeleton"
_PACK_ID = re.compile(r"[a-z][a-z0-9-]*")


def create_pack(pack_id: str, parent_folder: Path) -> Path:
    """Write a pack that passes `check` and `coverage`; returns its folder.

    Raises `ProcedureError` for an invalid id or an existing folder.
    """
    folder = parent_folder / pack_id
    if not _PACK_ID.fullmatch(pack_id):
        raise ProcedureError(
            [FileProblem(pack_id, 1, "", "is not an id; use lower-case letters, digits and hyphens, a letter first: my-procedure")]
        )
    if folder.exists():
        raise ProcedureError([FileProblem(str(folder), 1, "", "exists already; choose another id, or another folder with --into")])
    for template in sorted(_SKELETON.rglob("*.yaml")):
        target = folder / template.relative_to(_SKELETON)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(template.read_text("utf-8").replace("id: new-procedure", f"id: {pack_id}", 1), "utf-8")
    return folder
