"""Tells complainants apart by their keys: who shares a key is the same person, directly or through a chain of others."""

from collections.abc import Iterable, Mapping, Sequence

PersonKeys = tuple[str, ...]
"""The `complainant_keys` of one submission, each `<field>:<hash>`; empty if nothing identifies the complainant."""
_ID_NUMBER = "id_number:"


def connected(keys: PersonKeys, others: Iterable[PersonKeys]) -> set[str]:
    """All keys that are connected with these through submissions, the given ones included."""
    reached, waiting = set(keys), [set(other) for other in others if other]
    while True:
        near = [other for other in waiting if other & reached]
        if not near:
            return reached
        waiting = [other for other in waiting if not other & reached]
        reached = reached.union(*near)


def people(submissions: Sequence[PersonKeys]) -> list[frozenset[str]]:
    """The names of the persons behind each submission, which depend on the set of submissions alone, not on their order.

    Different id_numbers are different people whatever else agrees, so that a shared phone joins no two of them: a submission with an
    id_number is that person's alone. One without, whose phone or address several of them use, may be any of theirs.
    """
    clusters = _clusters([keys for keys in submissions if keys and not _id_number(keys)])
    owners: dict[str, set[str]] = {}
    for keys in submissions:
        if number := _id_number(keys):
            for key in keys:
                owners.setdefault(clusters.get(key, key), set()).add(number)
    return [_person(keys, clusters, owners) for keys in submissions]


def _person(keys: PersonKeys, clusters: Mapping[str, str], owners: Mapping[str, set[str]]) -> frozenset[str]:
    if not keys:
        return frozenset()
    if number := _id_number(keys):
        return frozenset({number})
    cluster = clusters[keys[0]]
    return frozenset(owners.get(cluster, {cluster}))


def count_people(submissions: Sequence[PersonKeys]) -> int:
    """How many different people made the submissions; each one without a key is a person of its own."""
    # An unknown complainant counts as a different one, so that an anonymous protest of many is not missed.
    unknown = sum(1 for keys in submissions if not keys)
    named = set(people([keys for keys in submissions if keys]))
    certain = {person for names in named if len(names) == 1 for person in names}
    return unknown + len(certain) + sum(1 for names in named if len(names) > 1 and not names & certain)


def _id_number(keys: PersonKeys) -> str:
    return next((key for key in keys if key.startswith(_ID_NUMBER)), "")


def _clusters(submissions: Sequence[PersonKeys]) -> dict[str, str]:
    """Each key with the name of its cluster, which is the smallest key that it is connected with."""
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        while parent.setdefault(key, key) != key:
            parent[key] = parent[parent[key]]  # halves the path: a long chain stays cheap
            key = parent[key]
        return key

    for keys in submissions:
        first, *rest = (root(key) for key in keys)
        for other in rest:
            low, high = sorted((root(first), root(other)))
            parent[high] = low
    return {key: root(key) for key in parent}
