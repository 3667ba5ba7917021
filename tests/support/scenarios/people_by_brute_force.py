"""Who is the same person, computed from the whole set of submissions at once, by other code than the service's."""

from __future__ import annotations

from collections.abc import Sequence

from services.triage.domain.groups.people import PersonKeys


def people_by_brute_force(submissions: Sequence[PersonKeys]) -> list[frozenset[str]]:
    """The names of the people behind each submission: its id_number, else the owners of its keys, else the least of its keys."""
    clusters: list[set[str]] = []
    for keys in submissions:
        if keys and not _numbers(keys):
            near = [cluster for cluster in clusters if not cluster.isdisjoint(keys)]
            clusters = [cluster for cluster in clusters if cluster.isdisjoint(keys)]
            clusters.append(set(keys).union(*near))
    return [_names(keys, clusters, submissions) for keys in submissions]


def _names(keys: PersonKeys, clusters: Sequence[set[str]], submissions: Sequence[PersonKeys]) -> frozenset[str]:
    if not keys or _numbers(keys):
        return frozenset(_numbers(keys))
    cluster = next(cluster for cluster in clusters if not cluster.isdisjoint(keys))
    owners = {number for others in submissions for number in _numbers(others) if not cluster.isdisjoint(others)}
    return frozenset(owners or {min(cluster)})


def _numbers(keys: PersonKeys) -> list[str]:
    return [key for key in keys if key.startswith("id_number:")][:1]


def count_people_by_brute_force(names: Sequence[frozenset[str]]) -> int:
    """The least number of people: who may be one that is counted anyway is nobody else."""
    certain = {person for of_one in names if len(of_one) == 1 for person in of_one}
    uncertain = {of_one for of_one in names if len(of_one) > 1 and not of_one & certain}
    return len([1 for of_one in names if not of_one]) + len(certain) + len(uncertain)
