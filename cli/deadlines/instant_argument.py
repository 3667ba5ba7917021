"""Instants, pauses and extensions as they are given on the command line and in JSON Lines; all become UTC microseconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.sla.domain.deadlines.deadline import Extension
from services.sla.domain.deadlines.pauses import Pauses
from services.sla.domain.deadlines.worktime import to_micros
from shared.procedures.model.duration import Duration


class InstantError(ValueError):
    """An instant, pause or extension that cannot be read; the text names the field, the rule and the remedy."""


@dataclass(frozen=True, slots=True)
class DeadlineRequest:
    """What a case's history gives: the start, pauses and extensions."""

    start: int
    pauses: Pauses = ()
    extensions: Sequence[Extension] = ()


def parse_instant(name: str, argument: object) -> int:
    """Read an instant with an offset as UTC microseconds; raises InstantError."""
    try:
        found = datetime.fromisoformat(argument) if isinstance(argument, str) else None
    except ValueError:
        found = None
    if found is None:
        raise InstantError(f"{name} {argument!r}: is not an instant; write ISO 8601 such as 2026-09-24T16:40:00+08:00")
    if found.tzinfo is None:
        raise InstantError(f"{name} {argument!r}: has no offset, so it could be any of many instants; add one such as +08:00")
    return to_micros(found)


def parse_pause(argument: object) -> tuple[int, int | None]:
    """Read a pause: text FROM/TO (FROM/ while it is open) or a pair [from, to] (to null while it is open); raises InstantError."""
    parts = argument.split("/") if isinstance(argument, str) else argument
    if not isinstance(parts, list | tuple) or len(parts) != 2:  # noqa: PLR2004 - from and to
        raise InstantError(f"pause {argument!r}: is not from and to; write FROM/TO, or FROM/ while it is open")
    begun, ended = parts
    return parse_instant("pause from", begun), None if ended in (None, "") else parse_instant("pause to", ended)


def parse_extension(argument: object) -> Extension:
    """Read an extension: by:2d, until:<instant>, or a mapping with by or until; raises InstantError, DurationError."""
    if isinstance(argument, str):
        kind, _, value = argument.replace("=", ":", 1).partition(":") if argument.startswith(("by", "until")) else ("", "", argument)
        argument = {kind or _kind(value): value}
    if isinstance(argument, Mapping) and len(argument) == 1:
        if "by" in argument:
            return Extension(by=Duration.parse(argument["by"]))
        if "until" in argument:
            return Extension(until=parse_instant("extension until", argument["until"]))
    raise InstantError(f"extension {argument!r}: is neither by nor until; write by:2d or until:2026-10-09T18:00:00+08:00")


def _kind(value: str) -> str:
    return "until" if "T" in value else "by"
