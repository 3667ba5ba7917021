"""Deadlines as lines of text, for reading."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_NAMED = {"s": "seconds", "wd": "working days", "d": "days", "instant": ""}


def deadline_lines(answer: Mapping[str, Any]) -> Iterator[str]:
    """Write an answer of `jiesu deadline`: the due instant, then why."""
    if "dues" not in answer:
        yield from _deadline(answer)
        return
    yield f"{answer['procedure']} version {answer['version']}, clock {answer['clock']}, clause {answer['clause']}, start {answer['start']}"
    if answer.get("when"):
        yield f"when {answer['when']} ({_applies(answer['applies'])})"
    for due in answer["dues"]:
        condition = f", when {due['when']} ({_applies(due['applies'])})" if due["when"] else ""
        yield f"within {due['within']}, clause {due['clause']}{condition}"
        yield from (f"  {line}" for line in _deadline(due))
    for reminder in answer["reminders"]:
        yield f"reminder {reminder['reminder']}: {reminder['at'] or 'none'}"
    for one in answer["occurrences"]:
        yield f"occurrence {one['number']}: {one['due']}{_provisional_note(one)}"


def _deadline(found: Mapping[str, Any]) -> Iterator[str]:
    why = found["explanation"]
    yield f"due {found['due'] or 'not yet: paused, or not known'}{_provisional_note(found)}"
    if why is None:
        return
    calendar = why["calendar"]
    yield f"calendar {calendar['id']}, version {calendar['version']}, zone {calendar['zone']}"
    yield f"counted {why['counted_duration']}, {why['counting']}, from {why['start']}"
    for segment in why["segments"]:
        yield f"  {_segment(segment, why['unit'])}"
    if why["total"] is not None:
        yield f"  = {why['total']} {_NAMED[why['unit']]}"
    for pause in why["pauses"]:
        yield f"paused {pause['from']} to {pause['to'] or 'open'}"
    for extension in why["extensions"]:
        yield "extended " + ", ".join(f"{name} {value}" for name, value in extension.items())
    if why["rolled"]:
        over = ", ".join(f"{day['day']} {day['because']}" for day in why["rolled"]["over"])
        yield f"rolled from {why['rolled']['from']} to {why['rolled']['to']}, over {over}"
    if why["replaced"]:
        yield f"replaced by {why['replaced']['by']}; counted would be {why['replaced']['counted'] or 'nothing'}"


def _segment(segment: Mapping[str, Any], unit: str) -> str:
    if "day" in segment:
        return f"{segment['day']} {segment['amount']} {segment['because']}{' (not published)' if segment.get('guessed') else ''}"
    return f"{segment['from']} to {segment['to']}: {segment['amount']} {_NAMED[unit]}"


def _provisional_note(found: Mapping[str, Any]) -> str:
    return " (provisional: a later day's schedule is not published)" if found["provisional"] else ""


def _applies(value: bool | None) -> str:
    return {True: "applies", False: "does not apply", None: "depends on the case"}[value]
