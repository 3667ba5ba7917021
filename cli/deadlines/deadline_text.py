"""Formats an answer of `jiesu deadline` as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_UNIT_NAMES = {"s": "seconds", "wd": "working days", "d": "days", "instant": ""}


def deadline_lines(answer: Mapping[str, Any]) -> Iterator[str]:
    """The due instant and its explanation; for a procedure's clock, those of each of its due entries, reminders and occurrences."""
    if "dues" not in answer:
        yield from _explained_due(answer)
        return
    yield f"{answer['procedure']} version {answer['version']}, clock {answer['clock']}, clause {answer['clause']}, start {answer['start']}"
    if answer.get("when"):
        yield f"when {answer['when']} ({_applies(answer['applies'])})"
    for due in answer["dues"]:
        condition = f", when {due['when']} ({_applies(due['applies'])})" if due["when"] else ""
        yield f"within {due['within']}, clause {due['clause']}{condition}"
        yield from (f"  {line}" for line in _explained_due(due))
    for reminder in answer["reminders"]:
        yield f"reminder {reminder['reminder']}: {reminder['at'] or 'none'}"
    for occurrence in answer["occurrences"]:
        yield f"occurrence {occurrence['number']}: {occurrence['due']}{_provisional_note(occurrence)}"


def _explained_due(answer: Mapping[str, Any]) -> Iterator[str]:
    explanation = answer["explanation"]
    yield f"due {answer['due'] or 'not yet: paused, or not known'}{_provisional_note(answer)}"
    if explanation is None:
        return
    calendar = explanation["calendar"]
    yield f"calendar {calendar['id']}, version {calendar['version']}, zone {calendar['zone']}"
    yield f"counted {explanation['counted_duration']}, {explanation['counting']}, from {explanation['start']}"
    for segment in explanation["segments"]:
        yield f"  {_format_segment(segment, explanation['unit'])}"
    if explanation["total"] is not None:
        yield f"  = {explanation['total']} {_UNIT_NAMES[explanation['unit']]}"
    for pause in explanation["pauses"]:
        yield f"paused {pause['from']} to {pause['to'] or 'open'}"
    for extension in explanation["extensions"]:
        yield "extended " + ", ".join(f"{name} {value}" for name, value in extension.items())
    if rolled := explanation["rolled"]:
        over = ", ".join(f"{day['day']} {day['because']}" for day in rolled["over"])
        yield f"rolled from {rolled['from']} to {rolled['to']}, over {over}"
    if replaced := explanation["replaced"]:
        yield f"replaced by {replaced['by']}; counted would be {replaced['counted'] or 'nothing'}"


def _format_segment(segment: Mapping[str, Any], unit: str) -> str:
    if "day" in segment:
        return f"{segment['day']} {segment['amount']} {segment['because']}{' (not published)' if segment.get('guessed') else ''}"
    return f"{segment['from']} to {segment['to']}: {segment['amount']} {_UNIT_NAMES[unit]}"


def _provisional_note(answer: Mapping[str, Any]) -> str:
    return " (provisional: a later day's schedule is not published)" if answer["provisional"] else ""


def _applies(value: bool | None) -> str:
    return {True: "applies", False: "does not apply", None: "depends on the case"}[value]
