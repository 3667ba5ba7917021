"""Counts cases that belong together: which occurrences form a group, and which cases join or leave one."""

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from services.triage.domain.groups.counters import Group, GroupChanges, GroupCounter, Occurrence, max_neighbours, window_length
from services.triage.domain.groups.people import PersonDirectory, connected, count_people
from shared.procedures.model.triage.entries import CountEntry


class PartialCounterError(Exception):
    """A group is completed or dissolved, so that all members are needed."""


def count_case(
    counter: GroupCounter, occurrence: Occurrence, entry: CountEntry, people: PersonDirectory, label: str = ""
) -> tuple[GroupCounter, GroupChanges]:
    """The counter with one more case, and the groups that change; an earlier occurrence of the same case is replaced.

    `label` is the first part of the id of a new group, else the entry's id. Raises `PartialCounterError`.
    """
    others = [o for o in counter.occurrences if o.case != occurrence.case]
    index = bisect_left(others, occurrence)
    occurrences = [*others[:index], occurrence, *others[index:]]
    return _regroup(replace(counter, occurrences=tuple(occurrences)), occurrence, entry, people, label or entry.id)


def recount_case(
    counter: GroupCounter, case: str, entry: CountEntry, people: PersonDirectory, label: str = ""
) -> tuple[GroupCounter, GroupChanges]:
    """The counter after its groups near a case were found again, because the case's complainant turned out to be another person too.

    Raises `PartialCounterError`.
    """
    counted = next((o for o in counter.occurrences if o.case == case), None)
    if counted is None and counter.partial and entry.window is None:
        # Another case of this complainant was loaded: without a window any occurrence shows whether a group changes.
        counted = next(iter(counter.occurrences), None)
    return (counter, GroupChanges()) if counted is None else _regroup(counter, counted, entry, people, label or entry.id)


def remove_case(
    counter: GroupCounter, case: str, entry: CountEntry, people: PersonDirectory, label: str = ""
) -> tuple[GroupCounter, GroupChanges]:
    """The counter without a case, and the groups that change; a group of which no full window is left is dissolved."""
    removed = next((o for o in counter.occurrences if o.case == case), None)
    if removed is None:
        return counter, GroupChanges()
    remaining = replace(counter, occurrences=tuple(o for o in counter.occurrences if o.case != case))
    return _regroup(remaining, removed, entry, people, label or entry.id)


def _regroup(
    counter: GroupCounter, changed: Occurrence, entry: CountEntry, people: PersonDirectory, label: str
) -> tuple[GroupCounter, GroupChanges]:
    """Group the occurrences again that the changed one, which is counted or was removed, may affect."""
    occurrences, has_enough = counter.occurrences, partial(_reaches_threshold, entry=entry, people=people)
    if entry.same is None and entry.window is None:
        components, affected = _whole_counter(counter, changed, entry, has_enough)
    elif entry.same is not None:
        components, affected = _groups_of_people(occurrences, changed, entry, people)
    else:
        components, affected = _groups_of_windows(occurrences, changed, entry, has_enough)
    groups = _assigned_groups(counter, components, set(affected), changed, label)
    updated = tuple(replace(o, group=group) if group != o.group else o for o, group in zip(occurrences, groups, strict=True))
    changes = _group_changes(counter, updated, changed)
    if counter.partial and (changes.left or (changes.found and entry.window is None)):
        raise PartialCounterError
    open_group = next((o.group for o in updated if o.group), "") if entry.window is None and entry.same is None else ""
    if counter.open_group and not changes.dissolved:
        open_group = counter.open_group
    return replace(counter, occurrences=updated, open_group=open_group), changes


Components = list[list[int]]
"""The groups that hold now, each by the indexes of its occurrences, in order."""
HasEnough = Callable[[Sequence[Occurrence]], bool]
"""Whether occurrences reach the threshold of their entry."""


def _whole_counter(counter: GroupCounter, changed: Occurrence, entry: CountEntry, has_enough: HasEnough) -> tuple[Components, list[int]]:
    indexes = list(range(len(counter.occurrences)))
    is_counted = changed in counter.occurrences
    # Only the new case was loaded: without a window an open group takes every case, and a further one cannot make the others fewer.
    stays_open = bool(counter.open_group) and is_counted and not entry.counts_people
    holds = stays_open or has_enough(counter.occurrences)
    return ([indexes] if holds and indexes else []), indexes


def _groups_of_people(
    occurrences: Sequence[Occurrence], changed: Occurrence, entry: CountEntry, people: PersonDirectory
) -> tuple[Components, list[int]]:
    """Groups of one complainant each, of the occurrences that are connected with the changed one."""
    names = [people.names(o.person) for o in occurrences]
    reached = connected(people.names(changed.person), names)
    affected = [index for index in range(len(occurrences)) if not reached.isdisjoint(names[index])]
    by_person: dict[str, list[int]] = {}
    for index in affected:
        for name in names[index]:
            by_person.setdefault(name, []).append(index)
    window = window_length(entry)
    components: Components = []
    for indexes in sorted(by_person.values()):
        of_person = [occurrences[index] for index in indexes]
        parts = [list(range(len(indexes)))] if window is None else _full_runs(of_person, window, lambda part: len(part) >= entry.threshold)
        components += [[indexes[part] for part in positions] for positions in parts if len(positions) >= entry.threshold]
    return components, affected


def _groups_of_windows(
    occurrences: Sequence[Occurrence], changed: Occurrence, entry: CountEntry, has_enough: HasEnough
) -> tuple[Components, list[int]]:
    """Groups of the occurrences near the changed one; farther ones keep theirs, since no window that holds both can be full by it."""
    window, neighbours = window_length(entry) or timedelta(), max_neighbours(entry)
    index = bisect_left(occurrences, changed)
    is_counted = index < len(occurrences) and occurrences[index].case == changed.case
    first, last = max(0, index - 2 * neighbours), min(len(occurrences), index + 2 * neighbours + is_counted)
    near = [i for i in range(first, last) if abs(occurrences[i].received_at - changed.received_at) <= 2 * window]
    # Windows that start later hold no affected case, and may be cut off here: with fewer cases there can seem to be more people.
    last_start = changed.received_at + window
    components = [[near[part] for part in run] for run in _full_runs([occurrences[i] for i in near], window, has_enough, last_start)]
    if is_counted and not entry.counts_people:
        return components, [i for i in near if not occurrences[i].group]  # one more case makes no window less full
    return components, [
        i for i in near if abs(occurrences[i].received_at - changed.received_at) <= window and index - neighbours <= i <= index + neighbours
    ]


def _full_runs(
    occurrences: Sequence[Occurrence], window: timedelta, has_enough: HasEnough, last_start: datetime | None = None
) -> Iterator[list[int]]:
    """Runs of overlapping full windows, each by the positions of its occurrences; without the windows that start after `last_start`."""
    run: list[int] = []
    end = 0
    for start, first in enumerate(occurrences):
        if last_start is not None and first.received_at > last_start:
            break
        while end < len(occurrences) and occurrences[end].received_at <= first.received_at + window:
            end += 1
        if not has_enough(occurrences[start:end]):
            continue
        if run and run[-1] < start:
            yield run
            run = []
        run += range(run[-1] + 1 if run else start, end)
    if run:
        yield run


def _assigned_groups(counter: GroupCounter, components: Components, affected: set[int], changed: Occurrence, label: str) -> list[str]:
    """The group of each occurrence: a component keeps the first group that one of its members has, else it gets a new one."""
    occurrences = counter.occurrences
    groups = ["" if index in affected else o.group for index, o in enumerate(occurrences)]
    taken: set[str] = set()
    for component in components:
        kept = (groups[index] for index in component if index not in affected)
        earlier = (o.group for index in component if (o := occurrences[index]).group not in taken)
        group = next(filter(None, [counter.open_group, *kept, *earlier]), "")
        group = group or _new_group(occurrences, component, changed, label, taken)
        taken.add(group)
        for index in component:
            groups[index] = groups[index] or group
    return groups


def _new_group(occurrences: Sequence[Occurrence], component: Sequence[int], changed: Occurrence, label: str, taken: Collection[str]) -> str:
    """The id of a new group, by the case that completes it; another member's, where that case has completed one before."""
    cases = [occurrences[index].case for index in component]
    # Pure code draws no random ids: a group is named after the case that completes it.
    founders = [*([changed.case] if changed.case in cases else []), *reversed(cases)]
    used = {*taken, *(o.group for o in occurrences)}
    return next((group for case in founders if (group := f"{label}/{case}") not in used), f"{label}/{founders[0]}")


def _group_changes(before: GroupCounter, after: Sequence[Occurrence], changed: Occurrence) -> GroupChanges:
    old_groups = {o.case: o.group for o in before.occurrences}
    # A removed case is no longer among the occurrences, and a counted one had no group.
    if all(o.case != changed.case for o in after) and changed.group:
        old_groups[changed.case] = changed.group
    members: dict[str, list[str]] = {}
    for o in after:
        members.setdefault(o.group, []).append(o.case)
    known = {group for group in old_groups.values() if group} | ({before.open_group} - {""})
    new_groups = {o.case: o.group for o in after}
    left = [(case, group) for case, group in old_groups.items() if group and new_groups.get(case, "") != group]
    left.sort(key=lambda item: item[0] != changed.case)
    joined = [(o.case, o.group) for o in after if o.group and old_groups.get(o.case, "") != o.group]

    def group_of(group: str) -> Group:
        return Group(group, tuple(members.get(group, ())))

    gone = dict.fromkeys(group for _, group in left if group not in members)
    return GroupChanges(
        dissolved=tuple(Group(group, tuple(case for case, old in left if old == group and case in new_groups)) for group in gone),
        left=tuple((case, group_of(group)) for case, group in left),
        found=tuple(group_of(group) for group in dict.fromkeys(group for _, group in joined if group not in known)),
        joined=tuple((case, group_of(group)) for case, group in joined),
    )


def _reaches_threshold(occurrences: Sequence[Occurrence], *, entry: CountEntry, people: PersonDirectory) -> bool:
    if len(occurrences) < entry.threshold:
        return False
    return not entry.counts_people or count_people(people.names(o.person) for o in occurrences) >= entry.least_people
