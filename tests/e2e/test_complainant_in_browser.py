"""The pages of complainants in a real Chromium: a form is filled and sent, and its case followed by the code, with and without script."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser

from shared.runtime.process.settings import RuntimeSettings
from shared.runtime.service import Service
from tests.support.browser import WatchedPage, chromium
from tests.support.messaging.all_services import PROCEDURE, apply_all_topics, build_services, http_client, running, write_estate
from tests.support.messaging.settings import SettingsFactory
from tests.support.waiting import wait_for

FORM = {"fields": ["text", "place", "phone"], "per_minute": 600}
TEXT, ADDED = "三号楼电梯停运", "二号楼也停了 <b>"


@dataclass
class PublicPages:
    """Intake with a form, and sla with the page of the code."""

    services: dict[str, Service]
    browser: Browser

    def address(self, service: str, path: str) -> str:
        return f"http://127.0.0.1:{self.services[service].http_port}{path}"


@pytest.fixture
async def public_pages(make_settings: SettingsFactory, tmp_path: Path) -> AsyncIterator[PublicPages]:
    sources = [{"id": "web", "procedure": PROCEDURE, "contact_phone": "400-800-0000", "form": FORM}]
    organisation = write_estate(tmp_path, sources=sources)
    secret = {"follow_key": "a follow key of the tests"}
    await apply_all_topics(make_settings(RuntimeSettings))
    async with chromium() as browser:
        built = build_services(make_settings, organisation, intake=secret | {"form_min_seconds": 0.0}, sla=secret)
        async with running({name: built[name] for name in ("intake", "triage", "sla")}) as services:
            yield PublicPages(services, browser)


@pytest.mark.timeout(300)
async def test_form_is_sent_and_its_case_followed_by_code(public_pages: PublicPages) -> None:
    # One start of the services for both ways: the start takes longer than the pages.
    for script, language in ((True, "zh"), (False, "en")):
        assert await _complain_and_follow(public_pages, language, script=script) == []


async def _complain_and_follow(public_pages: PublicPages, language: str, *, script: bool) -> list[str]:
    """Take the way of a complainant on a telephone; the faults of the pages that he meets."""
    context = await public_pages.browser.new_context(java_script_enabled=script, viewport={"width": 360, "height": 800})
    watched = WatchedPage(await context.new_page())
    page = watched.page
    faults: list[str] = []
    await page.goto(public_pages.address("intake", f"/complain/web?lang={language}"))
    faults += await _faults(watched, script=script)
    await page.locator("[name=text]").fill(TEXT)
    await page.locator("[name=phone]").fill("13800001234")
    await page.locator("main form button").click()
    code = await page.locator(".code").inner_text()
    faults += await _faults(watched, script=script)
    await _registered(public_pages, code)

    await page.goto(public_pages.address("sla", f"/f?lang={language}"))
    await page.locator("#code").fill("0000-0000-0000-0000")
    await page.locator("main form button").click()
    await page.locator("[role=alert]").wait_for()
    watched.errors.clear()  # Chromium writes each answer 404 to its console
    faults += await _faults(watched, script=script)
    await page.locator("#code").fill(code)
    await page.locator("main form button").click()
    await page.locator("#text-supplement").fill(ADDED)
    faults += await _faults(watched, script=script)
    await page.locator("form", has=page.locator("#text-supplement")).locator("button").click()
    await page.locator(".said", has_text=ADDED).wait_for()
    faults += await _faults(watched, script=script)
    await context.close()
    return faults


async def _faults(watched: WatchedPage, *, script: bool) -> list[str]:
    """The faults of a page, light and dark; axe is a script itself and runs where scripts run."""
    if not script:
        return watched.errors
    faults = []
    for scheme in ("light", "dark"):
        await watched.page.emulate_media(color_scheme=scheme)
        faults += await watched.faults()
    return faults


async def _registered(pages: PublicPages, code: str) -> None:
    """Wait until sla has the case of the code: until then its page answers as for an unknown one."""
    async with http_client(pages.services["sla"]) as client:

        async def known() -> bool:
            return (await client.get(f"/v1/follow/{code}")).is_success

        await wait_for(known, what="the case of the code", pause=0.5)
