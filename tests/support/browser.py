"""A real Chromium without a window, and what every page has to hold: accessible, within its width, no error in the console."""

import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

from tests.support.servers.debian_packages import why_not_available

# Levels A and AA of WCAG 2.0, 2.1 and 2.2, as axe tags its rules. Without `resultTypes` axe describes every element that passes.
_WCAG = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}, "resultTypes": ["violations"]}
# By the font that the browser chose, while the drawing was made with estimated widths.
_TEXTS_OUTSIDE = """() => [...document.querySelectorAll("svg.drawing text")].filter(text => {
  const box = text.getBBox(), room = text.ownerSVGElement.viewBox.baseVal;
  return box.x < -0.5 || box.x + box.width > room.width + 0.5 || box.y < -0.5 || box.y + box.height > room.height + 0.5;
}).map(text => text.textContent)"""


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """The browser for the length of a block; skips the test where it is not installed and cannot be."""
    if reason := why_not_available("chromium", "chromium"):
        pytest.skip(reason)
    # Chromium's sandbox refuses to run as root; the pages are our own.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
        try:
            yield browser
        finally:
            await browser.close()


class WatchedPage:
    """A page that records errors of its console, such as what the content security policy refused."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        page.on("console", self._record)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _record(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    async def faults(self) -> list[str]:
        """What is wrong with the page as it stands; empty when nothing is."""
        found = await Axe().run(self.page, options=_WCAG)
        violations: list[Mapping[str, Any]] = found.response["violations"]
        faults = [f"{v['id']}: {v['help']}: {[node['html'][:120] for node in v['nodes'][:3]]}" for v in violations]
        width, room = await self.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        if width > room:
            faults.append(f"the page is {width} pixels wide and has room for {room}")
        faults += [f"text outside of its drawing: {text}" for text in await self.page.evaluate(_TEXTS_OUTSIDE)]
        faults += [f"console: {error}" for error in self.errors]
        self.errors.clear()
        return [f"{self.page.url}: {fault}" for fault in faults]
