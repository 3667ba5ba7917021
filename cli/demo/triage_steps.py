"""Steps of the demo in which triage and people act together: a duplicate is merged, an anonymous employee reads his answer by code."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import httpx

from cli.demo.month_plan import START
from cli.demo.sender import MAX_ATTEMPTS, DemoSender

ANSWER = "已核对班次记录，多记的两天已改正。"
_HANDLER = "luo-dan"
_DUPLICATE = {
    "title": "物业费多收",
    "text": "听雨轩2201室物业费多收了一个季度，请退还。",
    "object": "听雨轩2201室物业费",
    "complainant": {"kind": "customer", "name": "沈女士", "phone": "13911112222"},
}
_ANONYMOUS = {
    "text": "我是前台员工，客服的加班记录少记了两天，请核对。",
    "complainant": {"kind": "employee", "anonymous": True},
}


async def show_triage_steps(sender: DemoSender) -> list[str]:
    """Take both steps; returns one line for each that did not happen."""
    missing = await asyncio.gather(_merge_duplicate(sender), _answer_anonymous_employee(sender))
    return [line for line in missing if line]


async def _merge_duplicate(sender: DemoSender) -> str:
    """One person complains by hotline and by web page; triage proposes the link, and a person decides on it."""
    lead = await submit(sender, "property-hotline", "hotline", 4, "duplicate-1", _DUPLICATE)
    later = await submit(sender, "property-web", "web", 5, "duplicate-2", _DUPLICATE)
    if lead is None or later is None:
        return "the submissions of one person by two channels were not accepted"
    cases = {lead["case"], later["case"]}

    async def is_proposed() -> bool:
        answer = await sender.http.get(f"{sender.stack.url('triage')}/v1/proposals?limit=100", headers=bearer(sender))
        return answer.is_success and any(all(case in str(item) for case in cases) for item in answer.json()["proposals"])

    if not await happens(is_proposed):
        return "triage did not propose to link the two submissions"
    link = {"action": "link", "role": "assistant", "data": {"case": lead["case"], "as": "duplicate"}}
    await sender.post(f"{sender.stack.url('sla')}/v1/cases/{later['case']}/actions", link, bearer(sender))

    async def is_linked() -> bool:
        answer = await sender.http.get(f"{sender.stack.url('sla')}/v1/cases/{later['case']}", headers=bearer(sender))
        return answer.is_success and any(event["event"] == "linked" and event["as"] == "duplicate" for event in answer.json()["events"])

    if not await happens(is_linked):
        return "the duplicate was not merged"
    sender.counts["duplicates_merged"] += 1
    return ""


async def _answer_anonymous_employee(sender: DemoSender) -> str:
    """An employee complains without a name, and reads with nothing but his code what he was answered."""
    registered = await submit(sender, "property-web", "web", 6, "anonymous-1", _ANONYMOUS)
    if registered is None:
        return "the anonymous complaint was not accepted"
    action = {"action": "answer", "role": "assistant", "data": {"text": ANSWER}}
    await sender.post(f"{sender.stack.url('sla')}/v1/cases/{registered['case']}/actions", action, bearer(sender))

    async def reads_answer() -> bool:
        answer = await sender.http.get(f"{sender.stack.url('sla')}/v1/follow/{registered['follow_code']}")
        return answer.is_success and ANSWER in answer.text

    if not await happens(reads_answer):
        return "the anonymous employee does not find his answer under his code"
    sender.counts["answers_read_by_code"] += 1
    return ""


async def submit(
    sender: DemoSender, source: str, channel: str, day: int, reference: str, content: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Submit on a day of the month; intake's answer, None if it refuses."""
    at = START + timedelta(days=day, hours=1)
    await asyncio.sleep(max(0.0, sender.clock.seconds_until(at)))
    body = {**content, "received_at": at.isoformat(), "channel": channel, "external_id": reference}
    key = sender.secrets["sources"][source]["api_key"]
    sender.counts["received"] += 1
    answer = await sender.post(f"{sender.stack.url('intake')}/v1/complaints", body, {"Authorization": f"Bearer {key}"})
    if answer is None or not answer.is_success:
        sender.counts["refused"] += 1
        return None
    document: dict[str, Any] = answer.json()
    sender.accept("http", document["case"])
    return document


async def happens(condition: Callable[[], Awaitable[bool]]) -> bool:
    """Whether the condition becomes true while the services work off what came before."""
    for attempt in range(MAX_ATTEMPTS):
        try:
            if await condition():
                return True
        except httpx.TransportError:
            pass
        await asyncio.sleep(0.05 * (attempt + 1))
    return False


def bearer(sender: DemoSender, person: str = _HANDLER) -> dict[str, str]:
    """The header with the token of a person of the organisation."""
    return {"Authorization": f"Bearer {sender.secrets['people'][person]['token']}"}
