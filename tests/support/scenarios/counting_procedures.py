"""Two procedures that count people in every way, random submissions under them, and their groups by brute force."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from services.triage.domain.groups.people import PersonKeys
from shared.contracts.events.triage import Registered
from shared.procedures.model.triage.entries import CountEntry
from tests.support.messaging.sample_organisation import registered_event, sample_complaint
from tests.support.scenarios.people_by_brute_force import count_people_by_brute_force, people_by_brute_force

START = datetime(2026, 9, 24, 8, 0, tzinfo=UTC)
WINDOW_MINUTES = 30
COUNTS: list[dict[str, Any]] = [
    {"id": "cases", "key": "facts.policy", "threshold": 3, "window": "30m", "does": {"set": {"crowd": True}}},
    {"id": "people", "key": "facts.policy", "threshold": 3, "distinct": "complainant", "does": {"set": {"protest": True}}},
    {"id": "burst", "key": "facts.policy", "threshold": 3, "distinct": "complainant", "window": "30m", "does": {"reclassify": "batch"}},
    {"id": "person", "key": "facts.policy", "threshold": 2, "same": "complainant", "does": {"as": "repeat", "set": {"repeated": True}}},
    {"id": "hasty", "key": "facts.policy", "threshold": 2, "same": "complainant", "window": "30m", "does": {"as": "repeat"}},
]


def procedure(id_: str) -> dict[str, Any]:
    """A procedure with these counts."""
    facts = {name: {"type": "bool"} for name in ("crowd", "protest", "repeated")}
    return {
        "id": id_,
        "version": 1,
        "title": {"zh": "计数", "en": "Counting"},
        "register": {"number": "C-{year}-{seq:05}"},
        "roles": ["handler"],
        "facts": {"policy": {"type": "text"}, **facts},
        "classes": [{"id": "batch", "when": "false"}, {"id": "ordinary"}],
        "counts": COUNTS,
    }


@dataclass(frozen=True, slots=True)
class CountedSubmission:
    """One submission; the instant of receipt is distinct from that of all others, and names the case."""

    procedure: str
    policy: str
    minute: float
    keys: PersonKeys

    @property
    def case(self) -> str:
        """The case's id."""
        return f"{self.procedure}-{self.minute:.10g}"

    def registered(self) -> Registered:
        """The registration as intake publishes it."""
        at = START + timedelta(minutes=self.minute)
        complaint = sample_complaint(self.case, at, facts={"policy": self.policy}, complainant={"id": next(iter(self.keys), None)})
        return registered_event(complaint, self.procedure, 1).model_copy(update={"complainant_keys": list(self.keys)})


KEYS = ("email:a", "email:b", "id_number:1", "phone:x", "phone:y", "phone:z")
_complainants = st.sets(st.sampled_from(KEYS), max_size=3).map(lambda keys: tuple(sorted(keys)))


@st.composite
def submissions(draw: st.DrawFn, procedures: Sequence[str], max_size: int = 16) -> list[CountedSubmission]:
    """Submissions in random order of arrival."""
    minutes = draw(st.permutations(range(0, 5 * max_size, 5)))[: draw(st.integers(1, max_size))]
    choices = st.tuples(st.sampled_from(procedures), st.sampled_from(["p", "q"]), _complainants)
    return [CountedSubmission(id_, policy, minute, keys) for minute in minutes for id_, policy, keys in [draw(choices)]]


def members_by_brute_force(all_submissions: Sequence[CountedSubmission]) -> set[tuple[str, str, str, str]]:
    """All cases in groups, as (procedure, count, key, case), from the whole set at once."""
    names = dict(zip(all_submissions, people_by_brute_force([s.keys for s in all_submissions]), strict=True))
    by_counter: dict[tuple[str, str], list[CountedSubmission]] = defaultdict(list)
    for submission in all_submissions:
        by_counter[submission.procedure, submission.policy].append(submission)
    members = set()
    for counter, submissions_of_counter in by_counter.items():
        counted = sorted(submissions_of_counter, key=lambda s: s.minute)
        for entry in map(CountEntry.model_validate, COUNTS):
            of_counter = [(s.minute, names[s]) for s in counted]
            members |= {(counter[0], entry.id, counter[1], counted[i].case) for i in grouped_by_brute_force(entry, of_counter)}
    return members


def grouped_by_brute_force(entry: CountEntry, counted: Sequence[tuple[float, frozenset[str]]]) -> set[int]:
    """The positions of the cases in groups, of (minute, names of the complainant) in order of receipt; a window has 30 minutes."""
    window = math.inf if entry.window is None else WINDOW_MINUTES
    grouped: set[int] = set()
    for start, _ in counted:
        inside = [index for index, (minute, _) in enumerate(counted) if start <= minute <= start + window]
        people = sorted(set().union(*(names for _, names in counted)))
        parts = [inside] if entry.same is None else [[i for i in inside if person in counted[i][1]] for person in people]
        for part in parts:
            different = count_people_by_brute_force([counted[index][1] for index in part]) if entry.distinct or entry.people else 0
            number = different if entry.distinct else len(part)
            grouped |= set(part) if number >= entry.threshold and different >= (entry.people or 0) else set()
    return grouped
