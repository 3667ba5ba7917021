"""Requests for every message that a pack's entries can cause, with sample words or with the longest that people may write."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cli.messages.sample_case import SAMPLE_SOURCE
from shared.contracts.events.notifications import NotificationRequested
from shared.procedures.loading.loader import Pack
from shared.procedures.model.effects import MessageChannel, MessageEffect, Notify, role_tuple
from shared.procedures.model.entry_list import LocatedEntry, all_entries
from shared.procedures.model.procedure import Procedure
from shared.procedures.model.selectors import selected_events
from shared.procedures.model.timed_entries import EscalationLadder, ReactionEntry
from shared.procedures.model.wording import WORDS_OF_PERSONS, Wording

_DUE = {"due_at": "2026-09-24T18:00:00+08:00", "started_at": "2026-09-23T18:00:00+08:00", "overdue": True}


LONGEST_WORDS: dict[str, Any] = {
    **dict.fromkeys(WORDS_OF_PERSONS, "x" * 2000),
    "agreed_date": "2026-09-24T18:00:00+08:00",
    "matter": "x" * 40,
    "number": "XX-2026-000001",
    "department": "property_group",
    "source": SAMPLE_SOURCE.id,
}
"""A person's words have 2,000 characters, the matter 40."""
SAMPLE_WORDS: dict[str, Any] = LONGEST_WORDS | {
    **dict.fromkeys(WORDS_OF_PERSONS, "情况属实，三日内整改完毕"),
    "reason": "等待配件",
    "matter": "3号楼电梯停运，老人上下楼不便",
    "number": "TS-2026-00001",
    "received_at": "2026-09-23T16:40:00+08:00",
    "department": "engineering",
    "date": "2026-09-25T10:00:00+08:00",
    "until": "2026-09-30T18:00:00+08:00",
}
"""A case as it may be, for previews."""


def entry_requests(pack: Pack, words: Mapping[str, Any] = LONGEST_WORDS) -> Iterator[NotificationRequested]:
    """One request for each wording and event of each message effect and ladder; `rule` is the name of the entry."""
    entries = {located.id: located for located in all_entries(pack.procedure)}
    for located in entries.values():
        match located.entry:
            case EscalationLadder() as ladder:
                yield entry_request(pack.procedure, located, ladder.text, "escalated", ["executive"], by=ladder.by, timed=True, words=words)
            case MessageEffect() as effect:
                yield from _of_effect(pack.procedure, effect, entries[located.part_of], words)


def _of_effect(
    procedure: Procedure, effect: MessageEffect, whole: LocatedEntry, words: Mapping[str, Any]
) -> Iterator[NotificationRequested]:
    in_clock = not isinstance(whole.entry, ReactionEntry)
    roles = [*role_tuple(effect.notify)] if isinstance(effect, Notify) else ["owner"]
    if isinstance(whole.entry, ReactionEntry) and isinstance(effect, Notify):
        events = [(selected.event, effect.wording(selected.event)) for selected in selected_events(whole.entry.on)]
    else:
        about = "clock_breached" if isinstance(effect, Notify) else "reminded"
        events = [(about, wording) for wording in effect.wordings()] or [(about, None)]
    for about, wording in dict.fromkeys(events):
        yield entry_request(
            procedure, whole, wording, about, roles, by=effect.by, timed=in_clock, template=effect.template or "", words=words
        )


def entry_request(
    procedure: Procedure,
    located: LocatedEntry,
    wording: Wording | None,
    about: str,
    recipients: list[str],
    *,
    by: Sequence[MessageChannel] = ("sms",),
    timed: bool,
    template: str = "",
    words: Mapping[str, Any] = LONGEST_WORDS,
) -> NotificationRequested:
    """The request of one message; `timed` is one about a clock."""
    values: dict[str, Any] = {
        **words,
        "wording": wording.zh if wording else "",
        "wording_en": wording.en if wording else "",
        **(_DUE if timed else {}),
    }
    return NotificationRequested.model_validate(
        {
            "case": "c",
            "at": datetime(2026, 9, 24, tzinfo=UTC),
            "procedure": procedure.id,
            "version": procedure.version,
            "clause": next(iter(located.clauses), "1"),
            "rule": located.name,
            "about": about,
            "recipients": recipients,
            "values": values,
            "by": list(by),
            "template": template,
        }
    )
