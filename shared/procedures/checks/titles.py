"""Titles: what people read has words in Chinese and in English."""

from collections.abc import Iterator

from shared.procedures.model.entry_list import section_entries
from shared.procedures.model.finding import Finding
from shared.procedures.model.procedure import Procedure

_TITLED_SECTIONS = ("parameters", "facts", "classes", "subjects", "clocks", "ladders", "duties", "counts", "forms", "figures")


def check_titles(procedure: Procedure) -> Iterator[Finding]:
    """A warning for every title that one of the languages lacks."""
    for language in ("zh", "en"):
        if not getattr(procedure.title, language).strip():
            yield Finding(("title",), f"the title is missing in {language}", "warning")
    if isinstance(procedure.roles, list):
        yield Finding(("roles",), "the roles have no titles; write roles: {assistant: {zh: 客户助理, en: assistant}, …}", "warning")
    for section in _TITLED_SECTIONS:
        for item in section_entries(procedure, section):
            missing = [language for language in ("zh", "en") if not getattr(item.entry, language, "").strip()]
            if missing:
                yield Finding(
                    item.yaml_path, f"{item.id} has no title in {' and '.join(missing)}; add {': …, '.join(missing)}: …", "warning"
                )
