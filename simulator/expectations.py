"""The expectations of a scenario: which keys they may have, and whether events meet them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.contracts.events import EVENT_CLASSES
from shared.procedures.model.clauses import is_clause_or_subclause

_EVENT_FIELDS = frozenset(field.alias or name for cls in EVENT_CLASSES.values() for name, field in cls.model_fields.items()) | {"event"}
_INSTANTS = ("at", "before", "due_at", "from_at", "started_at", "until", "date", "next_date")


def check_expectation(expected: dict[str, Any]) -> None:
    """Check the keys of an expectation and parse its instants in place; raises `ValueError`."""
    if ("event" in expected) == ("absent" in expected):
        raise ValueError(f"expect: {expected} names neither or both of event and absent; give one")
    name = expected.get("event", expected.get("absent"))
    if name not in EVENT_CLASSES:
        raise ValueError(f"expect: there is no event {name!r}; events are {', '.join(sorted(EVENT_CLASSES))}")
    extra = {"absent", "before", "after"} if "absent" in expected else {"times"}
    unknown = [key for key in expected if key not in _EVENT_FIELDS | extra]
    if unknown:
        raise ValueError(f"expect: {unknown[0]} is no field of an event; leave it out or correct it")
    times = expected.get("times", 0)
    if not isinstance(times, int) or isinstance(times, bool) or times < 0:
        raise ValueError(f"expect: times is {times!r}; write how often it happens, such as 1")
    for key in _INSTANTS:
        if key in expected:
            expected[key] = _instant(key, expected[key])


def _instant(key: str, value: Any) -> datetime:
    try:
        instant = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError as error:
        raise ValueError(f"expect: {key} is {value!r}; write an instant such as 2026-09-24T16:40:00+08:00") from error
    if instant.tzinfo is None:
        raise ValueError(f"expect: {key} is {value} without an offset; add one, such as +08:00")
    return instant


def unmet_expectations(expectations: Sequence[dict[str, Any]], events: list[dict[str, Any]]) -> list[str]:
    """What the events do not fulfil, in words; empty if all is met. Events at the same instant have no order among them."""
    problems: list[str] = []
    used: set[int] = set()
    since: datetime | None = None
    for expected in expectations:
        if "absent" in expected:
            problems += _absent(expected, events)
        elif "times" in expected:
            problems += _times(expected, events)
        else:
            found = next(
                (i for i, event in enumerate(events) if i not in used and _not_before(event, since) and event_matches(expected, event)),
                None,
            )
            if found is None:
                problems.append(
                    f"expected {_describe_pattern(expected)}"
                    + (f" at or after {since.isoformat()}" if since else "")
                    + ", which did not happen"
                )
            else:
                used.add(found)
                since = events[found]["at"]
    return problems


def _not_before(event: dict[str, Any], since: datetime | None) -> bool:
    return since is None or event["at"] >= since


def _absent(expected: dict[str, Any], events: list[dict[str, Any]]) -> Iterable[str]:
    pattern = {("event" if key == "absent" else key): value for key, value in expected.items() if key not in ("before", "after")}
    for event in events:
        early = "before" not in expected or event["at"] < expected["before"]
        late = "after" not in expected or event["at"] > expected["after"]
        if early and late and event_matches(pattern, event):
            yield f"{_describe_pattern(pattern)} must not happen, but did at {event['at'].isoformat()}"


def _times(expected: dict[str, Any], events: list[dict[str, Any]]) -> Iterable[str]:
    pattern = {key: value for key, value in expected.items() if key != "times"}
    number = sum(1 for event in events if event_matches(pattern, event))
    if number != expected["times"]:
        yield f"expected {_describe_pattern(pattern)} {expected['times']} times, but it happened {number} times"


def event_matches(expected: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Whether an event has what the expectation gives; a clause matches the same or a finer one, a single value a list that holds it."""
    return all(_field_matches(key, value, event) for key, value in expected.items())


def _field_matches(key: str, value: Any, event: Mapping[str, Any]) -> bool:
    found = event.get(key)
    if key == "clause":
        return any(is_clause_or_subclause(str(own), str(value)) for own in event.get("clauses") or [found])
    if isinstance(found, list) and not isinstance(value, list):
        return value in found
    if isinstance(found, list):
        return sorted(map(str, found)) == sorted(map(str, value))
    return bool(found == value) if found is not None else value in (None, "", False, 0)


def _describe_pattern(expected: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}: {value.isoformat() if isinstance(value, datetime) else value}" for key, value in expected.items())
