"""Bounds what triage reads from its topics: intake and sla bound the same at their edges, a record may have passed neither."""

from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticCustomError

from shared.contracts.events.base import CaseEvent
from shared.contracts.events.triage import Registered
from shared.contracts.events.up_to_approval import Amended
from shared.contracts.instants import RANGE_REMEDY, is_possible_instant
from shared.contracts.json_text import require_bounded_object

_MAX_COMPLAINANT_KEYS = 8
_ESCAPED_NUL = b"\\u0000"


class EventBoundsError(ValueError):
    """An event on which triage cannot decide; the message names field and rule."""


def require_decidable(event: CaseEvent, body: bytes) -> None:
    """Raise `EventBoundsError` for an event that is nested too deep, too large, beyond the bound of instants, or of another case.

    One that passes is decided and stored; found later, the fault would park its case and stop triage when there are many.
    """
    _require_possible_instants(event, "", ("at",))
    match event:
        case Amended():
            _require_bounded("facts", event.facts)
            _require_bounded("fields", event.fields)
        case Registered():
            _require_decidable_registration(event)
    # The search spares a walk; the backslash itself may be escaped, which is a text that shows an escape and holds no NUL.
    if _ESCAPED_NUL in body and _holds_nul(event.model_dump(mode="python")):
        raise EventBoundsError("a text holds NUL, which PostgreSQL cannot store; leave it out")


def _require_decidable_registration(event: Registered) -> None:
    complaint = event.complaint
    if complaint.case != event.case:
        raise EventBoundsError("complaint.case is not the case of the event")
    _require_bounded("complaint.facts", complaint.facts)
    _require_bounded("parameters", event.parameters)
    _require_possible_instants(complaint, "complaint.", ("received_at", "registered_at", "happened_at"))
    keys = event.complainant_keys
    if len(keys) > _MAX_COMPLAINANT_KEYS or any(not key or key.split() != [key] for key in keys):
        raise EventBoundsError(f"complainant_keys: send at most {_MAX_COMPLAINANT_KEYS}, each `<field>:<hash>` without white space")


def _require_bounded(name: str, value: dict[str, Any]) -> None:
    try:
        require_bounded_object(value)
    except PydanticCustomError as error:
        raise EventBoundsError(f"{name}: {error.message()}") from error


def _require_possible_instants(model: BaseModel, prefix: str, names: tuple[str, ...]) -> None:
    for name in names:
        instant = getattr(model, name)
        if instant is not None and not is_possible_instant(instant):
            raise EventBoundsError(f"{prefix}{name}: {RANGE_REMEDY}")


def _holds_nul(value: Any) -> bool:
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str) and "\x00" in item:
            return True
        if isinstance(item, dict):
            pending += [*item, *item.values()]
        elif isinstance(item, list | tuple):
            pending += item
    return False
