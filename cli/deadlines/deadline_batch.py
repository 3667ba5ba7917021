"""Deadlines by the line: one JSON object in, the same object out with its due instant, or with what is wrong."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson

from cli.deadlines.instant_argument import InstantError, extension, instant, pause
from services.sla.domain.deadlines.counting import DeadlineError, Rule, reach
from services.sla.domain.deadlines.deadline import Limit, due_at
from services.sla.domain.deadlines.explanation import iso
from services.sla.domain.deadlines.pauses import PauseError, Pauses, joined
from services.sla.domain.deadlines.worktime import Worktime
from shared.procedures.model.duration import Duration, DurationError

_duration = lru_cache(maxsize=4096)(Duration.parse)


@lru_cache(maxsize=64)
def _rule(counting: str, roll: str, day_end: str) -> Rule:
    return Rule.of(counting, roll, day_end)


def answer(worktime: Worktime, number: int, line: bytes) -> dict[str, Any]:
    """Answer one line: the object with `due` and `provisional`, or with `error`; a line that is no object gives its number."""
    try:
        given = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return {"line": number, "error": f"line {number}: is not JSON ({error}); write one object a line"}
    if not isinstance(given, dict):
        return {"line": number, "error": f"line {number}: is not an object; write start and duration by name"}
    given = {key: value for key, value in given.items() if key not in ("due", "provisional", "error")}
    try:
        due, provisional = _due(worktime, given)
    except (DeadlineError, DurationError, PauseError, InstantError) as error:
        return {**given, "error": str(error)}
    return {**given, "due": None if due is None else iso(worktime, due), "provisional": provisional}


def _due(worktime: Worktime, given: dict[str, Any]) -> tuple[int | None, bool]:
    start = instant("start", given.get("start"))
    written = given.get("duration")
    duration = _duration(written) if isinstance(written, str) else Duration.parse(written)
    choices = [_choice(given, "counting", "exclusive"), _choice(given, "roll", "forward"), _choice(given, "day_end", "midnight")]
    rule, pauses = _rule(*choices), _pauses(given.get("pauses"))
    if given.get("extensions"):
        return due_at(worktime, Limit(start, duration, rule, pauses, [extension(each) for each in _list(given, "extensions")]))[::2]
    due, _, provisional = reach(worktime, start, duration, rule, pauses)
    return due, provisional


def _choice(given: dict[str, Any], name: str, default: str) -> str:
    value = given.get(name)
    if value is None:
        return default
    if not isinstance(value, str):
        raise DeadlineError(f"{name} {value!r}: must be text; leave it out for {default}")
    return value


def _pauses(given: object) -> Pauses:
    if not given:
        return ()
    if not isinstance(given, list):
        raise InstantError(f"pauses {given!r}: must be a list; write [[from, to], …]")
    return joined(pause(each) for each in given)


def _list(given: dict[str, Any], name: str) -> list[Any]:
    value = given[name]
    if not isinstance(value, list):
        raise DeadlineError(f"{name} {value!r}: must be a list; write [{{by: 2d}}]")
    return value
