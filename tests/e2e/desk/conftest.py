"""All five services on real servers, and people who sign in to the desk by a browser."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from hashlib import sha256

import pytest
from playwright.async_api import Browser, BrowserContext

from deploy.sinks import MailSink
from services.desk.bootstrap import build as build_desk
from services.desk.config import DeskSettings
from services.desk.sign_in.local_accounts import hash_password
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.service import Service
from tests.support.browser import WatchedPage, chromium
from tests.support.messaging.all_services import apply_all_topics, build_services, http_client, running, write_estate
from tests.support.messaging.sample_organisation import submission_body, write_yaml
from tests.support.messaging.settings import SettingsFactory
from tests.support.servers.databases import Databases
from tests.support.servers.topics import Topics, fresh_prefix

PASSWORD = "correct horse battery staple"
SIGN_INS = 30
"""Sign-ins of one person that all tests may take together."""
PEOPLE = {"li": ["assistant", "supervisor"], "zhao": ["handler"], "sun": ["management"]}


@dataclass
class RunningDesk:
    """The services by name, a browser, and the accounts of each person that nobody has used yet."""

    services: dict[str, Service]
    browser: Browser
    accounts: dict[str, list[str]]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.services['desk'].http_port}"

    async def submit(self, text: str, external_id: str) -> str:
        """Send a complaint as a contact centre does; its case."""
        body = submission_body(received_at=self.services["intake"].clock.now().isoformat(), text=text, external_id=external_id)
        async with http_client(self.services["intake"]) as client:
            answer = await client.post("/v1/complaints", json=body)
        return str(answer.json()["case"])

    async def context(self, *, script: bool = True, width: int = 1280, scheme: str = "light") -> BrowserContext:
        return await self.browser.new_context(
            java_script_enabled=script,
            viewport={"width": width, "height": 900},
            color_scheme=scheme,  # type: ignore[arg-type]
            locale="zh-CN",
        )

    async def signed_in(self, context: BrowserContext, person: str, language: str = "zh") -> WatchedPage:
        """A page whose person has signed in by the form, and has chosen the language."""
        page = await context.new_page()
        await page.goto(f"{self.address}/")
        if language == "en":
            await page.get_by_role("button", name="English").click()
        # An account of its own: one account may try few passwords a minute, and the tests are quicker than a person.
        await page.locator("#name").fill(self.accounts[person].pop())
        await page.locator("#password").fill(PASSWORD)
        await page.locator("main form button[type=submit]").click()
        await page.locator(".who").wait_for()
        return WatchedPage(page)


@pytest.fixture(scope="package")
async def stack_settings(bootstrap_servers: str, databases: Databases, topics: Topics) -> AsyncIterator[SettingsFactory]:
    url, prefix = await databases.create_migrated(), fresh_prefix()
    yield SettingsFactory(bootstrap_servers, url, prefix)
    await topics.drop(prefix)
    await databases.drop(url)


# Of all modules: five services and a browser take longer to start than most of its tests last.
@pytest.fixture(scope="package")
async def running_desk(stack_settings: SettingsFactory, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningDesk]:
    folder = tmp_path_factory.mktemp("desk")
    tokens = {person: f"token-of-{person}" for person in PEOPLE}
    people = [
        {"id": "li", "name": "李雷", "roles": ["assistant", "supervisor"], "email": "li@example.org", "may": ["what_if", "unmask"]},
        {"id": "zhao", "name": "赵工", "roles": ["handler"], "department": "repairs", "email": "zhao@example.org"},
        {"id": "sun", "name": "孙总", "roles": ["management"], "email": "sun@example.org"},
    ]
    for person in people:
        person["token_sha256"] = sha256(tokens[str(person["id"])].encode()).hexdigest()
    organisation = write_estate(folder, people=people)
    password = hash_password(PASSWORD)
    names = {person: [f"{person}.{number}" for number in range(SIGN_INS)] for person in PEOPLE}
    accounts = [
        {"name": name, "person": person, "password": password, "token": tokens[person]} for person in PEOPLE for name in names[person]
    ]
    accounts_file = write_yaml(folder / "accounts.yaml", {"accounts": accounts})
    await apply_all_topics(stack_settings(RuntimeSettings))
    async with chromium() as browser, MailSink(folder) as mail:
        notify = {"smtp_host": "127.0.0.1", "smtp_port": mail.port, "smtp_security": "none"}
        async with running(build_services(stack_settings, organisation, follow_key="a key of the tests", notify=notify)) as services:
            urls = {f"desk_{name}_url": f"http://127.0.0.1:{services[name].http_port}" for name in ("sla", "intake", "triage", "notify")}
            desk = build_desk(stack_settings(DeskSettings, organisation=organisation, desk_accounts=accounts_file, **urls))
            async with desk.running():
                yield RunningDesk(services | {"desk": desk}, browser, names)
