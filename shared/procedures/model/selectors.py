"""Selectors: which events of a case start, stop, pause or cancel something."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.events import EVENTS


class Entry(BaseModel):
    """Part of a procedure: unknown keys are errors, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


EventId = Annotated[str, Field(description="an event's fixed id", json_schema_extra={"enum": [*sorted(EVENTS)]})]


class Pick(Entry):
    """One event, narrowed by a condition on it: `{event: measures_submitted, when: "event.role == 'owner'"}`."""

    event: EventId
    when: str | None = Field(default=None, description="CEL condition; `event` is the one at hand")


class All(Entry):
    """Every one of these events has to come, in any order."""

    all: list[EventId | Pick] = Field(min_length=1)


Selector = Annotated[
    EventId | Pick | All | list[EventId | Pick], Field(description="an event, {event, when}, a list (any of them), or {all: […]}")
]


def picks(selector: Selector | None) -> tuple[Pick, ...]:
    """The events that a selector looks at, in their written order; an absent selector looks at none."""
    match selector:
        case None:
            return ()
        case str():
            return (Pick(event=selector),)
        case Pick():
            return (selector,)
        case All():
            return tuple(_pick(item) for item in selector.all)
    return tuple(_pick(item) for item in selector)


def needs_all(selector: Selector | None) -> bool:
    """Whether every event of the selector has to come, not just one of them."""
    return isinstance(selector, All)


def _pick(item: str | Pick) -> Pick:
    return Pick(event=item) if isinstance(item, str) else item
