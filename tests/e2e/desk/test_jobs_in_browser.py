"""Jobs of the people at the desk in a real Chromium, from sign-in to done: in Chinese with script, in English without."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from playwright.async_api import Locator, Page

from tests.e2e.desk.conftest import RunningDesk
from tests.support.waiting import wait_for

WORDS = "电梯停运"
Job = Callable[[RunningDesk, Page, str], Awaitable[None]]


async def appears(page: Page, found: Locator) -> None:
    """Load the page again until it shows what a service has still to tell the desk."""

    async def is_shown() -> bool:
        if await found.count():
            return True
        await page.reload()
        return False

    await wait_for(is_shown, deadline=60, what=f"{found} on {page.url}")


async def find_the_case(desk: RunningDesk, page: Page, case: str) -> None:
    await page.goto(f"{desk.address}/")
    await page.locator("[data-search]").fill(WORDS)
    await page.locator("form[role=search] button").click()
    await appears(page, page.locator(f"[data-row] input[value='{case}']"))


async def save_the_view(desk: RunningDesk, page: Page, case: str) -> None:
    await find_the_case(desk, page, case)
    await page.locator(".save-view input[name=name]").fill("lifts")
    await page.locator(".save-view button").click()
    await page.goto(f"{desk.address}/")
    await page.locator(".views a", has_text="lifts").click()
    await page.locator(f"[data-search][value='{WORDS}']").wait_for()
    await page.locator(f"[data-row] input[value='{case}']").wait_for()


async def assign_by_the_list(desk: RunningDesk, page: Page, case: str) -> None:
    await find_the_case(desk, page, case)
    await page.locator(f"[data-row] input[value='{case}']").check()
    # Whoever holds several roles says in which one he acts.
    await page.locator(".bulk select[name=role]").select_option("supervisor")
    await page.locator(".bulk select[name=person]").select_option("zhao")
    await page.locator(".bulk button[value=assign]").click()
    await page.locator(".outcomes .tag-ok").wait_for()


async def answer_the_complainant(desk: RunningDesk, page: Page, case: str) -> None:
    await page.goto(f"{desk.address}/cases/{case}")
    link = page.locator("a[href$='/actions/answer']")
    await appears(page, link)
    await link.click()
    await page.locator("#f-text").fill("明日修复")
    tomorrow = desk.services["desk"].clock.now() + timedelta(days=1)
    await page.locator("#f-next_date").fill(tomorrow.strftime("%Y-%m-%dT%H:%M"))
    await page.locator("form.action button").click()
    await page.locator("blockquote", has_text="明日修复").wait_for()


async def print_a_paper(desk: RunningDesk, page: Page, case: str) -> None:
    await page.goto(f"{desk.address}/cases/{case}/papers")
    address = await page.locator("a[href*='format=pdf']").first.get_attribute("href")
    paper = await page.context.request.get(f"{desk.address}{address}")
    assert (paper.headers["content-type"], (await paper.body())[:5]) == ("application/pdf", b"%PDF-")


async def read_the_case(desk: RunningDesk, page: Page, case: str) -> None:
    await page.goto(f"{desk.address}/cases/{case}")
    await appears(page, page.locator("blockquote", has_text=WORDS))


async def sign_out_everywhere(desk: RunningDesk, page: Page, case: str) -> None:
    other = await desk.context(script=False)
    elsewhere = (await desk.signed_in(other, "li")).page
    await page.goto(f"{desk.address}/cases/{case}")
    await page.locator("button[name=everywhere]").click()
    await page.locator("button[name=everywhere]").wait_for(state="detached")
    for each in (page, elsewhere):
        await each.goto(f"{desk.address}/cases/{case}")
        await each.locator("#password").wait_for()
    await other.close()


JOBS: dict[str, list[Job]] = {
    "li": [find_the_case, save_the_view, assign_by_the_list, answer_the_complainant, print_a_paper, sign_out_everywhere],
    "zhao": [find_the_case, read_the_case, print_a_paper],
    "sun": [find_the_case, read_the_case],
}
"""Person → what he does, in this order."""


@pytest.mark.timeout(300)
async def test_each_person_does_his_jobs(running_desk: RunningDesk) -> None:
    for language, script in (("zh", True), ("en", False)):
        case = await running_desk.submit(f"三号楼{WORDS}", f"jobs-{language}")
        for person, jobs in JOBS.items():
            context = await running_desk.context(script=script)
            watched = await running_desk.signed_in(context, person, language)
            for job in jobs:
                await job(running_desk, watched.page, case)
            assert watched.errors == []
            await context.close()


@pytest.mark.timeout(300)
async def test_markup_of_a_complaint_runs_on_no_page(running_desk: RunningDesk) -> None:
    markup = "\"'><script>window.ran=1</script><img src=x onerror='window.ran=1'>"
    case = await running_desk.submit(f"{WORDS}{markup}", "markup")
    context = await running_desk.context()
    watched = await running_desk.signed_in(context, "li")
    await read_the_case(running_desk, watched.page, case)
    for path in ("", "/clocks", "/papers", "/actions/answer"):
        await watched.page.goto(f"{running_desk.address}/cases/{case}{path}")
        assert await watched.page.evaluate("window.ran") is None
        assert await watched.page.locator("img").count() == 0
    await watched.page.goto(f"{running_desk.address}/?query=%3Cscript%3Ewindow.ran%3D1%3C%2Fscript%3E")
    assert await watched.page.evaluate("window.ran") is None
    # The policy refused nothing, since no markup came as far as the browser's parser.
    assert watched.errors == []
    await context.close()
