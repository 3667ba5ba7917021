"""Builds the complainant's view of his case: what he may know and do, without the remarks of staff."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import tzinfo
from typing import Any

from services.sla.domain.lifecycle.case import Case
from services.sla.domain.lifecycle.decision_builder import END_EVENTS
from services.sla.domain.lifecycle.defaults.acting_roles import ACTIONS_BY_ROLE
from services.sla.domain.messages.message_values import matter_line
from services.sla.domain.rules.rulebook import Rulebook
from services.sla.domain.views.action_windows import action_ends
from services.sla.domain.views.instants import event_in_zone, to_text
from services.sla.domain.views.promised_steps import promised_steps
from shared.procedures.access import COMPLAINANT

STEP_FIELDS: dict[str, str] = {
    "registered": "",
    "accepted": "",
    "refused": "reason",
    "contacted": "",
    "surveyed": "",
    "first_answered": "text",
    "answered": "text",
    "date_agreed": "date",
    "work_started": "",
    "handled": "",
    "supplemented": "text",
    "urged": "",
    "withdrawn": "",
    "rated": "score",
    "closed": "",
    "reopened": "",
}
"""Events that a complainant may see, with the one field that was addressed to him or by him; all others are internal."""
_OWN_WORDS = ("text", "reason")
"""Fields of the events that the complainant brought about himself; his page shows him what he wrote."""
_RATEABLE_AFTER = frozenset({"first_answered", "answered", "handled", "refused", "closed"})
_WHILE_OPEN = ("supplement", "urge", "withdraw")
_ALL_ACTIONS = (*_WHILE_OPEN, "rate", "reopen")


def follow_document(case: Case, rulebook: Rulebook, events: Sequence[dict[str, Any]], zone: tzinfo) -> dict[str, Any]:
    """Number, matter, status, steps so far and to come, the actions that the complainant may take and until when, and why not the others.

    Instants are text in the zone.
    """
    offered = tuple(action for action in open_actions(case, events) if action not in case.windows)
    return {
        "number": case.number,
        "matter": _matter(case, events),
        "status": case.status,
        "received_at": to_text(case.received_at, zone),
        "steps": list(_steps(event_in_zone(event, rulebook.procedure, zone) for event in events if event["event"] in STEP_FIELDS)),
        "next": promised_steps(case, rulebook, zone),
        "actions": list(offered),
        "until": action_ends(case, rulebook, offered, zone),
        "unavailable": _unavailable(case, offered),
    }


def _matter(case: Case, events: Sequence[dict[str, Any]]) -> str:
    """The matter as it was registered: the case's text grows by supplements, those of the complainants of duplicates too."""
    registered = next((event["complaint"] for event in events if event["event"] == "registered" and event.get("complaint")), case.complaint)
    return matter_line({"title": case.complaint.get("title"), "text": registered.get("text")})


def open_actions(case: Case, events: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """Return the actions that the complainant may take now; `amend` is left out, since a person has to judge what he means."""
    rating = ("rate",) if any(event["event"] in _RATEABLE_AFTER for event in events) else ()
    actions = (*_WHILE_OPEN, *rating) if case.open else ("supplement", *rating, "reopen")
    return tuple(action for action in actions if action in ACTIONS_BY_ROLE[COMPLAINANT])


def _unavailable(case: Case, offered: tuple[str, ...]) -> dict[str, str]:
    """Action → why it is not offered now: `no_answer_yet`, `not_ended`, `ended` or `expired`."""
    ended = "not_ended" if case.open else "ended"
    reasons = dict.fromkeys(_ALL_ACTIONS, ended) | {"rate": "no_answer_yet"} | dict.fromkeys(case.windows, "expired")
    return {action: reasons[action] for action in _ALL_ACTIONS if action not in offered}


def _steps(events: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The steps; `after_end` marks an urging of a case that had ended: the request to open it again, on which a person decides."""
    ended = False
    for event in events:
        ended = event["event"] in END_EVENTS or (ended and event["event"] != "reopened")
        yield _step(event) | ({"after_end": True} if ended and event["event"] == "urged" else {})


def _step(event: dict[str, Any]) -> dict[str, Any]:
    # Of what a person of the organisation adds to a step only the field that the step is for: the rest may be a remark.
    own = _OWN_WORDS if event.get("role") == COMPLAINANT else ()
    names = dict.fromkeys((STEP_FIELDS[event["event"]], *own))
    return {"event": event["event"], "at": event["at"], **{name: event[name] for name in names if event.get(name) not in (None, "")}}
