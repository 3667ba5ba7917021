"""The words of a case's messages, which notify renders from the requests that the person may see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from services.desk.application.service_client import ServiceClient, ServiceRefusedError, ServiceUnavailableError
from shared.contracts.events.notifications import NotificationRequested

MessageWords = Mapping[str, list[dict[str, Any]]]
"""Notification → its words by channel and language; a message without an entry could not be rendered."""
SHOWN_AT_ONCE: Final = 10
"""Messages of which the page of a case shows the words, the newest; those of older ones have pages of their own."""
MOST_PREVIEWED: Final = 50
"""As many as notify renders at once; an action causes a few."""
_FIELDS: Final = frozenset(NotificationRequested.model_fields) - {"contact"}


@dataclass(frozen=True, slots=True)
class PreviewedRequest:
    """A message that an action would request: its event, and its words by channel and language, None where notify gives no answer."""

    event: Mapping[str, Any]
    words: list[dict[str, Any]] | None


async def preview_messages(services: ServiceClient, token: str, case: str, body: Mapping[str, Any]) -> list[PreviewedRequest]:
    """The messages that an action would cause now, without taking it; raises as `ServiceClient.post`."""
    answer = await services.post("sla", f"/v1/cases/{quote(case, safe='')}/actions/preview", token, body)
    events = [event for event in answer["messages"] if not event.get("merged_into")][:MOST_PREVIEWED]
    words = await message_words(services, token, case, events)
    return [PreviewedRequest(event, None if words is None else words.get(event.get("notification", ""), [])) for event in events]


async def message_words(services: ServiceClient, token: str, case: str, events: Iterable[Mapping[str, Any]]) -> MessageWords | None:
    """The words of these requests, as sla shows them to the person; None where notify gives no answer."""
    asked = [{**{name: event[name] for name in _FIELDS & event.keys()}, "case": case} for event in events]
    if not asked:
        return {}
    try:
        answer = await services.post("notify", "/v1/messages/previews", token, {"messages": asked})
    except (ServiceUnavailableError, ServiceRefusedError):
        # The rest of the page does without: whoever decides on the case has to read it while notify is down.
        return None
    return {each["notification"]: each["words"] for each in answer["messages"]}
