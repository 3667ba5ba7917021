"""Due instants for JSON Lines: each object is returned with its due instant or with its error."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson

from services.sla.calculator.deadline_arguments import InstantError, parse_extension, parse_instant, parse_pause
from services.sla.domain.deadlines.counting import CountingRule, DeadlineError, add_duration
from services.sla.domain.deadlines.deadline import TimeLimit, compute_due
from services.sla.domain.deadlines.explained_segments import format_instant
from services.sla.domain.deadlines.pauses import PauseError, Pauses, merge_pauses
from services.sla.domain.deadlines.worktime import Worktime
from shared.procedures.model.duration import Duration, DurationError

# A batch of a million lines names few durations and rules.
_parse_duration = lru_cache(maxsize=4096)(Duration.parse)
_parse_rule = lru_cache(maxsize=64)(CountingRule.parse)
_ANSWER_FIELDS = frozenset({"due", "provisional", "error"})


def answer_line(worktime: Worktime, line_number: int, line: bytes) -> dict[str, Any]:
    """The line's object with `due` and `provisional`, or with `error`; a line that is no object is named by its number."""
    try:
        parsed = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return {"line": line_number, "error": f"line {line_number}: is not JSON ({error}); write one object a line"}
    if not isinstance(parsed, dict):
        return {"line": line_number, "error": f"line {line_number}: is not an object; write start and duration by name"}
    fields = {name: value for name, value in parsed.items() if name not in _ANSWER_FIELDS}
    try:
        due, provisional = _compute_due(worktime, fields)
    except (DeadlineError, DurationError, PauseError, InstantError) as error:
        return {**fields, "error": str(error)}
    return {**fields, "due": None if due is None else format_instant(worktime, due), "provisional": provisional}


def _compute_due(worktime: Worktime, fields: Mapping[str, Any]) -> tuple[int | None, bool]:
    """The due instant in UTC microseconds, and whether it is provisional."""
    start = parse_instant("start", fields.get("start"))
    text = fields.get("duration")
    # What is not text (a list, say) cannot be a key of the cache; `Duration.parse` refuses it.
    duration = _parse_duration(text) if isinstance(text, str) else Duration.parse(text)
    rule = _parse_rule(
        _text_field(fields, "counting", "exclusive"), _text_field(fields, "roll", "forward"), _text_field(fields, "day_end", "midnight")
    )
    pauses = _parse_pauses(fields.get("pauses"))
    if fields.get("extensions"):
        extensions = [parse_extension(extension) for extension in _list_field(fields, "extensions")]
        due, _, provisional = compute_due(worktime, TimeLimit(start, duration, rule, pauses, extensions))
    else:
        due, _, provisional = add_duration(worktime, start, duration, rule, pauses)
    return due, provisional


def _text_field(fields: Mapping[str, Any], name: str, default: str) -> str:
    value = fields.get(name)
    if value is None:
        return default
    if not isinstance(value, str):
        raise DeadlineError(f"{name} {value!r}: must be text; leave it out for {default}")
    return value


def _list_field(fields: Mapping[str, Any], name: str) -> list[Any]:
    value = fields[name]
    if not isinstance(value, list):
        raise DeadlineError(f"{name} {value!r}: must be a list; write [{{by: 2d}}]")
    return value


def _parse_pauses(value: object) -> Pauses:
    if not value:
        return ()
    if not isinstance(value, list):
        raise InstantError(f"pauses {value!r}: must be a list; write [[from, to], …]")
    return merge_pauses(parse_pause(pause) for pause in value)
