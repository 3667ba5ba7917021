"""Deadlines by the line: one JSON object in, the same object out with its due instant, or with what is wrong."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson

from cli.deadlines.instant_argument import InstantError, parse_extension, parse_instant, parse_pause
from services.sla.domain.deadlines.counting import CountingRule, DeadlineError, add_duration
from services.sla.domain.deadlines.deadline import TimeLimit, compute_due
from services.sla.domain.deadlines.explanation import format_instant
from services.sla.domain.deadlines.pauses import PauseError, Pauses, merge_pauses
from services.sla.domain.deadlines.worktime import Worktime
from shared.procedures.model.duration import Duration, DurationError

_duration = lru_cache(maxsize=4096)(Duration.parse)


@lru_cache(maxsize=64)
def _rule(counting: str, roll: str, day_end: str) -> CountingRule:
    return CountingRule.parse(counting, roll, day_end)


def answer_line(worktime: Worktime, line_number: int, line: bytes) -> dict[str, Any]:
    """Answer one line: the object with `due` and `provisional`, or with `error`; a line that is no object gives its number."""
    try:
        given = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return {"line": line_number, "error": f"line {line_number}: is not JSON ({error}); write one object a line"}
    if not isinstance(given, dict):
        return {"line": line_number, "error": f"line {line_number}: is not an object; write start and duration by name"}
    given = {key: value for key, value in given.items() if key not in ("due", "provisional", "error")}
    try:
        due, provisional = _due_of(worktime, given)
    except (DeadlineError, DurationError, PauseError, InstantError) as error:
        return {**given, "error": str(error)}
    return {**given, "due": None if due is None else format_instant(worktime, due), "provisional": provisional}


def _due_of(worktime: Worktime, given: dict[str, Any]) -> tuple[int | None, bool]:
    start = parse_instant("start", given.get("start"))
    written = given.get("duration")
    duration = _duration(written) if isinstance(written, str) else Duration.parse(written)
    choices = [
        _text_option(given, "counting", "exclusive"),
        _text_option(given, "roll", "forward"),
        _text_option(given, "day_end", "midnight"),
    ]
    rule, pauses = _rule(*choices), _pauses(given.get("pauses"))
    if given.get("extensions"):
        return compute_due(
            worktime, TimeLimit(start, duration, rule, pauses, [parse_extension(each) for each in _list_option(given, "extensions")])
        )[::2]
    due, _, provisional = add_duration(worktime, start, duration, rule, pauses)
    return due, provisional


def _text_option(given: dict[str, Any], name: str, default: str) -> str:
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
    return merge_pauses(parse_pause(each) for each in given)


def _list_option(given: dict[str, Any], name: str) -> list[Any]:
    value = given[name]
    if not isinstance(value, list):
        raise DeadlineError(f"{name} {value!r}: must be a list; write [{{by: 2d}}]")
    return value
