"""Identity of complainants by their keys: submissions that share a key are of one person, directly or through a chain of others."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

PersonKeys = tuple[str, ...]
"""The `complainant_keys` of one submission, each `<field>:<hash>`; empty if nothing identifies the complainant."""
_ID_NUMBER = "id_number:"


@dataclass(slots=True)
class NewPeople:
    """Additions of submissions to a directory: `keys` (key → person), `joins` (person → the one it became), `owners` (person, id_number).

    `changed` are the people whose earlier submissions have other names now, so that their counts have to be taken again; each join
    changes somebody.
    """

    keys: dict[str, str] = field(default_factory=dict)
    joins: list[tuple[str, str]] = field(default_factory=list)
    owners: list[tuple[str, str]] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)


class PersonDirectory:
    """The people behind the keys of all submissions so far, of any procedure and matter, independent of their order.

    A submission without an id_number joins its keys to one person. Different id_numbers are different people whatever else agrees, so
    that a submission with one joins nothing: it only makes its id_number an owner of the other keys.
    """

    def __init__(self, keys: Mapping[str, str] | None = None, fresh: Iterable[str] = ()) -> None:
        self._person_of_key = dict(keys or {})
        self._fresh = set(fresh)
        self._joined: dict[str, str] = {}
        self._owners: dict[str, set[str]] = {}
        # Counting asks for the names of each neighbour of each case: most of the time of a batch without it.
        self._names: dict[str, frozenset[str]] = {}

    def learn(self, roots: Mapping[str, str], owners: Iterable[tuple[str, str]]) -> None:
        """Take over stored people: the person that each became, and the id_numbers that own it."""
        self._names.clear()
        self._joined |= {person: root for person, root in roots.items() if person != root}
        for person, number in owners:
            self._owners.setdefault(self._root(person), set()).add(number)

    def add(self, keys: PersonKeys) -> NewPeople:
        """Enter a submission; a repeated one changes nothing."""
        new = NewPeople()
        number = _id_number(keys)
        contacts = [key for key in keys if not key.startswith(_ID_NUMBER)]
        roots = sorted({self._root(self._person_of_key[key]) for key in contacts if key in self._person_of_key})
        for key in contacts:
            if key not in self._person_of_key:
                # The least name wins, here and when people are joined: names do not depend on the order of arrival within a batch.
                new.keys[key] = key if number else (roots or contacts)[0]
        self._person_of_key |= new.keys
        if number:
            self._add_owner(number, contacts, new)
        else:
            self._join(roots, new)
        return new

    def _add_owner(self, number: str, contacts: Sequence[str], new: NewPeople) -> None:
        for key in contacts:
            root = self._root(self._person_of_key[key])
            if number not in self._owners.setdefault(root, set()):
                self._owners[root].add(number)
                self._names.clear()
                new.owners.append((root, number))
                if key not in new.keys and key not in self._fresh:
                    new.changed.append(root)

    def _join(self, roots: Sequence[str], new: NewPeople) -> None:
        self._names.clear()
        for joined in roots[1:]:
            self._joined[joined] = roots[0]
            self._owners.setdefault(roots[0], set()).update(self._owners.pop(joined, ()))
            new.joins.append((joined, roots[0]))
        if len(roots) > 1:
            new.changed.append(roots[0])

    def person(self, keys: PersonKeys) -> str:
        """The person under which a submission is kept: its id_number, else the one that its keys belong to now; empty without keys.

        Raises `KeyError` for a submission that was not entered.
        """
        return _id_number(keys) or (self._root(self._person_of_key[keys[0]]) if keys else "")

    def names(self, person: str) -> frozenset[str]:
        """The people that may be meant: one without an id_number, whose phone or address several use, may be any of theirs."""
        names = self._names.get(person)
        if names is None:
            names = self._names[person] = self._find_names(person)
        return names

    def _find_names(self, person: str) -> frozenset[str]:
        if not person or person.startswith(_ID_NUMBER):
            return frozenset({person} - {""})
        root = self._root(person)
        return frozenset(self._owners.get(root) or {root})

    def is_one_of(self, person: str, others: Iterable[str]) -> bool:
        """Whether the person has become one of these."""
        return self._root(person) in {self._root(other) for other in others}

    def _root(self, person: str) -> str:
        path = []
        while person in self._joined:
            path.append(person)
            person = self._joined[person]
        for earlier in path[:-1]:
            self._joined[earlier] = person  # a long chain stays cheap
        return person


def connected(names: frozenset[str], others: Iterable[frozenset[str]]) -> set[str]:
    """All names that are connected with these through submissions that may be of several people, the given ones included."""
    reached, waiting = set(names), [other for other in others if other]
    while True:
        near = [other for other in waiting if other & reached]
        if not near:
            return reached
        waiting = [other for other in waiting if not other & reached]
        reached = reached.union(*near)


def count_people(submissions: Iterable[frozenset[str]]) -> int:
    """How many different people made submissions of these names; each one without a name is a person of its own."""
    unknown, named = 0, set()
    for names in submissions:
        if names:
            named.add(names)
        else:
            # An unknown complainant counts as a different one, so that an anonymous protest of many is not missed.
            unknown += 1
    certain = {person for names in named if len(names) == 1 for person in names}
    return unknown + len(certain) + sum(1 for names in named if len(names) > 1 and not names & certain)


def _id_number(keys: PersonKeys) -> str:
    return next((key for key in keys if key.startswith(_ID_NUMBER)), "")
