"""Finds for each text that counts under an entry with `similar` the event that it describes, which is the case's count key there."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from services.triage.domain.event_assessment import AssessedEvent, count_changes
from services.triage.domain.groups.counters import window_length
from services.triage.domain.reading.reading_copy import ReadingCopy
from services.triage.domain.similar.event_index import EventIndex, Match, Nearness, Remembered
from services.triage.domain.similar.fingerprints import Fingerprint, fingerprint, hashed_grams
from services.triage.domain.triage_case import APART, TriageCase
from shared.contracts.complaint import Complaint
from shared.procedures.model.triage.entries import CountEntry
from shared.procedures.organisation_triage import counting_scope

IndexKey = tuple[str, str]
"""The scope of an entry with `similar`, a procedure in all its versions or the organisation, and the entry's id."""


def index_key(procedure: str, entry: CountEntry) -> IndexKey:
    """The key of the index in which the texts of a procedure's cases are remembered for an entry."""
    return counting_scope(procedure, entry), entry.id


def nearness(entry: CountEntry) -> Nearness:
    """Return the thresholds of an entry with `similar`; raises `ValueError` for one without."""
    window = window_length(entry)
    if entry.similar is None or window is None:
        raise ValueError(f"counts.{entry.id} compares no texts")
    return Nearness(entry.similar.threshold, entry.similar.elsewhere, window, entry.similar.texts, entry.similar.title)


@dataclass
class EventFinder:
    """The remembered texts of entries, by their scope and id."""

    indexes: dict[IndexKey, EventIndex] = field(default_factory=dict)

    def index(self, procedure: str, entry: CountEntry) -> EventIndex:
        """The index of an entry; a later version of the procedure compares by its own thresholds."""
        index = self.indexes.setdefault(index_key(procedure, entry), EventIndex(nearness(entry)))
        index.nearness = nearness(entry)
        return index

    def find(self, assessed: AssessedEvent) -> AssessedEvent:
        """The event with the keys of the events that the case describes, and why; its text is remembered."""
        new = list(_new_texts(assessed.before, assessed.after))
        if not new:
            return assessed
        complaint = assessed.after.complaint
        remembered = fingerprint_of(complaint)
        keys, evidence = dict(assessed.after.count_keys), []
        for entry in new:
            index = self.index(assessed.after.procedure.id, entry)
            (event,) = keys[entry.id]
            # Taken out by a person, a case stays apart, even if it did not count under the entry in between.
            if (known := index.event_of(complaint.case)).endswith(APART):
                event = known
            if not event.endswith(APART) and (match := index.nearest(remembered)) is not None:
                event = match.event
                evidence.append(_explanation(entry, match, complaint))
            keys[entry.id] = (event,)
            index.add(Remembered(index.last_number + 1, event, remembered))
        after = replace(assessed.after, count_keys=keys)
        decision = assessed.decision
        if decision is not None:
            # An amendment is applied by its decision, on the case as groups have left it since.
            decision = replace(decision, count_keys=keys, evidence=(*decision.evidence[: 100 - len(evidence)], *evidence))
        return replace(assessed, after=after, decision=decision, count_changes=tuple(count_changes(assessed.before, after)))


def fingerprint_of(complaint: Complaint) -> Fingerprint:
    """Return the fingerprint that is remembered of a complaint."""
    title, text = _texts(complaint)
    return fingerprint(complaint.case, complaint.received_at, title, text, (complaint.place or "", complaint.object or ""))


def _texts(complaint: Complaint) -> tuple[str, str]:
    reading = ReadingCopy(complaint)
    return reading.field("title"), reading.field("text")


def _new_texts(before: TriageCase | None, after: TriageCase) -> Iterable[CountEntry]:
    """The entries under which the case's text counts now and did not before, and those of which a person took it out."""
    for entry in after.rules.similar_entries:
        known = before.count_keys.get(entry.id) if before else None
        keys = after.count_keys.get(entry.id)
        if keys and (known is None or keys != known):
            yield entry


def _explanation(entry: CountEntry, match: Match, complaint: Complaint) -> str:
    title, text = _texts(complaint)
    names = {**hashed_grams(text[:600], 150), **hashed_grams(title)}
    shared = ", ".join(f"«{names.get(gram, '')}» {weight:.3f}" for gram, weight in match.grams)
    where = f"both name {match.place}" if match.place else "no place in common"
    return f"{entry.id}: like case {match.case}, similarity {match.similarity:.2f}, {where}; shared: {shared}"[:500]
