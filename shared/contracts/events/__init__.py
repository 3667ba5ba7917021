"""Every event of the vocabulary, one class each, past tense; `EVENTS` maps the fixed id to the class."""

from shared.contracts.events import clocks, handling, measures, messages, triage
from shared.contracts.events.base import ActionEvent, CaseEvent, ClockEvent

__all__ = ["EVENTS", "ActionEvent", "CaseEvent", "ClockEvent", "decode", "encode"]

EVENTS: dict[str, type[CaseEvent]] = {
    cls.name: cls
    for module in (triage, measures, handling, clocks, messages)
    for cls in vars(module).values()
    if isinstance(cls, type) and issubclass(cls, CaseEvent) and cls.name
}


def decode(name: str, body: bytes) -> CaseEvent:
    """The event of that fixed id in a JSON body; raises `KeyError` for an unknown id, pydantic's `ValidationError` for a bad body."""
    return EVENTS[name].model_validate_json(body)


def encode(event: CaseEvent) -> bytes:
    """JSON in UTF-8, aliases as field names, what is unset or None left out."""
    # What `model_dump_json` calls, without turning its bytes into text and back.
    return event.__pydantic_serializer__.to_json(event, by_alias=True, exclude_none=True, exclude_unset=True)
