"""The contents of a case's events: quoted words, which facts were found by which evidence, which messages went out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

Event = Mapping[str, Any]
_WORDS: Final = ("text", "demands", "promise", "reason")
_OF_COMPLAINT: Final = ("title", "text", "demand", "object", "product", "place")
_LINKS: Final = {"linked", "unlinked", "link_proposed", "duplicate_joined", "duplicate_left"}
_OUTCOMES: Final = {"notification_sent": "sent", "notification_delivered": "delivered", "notification_failed": "failed"}
# A retry is reported after the first attempt; a message that arrived stays so.
_FINAL: Final = {"delivered", "failed"}


@dataclass(frozen=True, slots=True)
class Quote:
    """Words of somebody: `part` is the field of the event that holds them."""

    event: Event
    part: str
    words: str

    @property
    def is_automatic(self) -> bool:
        """Whether a service gave the words as a reason, and no person."""
        return self.part == "reason" and not self.event.get("actor") and self.event.get("role", "") in ("", "system")


@dataclass(frozen=True, slots=True)
class KnownFact:
    """The value of a fact, the event that set it, and the words or papers that show it."""

    name: str
    value: Any
    event: Event
    evidence: tuple[str, ...] = ()


@dataclass(slots=True)
class SentMessage:
    """A requested message and the state of each delivery."""

    event: Event
    deliveries: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def is_sent(self) -> bool:
        """Whether a provider took one of the deliveries."""
        return any(each["state"] in ("sent", "delivered") for each in self.deliveries.values())


def quotes(events: Iterable[Event]) -> list[Quote]:
    """Statements in the order of the events, without those that the reader may not see."""
    said: list[Quote] = []
    for event in events:
        complaint = event.get("complaint")
        if event["event"] == "registered" and isinstance(complaint, Mapping):
            said += [Quote(event, part, str(complaint[part])) for part in _OF_COMPLAINT if complaint.get(part)]
        elif "notification" not in event:
            said += [Quote(event, part, words) for part in _WORDS if isinstance(words := event.get(part), str) and words]
    return said


def facts(events: Iterable[Event]) -> list[KnownFact]:
    """The facts after the last event."""
    known: dict[str, KnownFact] = {}
    for event in events:
        complaint = event.get("complaint")
        values = complaint.get("facts") if event["event"] == "registered" and isinstance(complaint, Mapping) else event.get("facts")
        found = [each for each in event.get("found") or () if isinstance(each, Mapping)]
        for name, value in (values or {}).items():
            words = [str(each.get("words", "")) for each in found if each.get("name") == name]
            evidence = tuple(filter(None, words)) or tuple(str(each) for each in event.get("evidence") or ())
            known[name] = KnownFact(name, value, event, evidence)
        for each in found:
            known.setdefault(str(each["name"]), KnownFact(str(each["name"]), each.get("value"), event, (str(each.get("words", "")),)))
    return list(known.values())


def messages(events: Iterable[Event]) -> list[SentMessage]:
    """The messages, newest first, each with the last state of its deliveries."""
    sent: dict[str, SentMessage] = {}
    for event in events:
        notification = event.get("notification", "")
        if event["event"] == "notification_requested":
            sent.setdefault(notification, SentMessage(event))
        elif event["event"] in _OUTCOMES and notification in sent:
            deliveries = sent[notification].deliveries
            known = deliveries.get(event.get("delivery", ""))
            state = _OUTCOMES[event["event"]]
            if known is None or known["state"] not in _FINAL or state in _FINAL:
                deliveries[event.get("delivery", "")] = {**event, "state": state}
    return list(reversed(sent.values()))


def linked_cases(events: Sequence[Event]) -> dict[str, str]:
    """The other cases that events name, each with the last event that did."""
    return {str(event["to_case"]): event["event"] for event in events if event["event"] in _LINKS and event.get("to_case")}
