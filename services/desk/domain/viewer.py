"""The part of the read model that a person may see, as sets of keys that SQL compares."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial

from shared.procedures.access import AccessPolicy, Actor
from shared.procedures.accused import names_that_exclude
from shared.procedures.organisation import Organisation, Person

_PERSON = "p:"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Keys of a person. `sees` None: cases of every department; `accused_as`: names in `against` that keep a case from him."""

    person: str
    sees: tuple[str, ...] | None
    accused_as: tuple[str, ...]
    own: tuple[str, ...]
    roles: tuple[str, ...]

    @property
    def own_people(self) -> tuple[str, ...]:
        """The people of `own`: the viewer, and those whom he replaces."""
        return tuple(key.removeprefix(_PERSON) for key in self.own)

    def may_see(self, seen_by: frozenset[str], against: frozenset[str]) -> bool:
        """The SQL condition of storage/visibility.py on the two columns of a case."""
        return (self.sees is None or not seen_by.isdisjoint(self.sees)) and against.isdisjoint(self.accused_as)


def department_key(department: str) -> str:
    """The key of a department; of the empty name: of cases that no department is responsible for."""
    return f"d:{department}"


def person_key(person: str) -> str:
    """The key of the person who handles a case."""
    return f"{_PERSON}{person}"


def case_keys(organisation: Organisation, department: str, proposed: str, cooperating: Iterable[str], handler: str) -> list[str]:
    """Keys of those who see a case, by the rules of `shared.procedures.access`: the departments concerned and the handler."""
    responsible = department or ("" if proposed == organisation.catch_all else proposed)
    units = [unit for unit in (responsible, *cooperating) if unit and organisation.department(unit) is not None]
    keys = [department_key(unit) for unit in units or [""]]
    return sorted({*keys, *([person_key(handler)] if handler else [])})


class Viewers:
    """Makes the viewer of a person."""

    def __init__(self, organisation: Organisation) -> None:
        self._organisation = organisation
        self._policy = AccessPolicy(organisation)
        self._accused_as = lru_cache(maxsize=1000)(partial(names_that_exclude, organisation))

    def viewer(self, person: Person, at: datetime) -> Viewer:
        """The keys of the person and of those whom they replace at that instant."""
        actor = Actor(person.id, person)
        departments = self._policy.readable_departments(actor, at)
        represented = self._policy.represented_ids(actor, at)
        own = tuple(sorted(person_key(each) for each in represented))
        sees = None
        if departments is not None:
            # Cases without a department concern whoever holds a role: one of them has to find them.
            unrouted = ("",) if person.roles else ()
            sees = tuple(sorted({*own, *(department_key(each) for each in (*departments, *unrouted))}))
        return Viewer(person.id, sees, tuple(sorted(self._accused_as(person.id))), own, tuple(person.roles))
