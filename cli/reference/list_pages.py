"""Generates the reference page of lists: each list of each installed procedure, with its columns."""

from collections.abc import Iterator

from shared.procedures.explain.declarations import describe_list
from shared.procedures.explain.procedure_texts import ProcedureTexts
from shared.procedures.loading.loader import installed_packs, load_pack
from shared.procedures.model.clauses import clause_ids
from shared.procedures.model.form_layout.lists import DEFAULT_LIST, CaseListEntry
from shared.procedures.model.procedure import Procedure

_INTRO = """\
# Lists

What the installed procedures list, and with which columns. Every procedure also has the list `cases`, over all its cases.
How to print a list stands in [List cases](../how-to/lists.md).
"""


def list_page() -> str:
    """The page."""
    procedures = [load_pack(name).procedure for name in installed_packs()]
    lines = [_INTRO, "## Every procedure", "", *_list_lines(procedures[0], DEFAULT_LIST)]
    for procedure in procedures:
        if procedure.lists:
            lines += [f"## `{procedure.id}`: {procedure.title.zh}", ""]
            lines += [line for entry in procedure.lists for line in _list_lines(procedure, entry)]
    return "\n".join(lines).rstrip() + "\n"


def _list_lines(procedure: Procedure, entry: CaseListEntry) -> Iterator[str]:
    clauses = f" ({', '.join(clause_ids(entry.clause))})" if entry.clause else ""
    yield f"### `{entry.id}`{clauses}"
    yield ""
    yield "\n".join(describe_list(ProcedureTexts(procedure, "zh"), entry))
    yield ""
    yield " ".join(describe_list(ProcedureTexts(procedure, "en"), entry))
    yield ""
