"""Selectors: the events that start, stop, pause or cancel a clock, or cause a reaction."""

from typing import Annotated

from pydantic import Field

from shared.contracts.base import StrictModel
from shared.contracts.events import EVENT_CLASSES

EventId = Annotated[str, Field(description="an event's id", json_schema_extra={"enum": [*sorted(EVENT_CLASSES)]})]


class SelectedEvent(StrictModel):
    """An event with a condition: `{event: measures_submitted, when: "event.role == 'owner'"}`."""

    event: EventId
    when: str | None = Field(default=None, description="CEL condition; `event` is the event that happened")


class AllEvents(StrictModel):
    """All of these events have to happen, in any order."""

    all: list[EventId | SelectedEvent] = Field(min_length=1)


Selector = Annotated[
    EventId | SelectedEvent | AllEvents | list[EventId | SelectedEvent],
    Field(description="an event, {event, when}, a list (any of them), or {all: […]}"),
]


def selected_events(selector: Selector | None) -> tuple[SelectedEvent, ...]:
    """The events of a selector, in the order of the file; none for an absent selector."""
    match selector:
        case None:
            return ()
        case str():
            return (SelectedEvent(event=selector),)
        case SelectedEvent():
            return (selector,)
        case AllEvents():
            return tuple(_to_selected_event(event) for event in selector.all)
    return tuple(_to_selected_event(event) for event in selector)


def requires_all_events(selector: Selector | None) -> bool:
    """Whether all events of the selector have to happen, not only one of them."""
    return isinstance(selector, AllEvents)


def _to_selected_event(event: str | SelectedEvent) -> SelectedEvent:
    return SelectedEvent(event=event) if isinstance(event, str) else event
