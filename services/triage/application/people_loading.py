"""Enters the complainants of a batch into the directory of people, and loads from it what counting a batch depends on."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from services.triage.domain.groups.people import NewPeople, PersonDirectory, PersonKeys
from services.triage.storage import persons
from shared.runtime.database.database import Transaction

Submission = tuple[PersonKeys, datetime]
"""A complainant's keys, and the instant of the submission."""


async def enter_people(tx: Transaction, submissions: Sequence[Submission]) -> None:
    """Enter submissions of any procedure; a repeated one changes nothing.

    New keys need no lock of all. Only a submission that joins people, or brings another id_number for a known phone, takes one, which
    is rare: else batches of different procedures would wait for each other.
    """
    named = [(keys, at) for keys, at in submissions if keys]
    if not named:
        return
    keys = {key for keys, _ in named for key in keys}
    new, changes = _enter(await load_keys(tx, keys), named)
    if new == NewPeople():
        return
    fresh = await persons.insert_keys(tx, new.keys)
    # Read again: another transaction may have inserted the same keys, under people of its own, while this one waited.
    new, changes = _enter(await load_keys(tx, keys, fresh), named)
    if changes:
        await persons.lock_joins(tx)
        new, changes = _enter(await load_keys(tx, keys, fresh), named)
        await persons.save_joins(tx, new.joins)
        await persons.log_changes(tx, changes)
    await persons.save_owners(tx, new.owners)


def _enter(directory: PersonDirectory, submissions: Sequence[Submission]) -> tuple[NewPeople, list[tuple[str, datetime]]]:
    """Enter the submissions; returns the new keys and the people whose earlier submissions got other names, with the instant."""
    added, changes = NewPeople(), []
    for keys, at in submissions:
        new = directory.add(keys)
        added.keys |= new.keys
        added.joins += new.joins
        added.owners += new.owners
        changes += [(person, at) for person in new.changed]
    return added, changes


async def load_keys(tx: Transaction, keys: Collection[str], fresh: Iterable[str] = ()) -> PersonDirectory:
    """The people to whom these keys belong, of which this transaction inserted the `fresh` ones."""
    stored = await persons.find_persons_of_keys(tx, keys)
    directory = PersonDirectory(stored, fresh)
    await learn_people(tx, directory, set(stored.values()))
    return directory


async def learn_people(tx: Transaction, directory: PersonDirectory, people: Collection[str]) -> None:
    """Add to the directory what became of these people, and who owns them."""
    roots = await persons.find_roots(tx, people)
    directory.learn(roots, await persons.find_owners(tx, {roots.get(person, person) for person in people}))
