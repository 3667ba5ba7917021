"""Every event of the vocabulary, one class each, past tense; `EVENTS` maps the fixed id to the class."""

from shared.contracts.events import clocks, from_work_to_closing, notifications, triage, up_to_approval
from shared.contracts.events.base import CaseEvent

__all__ = ["EVENT_CLASSES", "CaseEvent", "decode_event", "encode_event"]

EVENT_CLASSES: dict[str, type[CaseEvent]] = {
    cls.name: cls
    for module in (triage, up_to_approval, from_work_to_closing, clocks, notifications)
    for cls in vars(module).values()
    if isinstance(cls, type) and issubclass(cls, CaseEvent) and cls.name
}


def decode_event(event_id: str, body: bytes) -> CaseEvent:
    """The event of that fixed id in a JSON body; raises `KeyError` for an unknown id, pydantic's `ValidationError` for a bad body."""
    return EVENT_CLASSES[event_id].model_validate_json(body)


def encode_event(event: CaseEvent) -> bytes:
    """JSON in UTF-8, aliases as field names, what is unset or None left out."""
    # What `model_dump_json` calls, without turning its bytes into text and back.
    return event.__pydantic_serializer__.to_json(event, by_alias=True, exclude_none=True, exclude_unset=True)
