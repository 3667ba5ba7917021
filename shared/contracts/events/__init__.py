"""All events of the vocabulary, one class for each, with their encoding in JSON."""

from shared.contracts.events import clocks, findings, from_work_to_closing, notifications, triage, up_to_approval
from shared.contracts.events.base import CaseEvent

__all__ = ["EVENT_CLASSES", "CaseEvent", "decode_event", "encode_event"]

EVENT_CLASSES: dict[str, type[CaseEvent]] = {
    cls.name: cls
    for module in (triage, up_to_approval, from_work_to_closing, findings, clocks, notifications)
    for cls in vars(module).values()
    if isinstance(cls, type) and issubclass(cls, CaseEvent) and cls.name
}
"""Event id → class."""


def decode_event(event_id: str, body: bytes) -> CaseEvent:
    """Parse the JSON body of an event; raises `KeyError` for an unknown id, pydantic's `ValidationError` for a bad body."""
    return EVENT_CLASSES[event_id].model_validate_json(body)


def encode_event(event: CaseEvent) -> bytes:
    """The event as JSON in UTF-8, with aliases as field names, without fields that are unset or None."""
    # `model_dump_json` calls the same serializer, but decodes its bytes to text, which would have to be encoded again.
    return event.__pydantic_serializer__.to_json(event, by_alias=True, exclude_none=True, exclude_unset=True)
