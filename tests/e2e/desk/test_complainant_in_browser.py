"""The pages of complainants in a real Chromium: a form is sent, its case followed by the code to its end and beyond.

In Chinese with script, in English with and without, at 360 pixels.
"""

import pytest
from playwright.async_api import Locator

from services.sla.follow.page_texts import TEXTS
from tests.e2e.desk.conftest import RunningDesk
from tests.support.browser import WatchedPage
from tests.support.messaging.all_services import http_client
from tests.support.waiting import wait_for

MATTER, ADDED, URGED, RATED, AGAIN = "三号楼电梯停运", "二号楼也停了 <b>", "请尽快", "修得很快", "又停了"
HANDLING = [
    ("answer", "assistant", {"text": "明日修复"}),
    ("handle", "assistant", {"text": "已修复"}),
    ("call_back", "supervisor", {"outcome": "satisfied"}),
    ("close", "supervisor", {}),
]
"""What the people of the organisation do until the case is closed: action, role, data."""


STEPS = {"supplement": "supplemented", "urge": "urged", "rate": "rated", "reopen": "asked_again"}
"""Action of the complainant → the step that his page shows of it."""


class Complainant:
    """A complainant on a telephone, and the faults of the pages that he meets."""

    def __init__(self, desk: RunningDesk, watched: WatchedPage, language: str, *, script: bool) -> None:
        self.desk, self.watched, self.page, self.language = desk, watched, watched.page, language
        self._script = script
        self.faults: list[str] = []

    def address(self, service: str, path: str) -> str:
        return f"http://127.0.0.1:{self.desk.services[service].http_port}{path}?lang={self.language}"

    async def look(self) -> None:
        """Note the faults of the page, light and dark; axe is a script itself and runs where scripts run."""
        if not self._script:
            self.faults += self.watched.errors
            return
        for scheme in ("light", "dark"):
            await self.page.emulate_media(color_scheme=scheme)
            self.faults += await self.watched.faults()

    def form(self, action: str) -> Locator:
        return self.page.locator("form", has=self.page.locator(f"#text-{action}"))

    async def complain(self) -> str:
        """Send the form; the code by which the case is followed."""
        await self.page.goto(self.address("intake", "/complain/web"))
        await self.look()
        await self.page.locator("[name=text]").fill(MATTER)
        await self.page.locator("[name=phone]").fill("13800001234")
        await self.page.locator("main form button").click()
        code = await self.page.locator(".code").inner_text()
        await self.look()
        return code

    async def type_code(self, code: str) -> None:
        await self.page.goto(self.address("sla", "/f"))
        await self.page.locator("#code").fill(code)
        await self.page.locator("main form button").click()

    async def act(self, action: str, text: str) -> None:
        await self.page.locator(f"#text-{action}").fill(text)
        await self.form(action).locator("button").click()
        step = TEXTS[self.language]["steps"][STEPS[action]]
        await self.page.locator("ol li", has_text=step).locator(".said", has_text=text).wait_for()
        await self.look()


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("language", "script"), [("zh", True), ("en", True), ("en", False)])
async def test_form_is_sent_and_its_case_followed_to_its_end(running_desk: RunningDesk, language: str, script: bool) -> None:
    context = await running_desk.context(script=script, width=360)
    complainant = Complainant(running_desk, WatchedPage(await context.new_page()), language, script=script)
    page = complainant.page
    code = await complainant.complain()
    case = await registered_case(running_desk, code)
    await complainant.type_code("0000-0000-0000-0000")
    await page.locator("[role=alert]").wait_for()
    complainant.watched.errors.clear()  # Chromium writes each answer 404 to its console
    await complainant.look()
    await complainant.type_code(code)
    assert await page.locator("#text-rate").count() == 0
    await complainant.look()
    await complainant.act("supplement", ADDED)
    await complainant.act("urge", URGED)
    await handle(running_desk, case)
    await complainant.type_code(code)
    await complainant.form("rate").locator("[name=score][value='80']").check()
    await complainant.act("rate", RATED)
    await complainant.act("reopen", AGAIN)
    # He asks; a person of the organisation decides.
    async with running_desk.client("li") as client:
        shown = (await client.get(f"/v1/cases/{case}")).json()
    assert shown["status"] == "closed"
    assert complainant.faults == []
    await context.close()


async def registered_case(desk: RunningDesk, code: str) -> str:
    """Wait until sla has the case of the code, until when its page answers as for an unknown one; the case."""
    async with http_client(desk.services["sla"]) as client:

        async def number() -> str:
            answer = await client.get(f"/v1/follow/{code}")
            return str(answer.json()["number"]) if answer.is_success else ""

        found = await wait_for(number, what="the case of the code", pause=0.5)
    async with desk.services["sla"].database.transaction() as tx:
        return str(await tx.fetchval("SELECT id FROM cases WHERE number = $1", found))


async def handle(desk: RunningDesk, case: str) -> None:
    """Carry the case to its end, as the people of the organisation do."""
    async with desk.client("li") as client:
        for action, role, data in HANDLING:
            answer = await client.post(f"/v1/cases/{case}/actions", json={"action": action, "role": role, "data": data})
            assert answer.is_success, answer.text
