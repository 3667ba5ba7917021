"""A case about a person, or about somebody to whom he reports, is nowhere in his desk: no list, count, search, suggestion or address."""

import pytest
from playwright.async_api import Page

from tests.e2e.desk.conftest import RunningDesk
from tests.support.waiting import wait_for

WORDS = "态度恶劣"
CALLER = {"name": "周女士", "phone": "13600006666"}
ACCUSED = {"wu": "吴工", "zhao": "赵工", "li": "李雷"}
HIDDEN = {"wu": {"wu", "zhao"}, "zhao": {"zhao"}, "li": {"li"}, "sun": set[str]()}
"""Person → the cases that he does not see, by whom they are about: Zhao heads the repairs, to which Wu belongs."""
FIGURE = "/management?unit=year&only=channel:letter"


async def listed(page: Page, cases: dict[str, str]) -> set[str]:
    """About whom the cases are to which the page leads anywhere, from a list or a suggestion."""
    content = await page.content()
    return {about for about, case in cases.items() if f"/cases/{case}" in content}


async def sent(page: Page, address: str, field: str, text: str) -> None:
    """Fill a field of the page in, and send its form."""
    await page.goto(address)
    await page.locator(f"main [name='{field}']:not([type=hidden])").fill(text)
    async with page.expect_navigation():
        await page.locator(f"main [name='{field}']:not([type=hidden])").press("Enter")


@pytest.mark.timeout(300)
async def test_the_accused_and_who_reports_to_them_find_nothing_of_the_case(running_desk: RunningDesk) -> None:
    address, cases = running_desk.address, {}
    for person, name in ACCUSED.items():
        cases[person] = await running_desk.submit(f"{name}{WORDS}", f"accused-{person}", against=[name], channel="letter")
    for person, hidden in HIDDEN.items():
        seen = set(ACCUSED) - hidden
        context = await running_desk.context()
        watched = await running_desk.signed_in(context, person)
        page = watched.page

        async def found(page: Page = page, seen: set[str] = seen) -> bool:
            await sent(page, f"{address}/?state=all", "query", WORDS)
            return await listed(page, cases) == seen

        await wait_for(found, deadline=60, what=f"what {person} finds")
        assert await page.locator("[data-row]").count() == len(seen)
        for query in ("", *cases.values(), *ACCUSED.values()):
            await page.goto(f"{address}/?state=all&query={query}")
            assert await listed(page, cases) <= seen, (person, query)
        # Counts: the inbox counts the rows that it lists, and the figures those that they open.
        await page.goto(f"{address}{FIGURE}")
        figure = page.locator("[data-figure='registered.now']")
        assert int(await figure.inner_text()) == len(seen), person
        await figure.click()
        assert await listed(page, cases) == seen, person
        for path in ("/wallboard", "/reviews", "/escalations", "/groups?state=all", "/proposals"):
            await page.goto(f"{address}{path}")
            assert await listed(page, cases) <= seen, (person, path)
        for about, case in cases.items():
            for path in ("", "/clocks", "/papers", "/evidence", "/contact", "/actions/answer"):
                answer = await page.context.request.get(f"{address}/cases/{case}{path}", headers={"Accept": "text/html"})
                assert (answer.status == 404) == (about in hidden), (person, about, path, answer.status)
                assert answer.status != 404 or WORDS not in await answer.text()
        await context.close()


@pytest.mark.timeout(300)
async def test_who_looks_a_caller_up_is_not_told_of_the_case_about_himself(running_desk: RunningDesk) -> None:
    complainant = {"name": "周女士", "phone": "13600006666"}
    cases = {
        person: await running_desk.submit(
            f"{ACCUSED[person]}答非所问", f"caller-{person}", against=[ACCUSED[person]], complainant=complainant
        )
        for person in ("li", "zhao")
    }
    context = await running_desk.context()
    page = (await running_desk.signed_in(context, "li")).page
    for field, text in CALLER.items():

        async def is_found(field: str = field, text: str = text) -> bool:
            await sent(page, f"{running_desk.address}/people", field, text)
            return await listed(page, cases) == {"zhao"}

        await wait_for(is_found, deadline=60, what="the case about Zhao")
    # While the number is typed into the form of a complaint.
    await page.goto(f"{running_desk.address}/complaints/new")
    await page.keyboard.type(CALLER["phone"])
    await page.locator(f"#earlier a[href$='{cases['zhao']}']").wait_for()
    assert await listed(page, cases) == {"zhao"}
    await context.close()
