"""Merges the messages of one decision that would reach the same people at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from shared.procedures.model.wording import PLACEHOLDERS

if TYPE_CHECKING:
    from services.sla.domain.lifecycle.case import Event

_MERGED_BY = ("about", "recipients", "persons", "by", "urgent", "template", "contact")
"""Requests of one instant that are equal in these fields inform the same people of the same kind of thing."""
_ITEM_VALUES = ("title", "title_en", "wording", "wording_en", "limit_en", "due_at", "overdue")


def merge_requests(events: Iterable[Event]) -> None:
    """Make one message of the requests of a decision that inform the same people of the same kind of thing at the same instant.

    Each request stays an event; the first lists what all of them state under `items`, the others name it under `merged_into`.
    """
    first_requests: dict[tuple[Any, ...], Event] = {}
    for event in events:
        if event.type != "notification_requested":
            continue
        key = (event.at, *(_hashable(event.data.get(name)) for name in _MERGED_BY))
        first = first_requests.setdefault(key, event)
        if first is event:
            continue
        first.data["values"].setdefault("items", [_item(first)]).append(_item(event))
        event.data["merged_into"] = first.data["notification"]


def _item(request: Event) -> dict[str, Any]:
    values = request.data["values"]
    item = {name: values[name] for name in (*_ITEM_VALUES, *PLACEHOLDERS) if name in values}
    return {**item, **({"clause": request.data["clause"]} if "clause" in request.data else {})}


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
