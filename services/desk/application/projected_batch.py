"""Collects what a batch adds to the tables beside the rows of cases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from services.desk.domain.case_row import CaseRow
from services.desk.domain.deadline_row import deadline_change
from services.desk.domain.search_grams import MAX_TEXT, grams, normalise, row_grams, text_grams
from shared.contracts.events.base import CaseEvent, ClockEvent

_TEXT_FIELDS = ("title", "text", "object", "place", "product", "demand")
_STATUS = {"notification_sent": ("sent", 1), "notification_delivered": ("delivered", 2), "notification_failed": ("failed", 2)}
_NO_TEXT: Mapping[str, Any] = {"words": "", "grams": ()}
RunKey = tuple[str, str, int]


class ProjectedBatch:
    """Rows to write, as JSON objects of their tables."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.runs: dict[RunKey, list[dict[str, Any]]] = defaultdict(list)
        self.messages: list[dict[str, Any]] = []
        self.deliveries: dict[str, dict[str, Any]] = {}
        self.attachments: list[dict[str, Any]] = []
        self.texts: dict[str, str] = {}
        self.appended: dict[str, list[str]] = defaultdict(list)
        self.reindexed: set[str] = set()
        self.erased: set[str] = set()

    def add_complaint(self, event: Any, hidden: frozenset[str]) -> None:
        """The searchable text and the attachments of a registration."""
        complaint = event.complaint
        texts = [getattr(complaint, name) for name in _TEXT_FIELDS if name not in hidden]
        self.texts[event.case] = normalise(" ".join([event.number or complaint.number, *filter(None, texts)]))[:MAX_TEXT]
        self._add_attachments(event, complaint.attachments)

    def add_event(self, event: CaseEvent, body: bytes, hidden: frozenset[str]) -> None:
        """An event of case-events that is new."""
        self.events.append(
            {
                "case_id": event.case,
                "sequence": event.sequence,
                "type": event.type,
                "role": event.role,
                "actor": event.actor,
                "clause": event.clause,
                "rule": event.rule,
                "body": body.decode("utf-8", "replace"),
                "at": event.at,
            }
        )
        if isinstance(event, ClockEvent):
            change = deadline_change(event)
            if change is not None:
                self.runs[event.case, event.clock, event.round].append(change)
        else:
            self._add_contents(event, hidden)

    def _add_contents(self, event: Any, hidden: frozenset[str]) -> None:
        match event.type:
            case "registered":
                self.add_complaint(event, hidden)
            case "amended":
                texts = [str(event.fields[name]) for name in _TEXT_FIELDS if event.fields.get(name) and name not in hidden]
                self.appended[event.case] += texts
            case "supplemented" if event.text and "text" not in hidden:
                self.appended[event.case].append(event.text)
            case "notification_requested":
                self._add_message(event)
            case "notification_sent" | "notification_delivered" | "notification_failed":
                # sla records what notify reported: an export of the ledger holds the outcomes that the topic no longer keeps.
                self.add_outcome(event)
            case "person_erased":
                self.erased.add(event.case)
        self._add_attachments(event, getattr(event, "attachments", ()))

    def add_outcome(self, event: Any) -> None:
        """An outcome of notification-events."""
        status, rank = _STATUS.get(event.type, ("", 0))
        known = self.deliveries.get(event.delivery)
        if event.delivery and rank and (known is None or known["rank"] <= rank):
            self.deliveries[event.delivery] = {
                "delivery": event.delivery,
                "case_id": event.case,
                "notification": event.notification,
                "channel": event.channel,
                "recipient": event.recipient,
                "status": status,
                "reason": event.reason,
                "attempts": event.attempts,
                "rank": rank,
                "at": event.at,
            }

    def merged_runs(self, known: Mapping[RunKey, Mapping[str, Any]]) -> list[dict[str, Any]]:
        """One row for each run: its changes in order, over what is stored."""
        merged = []
        for key, changes in self.runs.items():
            row = dict(changes[-1])
            stored = known.get(key)
            row["state"] = next((each["state"] for each in reversed(changes) if each["state"]), "") or (stored["state"] if stored else "")
            earlier_due = stored["due_at"] if stored else None
            for change in changes:
                earlier_due = earlier_due if change["keeps_due"] else change["due_at"]
            row["due_at"] = earlier_due
            for name in ("started_at", "breached_at"):
                row[name] = next((each[name] for each in changes if each[name]), None)
            row["ended_at"] = next((each["ended_at"] for each in reversed(changes) if each["ended_at"]), None)
            for name in ("clause", "role"):
                row[name] = next((each[name] for each in reversed(changes) if each[name]), "")
            merged.append(row)
        return merged

    def search_rows(self, rows: Mapping[str, CaseRow], known: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The searchable text and grams of each case that changed; a case without a registration has none."""
        changed = []
        for case in sorted({*self.texts, *self.appended, *self.reindexed}):
            row, stored = rows[case], known.get(case, _NO_TEXT)
            words = self.texts.get(case, stored["words"])
            added = normalise(" ".join(self.appended.get(case, ())))
            words = f"{words} {added}".strip()[:MAX_TEXT]
            if words and row.received_at is not None:
                of_text = text_grams(stored["grams"]) if words == stored["words"] else grams(words)
                keys = row_grams(of_text, row.received_at, row.seen_by, is_open=row.state == "open")
                changed.append({"case_id": case, "words": words, "received_at": row.received_at, "grams": keys})
        return changed

    def _add_message(self, event: Any) -> None:
        names = ("notification", "template", "about", "merged_into", "recipients", "persons", "urgent", "at")
        if event.notification:
            self.messages.append({"case_id": event.case, **{name: getattr(event, name) for name in names}})

    def _add_attachments(self, event: Any, attachments: Any) -> None:
        for attachment in attachments or ():
            self.attachments.append({"case_id": event.case, "attachment": attachment, "sequence": event.sequence, "at": event.at})
