"""Checks that titles exist in Chinese and English."""

from collections.abc import Iterator

from shared.procedures.model.entry_list import section_entries
from shared.procedures.model.finding import Finding
from shared.procedures.model.procedure import Procedure

_TITLED_SECTIONS = ("parameters", "facts", "classes", "subjects", "clocks", "ladders", "duties", "counts", "forms", "figures")


def check_titles(procedure: Procedure) -> Iterator[Finding]:
    """A warning for each title that is missing in a language."""
    for language in ("zh", "en"):
        if not getattr(procedure.title, language).strip():
            yield Finding(("title",), f"the title is missing in {language}; add it", "warning")
    if isinstance(procedure.roles, list):
        yield Finding(("roles",), "the roles have no titles; write roles: {assistant: {zh: 客户助理, en: assistant}, …}", "warning")
    for section in _TITLED_SECTIONS:
        for located in section_entries(procedure, section):
            missing = [language for language in ("zh", "en") if not getattr(located.entry, language, "").strip()]
            if missing:
                message = f"{located.id} has no title in {' and '.join(missing)}; add {': …, '.join(missing)}: …"
                yield Finding(located.yaml_path, message, "warning")
