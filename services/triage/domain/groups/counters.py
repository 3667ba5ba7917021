"""Group counters: what they remember, what has to be loaded to count one case more, and the groups that come of it."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache

from services.triage.domain.groups.people import PersonKeys
from shared.procedures.model.duration import Duration
from shared.procedures.model.triage.entries import CountEntry


@dataclass(frozen=True, slots=True)
class CounterKey:
    """Identifies a group counter: a procedure (in all its versions), a count entry and a count key.

    `procedure` is `ORGANISATION_SCOPE` for an entry of the organisation.
    """

    procedure: str
    count: str
    key: str


@dataclass(frozen=True, slots=True)
class GroupQuery:
    """Selects the occurrences on which counting one case depends.

    With `complainants`: those of the same person, and of whom else his phones may be. Else with a window: at most `max_neighbours`
    received within `window` before `received_at`, and as many after it. Without: all, or where people are counted one of each person.
    """

    counter: CounterKey
    received_at: datetime
    window: timedelta | None
    max_neighbours: int
    complainants: PersonKeys = ()
    counts_people: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Occurrence:
    """One case counted under one count key.

    `person` is the complainant in the directory of people, empty if unknown or where people are not distinguished; he may have become
    another one since. `group` is empty without a group.
    """

    received_at: datetime
    case: str
    person: str = ""
    group: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class GroupCounter:
    """The occurrences of one counter in order of receipt; `open_group` is the group of a count without a window, once it is complete.

    A service loads only a part of them: those that its group queries select, or none where a group is open. `partial`: a counter of
    people of which one occurrence of each person was loaded, enough to count them but not to name the members.
    """

    occurrences: tuple[Occurrence, ...] = ()
    open_group: str = ""
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """A group and its members, in order of receipt."""

    id: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GroupChanges:
    """The changes caused by counting or removing one case: cases that left and joined groups, as (case, group)."""

    dissolved: tuple[Group, ...] = ()
    left: tuple[tuple[str, Group], ...] = ()
    found: tuple[Group, ...] = ()
    joined: tuple[tuple[str, Group], ...] = ()


def completed(counter: GroupCounter, before: GroupCounter, whole: GroupCounter) -> GroupCounter:
    """A counter with all members of its groups: `before` is what was loaded of it, `whole` all of it, `counter` what events made of it."""
    removed = {o.case for o in before.occurrences} - {o.case for o in counter.occurrences}
    by_case = {o.case: o for o in whole.occurrences if o.case not in removed} | {o.case: o for o in counter.occurrences}
    return replace(counter, occurrences=tuple(sorted(by_case.values())), partial=False)


def group_founder(group: str) -> str:
    """The case that completed a group, read from the group's id (`<count>/<case>`)."""
    return group.partition("/")[2]


def window_length(entry: CountEntry) -> timedelta | None:
    """The longest time between the first and the last case of a group; None: unlimited. Raises `ValueError` for working time and months."""
    if entry.window is None:
        return None
    length = _length(entry.window)
    if length is None:
        raise ValueError(f"counts.{entry.id}.window is {entry.window}; a window is clock time or days, e.g. 30m, 2h or 7d")
    return length


@lru_cache(maxsize=1000)
def _length(window: str) -> timedelta | None:
    # Cached: every occurrence that is counted compares with it.
    duration = Duration.parse(window)
    if duration.kind not in ("clock", "days"):
        return None
    return timedelta(microseconds=duration.size) if duration.kind == "clock" else timedelta(days=duration.size)


def max_neighbours(entry: CountEntry) -> int:
    """Return how many occurrences on each side of one can matter to it: any window that is not full holds fewer than the threshold.

    Where people count one complainant may have many occurrences in a window; 20 times the threshold is the bound then.
    """
    return 20 * entry.threshold if entry.counts_people else entry.threshold - 1


def is_counted_around(entry: CountEntry) -> bool:
    """Whether a change of people has to be counted again around each of their cases: elsewhere one case reaches all of a counter's."""
    return entry.counts_people and entry.window is not None


def group_query(counter: CounterKey, entry: CountEntry, received_at: datetime, complainants: PersonKeys) -> GroupQuery:
    """Return the query for what counting or removing a case depends on.

    Its neighbours, and theirs, since their windows may become full or not full.
    """
    window = window_length(entry)
    return GroupQuery(
        counter,
        received_at,
        None if window is None else 2 * window,
        2 * max_neighbours(entry),
        complainants if entry.same else (),
        counts_people=entry.counts_people,
    )
