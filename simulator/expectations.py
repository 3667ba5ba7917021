"""The expectations of a scenario: validates their keys, and finds those that a timeline does not meet."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from shared.contracts.events import EVENT_CLASSES
from shared.procedures.model.clauses import is_clause_or_subclause

_EVENT_FIELDS = {
    event: frozenset({"event", "clauses", *(field.alias or name for name, field in cls.model_fields.items())})
    for event, cls in EVENT_CLASSES.items()
}
"""Event → the keys of an expectation that can match it."""
_ACTION_FIELD_NAMES = {"by": "extend_by"}
"""Fields that an action names otherwise than its event: in JSON an extension is asked for `by` 2wd."""
_INSTANT_KEYS = ("at", "before", "after", "due_at", "from_at", "started_at", "known_at", "until", "date", "next_date", "happened_at")


def check_expectation(expected: dict[str, Any]) -> None:
    """Check the keys of an expectation and parse its instants in place; raises `ValueError`."""
    if ("event" in expected) == ("absent" in expected):
        raise ValueError(f"expect: {expected} names neither or both of event and absent; give one")
    name = expected.get("event", expected.get("absent"))
    if name not in EVENT_CLASSES:
        raise ValueError(f"expect: there is no event {name!r}; events are {', '.join(sorted(EVENT_CLASSES))}")
    further_keys = {"absent", "before", "after"} if "absent" in expected else {"times"}
    _check_fields(name, [key for key in expected if key not in further_keys])
    times = expected.get("times", 0)
    if not isinstance(times, int) or isinstance(times, bool) or times < 0:
        raise ValueError(f"expect: times is {times!r}; write how often it happens, such as 1")
    for key in _INSTANT_KEYS:
        if key in expected:
            expected[key] = _parse_instant(key, expected[key])


def _check_fields(event: str, keys: Iterable[str]) -> None:
    known = _EVENT_FIELDS[event]
    for key in keys:
        event_field = _ACTION_FIELD_NAMES.get(key, "")
        if event_field in known:
            raise ValueError(f"expect: {key} is the action's name; the event {event} has it as {event_field}")
        if key not in known:
            nearest = get_close_matches(key, known, 1)
            remedy = f"did you mean {nearest[0]}?" if nearest else "leave it out or correct it"
            raise ValueError(f"expect: {key} is no field of the event {event}; {remedy}")


def _parse_instant(key: str, value: Any) -> datetime:
    try:
        instant = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError as error:
        raise ValueError(f"expect: {key} is {value!r}; write an instant such as 2026-09-24T16:40:00+08:00") from error
    if instant.tzinfo is None:
        raise ValueError(f"expect: {key} is {value} without an offset; add one, such as +08:00")
    return instant


def unmet_expectations(expectations: Sequence[Mapping[str, Any]], events: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line for each expectation that the events do not meet.

    Expected events must occur in the order of the expectations, except that events at the same instant have no order.
    """
    problems: list[str] = []
    matched: set[int] = set()
    since: datetime | None = None
    for expected in expectations:
        if "absent" in expected:
            problems += _unwanted_events(expected, events)
        elif "times" in expected:
            problems += _wrong_count(expected, events)
        else:
            candidates = (position for position, event in enumerate(events) if position not in matched)
            position = next((i for i in candidates if _is_at_or_after(events[i], since) and event_matches(expected, events[i])), None)
            if position is None:
                limit = f" at or after {since.isoformat()}" if since else ""
                problems.append(f"expected {_describe(expected)}{limit}, which did not happen")
            else:
                matched.add(position)
                since = events[position]["at"]
    return problems


def _is_at_or_after(event: Mapping[str, Any], since: datetime | None) -> bool:
    # Not later: a scenario that depended on the order at one instant would break with every new reaction (ADR 18).
    return since is None or event["at"] >= since


def _unwanted_events(expected: Mapping[str, Any], events: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    pattern = {("event" if key == "absent" else key): value for key, value in expected.items() if key not in ("before", "after")}
    for event in events:
        is_before = "before" not in expected or event["at"] < expected["before"]
        is_after = "after" not in expected or event["at"] > expected["after"]
        if is_before and is_after and event_matches(pattern, event):
            yield f"{_describe(pattern)} must not happen, but did at {event['at'].isoformat()}"


def _wrong_count(expected: Mapping[str, Any], events: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    pattern = {key: value for key, value in expected.items() if key != "times"}
    number = sum(event_matches(pattern, event) for event in events)
    if number != expected["times"]:
        yield f"expected {_describe(pattern)} {expected['times']} times, but it happened {number} times"


def event_matches(expected: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Whether an event matches on every key: a clause matches itself or a finer one, a single value a list that holds it."""
    return all(_field_matches(key, value, event) for key, value in expected.items())


def _field_matches(key: str, value: Any, event: Mapping[str, Any]) -> bool:
    actual = event.get(key)
    if key == "clause":
        return any(is_clause_or_subclause(str(clause), str(value)) for clause in event.get("clauses") or [actual])
    if isinstance(actual, list) and not isinstance(value, list):
        return value in actual
    if isinstance(actual, list):
        return sorted(map(str, actual)) == sorted(map(str, value))
    # The timeline leaves empty fields out.
    return bool(actual == value) if actual is not None else value in (None, "", False, 0)


def _describe(pattern: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}: {value.isoformat() if isinstance(value, datetime) else value}" for key, value in pattern.items())
