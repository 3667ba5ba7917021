"""Titles: what people read has words in Chinese and in English."""

from collections.abc import Iterator

from shared.procedures.model.entry_list import entries
from shared.procedures.model.finding import Finding
from shared.procedures.model.procedure import Procedure

_READ_BY_PEOPLE = ("parameters", "facts", "classes", "subjects", "clocks", "ladders", "duties", "counts", "forms", "figures")


def check(procedure: Procedure) -> Iterator[Finding]:
    """A warning for every title that one of the languages lacks."""
    for language in ("zh", "en"):
        if not getattr(procedure.title, language).strip():
            yield Finding(("title",), f"the title is missing in {language}", "warning")
    if isinstance(procedure.roles, list):
        yield Finding(("roles",), "the roles have no titles; write roles: {assistant: {zh: 客户助理, en: assistant}, …}", "warning")
    for section in _READ_BY_PEOPLE:
        for item in entries(procedure, section):
            missing = [language for language in ("zh", "en") if not getattr(item.entry, language, "").strip()]
            if missing:
                yield Finding(item.way, f"{item.id} has no title in {' and '.join(missing)}; add {': …, '.join(missing)}: …", "warning")
