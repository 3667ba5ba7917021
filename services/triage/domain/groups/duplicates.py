"""Finds the earlier submission of the same person on the same matter, which triage links or proposes as a duplicate."""

from bisect import insort
from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

import orjson

from services.triage.domain.groups.counters import GroupCounter, Occurrence, window_length
from services.triage.domain.groups.people import PersonDirectory
from services.triage.domain.reading.reading_copy import ReadingCopy, read_text
from shared.contracts.complaint import Complaint
from shared.procedures.model.procedure import Procedure
from shared.procedures.model.triage.entries import CountEffect, CountEntry, DuplicateRule

DUPLICATES = "(duplicates)"
"""The counter of submissions by matter; in brackets, since no count entry of a procedure can have such an id."""
RULE = "duplicates"
_DEFAULT_MATTER = ("object", "title", "text")


def duplicates_entry(procedure: Procedure) -> CountEntry:
    """The entry under which submissions are kept by matter, so that storage and locks are those of the counts of people."""
    rule = procedure.duplicates
    return CountEntry.model_construct(
        id=DUPLICATES,
        clause=rule.clause if rule else None,
        key="",
        threshold_=2,
        window_=rule.within if rule else None,
        same="complainant",
        reaches_back=False,
        does=CountEffect.model_validate({"as": "duplicate"}),
    )


def matter_key(rule: DuplicateRule | None, complaint: Complaint, facts: Mapping[str, Any], reading: ReadingCopy | None = None) -> str:
    """The matter of a complaint as a key; empty where it does not state what the rule compares.

    Without a rule: what the complaint is about, else its title, else its text.
    """
    read = ReadingCopy(complaint) if reading is None else reading
    values = [(name, _value(complaint, facts, name, read)) for name in _matter_fields(rule, complaint, facts, read)]
    return _digest(values) if values and all(value for _, value in values) else ""


def matter_fields(rule: DuplicateRule | None, complaint: Complaint, facts: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields and facts that make up the matter of a complaint."""
    return _matter_fields(rule, complaint, facts, ReadingCopy(complaint))


def _matter_fields(rule: DuplicateRule | None, complaint: Complaint, facts: Mapping[str, Any], reading: ReadingCopy) -> tuple[str, ...]:
    if rule is not None:
        return tuple(rule.same)
    return next(((name,) for name in _DEFAULT_MATTER if _value(complaint, facts, name, reading)), ())


def _value(complaint: Complaint, facts: Mapping[str, Any], name: str, reading: ReadingCopy) -> str:
    """The value in a normal form, so that spaces and the order of names make no other matter; empty if there is none."""
    is_fact = name.startswith("facts.")
    value = facts.get(name.removeprefix("facts.")) if is_fact else getattr(complaint, name, None)
    if isinstance(value, str) and not is_fact:
        # Read once for the rules already: reading the texts again for the key took a third of what reading them takes.
        return " ".join(reading.field(name).split())
    if isinstance(value, list | tuple):
        return "\n".join(sorted(map(_text, value)))
    return _text(value)


def _text(value: Any) -> str:
    return "" if value is None else " ".join(read_text(str(value)).split())


def _digest(values: Iterable[tuple[str, str]]) -> str:
    return sha256(orjson.dumps(list(values))).hexdigest()


def add_submission(
    counter: GroupCounter, submission: Occurrence, entry: CountEntry, people: PersonDirectory
) -> tuple[GroupCounter, list[tuple[str, bool]]]:
    """The counter with one more submission, and the others of the same person within the window, the latest first.

    Each comes with whether the person is certain: a phone that several id_numbers use may be anybody's of them.
    """
    others = [o for o in counter.occurrences if o.case != submission.case]
    own, window = people.names(submission.person), window_length(entry)
    same = [
        (o, len(own) == len(person) == 1)
        for o in others
        if own & (person := people.names(o.person)) and (window is None or abs(o.received_at - submission.received_at) <= window)
    ]
    # The latest is the one that is most likely to be open still.
    same.sort(key=lambda item: item[0], reverse=True)
    insort(others, submission)
    return replace(counter, occurrences=tuple(others)), [(o.case, certain) for o, certain in same]


def earlier_submissions(counter: GroupCounter, case: str, entry: CountEntry, people: PersonDirectory) -> list[tuple[str, str]]:
    """Each submission of a case's complainant but the first, with the latest one before it within the window, in order of receipt."""
    persons = next((people.names(o.person) for o in counter.occurrences if o.case == case), frozenset())
    own = [o for o in counter.occurrences if persons & people.names(o.person)]
    window = window_length(entry)
    pairs = []
    for index, submission in enumerate(own):
        # Who uses the phone of two people may be either of them, and joins neither to the other.
        names = people.names(submission.person)
        before = [o for o in own[:index] if names & people.names(o.person)]
        if before and (window is None or submission.received_at - before[-1].received_at <= window):
            pairs.append((submission.case, before[-1].case))
    return pairs


def remove_submission(counter: GroupCounter, case: str) -> GroupCounter:
    """The counter without the submission of a case."""
    return replace(counter, occurrences=tuple(o for o in counter.occurrences if o.case != case))
