"""The wallboard in a real Chromium: large enough for the room, live, and honest about its end."""

import pytest

from tests.e2e.desk.conftest import RunningDesk

SMALLEST = 0.019
"""Of the width of the screen: 49 pixels of 2560, which are 23 mm on a screen of 1.2 m; letters of a 200th of the distance are read."""
_SIZES = """[...document.querySelectorAll('#board *')].filter((each) => each.childElementCount === 0 && each.textContent.trim())
  .map((each) => parseFloat(getComputedStyle(each).fontSize))"""


@pytest.mark.timeout(300)
async def test_the_wallboard_renews_itself_until_it_is_signed_out(running_desk: RunningDesk) -> None:
    context = await running_desk.context(width=2560)
    page = (await running_desk.signed_in(context, "li", "en")).page
    await page.goto(f"{running_desk.address}/wallboard")
    before = int(await page.locator(".count-open dd").inner_text())
    assert min(await page.evaluate(_SIZES)) >= 2560 * SMALLEST
    await running_desk.submit("供水中断", "management-2")
    await page.locator(".count-open dd").get_by_text(str(before + 1), exact=True).wait_for(timeout=60_000)
    assert await page.locator("[data-signed-out]").is_hidden()
    # In another window, as somebody does who signs out everywhere.
    other = await page.context.new_page()
    await other.goto(f"{running_desk.address}/")
    await other.get_by_role("button", name="Sign out", exact=True).click()
    await other.locator(".who").wait_for(state="detached")
    await running_desk.submit("道路积水", "management-3")
    await page.locator("[data-signed-out]").wait_for(timeout=60_000)
    # The figures stay, with the notice that they are old.
    assert await page.locator(".count-open dd").inner_text() == str(before + 1)
    await context.close()
