"""The contents that a procedure requires of the report which an action makes, and those that a report lacks."""

from collections.abc import Mapping
from typing import Any, Literal

from shared.contracts.attachments import MediaKind, is_media

ReportContent = Literal["any"] | MediaKind
ReportNeeds = dict[str, ReportContent]
"""Field of the event → its content; a kind of media needs at least one file of that kind."""
IncompleteReport = Literal["refuse", "missing"]


def missing_fields(needs: Mapping[str, ReportContent], fields: Mapping[str, Any]) -> list[str]:
    """The required fields that an event's fields lack, in the order of the rule."""
    return [name for name, content in needs.items() if not _has_content(fields.get(name), content)]


def _has_content(value: Any, content: ReportContent) -> bool:
    items = value if isinstance(value, list) else [value]
    if content == "any":
        return any(item is not None and str(item).strip() for item in items)
    return any(isinstance(item, str) and is_media(item, content) for item in items)
