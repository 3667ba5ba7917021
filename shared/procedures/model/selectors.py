"""Selectors: which events of a case start, stop, pause or cancel something."""

from typing import Annotated

from pydantic import Field

from shared.contracts.base import StrictModel
from shared.contracts.events import EVENT_CLASSES

EventId = Annotated[str, Field(description="an event's fixed id", json_schema_extra={"enum": [*sorted(EVENT_CLASSES)]})]


class SelectedEvent(StrictModel):
    """One event, narrowed by a condition on it: `{event: measures_submitted, when: "event.role == 'owner'"}`."""

    event: EventId
    when: str | None = Field(default=None, description="CEL condition; `event` is the one at hand")


class AllEvents(StrictModel):
    """Every one of these events has to come, in any order."""

    all: list[EventId | SelectedEvent] = Field(min_length=1)


Selector = Annotated[
    EventId | SelectedEvent | AllEvents | list[EventId | SelectedEvent],
    Field(description="an event, {event, when}, a list (any of them), or {all: […]}"),
]


def selected_events(selector: Selector | None) -> tuple[SelectedEvent, ...]:
    """The events that a selector looks at, in their written order; an absent selector looks at none."""
    match selector:
        case None:
            return ()
        case str():
            return (SelectedEvent(event=selector),)
        case SelectedEvent():
            return (selector,)
        case AllEvents():
            return tuple(_to_selected_event(item) for item in selector.all)
    return tuple(_to_selected_event(item) for item in selector)


def requires_all_events(selector: Selector | None) -> bool:
    """Whether every event of the selector has to come, not just one of them."""
    return isinstance(selector, AllEvents)


def _to_selected_event(item: str | SelectedEvent) -> SelectedEvent:
    return SelectedEvent(event=item) if isinstance(item, str) else item
