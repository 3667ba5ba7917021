"""The first-run hints in a real Chromium: shown at the first sign-in, closed for good, and shown again by `?`."""

import pytest

from tests.e2e.desk.conftest import RunningDesk


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("person", "script"), [("zhao", True), ("sun", False)])
async def test_hints_lead_to_pages_and_stay_closed_after_the_next_sign_in(running_desk: RunningDesk, person: str, script: bool) -> None:
    first = await running_desk.context(script=script)
    watched = await running_desk.signed_in(first, person, "en")
    page, panel = watched.page, watched.page.locator("section.hints")
    assert await panel.get_by_role("link").count() in range(3, 6)
    link = panel.get_by_role("link").last
    address = await link.get_attribute("href")
    async with page.expect_navigation() as navigation:
        await link.click()
    assert ((await navigation.value).status, page.url) == (200, f"{running_desk.address}{address}")
    await page.goto(f"{running_desk.address}/")
    await panel.get_by_role("button").click()
    await panel.wait_for(state="detached")
    await first.close()

    # Another browser, as on another device.
    second = await running_desk.context(script=script)
    page = (await running_desk.signed_in(second, person, "en")).page
    assert page.url == f"{running_desk.address}/"
    assert await page.locator("section.hints").count() == 0
    if script:
        await page.keyboard.press("?")
    else:
        await page.goto(f"{running_desk.address}/help")
    await page.locator("section.hints a").first.wait_for()
    assert watched.errors == []
    await second.close()
