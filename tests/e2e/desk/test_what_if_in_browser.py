"""A trial of other numbers in a real Chromium: with the keyboard and without script, accessible in both languages."""

from datetime import timedelta

import pytest

from tests.e2e.desk.conftest import RunningDesk
from tests.support.waiting import wait_for

PAGE = "/regulations/hunan-property/what-if"


@pytest.mark.timeout(300)
async def test_a_person_tries_other_numbers_with_and_without_script(running_desk: RunningDesk) -> None:
    case = await running_desk.submit("三号楼电梯停运", "what-if-1")

    async def is_decided() -> bool:
        async with running_desk.services["sla"].database.transaction() as tx:
            return bool(await tx.fetchval("SELECT count(*) > 0 FROM cases WHERE id = $1", case))

    await wait_for(is_decided, what="the case in sla")
    today = running_desk.services["sla"].clock.now().date()
    faults: list[str] = []
    for language, script, width in (("en", True, 1280), ("zh", False, 360)):
        context = await running_desk.context(script=script, width=width)
        watched = await running_desk.signed_in(context, "li", language)
        page = watched.page
        await page.goto(f"{running_desk.address}{PAGE}")
        if script:
            faults += await watched.faults()
        # The receipt may lie on either side of midnight in the organisation's zone.
        await page.locator("[name=first_day]").fill(str(today - timedelta(days=2)))
        await page.locator("[name=last_day]").fill(str(today + timedelta(days=2)))
        measures = page.locator("label", has_text="3.5.2").locator("input")
        await measures.fill("soon")
        await measures.press("Enter")
        await page.locator("[aria-invalid=true]").wait_for()
        if script:
            faults += [fault for fault in await watched.faults() if "status of 422" not in fault]
        await page.locator("label", has_text="3.5.2").locator("input").fill("8wd")
        await page.locator("main form button").first.click()
        # Without script the answer waits for the end of a short trial.
        await page.locator("#trial table").first.wait_for()
        assert await page.locator(f"tbody tr:has(a[href='/cases/{case}'])", has_text="3wd").count() > 0
        if script:
            faults += await watched.faults()
        async with page.expect_download() as download:
            await page.locator("a[download]").click()
        assert (await download.value).suggested_filename == "what-if.csv"
        await context.close()
    assert faults == []
