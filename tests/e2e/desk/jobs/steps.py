"""What several jobs are made of: whose turn it is, waiting for the services, finding a case, filling an action in."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from playwright.async_api import Locator, Page

from services.desk.pages.shell.words import translate
from tests.e2e.desk.conftest import RunningDesk
from tests.support.waiting import wait_for

WORDS = "电梯停运"
COMPLAINANTS = {"zh": {"name": "何女士", "phone": "13712340001"}, "en": {"name": "Mr Brown", "phone": "13712340002"}}
"""Who complains about the lift, by the language of the round: nobody else has the name or the number."""
SECONDS_FOR_ALL_SERVICES = 60


@dataclass(frozen=True, slots=True)
class Turn:
    """One person at his page; `cases` maps a name to the id of a case of this language's round."""

    desk: RunningDesk
    page: Page
    language: str
    cases: Mapping[str, str]

    @property
    def complainant(self) -> dict[str, str]:
        return COMPLAINANTS[self.language]

    @property
    def masked_phone(self) -> str:
        return f"137****{self.complainant['phone'][-4:]}"

    def t(self, key: str) -> str:
        """The desk's words of a key in the language of the page."""
        return translate(self.language, key)

    async def open(self, path: str) -> None:
        """Load a page of the desk, which answers with 200."""
        answer = await self.page.goto(f"{self.desk.address}{path}")
        assert answer is not None
        assert answer.status == 200, (path, answer.status, await self.page.locator("main").inner_text())

    async def appears(self, found: Locator) -> None:
        """Load the page again until it shows what a service has still to tell the desk."""

        async def is_shown() -> bool:
            if await found.count():
                return True
            await self.page.reload()
            return False

        await wait_for(is_shown, deadline=SECONDS_FOR_ALL_SERVICES, what=f"{found} on {self.page.url}")

    async def open_case(self, case: str) -> None:
        """Open the page of a case that the person sees, once the desk has read of it."""

        async def is_there() -> bool:
            answer = await self.page.goto(f"{self.desk.address}/cases/{case}")
            return answer is not None and answer.status == 200

        await wait_for(is_there, deadline=SECONDS_FOR_ALL_SERVICES, what=f"the page of {case}")

    async def search(self, words: str) -> None:
        """Search the inbox, as the key `/` or the form does."""
        await self.open("/?state=all")
        await self.page.locator("[data-search]").fill(words)
        await self.page.locator("form[role=search] button").click()

    async def act(self, case: str, action: str, role: str = "", **data: str) -> None:
        """Take an action by its form on the case's page; done when the page names the action and shows no refusal."""
        # After an action of his the person is on the page already.
        if f"/cases/{case}?" not in self.page.url:
            await self.open_case(case)
        link = self.page.locator(f"ul.actions a[href$='/actions/{action}']")
        await self.appears(link)
        await link.click()
        if role and await self.page.locator("select#f-role").count():
            await self.page.locator("#f-role").select_option(role)
        for name, value in data.items():
            field = self.page.locator(f"#f-{name}")
            if await field.evaluate("field => field.tagName") == "SELECT":
                await field.select_option(value)
            else:
                await field.fill(value)
        await self.page.locator("form.action button:not([name=preview])").click()
        await self.page.locator("p.panel[role=status]").wait_for()
        assert unquote(self.page.url).endswith(f"?done={action}"), self.page.url

    async def file(self, address: str) -> bytes:
        """The content of a file of the desk, fetched with the person's session."""
        answer = await self.page.context.request.get(address if address.startswith("http") else f"{self.desk.address}{address}")
        assert answer.status == 200, (address, answer.status)
        return await answer.body()

    async def linked_file(self, link: Locator) -> bytes:
        """The content of the file to which a link leads."""
        return await self.file(str(await link.get_attribute("href")))

    async def holds(self, condition: Callable[[], Awaitable[bool]], what: str) -> None:
        """Wait until what all services have to bring about is so."""
        await wait_for(condition, deadline=SECONDS_FOR_ALL_SERVICES, what=what)
