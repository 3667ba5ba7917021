"""The desk in a real Chromium: every page is accessible in both languages, light and dark, from 360 pixels; and lives."""

import asyncio
import re
from collections.abc import Sequence

import pytest

from tests.e2e.desk.conftest import RunningDesk
from tests.integration.desk.test_access_matrix import ROUTES
from tests.support.browser import WatchedPage
from tests.support.messaging.all_services import http_client
from tests.support.waiting import wait_for

# (language, width in pixels, colour scheme): English words are the longer ones, so they come at the narrowest width.
VIEWS = [("en", 360, "dark"), ("zh", 2560, "light")]
SIGNED_OUT = ["/sign-in", "/signed-out"]
WITHOUT_CASE = [
    "/",
    "/help",
    "/regulations",
    "/regulations/hunan-property",
    "/regulations/hunan-property/what-if",
    "/organisation",
    "/calculator",
    "/calculator?procedure=hunan-property&start=2026-09-24T16:40&duration=7wd&pause_from=2026-09-28T09:00&pause_to=2026-09-29T20:00",
    "/calculator?start=2026-09-30T16:40&clock=hunan-property:second_answer",
    "/?query=电梯&state=all",
    "/people",
    "/complaints/new",
    "/complaints/registered/absent?since=0",
    "/reviews",
    "/escalations",
    "/groups",
    "/proposals",
    "/management",
    "/management?unit=week&only=channel:hotline",
    "/management/cases?figure=registered",
    "/management/reports",
    "/wallboard",
    "/absent",
]
NOT_THERE = ("/absent", "/complaints/registered/absent?since=0")
"""Of these the pages that answer 404."""
OF_A_CASE = [
    "/cases/{case}",
    "/cases/{case}/clocks",
    "/cases/{case}/complainant",
    "/cases/{case}/contact",
    "/cases/{case}/messages/{message}",
    "/cases/{case}/papers",
    "/cases/{case}/actions/answer",
    "/cases/{case}/actions/reopen",
    "/reviews/{case}/why",
]
OTHER_ANSWERS = {
    "/sign-in/start": "leads to the identity provider",
    "/sign-in/callback": "comes from the identity provider",
    "/static/{digest}/{name}": "a file",
    "/changes": "server-sent events",
    "/cases/{case}/evidence": "an archive",
    "/cases/{case}/papers/{form}": "a paper of sla",
    "/regulations/{procedure}/what-if/{run}": "needs a trial: test_what_if_in_browser.py opens it",
    "/regulations/{procedure}/what-if/{run}/differences.csv": "a file",
    "/groups/{group:path}": "needs a group, which one complaint does not make",
    "/management/figures.{kind}": "a file",
    "/management/reports/{procedure}/{duty}/{day}": "needs a report, which comes with the end of its period",
    "/management/reports/{procedure}/{duty}/{day}/document": "a file",
    "/management/reports/{procedure}/{duty}/{day}/lists/{list_id}": "a file",
}
"""Routes that the test of all pages does not open, and why."""


async def open_first_case(watched: WatchedPage) -> None:
    """From the inbox, with the keys alone."""
    await watched.page.keyboard.press("j")
    await watched.page.keyboard.press("o")
    await watched.page.locator("ol.events, .timeline").first.wait_for()


async def first_message(running_desk: RunningDesk, case: str) -> str:
    """The id of the first message that the case requested, once there is one."""
    async with http_client(running_desk.services["sla"], "token-of-li") as client:

        async def requested() -> str:
            events = (await client.get(f"/v1/cases/{case}")).json().get("events", [])
            return next((event["notification"] for event in events if event["event"] == "notification_requested"), "")

        return await wait_for(requested, what="a message of the case")


def test_every_route_is_opened_by_the_browser_test_or_is_no_page() -> None:
    opened = [path.partition("?")[0] for path in (*SIGNED_OUT, *WITHOUT_CASE, *OF_A_CASE)]
    for method, route in ROUTES:
        if method == "GET" and route not in OTHER_ANSWERS:
            pattern = re.sub(r"\{[^}]+\}", "[^/]+", route)
            assert any(re.fullmatch(pattern, path) for path in opened), f"add {route} to WITHOUT_CASE or OF_A_CASE"
    assert set(OTHER_ANSWERS) <= {route for _, route in ROUTES}


@pytest.mark.timeout(300)
async def test_every_page_holds_the_rules_of_accessible_pages(running_desk: RunningDesk) -> None:
    case = await running_desk.submit("三号楼电梯停运", "browser-1")
    message = await first_message(running_desk, case)
    paths = [*WITHOUT_CASE, *(path.format(case=case, message=message) for path in OF_A_CASE)]
    # Side by side: while one view waits for its browser, the other has the processor.
    faults = await asyncio.gather(*(faults_of_view(running_desk, view, paths) for view in VIEWS))
    assert [fault for of_view in faults for fault in of_view] == []


async def faults_of_view(running_desk: RunningDesk, view: tuple[str, int, str], paths: Sequence[str]) -> list[str]:
    """What is wrong with the pages in one language, width and colour scheme."""
    language, width, scheme = view
    context = await running_desk.context(width=width, scheme=scheme)
    page, faults = await context.new_page(), []
    signed_out = WatchedPage(page)
    for path in SIGNED_OUT:
        await page.goto(f"{running_desk.address}{path}")
        faults += await signed_out.faults()
    await page.close()
    watched = await running_desk.signed_in(context, "li", language)
    await watched.page.locator("[data-row]").first.wait_for()
    for path in paths:
        answer = await watched.page.goto(f"{running_desk.address}{path}")
        assert answer is not None
        # A page of a fault, which is accessible too, would hide that the page was not looked at.
        assert answer.status == (404 if path in NOT_THERE else 200), path
        assert await watched.page.locator("html").get_attribute("lang") == {"zh": "zh-CN", "en": "en"}[language]
        faults += [fault for fault in await watched.faults() if "the server responded with a status of 404" not in fault]
    await context.close()
    return faults


@pytest.mark.timeout(300)
async def test_a_case_arrives_on_the_open_page_and_is_opened_with_the_keys(running_desk: RunningDesk) -> None:
    context = await running_desk.context()
    watched = await running_desk.signed_in(context, "li")
    case = await running_desk.submit("三号楼电梯停运", "browser-2")
    # Without loading the page again: the change comes over the open connection.
    await watched.page.locator(f"[data-row] input[value='{case}']").wait_for(timeout=60_000)
    await open_first_case(watched)
    assert watched.errors == []
    await context.close()
