"""All five services on real servers, and people who sign in to the desk by a browser."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

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

PASSWORD = "correct horse battery staple"
PEOPLE = {"li": ["assistant", "supervisor"], "zhao": ["handler"], "sun": ["management"]}


@dataclass
class RunningDesk:
    """The services by name, the address of the desk, and a browser."""

    services: dict[str, Service]
    browser: Browser

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
        await page.locator("#name").fill(person)
        await page.locator("#password").fill(PASSWORD)
        await page.locator("main form button[type=submit]").click()
        await page.locator(".who").wait_for()
        return WatchedPage(page)


@pytest.fixture
async def running_desk(make_settings: SettingsFactory, tmp_path: Path) -> AsyncIterator[RunningDesk]:
    tokens = {person: f"token-of-{person}" for person in PEOPLE}
    people = [
        {"id": "li", "name": "李雷", "roles": ["assistant", "supervisor"], "email": "li@example.org", "may": ["what_if"]},
        {"id": "zhao", "name": "赵工", "roles": ["handler"], "department": "repairs", "email": "zhao@example.org"},
        {"id": "sun", "name": "孙总", "roles": ["management"], "email": "sun@example.org"},
    ]
    for person in people:
        person["token_sha256"] = sha256(tokens[str(person["id"])].encode()).hexdigest()
    organisation = write_estate(tmp_path, people=people)
    accounts = [{"name": name, "person": name, "password": hash_password(PASSWORD), "token": token} for name, token in tokens.items()]
    accounts_file = write_yaml(tmp_path / "accounts.yaml", {"accounts": accounts})
    await apply_all_topics(make_settings(RuntimeSettings))
    async with chromium() as browser, MailSink(tmp_path) as mail:
        notify = {"smtp_host": "127.0.0.1", "smtp_port": mail.port, "smtp_security": "none"}
        async with running(build_services(make_settings, organisation, notify=notify)) as services:
            urls = {f"desk_{name}_url": f"http://127.0.0.1:{services[name].http_port}" for name in ("sla", "intake", "triage")}
            desk = build_desk(make_settings(DeskSettings, organisation=organisation, desk_accounts=accounts_file, **urls))
            async with desk.running():
                yield RunningDesk(services | {"desk": desk}, browser)
