"""Steps of the demo: a model routes messages, a person decides the unsure ones, messages in different words report one event."""

from __future__ import annotations

import asyncio
from typing import Any

from cli.demo.learning.trained_model import CHANNEL, SOURCE
from cli.demo.sender import DemoSender
from cli.demo.triage_steps import bearer, happens, submit

SURE_TEXTS = {
    "电梯又坏了两天没有人修，老人下不了楼": "property_engineering",
    "垃圾堆在楼道里没有清运，很臭": "property_environment",
}
"""Messages in words of the history, and the department that the model is to choose."""
UNSURE_TEXTS = {
    "门口的事情请物业给个说法": "property_order",
    "业主群里大家都很有意见，希望开个会": "property_service",
}
"""Messages in words that speak for no department, and the one that a person chooses."""
EVENT_TEXTS = (
    "紫藤苑游泳池的水发绿，孩子身上起疹子",
    "紫藤苑游泳池水发绿，小孩游完起疹子",
    "孩子在紫藤苑游泳池游泳后起疹子，水发绿",
    "紫藤苑游泳池水质不好，水发绿，孩子起疹子",
)
"""One event as four people describe it."""
_READERS = ("desk-lin", "luo-dan", "xie-fang", "guo-qiang", "ma-chao")
"""People whom the messages may concern, by the department that each went to."""
_REVIEWER = "desk-lin"


async def show_learning_steps(sender: DemoSender) -> list[str]:
    """Take all steps; returns one line for each that did not happen."""
    sure = (_route_by_model(sender, 7, text, department) for text, department in SURE_TEXTS.items())
    unsure = (_decide_review(sender, 8, text, department) for text, department in UNSURE_TEXTS.items())
    missing = await asyncio.gather(*sure, *unsure, _alarm_event(sender, 9))
    return [line for line in missing if line]


async def _route_by_model(sender: DemoSender, day: int, text: str, department: str) -> str:
    """No rule knows the message, and the model is sure of its department."""
    case = await _submit_note(sender, day, text)
    if case is None:
        return f"a message for {department} was not accepted"

    async def is_routed() -> bool:
        return any(
            event["event"] == "routed" and event["department"] == department and event.get("model") and not event.get("review")
            for event in await _read_events(sender, case)
        )

    if not await happens(is_routed):
        return f"the model did not route a message to {department}"
    sender.counts["routed_by_model"] += 1
    return ""


async def _decide_review(sender: DemoSender, day: int, text: str, department: str) -> str:
    """The model is not sure of the message: it waits in the queue until a person decides."""
    case = await _submit_note(sender, day, text)
    if case is None:
        return "a message for review was not accepted"
    url = f"{sender.stack.url('sla')}/v1/reviews"

    async def is_waiting() -> bool:
        answer = await sender.http.get(f"{url}?reason=confidence", headers=bearer(sender, _REVIEWER))
        return answer.is_success and any(review["case"] == case for review in answer.json()["reviews"])

    if not await happens(is_waiting):
        return "a message of which the model is not sure is not in review"
    await sender.post(f"{url}/{case}", {"department": department, "role": "assistant"}, bearer(sender, _REVIEWER))

    async def is_decided() -> bool:
        decided = (event for event in await _read_events(sender, case) if event["event"] == "review_decided")
        return any(event["department"] == department for event in decided)

    if not await happens(is_decided):
        return f"the review of a message for {department} was not decided"
    sender.counts["reviews_decided"] += 1
    return ""


async def _alarm_event(sender: DemoSender, day: int) -> str:
    """Submit four messages about one event in different words; triage reports the group at the fourth."""
    cases = [await _submit_note(sender, day, text) for text in EVENT_TEXTS]
    accepted = [case for case in cases if case is not None]
    if len(accepted) < len(EVENT_TEXTS):
        return "the messages on one event were not accepted"

    async def is_alarmed() -> bool:
        events = [event for case in accepted for event in await _read_events(sender, case)]
        return any(event["event"] == "group_found" and set(event["members"]) == set(accepted) for event in events)

    if not await happens(is_alarmed):
        return "one event in other words was not alarmed"
    sender.counts["events_in_other_words"] += 1
    return ""


async def _submit_note(sender: DemoSender, day: int, text: str) -> str | None:
    """Submit a message of a resident of its own; its case, None if intake refuses."""
    number = [*SURE_TEXTS, *UNSURE_TEXTS, *EVENT_TEXTS].index(text)
    complainant = {"kind": "customer", "name": f"住户{number}", "phone": f"1392222{number:04}"}
    registered = await submit(sender, SOURCE, CHANNEL, day, f"note-{number}", {"text": text, "complainant": complainant})
    return None if registered is None else str(registered["case"])


async def _read_events(sender: DemoSender, case: str) -> list[dict[str, Any]]:
    """Read the case's events with the token of the first person who may; empty while no one may."""
    for person in _READERS:
        answer = await sender.http.get(f"{sender.stack.url('sla')}/v1/cases/{case}", headers=bearer(sender, person))
        if answer.is_success:
            events: list[dict[str, Any]] = answer.json()["events"]
            return events
    return []
