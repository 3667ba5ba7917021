"""Checks the wording of messages: each placeholder can be filled whenever the message is sent, and both languages state the same."""

from collections.abc import Iterator

from shared.contracts.events import EVENT_CLASSES
from shared.procedures.model.effects import MessageEffect, Notify, role_tuple
from shared.procedures.model.entry_list import LocatedEntry, YamlPath, all_entries
from shared.procedures.model.finding import Finding
from shared.procedures.model.procedure import Procedure
from shared.procedures.model.selectors import selected_events
from shared.procedures.model.timed_entries import ClockEntry, EscalationLadder, ReactionEntry
from shared.procedures.model.wording import PLACEHOLDERS, Wording, placeholders, required_placeholders, unfillable_placeholders

_FIELDS_BY_EVENT = {event_type: frozenset(event.model_fields) for event_type, event in EVENT_CLASSES.items()}
_COMPLAINANT = "complainant"
_OPTIONAL_SOURCES = ("history", "follow")
_NEEDED_BY_COMPLAINANTS = ("number", "matter")
_INTERNAL = ("instruction", "demands", "persons", "units", "sanction", "concealment")
"""Texts that staff write for each other."""


def check_messages(procedure: Procedure) -> Iterator[Finding]:
    """Findings for the wordings of effects and ladders."""
    entries = {located.id: located for located in all_entries(procedure)}
    for located in entries.values():
        match located.entry:
            case MessageEffect():
                yield from _check_effect(located, located.entry, entries[located.part_of])
            case EscalationLadder(text=Wording() as text):
                path = (*located.yaml_path, "text")
                yield from _check_languages(path, text)
                yield from _check_placeholders(path, text, ["a step up the ladder"], in_clock=False)


def _check_effect(located: LocatedEntry, effect: MessageEffect, whole: LocatedEntry) -> Iterator[Finding]:
    triggers, in_clock = _triggers(whole)
    # An event with a wording of its own in `texts` does not reach `text`.
    others = [event for event in triggers if event not in effect.texts]
    wordings: list[tuple[YamlPath, Wording, list[str]]] = [
        ((*located.yaml_path, "texts", event), text, [event]) for event, text in effect.texts.items()
    ]
    if effect.text is not None:
        wordings.append(((*located.yaml_path, "text"), effect.text, others))
    for path, text, events in wordings:
        if in_clock and path[-1] != "text":
            yield Finding(path, "the messages of a clock have one wording; write it under text")
        elif not events or not {*events} <= {*triggers}:
            yield Finding(path, f"no message has this wording: it is sent when {' or '.join(triggers)} happens; name one of these")
        else:
            yield from _check_placeholders(path, text, events, in_clock=in_clock)
        yield from _check_languages(path, text)
        if isinstance(effect, Notify) and _COMPLAINANT in role_tuple(effect.notify):
            yield from _check_for_complainant(path, text)
        else:
            yield from _check_for_staff(path, text)


def _check_placeholders(path: YamlPath, text: Wording, events: list[str], *, in_clock: bool) -> Iterator[Finding]:
    for name in unfillable_placeholders(text, events, in_clock=in_clock, event_fields=_FIELDS_BY_EVENT):
        remedy = "take it out of the text"
        if PLACEHOLDERS[name].source in ("history", "follow") or any(
            PLACEHOLDERS[name].field in _FIELDS_BY_EVENT.get(event, ()) for event in events
        ):
            remedy = f"put what it completes into brackets, such as [ {{{name}}} ], or {remedy}"
        yield Finding(path, f"{{{name}}} ({PLACEHOLDERS[name].en}) is not known when {' or '.join(events)} happens; {remedy}")


def _check_languages(path: YamlPath, text: Wording) -> Iterator[Finding]:
    if {*placeholders(text.zh)} != {*placeholders(text.en)} or {*required_placeholders(text.zh)} != {*required_placeholders(text.en)}:
        differing = sorted({*placeholders(text.zh)} ^ {*placeholders(text.en)}) or sorted(
            {*required_placeholders(text.zh)} ^ {*required_placeholders(text.en)}
        )
        names = ", ".join(f"{{{name}}}" for name in differing)
        yield Finding(path, f"Chinese and English differ in {names}; both state the same placeholders, in brackets or not")


def _check_for_complainant(path: YamlPath, text: Wording) -> Iterator[Finding]:
    for name in _NEEDED_BY_COMPLAINANTS:
        if name not in required_placeholders(text.zh):
            yield Finding(path, f"a message to the complainant says which complaint it is about; write {{{name}}} outside brackets")
    for name in sorted(text.names.intersection(_INTERNAL)):
        yield Finding(path, f"{{{name}}} ({PLACEHOLDERS[name].en}) is written for staff; take it out of the complainant's text")


def _check_for_staff(path: YamlPath, text: Wording) -> Iterator[Finding]:
    for name in sorted(name for name in text.names if PLACEHOLDERS[name].source == "follow"):
        yield Finding(path, f"{{{name}}} ({PLACEHOLDERS[name].en}) is for the complainant alone; take it out of the text for staff")


def _triggers(whole: LocatedEntry) -> tuple[list[str], bool]:
    """The events after which an entry's message is sent, and whether the entry is a clock."""
    match whole.entry:
        case ReactionEntry(on=selector):
            return [selected.event for selected in selected_events(selector)], False
        case ClockEntry(starts=starts, restarts=restarts):
            return [selected.event for selector in (starts, restarts) for selected in selected_events(selector)], True
    raise ValueError(f"{whole.id} has no effects")
