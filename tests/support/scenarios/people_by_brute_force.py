"""Finds submissions of the same person from the whole set at once, by other code than the service's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from services.triage.domain.groups.people import PersonKeys


def people_by_brute_force(submissions: Sequence[PersonKeys]) -> list[frozenset[str]]:
    """The names of the people behind each submission: its id_number, else the owners of its keys, else one of its keys."""
    neighbours: dict[str, set[str]] = defaultdict(set)
    owners: dict[str, set[str]] = defaultdict(set)
    for keys in submissions:
        for key in keys:
            if numbers := _numbers(keys):
                owners[key].update(numbers)
            else:
                neighbours[key].update(keys)
    names: dict[str, frozenset[str]] = {}
    for key in neighbours:
        if key not in names:
            cluster = _reached(key, neighbours)
            owned = set().union(*(owners[member] for member in cluster))
            names |= dict.fromkeys(cluster, frozenset(owned or {key}))
    return [frozenset(_numbers(keys)) or (names[keys[0]] if keys else frozenset()) for keys in submissions]


def _reached(start: str, neighbours: Mapping[str, set[str]]) -> set[str]:
    reached, waiting = {start}, [start]
    while waiting:
        new = neighbours[waiting.pop()] - reached
        reached |= new
        waiting += new
    return reached


def _numbers(keys: PersonKeys) -> list[str]:
    return [key for key in keys if key.startswith("id_number:")][:1]


def count_people_by_brute_force(names: Sequence[frozenset[str]]) -> int:
    """The least number of people: who may be one that is counted anyway is nobody else."""
    certain = {person for of_one in names if len(of_one) == 1 for person in of_one}
    uncertain = {of_one for of_one in names if len(of_one) > 1 and not of_one & certain}
    return len([1 for of_one in names if not of_one]) + len(certain) + len(uncertain)
