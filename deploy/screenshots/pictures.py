"""Opens the pages of the desk in Chromium and writes a small picture of each, in both languages."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import noto_cjk_sans_otc
from PIL import Image
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from deploy.screenshots.demo_cases import PicturedCase

MOST_BYTES = 150_000
_SIZE = {"width": 1280, "height": 800}
_COLOURS = 128
_PASSWORD = "demo"  # noqa: S105 - of every account in deploy/demo/desk_accounts.yaml
_LANGUAGES = {"zh": "zh-CN", "en": "en-GB"}
# Without a font of the machine's own the Chinese words would be empty boxes.
_FONTS = "<?xml version='1.0'?><!DOCTYPE fontconfig SYSTEM 'fonts.dtd'><fontconfig>{folders}<cachedir>{cache}</cachedir></fontconfig>"


async def take_pictures(addresses: Mapping[str, str], case: PicturedCase, root: Path, folder: Path) -> None:
    """Write `<name>.<language>.png` of each page; raises `ValueError` for a picture that is too large."""
    desk = addresses["desk"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            # Chromium's sandbox refuses to run as root; the pages are our own.
            args=["--no-sandbox"] if os.geteuid() == 0 else [],
            env={**os.environ, "FONTCONFIG_FILE": str(_font_configuration(root))},
        )
        for language, locale in _LANGUAGES.items():
            for person, pages in PAGES.items():
                context = await browser.new_context(viewport=_SIZE, locale=locale, timezone_id="Asia/Shanghai", color_scheme="light")  # type: ignore[arg-type]
                page = await _signed_in(context, desk, person)
                for name, prepare in pages.items():
                    await prepare(page, desk, case)
                    write_picture(await page.screenshot(), folder / f"{name}.{language}.png")
                await context.close()
            await _complainant(browser, addresses["sla"], case, locale, folder / f"complainant.{language}.png")
        await browser.close()


async def _signed_in(context: BrowserContext, desk: str, person: str) -> Page:
    page = await context.new_page()
    await page.goto(f"{desk}/")
    await page.locator("#name").fill(person)
    await page.locator("#password").fill(_PASSWORD)
    await page.locator("main form button[type=submit]").click()
    await page.locator(".who").wait_for()
    return page


async def _inbox(page: Page, desk: str, case: PicturedCase) -> None:
    # Until the desk has read the case that was registered last.
    while not await page.locator(f"a[href$='/cases/{case.id}']").count():
        await page.goto(f"{desk}/?query=电梯停运&state=open")
    await page.goto(f"{desk}/")
    if await (close := page.locator(".hints button")).count():  # they would leave no room for cases
        await close.click()
    await page.locator("[data-row]").first.wait_for()


async def _case_with_clocks(page: Page, desk: str, case: PicturedCase) -> None:
    await page.goto(f"{desk}/cases/{case.id}/clocks")
    await page.locator("svg").first.wait_for()


async def _registration(page: Page, desk: str, case: PicturedCase) -> None:
    await page.goto(f"{desk}/complaints/new?source=property-hotline")
    await page.locator("textarea[name=text]").fill("云杉苑3单元电梯又停了，昨天报过修")
    phone = page.locator("[name='complainant.phone']")
    await phone.press_sequentially(case.phone)
    await page.locator(f"#earlier a[href*='{case.id}']").wait_for()


async def _management(page: Page, desk: str, case: PicturedCase) -> None:  # noqa: ARG001 - the same for every page
    await page.goto(f"{desk}/management?unit=month")
    await page.locator("svg").first.wait_for()


async def _wallboard(page: Page, desk: str, case: PicturedCase) -> None:  # noqa: ARG001 - the same for every page
    await page.goto(f"{desk}/wallboard")
    await page.locator("main, body").first.wait_for()


async def _complainant(browser: Browser, sla: str, case: PicturedCase, locale: str, file: Path) -> None:
    context = await browser.new_context(viewport=_SIZE, locale=locale, timezone_id="Asia/Shanghai")  # type: ignore[arg-type]
    page = await context.new_page()
    await page.goto(f"{sla}/f/{case.follow_code}?lang={locale[:2]}")
    write_picture(await page.screenshot(), file)
    await context.close()


PAGES: dict[str, dict[str, Callable[[Page, str, PicturedCase], Awaitable[None]]]] = {
    "luo-dan": {"inbox": _inbox, "clocks": _case_with_clocks, "registration": _registration},
    "zhou-an": {"management": _management, "wallboard": _wallboard},
}
"""Person → the pictures of the pages that he has open."""


def write_picture(png: bytes, file: Path) -> None:
    """Quantise the picture, which has few colours, and write it."""
    content = io.BytesIO()
    with Image.open(io.BytesIO(png)) as image:
        image.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE).save(content, "PNG", optimize=True)
    if content.tell() > MOST_BYTES:
        raise ValueError(f"{file.name} has {content.tell()} bytes: at most {MOST_BYTES}; show less of the page")
    file.write_bytes(content.getvalue())


def _font_configuration(root: Path) -> Path:
    folders = "".join(f"<dir>{folder}</dir>" for folder in ("/usr/share/fonts", Path(noto_cjk_sans_otc.__file__).parent))
    file = root / "fonts.conf"
    file.write_text(_FONTS.format(folders=folders, cache=root / "font-cache"), encoding="utf-8")
    return file
