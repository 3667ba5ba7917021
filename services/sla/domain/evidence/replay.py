"""A case decided again from its ledger alone: the same inputs at the same instants have to give the same events and the same state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import orjson

from services.sla.domain.deadlines.worktime import micros
from services.sla.domain.evidence import hash_chain
from services.sla.domain.lifecycle.case import Case, Event
from services.sla.domain.lifecycle.condition_scope import INSTANTS
from services.sla.domain.lifecycle.decide import AUTHORITY, Act, Decided, Input, Opening, Recount, Tick, decide, next_due
from services.sla.domain.rules.rulebook import Rulebook
from services.sla.domain.views import event_mapping
from shared.contracts.complaint import Complaint
from shared.procedures.model.procedure import Procedure

COMPUTED = frozenset({"role", "actor", "rule", "clause", "clauses", "from_class", "needs_sign_off", "late_by"})
"""Fields of an action's event that the engine adds to the action's own data."""
_UNCOMPARED = frozenset({"recorded_at", "procedure", "version"})
_ENVELOPE = frozenset({"type", "case", "at", "sequence"}) | _UNCOMPARED


class ReplayError(ValueError):
    """A ledger that cannot be decided again; the text names the event and what it lacks."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A line of a ledger: the event as it was published (read from JSON), and how it came about.

    `origin` stands on the first event of each decision alone; `basis` names the organisation and calendars it was made with.
    """

    body: dict[str, Any]
    cause: str = ""
    origin: str = ""
    basis: str = ""


@dataclass(slots=True)
class Refolded:
    """The case that comes out (None for an empty ledger), and where it departs from what was recorded, in words."""

    case: Case | None = None
    rulebook: Rulebook | None = None
    basis: str = ""
    differences: list[str] = field(default_factory=list)


Find = Callable[[str, str, int, Mapping[str, Any]], Rulebook]
"""The rulebook of a basis, procedure, version and parameters."""


def origin(given: Input) -> str:
    """What has to be kept of an input besides the events that it causes: its kind, and what no event says."""
    match given:
        case Opening():
            return "opening"
        case Act(action=action):
            return f"act {action}"
        case Decided():
            return "decided"
        case Tick(upto=upto):
            return f"tick {upto}"
        case Recount(at=at, reason=reason):
            return f"recount {at} {reason}"


def body(event: Event, case: Case, rulebook: Rulebook) -> dict[str, Any]:
    """An event as it is published, but for when it was recorded; `case` as it stands after the decision."""
    return {"type": event.type, **event_mapping.outward(event, case, rulebook.procedure, rulebook.worktime(case.department))}


def recorded(given: Input, events: Sequence[Event], case: Case, rulebook: Rulebook, now: datetime, basis: str = "") -> list[Recorded]:
    """The lines of a decision as a ledger gives them back."""
    envelope = {"recorded_at": now, "procedure": case.procedure, "version": case.version}
    bodies = (orjson.loads(hash_chain.canonical({**body(event, case, rulebook), **envelope})) for event in events)
    first = origin(given)
    pairs = zip(events, bodies, strict=True)
    return [Recorded(fields, event.cause, "" if number else first, basis) for number, (event, fields) in enumerate(pairs)]


def decisions(lines: Iterable[Recorded]) -> Iterator[list[Recorded]]:
    """The events of each decision."""
    group: list[Recorded] = []
    for line in lines:
        if line.origin and group:
            yield group
            group = []
        group.append(line)
    if group:
        yield group


def refold(lines: Iterable[Recorded], find: Find) -> Refolded:
    """Decide everything once more; it ends at the first decision that comes out otherwise, since all later ones rest on it."""
    found = Refolded()
    for group in decisions(lines):
        try:
            _again(found, group, find)
        except (ValueError, KeyError, TypeError) as error:
            found.differences.append(f"event {group[0].body.get('sequence')}: cannot be decided again: {error!r}")
        if found.differences:
            break
    return found


def settle(found: Refolded, upto: int | None, calendars: Rulebook | None = None) -> None:
    """Carry out what leaves no event: what was due before `upto` (None: all of it), and, with `calendars`, a recount that moved nothing."""
    if found.case is None or found.rulebook is None:
        return
    if calendars is not None:
        found.rulebook = calendars
        found.case = _recounted(found.case, calendars)
    found.case = _quiet(found.case, found.rulebook, upto)


def departures(case: Case, kept: Mapping[str, Any]) -> list[str]:
    """Where a case differs from the one that is kept (its fields read from JSON), in words."""
    made = orjson.loads(orjson.dumps(asdict(case)))
    different = [name for name, value in made.items() if kept.get(name) != value]
    return [f"{name}: kept is {_short(kept.get(name))}, replayed {_short(made[name])}" for name in different]


def input_of(group: Sequence[Recorded], procedure: Procedure) -> Input:
    """The input that caused a decision, out of its events; raises `ReplayError`."""
    kind, *rest = group[0].origin.split(" ")
    match kind:
        case "tick":
            return Tick(int(rest[0]))
        case "recount":
            return Recount(int(rest[0]), rest[1])
        case "opening":
            return _opening(group, procedure)
        case "act":
            return _act(rest[0], _first(group, {"action"}), procedure)
        case "decided":
            return _decided(_first(group, {"triage", "message"}), procedure)
    raise ReplayError(f"event {group[0].body.get('sequence')} does not say what it follows from")


def _again(found: Refolded, group: list[Recorded], find: Find) -> None:
    first = group[0]
    stated = first.body["procedure"], first.body["version"]
    parameters = found.case.parameters if found.case else first.body.get("parameters", {})
    rulebook = find(first.basis, *stated, parameters)
    given = input_of(group, rulebook.procedure)
    if found.case is not None:
        if found.basis != first.basis and not isinstance(given, Recount):
            found.case = _recounted(found.case, rulebook)
        found.case = _quiet(found.case, rulebook, _reach(given))
    now = max(_micros(first.body["recorded_at"]), getattr(given, "at", 0), getattr(given, "registered_at", 0))
    decision = decide(found.case, given, rulebook, now)
    found.case, found.rulebook, found.basis = decision.case, rulebook, first.basis
    made = [orjson.loads(hash_chain.canonical(body(event, decision.case, rulebook))) for event in decision.events]
    found.differences += list(_compare(group, made, [event.cause for event in decision.events]))


def _compare(group: Sequence[Recorded], made: Sequence[dict[str, Any]], causes: Sequence[str]) -> Iterator[str]:
    for line, fields, cause in zip(group, made, causes, strict=False):
        known = {name: value for name, value in line.body.items() if name not in _UNCOMPARED}
        if known != fields or line.cause != cause:
            kept, again = {**known, "cause": line.cause}, {**fields, "cause": cause}
            names = sorted(name for name in {*kept, *again} if kept.get(name) != again.get(name))
            said = "; ".join(f"{name}: recorded {_short(kept.get(name))}, replayed {_short(again.get(name))}" for name in names)
            yield f"event {line.body['sequence']} ({line.body['type']}): {said}"
    for line in group[len(made) :]:
        yield f"event {line.body['sequence']} ({line.body['type']}): recorded, but does not come out"
    for fields in made[len(group) :]:
        yield f"event {fields['sequence']} ({fields['type']}): comes out, but is not recorded"


def _reach(given: Input) -> int:
    """Up to which instant a decision carries out what is due before its input."""
    match given:
        case Opening(registered_at=at) | Act(at=at) | Decided(at=at) | Recount(at=at):
            return at - 1
        case Tick(upto=upto):
            return upto


def _quiet(case: Case, rulebook: Rulebook, upto: int | None) -> Case:
    """The case after all that fell due before and left no event, such as a reminder whose condition did not hold."""
    while (due := next_due(case)) is not None and (upto is None or due <= upto):
        tried = decide(case, Tick(due), rulebook, due)
        if tried.events:
            break
        case = tried.case
    return case


def _recounted(case: Case, rulebook: Rulebook) -> Case:
    """The case counted with other calendars, where no deadline moves by it."""
    tried = decide(case, Recount(case.registered_at), rulebook, case.registered_at)
    return case if tried.events or not case.open else tried.case


def _first(group: Sequence[Recorded], causes: set[str]) -> dict[str, Any]:
    for line in group:
        if line.cause in causes:
            return line.body
    raise ReplayError(f"event {group[0].body.get('sequence')} begins a decision without the event of its input ({' or '.join(causes)})")


def _opening(group: Sequence[Recorded], procedure: Procedure) -> Opening:
    registered = _first(group, {"opening"})
    classified = next((line.body for line in group if line.body["type"] == "classified"), None)
    if classified is None:
        raise ReplayError("event 1 is not followed by triage's first decision")
    complaint = Complaint.model_validate(registered["complaint"])
    return Opening(
        case=registered["case"],
        procedure=procedure.id,
        version=procedure.version,
        received_at=micros(complaint.received_at),
        registered_at=_micros(registered["at"]),
        complaint=event_mapping.kept(complaint),
        registered=_own(registered, procedure),
        classified=_own(classified, procedure),
        parameters=registered.get("parameters", {}),
    )


def _act(action: str, fields: dict[str, Any], procedure: Procedure) -> Act:
    at, role, actor = _micros(fields["at"]), fields.get("role", ""), fields.get("actor", "")
    if fields["type"] == "action_refused":
        denied = fields["reason"] if fields.get("rule") == AUTHORITY else ""
        return Act(action, at, role, actor, _nested(fields.get("data", {})), denied)
    data = {name: value for name, value in _own(fields, procedure).items() if name not in COMPUTED}
    if action in ("route", "reassign"):
        data.pop("by", None)
    if fields["type"] in ("review_rejected", "verification_failed"):
        data["passed"] = False
    return Act(action, at, role, actor, data)


def _decided(fields: dict[str, Any], procedure: Procedure) -> Decided:
    at, kind = _micros(fields["at"]), fields["type"]
    cause = "message" if kind.startswith("notification_") else "triage"
    if kind != "action_refused":
        return Decided(kind, at, _own(fields, procedure), cause)
    outranked = "routed" if fields["action"] == "route" else "reclassified"
    return Decided(outranked, at, _nested(fields.get("data", {})), cause)


def _own(fields: dict[str, Any], procedure: Procedure) -> dict[str, Any]:
    """The event's fields without its envelope, as the core has them."""
    found = _nested({name: value for name, value in fields.items() if name not in _ENVELOPE})
    if "facts" in found:
        found["facts"] = event_mapping.facts(found["facts"], procedure)
    return found


def _nested(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _micros(value) if name in INSTANTS and isinstance(value, str) else value for name, value in data.items()}


def _micros(written: str) -> int:
    return micros(datetime.fromisoformat(written))


def _short(value: Any, longest: int = 120) -> str:
    text = "nothing" if value is None else orjson.dumps(value).decode()
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
