"""The desk in a real Chromium: every page is accessible in both languages, light and dark, from 360 pixels; and works without script."""

import pytest

from tests.e2e.desk.conftest import RunningDesk
from tests.support.browser import WatchedPage

# (language, width in pixels, colour scheme)
VIEWS = [("zh", 360, "dark"), ("en", 1280, "light"), ("zh", 2560, "light")]
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
    "/absent",
]
OF_A_CASE = ["/cases/{case}", "/cases/{case}/clocks", "/cases/{case}/papers"]


async def open_first_case(watched: WatchedPage, number: str) -> None:
    """From the inbox, with the keys alone."""
    row = watched.page.locator("[data-row]", has_text=number)
    await row.wait_for()
    await watched.page.keyboard.press("j")
    await watched.page.keyboard.press("o")
    await watched.page.locator("ol.events, .timeline").first.wait_for()


@pytest.mark.timeout(300)
async def test_every_page_holds_the_rules_of_accessible_pages(running_desk: RunningDesk) -> None:
    case = await running_desk.submit("三号楼电梯停运", "browser-1")
    faults: list[str] = []
    for language, width, scheme in VIEWS:
        context = await running_desk.context(width=width, scheme=scheme)
        page = await context.new_page()
        await page.goto(running_desk.address)
        faults += await WatchedPage(page).faults()
        await page.close()
        watched = await running_desk.signed_in(context, "li", language)
        await watched.page.locator("[data-row]").first.wait_for()
        for path in [*WITHOUT_CASE, *(path.format(case=case) for path in OF_A_CASE)]:
            await watched.page.goto(f"{running_desk.address}{path}")
            assert await watched.page.locator("html").get_attribute("lang") == {"zh": "zh-CN", "en": "en"}[language]
            faults += [fault for fault in await watched.faults() if "the server responded with a status of 404" not in fault]
        await context.close()
    assert faults == []


@pytest.mark.timeout(300)
async def test_a_case_arrives_on_the_open_page_and_is_opened_with_the_keys(running_desk: RunningDesk) -> None:
    context = await running_desk.context()
    watched = await running_desk.signed_in(context, "li")
    counter = watched.page.locator("[data-count]").first
    assert await counter.inner_text() == "0"
    await running_desk.submit("三号楼电梯停运", "browser-2")
    # Without loading the page again: the change comes over the open connection.
    await watched.page.locator("[data-row]").first.wait_for(timeout=60_000)
    await open_first_case(watched, "")
    assert watched.errors == []
    await context.close()


@pytest.mark.timeout(300)
async def test_the_desk_works_without_script(running_desk: RunningDesk) -> None:
    await running_desk.submit("三号楼电梯停运", "browser-3")
    context = await running_desk.context(script=False)
    watched = await running_desk.signed_in(context, "li", "en")
    page = watched.page
    while not await page.locator("[data-row]").count():
        await page.reload()
    link = page.locator("[data-row] [data-open]").first
    number = await link.inner_text()
    await link.click()
    assert (await page.locator("h1").inner_text()).startswith(number)
    await page.get_by_role("button", name="Sign out", exact=True).click()
    await page.goto(f"{running_desk.address}/")
    await page.locator("#password").wait_for()
    await context.close()
