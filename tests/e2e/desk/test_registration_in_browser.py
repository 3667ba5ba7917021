"""Taking a complaint in a real Chromium: with the keyboard alone, without script, and on pages that hold the rules of accessible ones."""

import pytest

from tests.e2e.desk.conftest import RunningDesk


@pytest.mark.timeout(300)
async def test_complaint_is_taken_with_the_keyboard_alone(running_desk: RunningDesk) -> None:
    context = await running_desk.context(width=360, scheme="dark")
    watched = await running_desk.signed_in(context, "li", "en")
    page, faults = watched.page, []
    for path in ("/reviews", "/escalations", "/complaints/new"):
        await page.goto(f"{running_desk.address}{path}")
        faults += await watched.faults()
    # The first field has the focus; what is typed is looked up while typing.
    await page.keyboard.type("138 0000 1234")
    await page.locator("#earlier :is(ul, p)").first.wait_for()
    for _ in range(await page.locator("#complaint :is(input:not([type=hidden]), select)").count()):
        if await page.evaluate("document.activeElement.name") == "complainant.name":
            break
        await page.keyboard.press("Tab")
    await page.keyboard.type("王先生")
    while await page.evaluate("document.activeElement.name") != "text":
        await page.keyboard.press("Tab")
    await page.keyboard.type("三号楼电梯停运")
    while await page.evaluate("document.activeElement.name") != "title":
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Register", exact=True).wait_for()
    faults += await watched.faults()
    await page.keyboard.press("Enter")
    await page.locator(".number", has_text="TS-").wait_for()
    faults += await watched.faults()
    assert faults == []
    await context.close()


@pytest.mark.timeout(300)
async def test_complaint_is_taken_without_script(running_desk: RunningDesk) -> None:
    context = await running_desk.context(script=False)
    page = (await running_desk.signed_in(context, "li", "zh")).page
    await page.goto(f"{running_desk.address}/complaints/new")
    await page.get_by_role("button", name="按号码查询").click()
    await page.locator("textarea[name=text]").fill("三号楼电梯停运")
    await page.get_by_role("button", name="复述核对").click()
    await page.get_by_role("button", name="登记", exact=True).click()
    await page.locator(".number", has_text="TS-").wait_for()
    await context.close()
