"""All five services on real servers, and people who sign in to the desk by a browser."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, BrowserContext

from deploy.sinks import MailSink
from services.desk.bootstrap import build as build_desk
from services.desk.config import DeskSettings
from services.desk.sign_in.local_accounts import hash_password
from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.service import Service
from tests.e2e.desk.organisation import PEOPLE, SOURCE_KEYS, token_of, write_classifier, write_desk_organisation
from tests.support.browser import WatchedPage, chromium
from tests.support.messaging.all_services import apply_all_topics, build_services, http_client, running
from tests.support.messaging.sample_organisation import ENCRYPTION_KEYS, submission_body, write_yaml
from tests.support.messaging.settings import SettingsFactory
from tests.support.servers.databases import Databases
from tests.support.servers.topics import Topics, fresh_prefix

PASSWORD = "correct horse battery staple"
SIGN_INS = 30
"""Sign-ins of one person that all tests may take together."""
FOLLOW_KEY = "a follow key of the tests"


@dataclass
class RunningDesk:
    """The services by name, a browser, the organisation file, and the accounts of each person that nobody has used yet."""

    services: dict[str, Service]
    browser: Browser
    organisation: Path
    accounts: dict[str, list[str]]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.services['desk'].http_port}"

    async def submit(self, text: str, external_id: str, source: str = "hotline", **fields: Any) -> str:
        """Send a complaint as a contact centre does; its case."""
        now = self.services["intake"].clock.now().isoformat()
        body = submission_body(**{"received_at": now, "text": text, "external_id": external_id, **fields})
        async with http_client(self.services["intake"], SOURCE_KEYS[source]) as client:
            answer = await client.post("/v1/complaints", json=body)
        return str(answer.raise_for_status().json()["case"])

    def client(self, person: str) -> httpx.AsyncClient:
        """sla's interface with the person's token."""
        return http_client(self.services["sla"], token_of(person))

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
    organisation, password = write_desk_organisation(folder), hash_password(PASSWORD)
    names = {person["id"]: [f"{person['id']}.{number}" for number in range(SIGN_INS)] for person in PEOPLE}
    accounts = [
        {"name": name, "person": person, "password": password, "token": token_of(person)} for person, own in names.items() for name in own
    ]
    accounts_file = write_yaml(folder / "accounts.yaml", {"accounts": accounts})
    await apply_all_topics(stack_settings(RuntimeSettings))
    async with chromium() as browser, MailSink(folder) as mail:
        secrets = {"follow_key": FOLLOW_KEY, "pseudonym_key": "a pseudonym key of the tests"}
        own: dict[str, Any] = {
            "intake": {**secrets, "form_min_seconds": 0.0},
            "triage": {"classifier": write_classifier(folder)},
            "sla": {**secrets, "sealing_keys": ENCRYPTION_KEYS, "follow_requests_per_second": 50},
            "notify": {"follow_key": FOLLOW_KEY, "smtp_host": "127.0.0.1", "smtp_port": mail.port, "smtp_security": "none"},
        }
        async with running(build_services(stack_settings, organisation, **own)) as services:
            urls = {f"desk_{name}_url": f"http://127.0.0.1:{services[name].http_port}" for name in ("sla", "intake", "triage", "notify")}
            desk = build_desk(stack_settings(DeskSettings, organisation=organisation, desk_accounts=accounts_file, **urls))
            async with desk.running():
                yield RunningDesk(services | {"desk": desk}, browser, organisation, names)
