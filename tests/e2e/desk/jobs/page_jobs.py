"""Jobs on pages about no single case: regulations, deadlines, organisation, management, the wallboard, help, look, sign-out."""

import io
import re
import zipfile

from tests.e2e.desk.jobs.steps import WORDS, Turn

REGULATION = "/regulations/hunan-property"


async def read_a_regulation_with_live_figures(turn: Turn) -> None:
    await turn.open("/regulations")
    await turn.page.locator(f"a[href$='{REGULATION}']").click()
    await turn.page.locator("nav.contents a").first.wait_for()

    async def has_counted() -> bool:
        await turn.page.reload()
        figures = await turn.page.locator("section.clause .figures dd").all_inner_texts()
        return any(int(figure) > 0 for figure in figures)

    await turn.holds(has_counted, "a figure of a clause")


async def calculate_a_deadline(turn: Turn) -> None:
    """Three working days over the holidays of October 2026, with the sentences that say why."""
    await turn.open("/calculator")
    await turn.page.locator("[name=procedure]").select_option("hunan-property")
    await turn.page.locator("[name=start]").fill("2026-09-30T16:40")
    await turn.page.locator("[name=duration]").fill("3wd")
    await turn.page.locator("main form button").click()
    assert "2026-10-10" in await turn.page.locator("section.panel ol").first.inner_text()
    assert await turn.page.locator("svg").count() >= 2


async def correct_a_duration(turn: Turn) -> None:
    await turn.open("/calculator")
    await turn.page.locator("[name=start]").fill("2026-09-30T16:40")
    await turn.page.locator("[name=duration]").fill("soon")
    await turn.page.locator("main form button").click()
    await turn.page.locator(".notice[role=alert]").wait_for()
    assert await turn.page.locator("[name=duration]").input_value() == "soon"


async def see_vacancies_and_who_is_reached(turn: Turn) -> None:
    """The gardens have no head, and no handler of their own: the page names who is reached instead."""
    await turn.open("/organisation")
    gardens = turn.page.locator("ul.tree li", has_text={"zh": "绿化部", "en": "Gardens"}[turn.language]).last
    await gardens.locator(".tag", has_text=turn.t("organisation.vacant")).wait_for()
    await turn.page.locator("[name=department]").select_option("gardens")
    await turn.page.locator("main form button").click()
    handler = turn.page.locator("main table tr", has_text=re.compile("经办人|Handler"))
    await handler.locator(".tag", has_text=turn.t("organisation.vacant")).wait_for()
    assert "孙总" in await turn.page.locator("main table").inner_text()


async def drill_down_to_the_cases_of_a_figure(turn: Turn) -> None:
    await turn.open("/management?unit=year")
    department = turn.page.locator("th[scope=row] a", has_text={"zh": "绿化部", "en": "Gardens"}[turn.language])
    await turn.appears(department)
    await department.click()
    figure = turn.page.locator("[data-figure='registered.now']")
    counted = int(await figure.inner_text())
    await figure.click()
    assert await turn.page.locator("[data-row]").count() == counted > 0
    await turn.page.locator("[data-open]").first.click()
    await turn.page.locator("ol.events").wait_for()


async def download_the_figures(turn: Turn) -> None:
    await turn.open("/management")
    csv = (await turn.linked_file(turn.page.locator("a[href*='figures.csv']"))).decode("utf-8-sig")
    assert turn.t("figure.registered") in csv
    assert zipfile.is_zipfile(io.BytesIO(await turn.linked_file(turn.page.locator("a[href*='figures.xlsx']"))))


async def sign_a_report(turn: Turn) -> None:
    """The latest drafted report, with its lists as files; signed once, it offers no second signature."""
    await turn.open("/management/reports?procedure=hunan-property")
    drafted = turn.page.locator("tr", has_text=turn.t("reports.state.drafted")).locator("a[href*='/weekly_check/']").first
    await turn.appears(drafted)
    await drafted.click()
    lists = turn.page.locator("a[href*='/lists/not_handled']")
    assert len((await turn.linked_file(lists.first)).decode("utf-8-sig").splitlines()) >= 1
    assert zipfile.is_zipfile(io.BytesIO(await turn.linked_file(lists.last)))
    await turn.page.locator("[name=text]").fill("已检查")
    await turn.page.locator("main form button").click()
    await turn.page.get_by_text("已检查").wait_for()
    assert "李雷" in await turn.page.locator("main").inner_text()
    assert await turn.page.locator("main form").count() == 0


async def read_a_signed_report(turn: Turn) -> None:
    """The role above reads what was signed, and may not sign it."""
    await turn.open("/management/reports?procedure=hunan-property")
    await turn.page.locator("tr", has_text=turn.t("reports.state.signed")).locator("a").first.click()
    await turn.page.get_by_text("已检查").wait_for()
    assert await turn.page.locator("main form").count() == 0


async def watch_the_wallboard(turn: Turn) -> None:
    await turn.open("/wallboard")
    assert int(await turn.page.locator(".count-open dd").inner_text()) > 0
    assert WORDS not in await turn.page.content()
    await turn.page.locator(".foot a").click()
    await turn.page.locator("[data-search]").wait_for()


async def read_the_keys(turn: Turn) -> None:
    await turn.open("/")
    await turn.page.locator("nav a[href$='/help']").click()
    keys = await turn.page.locator("main kbd").all_inner_texts()
    assert {"j", "k", "o", "/", "?"} <= set(keys)


async def work_with_the_keys_alone(turn: Turn) -> None:
    """`j` and `k` move, `x` ticks, `/` begins another search."""
    await turn.search(WORDS)
    rows, keyboard = turn.page.locator("[data-row]"), turn.page.keyboard
    await turn.appears(rows.nth(1))
    for key, row in (("j", 0), ("j", 1), ("k", 0)):
        await keyboard.press(key)
        assert await rows.nth(row).get_attribute("aria-current") == "true", (key, row)
    await keyboard.press("x")
    assert await rows.first.locator("input").is_checked()
    await keyboard.press("x")
    await keyboard.press("/")
    await keyboard.type("?jo")
    assert await turn.page.locator("[data-search]").input_value() == "?jo"


async def search_and_open_with_the_keys(turn: Turn) -> None:
    """`/` goes to the search, `j` to a row, `o` to its case; nothing is clicked."""
    await turn.open("/")
    page, keyboard = turn.page, turn.page.keyboard
    await keyboard.press("/")
    await keyboard.type(WORDS)
    await keyboard.press("Enter")
    await page.locator(f"[data-search][value='{WORDS}']").wait_for()
    await page.wait_for_load_state()  # the keys come with the script
    await keyboard.press("j")
    opened = page.locator("[data-row][aria-current=true] [data-open]")
    number = await opened.inner_text()
    await keyboard.press("o")
    await page.locator("h1", has_text=number).wait_for()
    await page.locator("ol.events").wait_for()


async def ask_for_the_keys_with_a_key(turn: Turn) -> None:
    """`?` shows what each key does, from any page; `/` does nothing on a page without a search."""
    await turn.open("/calculator")
    await turn.page.keyboard.press("/")
    await turn.page.keyboard.press("?")
    keys = turn.page.locator("main kbd")
    await keys.first.wait_for()
    assert {"j", "k", "o", "x", "/", "?"} <= set(await keys.all_inner_texts())
    await turn.page.locator("td", has_text=turn.t("help.open")).wait_for()


async def change_language_and_look(turn: Turn) -> None:
    """Both switches lead back to the page with its filter, and last."""
    page, other = turn.page, {"zh": "en", "en": "zh"}[turn.language]
    await turn.open("/?state=all&due=late")
    for language in (other, turn.language):
        await page.locator(f"button[name=language][value={language}]").click()
        await page.locator(f"html[lang={'zh-CN' if language == 'zh' else 'en'}]").wait_for()
        assert page.url.endswith("/?state=all&due=late")
    for theme in ("dark", "light", "auto"):
        await page.locator(f"button[name=theme][value={theme}]").click()
        await page.locator(f"html[data-theme={theme}]").wait_for()
        assert page.url.endswith("/?state=all&due=late")


async def sign_out(turn: Turn) -> None:
    await turn.open("/")
    await turn.page.locator("form[action$='/sign-out'] button").first.click()
    await turn.page.locator(".who").wait_for(state="detached")
    for path in ("/", f"/cases/{turn.cases['lift']}", "/management"):
        await turn.page.goto(f"{turn.desk.address}{path}")
        await turn.page.locator("#password").wait_for()


async def sign_out_everywhere(turn: Turn) -> None:
    other = await turn.desk.context(script=False)
    elsewhere = (await turn.desk.signed_in(other, "li")).page
    await turn.open("/")
    await turn.page.locator("button[name=everywhere]").click()
    await turn.page.locator("button[name=everywhere]").wait_for(state="detached")
    for page in (turn.page, elsewhere):
        await page.goto(f"{turn.desk.address}/cases/{turn.cases['lift']}")
        await page.locator("#password").wait_for()
    await other.close()
