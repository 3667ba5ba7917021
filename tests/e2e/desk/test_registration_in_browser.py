"""Taking a complaint in a real Chromium: with the keyboard alone in both languages, without script, on pages that hold the rules."""

import time

import pytest
from playwright.async_api import Page
from playwright.async_api import TimeoutError as PlaywrightTimeoutError

from services.desk.pages.shell.words import translate
from services.intake.domain.submission import case_id
from tests.e2e.desk.conftest import RunningDesk
from tests.support.waiting import wait_for

PHONE = "13911112222"
QUICK_SECONDS = 60
"""In which a person is to take a complaint; a test types quicker than he does, so that only the steps of the page are measured."""


async def tab_to(page: Page, name: str) -> None:
    """Press Tab until the field has the focus: each field on the way is one press, and a page that lacks the field ends the test."""
    fields = await page.locator("#complaint :is(input:not([type=hidden]), select, textarea, summary, button)").count()
    for _ in range(fields):
        if await page.evaluate("document.activeElement.name") == name:
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"no field {name} is reached by Tab")


@pytest.mark.timeout(300)
async def test_complaint_is_taken_with_the_keyboard_alone_within_a_minute(running_desk: RunningDesk) -> None:
    earlier = await running_desk.submit("三号楼电梯停运", "registration", complainant={"name": "冯先生", "phone": PHONE})
    for language, scheme in (("zh", "light"), ("en", "dark")):
        context = await running_desk.context(width=360, scheme=scheme)
        watched = await running_desk.signed_in(context, "li", language)
        page, faults = watched.page, []

        async def is_listed(page: Page = page) -> bool:
            await page.goto(f"{running_desk.address}/complaints/new")
            # The first field has the focus; what is typed is looked up while typing.
            await page.keyboard.type(PHONE)
            try:
                await page.locator(f"#earlier a[href$='{earlier}']").wait_for(timeout=3_000)
            except PlaywrightTimeoutError:
                return False
            return True

        await wait_for(is_listed, deadline=60, what="the earlier case of the caller")
        started = time.monotonic()
        await page.goto(f"{running_desk.address}/complaints/new")
        await page.keyboard.type(PHONE)
        await page.locator(f"#earlier a[href$='{earlier}']").wait_for()
        await tab_to(page, "complainant.name")
        await page.keyboard.type("冯先生")
        await tab_to(page, "text")
        await page.keyboard.type("三号楼电梯停运")
        await tab_to(page, "title")
        await page.keyboard.press("Enter")
        await page.get_by_role("button", name=translate(language, "registration.register"), exact=True).wait_for()
        await page.keyboard.press("Enter")
        await page.locator(".number", has_text="TS-").wait_for()
        assert time.monotonic() - started < QUICK_SECONDS
        faults += await watched.faults()
        # The next complaint is one key away.
        await page.keyboard.press("Enter")
        await page.locator("#complaint").wait_for()
        assert await page.locator("[name='complainant.phone']").input_value() == ""
        assert faults == []
        await context.close()


@pytest.mark.timeout(300)
async def test_complaint_is_taken_without_script(running_desk: RunningDesk) -> None:
    context = await running_desk.context(script=False)
    page = (await running_desk.signed_in(context, "li", "en")).page
    await page.goto(f"{running_desk.address}/complaints/new")
    await page.locator("[name='complainant.phone']").fill("138 0000 1234")
    await page.get_by_role("button", name="Look up the number").click()
    await page.locator("textarea[name=text]").fill("三号楼电梯停运")
    await page.get_by_role("button", name="Read back").click()
    await page.get_by_role("button", name="Correct").click()
    await page.locator("[name=place]").fill("三号楼")
    await page.get_by_role("button", name="Read back").click()
    await page.get_by_role("button", name="Register", exact=True).click()
    number = await page.locator(".number", has_text="TS-").inner_text()
    await page.get_by_role("link", name="Open the case").click()
    # Until the desk has read of the case, a page that says so looks again by itself.
    await page.locator("h1", has_text=number).wait_for(timeout=60_000)
    await page.locator("ol.events").wait_for()
    await context.close()


@pytest.mark.timeout(300)
async def test_a_case_just_registered_is_opened_by_itself_when_the_desk_has_read_of_it(running_desk: RunningDesk) -> None:
    for script in (True, False):
        context = await running_desk.context(script=script)
        watched = await running_desk.signed_in(context, "li")
        reference = f"opened by itself {script}"
        case = case_id("hotline", "hotline", reference)
        await watched.page.goto(f"{running_desk.address}/complaints/registered/{case}")
        await watched.page.locator("[data-waits]").wait_for()
        assert await running_desk.submit("三号楼电梯停运", reference) == case
        await watched.page.locator("ol.events").wait_for(timeout=60_000)
        assert watched.errors == []
        await context.close()
