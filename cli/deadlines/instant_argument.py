"""Instants, pauses and extensions as they are given on the command line and in JSON Lines; all become UTC microseconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.sla.domain.deadlines.deadline import Extension
from services.sla.domain.deadlines.pauses import Pauses
from services.sla.domain.deadlines.worktime import micros
from shared.procedures.model.duration import Duration


class InstantError(ValueError):
    """An instant, pause or extension that cannot be read; the text names the field, the rule and the remedy."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a case's history gives: the start, pauses and extensions."""

    start: int
    pauses: Pauses = ()
    extensions: Sequence[Extension] = ()


def instant(name: str, written: object) -> int:
    """Read an instant with an offset as UTC microseconds; raises InstantError."""
    try:
        found = datetime.fromisoformat(written) if isinstance(written, str) else None
    except ValueError:
        found = None
    if found is None:
        raise InstantError(f"{name} {written!r}: is not an instant; write ISO 8601 such as 2026-09-24T16:40:00+08:00")
    if found.tzinfo is None:
        raise InstantError(f"{name} {written!r}: has no offset, so it could be any of many instants; add one such as +08:00")
    return micros(found)


def pause(written: object) -> tuple[int, int | None]:
    """Read a pause: text FROM/TO (FROM/ while it is open) or a pair [from, to] (to null while it is open); raises InstantError."""
    parts = written.split("/") if isinstance(written, str) else written
    if not isinstance(parts, list | tuple) or len(parts) != 2:  # noqa: PLR2004 - from and to
        raise InstantError(f"pause {written!r}: is not from and to; write FROM/TO, or FROM/ while it is open")
    begun, ended = parts
    return instant("pause from", begun), None if ended in (None, "") else instant("pause to", ended)


def extension(written: object) -> Extension:
    """Read an extension: by:2d, until:<instant>, or a mapping with by or until; raises InstantError, DurationError."""
    if isinstance(written, str):
        kind, _, value = written.replace("=", ":", 1).partition(":") if written.startswith(("by", "until")) else ("", "", written)
        written = {kind or _kind(value): value}
    if isinstance(written, Mapping) and len(written) == 1:
        if "by" in written:
            return Extension(by=Duration.parse(written["by"]))
        if "until" in written:
            return Extension(until=instant("extension until", written["until"]))
    raise InstantError(f"extension {written!r}: is neither by nor until; write by:2d or until:2026-10-09T18:00:00+08:00")


def _kind(value: str) -> str:
    return "until" if "T" in value else "by"
