"""Checks the wording of messages: each placeholder can be filled whenever the message is sent."""

from collections.abc import Iterator

from shared.contracts.events import EVENT_CLASSES
from shared.procedures.model.effects import Notify, Remind
from shared.procedures.model.entry_list import LocatedEntry, all_entries
from shared.procedures.model.finding import Finding
from shared.procedures.model.procedure import Procedure
from shared.procedures.model.selectors import selected_events
from shared.procedures.model.timed_entries import ClockEntry, ReactionEntry
from shared.procedures.model.wording import PLACEHOLDERS, unfillable_placeholders

_FIELDS_BY_EVENT = {event_type: frozenset(event.model_fields) for event_type, event in EVENT_CLASSES.items()}


def check_messages(procedure: Procedure) -> Iterator[Finding]:
    """Findings for placeholders that are not known when the entry's message is sent."""
    entries = {located.id: located for located in all_entries(procedure)}
    for located in entries.values():
        effect = located.entry
        if isinstance(effect, Remind | Notify) and effect.text is not None:
            triggers, in_clock = _triggers(entries[located.part_of])
            for name in unfillable_placeholders(effect.text, triggers, in_clock=in_clock, event_fields=_FIELDS_BY_EVENT):
                message = f"{{{name}}} ({PLACEHOLDERS[name].en}) is not known when {' or '.join(triggers)} happens; take it out of the text"
                yield Finding((*located.yaml_path, "text"), message)


def _triggers(whole: LocatedEntry) -> tuple[list[str], bool]:
    """The events after which an entry's message is sent, and whether the entry is a clock."""
    match whole.entry:
        case ReactionEntry(on=selector):
            return [selected.event for selected in selected_events(selector)], False
        case ClockEntry(starts=starts, restarts=restarts):
            return [selected.event for selector in (starts, restarts) for selected in selected_events(selector)], True
    raise ValueError(f"{whole.id} has no effects")
