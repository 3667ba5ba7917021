"""Counts cases that belong together: which occurrences form a group, and which cases join or leave one."""

from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.procedures.model.duration import Duration
from shared.procedures.model.procedure import CountEntry


@dataclass(frozen=True, slots=True)
class CounterKey:
    """Identifies a group counter: a procedure (in all its versions), a count entry and a count key."""

    procedure: str
    count: str
    key: str


@dataclass(frozen=True, slots=True)
class GroupQuery:
    """Selects the occurrences on which counting one case depends.

    With a window: at most `max_neighbours` received within `window` before `received_at`, and as many after it. Without: all.
    """

    counter: CounterKey
    received_at: datetime
    window: timedelta | None
    max_neighbours: int


@dataclass(frozen=True, slots=True, order=True)
class Occurrence:
    """One case counted under one count key; `complainant` is empty if unknown, `group` is empty without a group."""

    received_at: datetime
    case: str
    complainant: str = ""
    group: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class GroupCounter:
    """The occurrences of one counter in order of receipt; `open_group` is the group of a count without a window, once it is complete.

    A service loads only a part of them: those that its group queries select, or none where a group is open.
    """

    occurrences: tuple[Occurrence, ...] = ()
    open_group: str = ""


@dataclass(frozen=True, slots=True)
class GroupJoined:
    """A group after a case was counted.

    `new` if this case completed it; `joined` are the cases that became members now, `members` all of them, in order of receipt.
    """

    group: str
    new: bool
    joined: tuple[str, ...]
    members: tuple[str, ...]

    @property
    def first(self) -> str:
        """The case that the other members are linked to."""
        return group_founder(self.group)


@dataclass(frozen=True, slots=True)
class GroupLeft:
    """A group that a case left; `members` remain, `dissolved` if they no longer reach the threshold."""

    group: str
    dissolved: bool
    members: tuple[str, ...]


def group_founder(group: str) -> str:
    """The case that completed a group, read from the group's id (`<count>/<case>`)."""
    return group.partition("/")[2]


def window_length(entry: CountEntry) -> timedelta | None:
    """The longest time between the first and the last case of a group; None: unlimited. Raises `ValueError` for working time and months."""
    if entry.window is None:
        return None
    duration = Duration.parse(entry.window)
    if duration.kind not in ("clock", "days"):
        raise ValueError(f"counts.{entry.id}.window is {entry.window}; a window is clock time or days, e.g. 30m, 2h or 7d")
    return timedelta(microseconds=duration.size) if duration.kind == "clock" else timedelta(days=duration.size)


def max_neighbours(entry: CountEntry) -> int:
    """How many occurrences on each side of a new one can matter: any window that is not full holds fewer than the threshold.

    With `distinct` one complainant may have many occurrences in a window; 20 times the threshold is the bound then.
    """
    return entry.threshold - 1 if entry.distinct is None else 20 * entry.threshold


def count_case(counter: GroupCounter, occurrence: Occurrence, entry: CountEntry) -> tuple[GroupCounter, GroupJoined | None]:
    """The counter with one more case, and the group that this case joins; an earlier occurrence of the same case is replaced."""
    others = [o for o in counter.occurrences if o.case != occurrence.case]
    index = bisect(others, occurrence)
    occurrences = [*others[:index], occurrence, *others[index:]]
    grouped = _grouped_occurrences(occurrences, index, entry, group_is_open=bool(counter.open_group))
    if not grouped:
        return replace(counter, occurrences=tuple(occurrences)), None
    existing = counter.open_group or next((o.group for o in grouped if o.group), "")
    # Pure code draws no random ids: a group is named after the case that completes it.
    group = existing or f"{entry.id}/{occurrence.case}"
    joined = {o.case: None for o in grouped if not o.group}
    updated = tuple(replace(o, group=group) if o.case in joined else o for o in occurrences)
    members = tuple(o.case for o in updated if o.group == group)
    return GroupCounter(updated, group if entry.window is None else ""), GroupJoined(group, not existing, tuple(joined), members)


def remove_case(counter: GroupCounter, case: str, entry: CountEntry) -> tuple[GroupCounter, GroupLeft | None]:
    """The counter without a case, and the group that the case leaves; fewer members than the threshold dissolve the group."""
    removed = next((o for o in counter.occurrences if o.case == case), None)
    occurrences = tuple(o for o in counter.occurrences if o.case != case)
    if removed is None or not removed.group:
        return replace(counter, occurrences=occurrences), None
    members = tuple(o for o in occurrences if o.group == removed.group)
    dissolved = not _reaches_threshold(members, entry)
    if dissolved:
        occurrences = tuple(replace(o, group="") if o.group == removed.group else o for o in occurrences)
    left = GroupLeft(removed.group, dissolved, tuple(o.case for o in members))
    return GroupCounter(occurrences, "" if dissolved else counter.open_group), left


def _grouped_occurrences(occurrences: Sequence[Occurrence], index: int, entry: CountEntry, *, group_is_open: bool) -> Sequence[Occurrence]:
    """The occurrences that form a group with the one at `index`: all without a window, else those of every full window around it."""
    window = window_length(entry)
    if window is None:
        return occurrences if group_is_open or _reaches_threshold(occurrences, entry) else ()
    windows = _windows(occurrences, index, window, max_neighbours(entry))
    full = [(start, end) for start, end in windows if _reaches_threshold(occurrences[start:end], entry)]
    return occurrences[full[0][0] : full[-1][1]] if full else ()


def _windows(occurrences: Sequence[Occurrence], index: int, window: timedelta, neighbours: int) -> Iterator[tuple[int, int]]:
    """Every window (start, end) that holds the occurrence at `index`, in order; each starts at an occurrence."""
    end = index + 1
    last = min(len(occurrences), index + neighbours + 1)
    for start in range(max(0, index - neighbours), index + 1):
        until = occurrences[start].received_at + window
        if until < occurrences[index].received_at:
            continue
        while end < last and occurrences[end].received_at <= until:
            end += 1
        yield start, end


def _reaches_threshold(occurrences: Sequence[Occurrence], entry: CountEntry) -> bool:
    if entry.distinct is None:
        return len(occurrences) >= entry.threshold
    # An unknown complainant counts as a different one, so that an anonymous protest of many is not missed.
    return len({o.complainant or o.case for o in occurrences}) >= entry.threshold
