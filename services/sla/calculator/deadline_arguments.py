"""Parses instants, pauses and extensions of the command line and of JSON Lines; instants become UTC microseconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.sla.domain.deadlines.deadline import Extension
from services.sla.domain.deadlines.pauses import Pauses
from services.sla.domain.deadlines.worktime import to_micros
from shared.procedures.model.duration import Duration


class InstantError(ValueError):
    """An instant, pause or extension that cannot be parsed; the text names the field, the rule and the remedy."""


@dataclass(frozen=True, slots=True)
class DeadlineRequest:
    """The start, pauses and extensions for which a due instant is computed."""

    start: int
    pauses: Pauses = ()
    extensions: Sequence[Extension] = ()


def parse_instant(name: str, argument: object) -> int:
    """Parse an instant with an offset, as UTC microseconds; `name` is the field in errors. Raises `InstantError`."""
    try:
        instant = datetime.fromisoformat(argument) if isinstance(argument, str) else None
    except ValueError:
        instant = None
    if instant is None:
        raise InstantError(f"{name} {argument!r}: is not an instant; write ISO 8601 such as 2026-09-24T16:40:00+08:00")
    if instant.tzinfo is None:
        raise InstantError(f"{name} {argument!r}: has no offset, so it could be any of many instants; add one such as +08:00")
    return to_micros(instant)


def parse_pause(argument: object) -> tuple[int, int | None]:
    """Parse `FROM/TO` (`FROM/` while it is open) or a pair `[from, to]` (`to` null while it is open); raises `InstantError`."""
    parts = argument.split("/") if isinstance(argument, str) else argument
    if not isinstance(parts, list | tuple) or len(parts) != 2:  # noqa: PLR2004 - from and to
        raise InstantError(f"pause {argument!r}: is not from and to; write FROM/TO, or FROM/ while it is open")
    begin, end = parts
    return parse_instant("pause from", begin), None if end in (None, "") else parse_instant("pause to", end)


def parse_extension(argument: object) -> Extension:
    """Parse `by:2d`, `until:<instant>`, either value alone, or a mapping with `by` or `until`; raises `InstantError`, `DurationError`."""
    if isinstance(argument, str):
        kind, _, value = argument.replace("=", ":", 1).partition(":") if argument.startswith(("by", "until")) else ("", "", argument)
        # Only an instant holds a T: durations are lower case.
        argument = {kind or ("until" if "T" in value else "by"): value}
    if isinstance(argument, Mapping) and len(argument) == 1:
        if "by" in argument:
            return Extension(by=Duration.parse(argument["by"]))
        if "until" in argument:
            return Extension(until=parse_instant("extension until", argument["until"]))
    raise InstantError(f"extension {argument!r}: is neither by nor until; write by:2d or until:2026-10-09T18:00:00+08:00")
