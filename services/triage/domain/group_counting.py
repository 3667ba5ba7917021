"""Counting cases that belong together: which marks make a group, and who joins one that is already found. Regulations 4, 5 and 10."""

from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.procedures.model.duration import Duration
from shared.procedures.model.procedure import CountEntry


@dataclass(frozen=True, slots=True)
class CounterKey:
    """Which tally: counting is per procedure, whatever its version, and per entry and key."""

    procedure: str
    count: str
    key: str


@dataclass(frozen=True, slots=True, order=True)
class Occurrence:
    """One case under one key: when it was received, by whom it came (empty: unknown), and the group that it belongs to, if any."""

    received_at: datetime
    case: str
    complainant: str = ""
    group: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class GroupCounter:
    """All marks of one count and key, in order of receipt; `group` is the one that is open for good where there is no window.

    A slice is enough: with a window the marks so far before and after the new one, without a window none once a group is found.
    """

    marks: tuple[Occurrence, ...] = ()
    open_group: str = ""


@dataclass(frozen=True, slots=True)
class GroupJoined:
    """A group: `new` at the case that completes it; `joined` are those who became members just now, `members` all, in order of receipt."""

    group: str
    new: bool
    joined: tuple[str, ...]
    members: tuple[str, ...]

    @property
    def first(self) -> str:
        """The case that the others are linked to."""
        return self.group.partition("/")[2]


@dataclass(frozen=True, slots=True)
class GroupLeft:
    """A case that no longer counts left its group; `dissolved` where too few are left, who are `members`."""

    group: str
    dissolved: bool
    members: tuple[str, ...]


def window_length(entry: CountEntry) -> timedelta | None:
    """How far apart the first and the last of a group may be; None: any distance. Raises `ValueError` for working time and months."""
    if entry.window is None:
        return None
    duration = Duration.parse(entry.window)
    if duration.kind not in ("clock", "days"):
        raise ValueError(f"counts.{entry.id}.window is {entry.window}; a window is clock time or days, e.g. 30m, 2h or 7d")
    return timedelta(microseconds=duration.size) if duration.kind == "clock" else timedelta(days=duration.size)


def max_neighbours(entry: CountEntry) -> int:
    """How many marks before and after a new one can matter: a window that it fills holds no more than the threshold.

    With `distinct` one complainant may have many marks in it, so that there it is a generous bound.
    """
    return entry.threshold - 1 if entry.distinct is None else 20 * entry.threshold


def count_case(counter: GroupCounter, occurrence: Occurrence, entry: CountEntry) -> tuple[GroupCounter, GroupJoined | None]:
    """Count one more case; a case that is already there takes its new mark."""
    others = [m for m in counter.marks if m.case != occurrence.case]
    place = bisect(others, occurrence)
    marks = [*others[:place], occurrence, *others[place:]]
    together = _grouped_occurrences(marks, place, entry, standing=bool(counter.open_group))
    if not together:
        return replace(counter, marks=tuple(marks)), None
    known = counter.open_group or next((m.group for m in together if m.group), "")
    group = known or f"{entry.id}/{occurrence.case}"
    joined = {m.case: None for m in together if not m.group}
    after = tuple(replace(m, group=group) if m.case in joined else m for m in marks)
    members = tuple(m.case for m in after if m.group == group)
    return GroupCounter(after, group if entry.window is None else ""), GroupJoined(group, not known, tuple(joined), members)


def remove_case(counter: GroupCounter, case: str, entry: CountEntry) -> tuple[GroupCounter, GroupLeft | None]:
    """Take a case out; the group that it leaves ends where fewer than the threshold remain."""
    gone = next((m for m in counter.marks if m.case == case), None)
    marks = tuple(m for m in counter.marks if m.case != case)
    if gone is None or not gone.group:
        return replace(counter, marks=marks), None
    rest = tuple(m for m in marks if m.group == gone.group)
    dissolved = not _reaches_threshold(rest, entry)
    if dissolved:
        marks = tuple(replace(m, group="") if m.group == gone.group else m for m in marks)
    left = GroupLeft(gone.group, dissolved, tuple(m.case for m in rest))
    return GroupCounter(marks, "" if dissolved else counter.open_group), left


def _grouped_occurrences(marks: Sequence[Occurrence], place: int, entry: CountEntry, *, standing: bool) -> Sequence[Occurrence]:
    """Those who count together with the mark at `place`: everyone without a window, else all whose window with it is full."""
    span = window_length(entry)
    if span is None:
        return marks if standing or _reaches_threshold(marks, entry) else ()
    near = max_neighbours(entry)
    full = [(i, j) for i, j in _windows(marks, place, span, near) if _reaches_threshold(marks[i:j], entry)]
    return marks[full[0][0] : full[-1][1]] if full else ()


def _windows(marks: Sequence[Occurrence], place: int, span: timedelta, near: int) -> Iterator[tuple[int, int]]:
    """Every window (from, to) that holds the mark at `place`, in order: each begins with a mark at most `span` before it."""
    end = place + 1
    last = min(len(marks), place + near + 1)
    for first in range(max(0, place - near), place + 1):
        until = marks[first].received_at + span
        if until < marks[place].received_at:
            continue
        while end < last and marks[end].received_at <= until:
            end += 1
        yield first, end


def _reaches_threshold(marks: Sequence[Occurrence], entry: CountEntry) -> bool:
    if entry.distinct is None:
        return len(marks) >= entry.threshold
    # Whoever is unknown cannot be told from others: he counts as one more, so that an anonymous protest is not overlooked.
    return len({m.complainant or m.case for m in marks}) >= entry.threshold
