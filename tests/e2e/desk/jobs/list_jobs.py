"""Jobs on lists of cases: search, views, one action on several, reviews, escalations, groups, proposals, people."""

from playwright.async_api import Locator

from tests.e2e.desk.jobs.steps import WORDS, Turn


def row_of(turn: Turn, case: str) -> Locator:
    return turn.page.locator(f"[data-row]:has(input[value='{turn.cases[case]}'])")


async def accepted(turn: Turn, count: int = 1) -> None:
    """The outcome names each case by its number, and says that sla accepted the action."""
    await turn.page.locator(".outcomes li").first.wait_for()
    outcomes = await turn.page.locator(".outcomes li").all_inner_texts()
    assert await turn.page.locator(".outcomes .tag-ok").count() == len(outcomes) == count, outcomes
    assert not [outcome for outcome in outcomes if any(case in outcome for case in turn.cases.values())], outcomes


async def find_the_case(turn: Turn) -> None:
    await turn.search(WORDS)
    await turn.appears(row_of(turn, "lift"))


async def filter_the_inbox(turn: Turn) -> None:
    await turn.open("/")
    await turn.page.locator(".filters [name=due]").select_option("none")
    await turn.page.locator(".filters [name=assigned]").select_option("nobody")
    await turn.page.locator(".filters button").click()
    await turn.appears(row_of(turn, "review"))
    assert await row_of(turn, "lift").count() == 0


async def save_open_and_delete_a_view(turn: Turn) -> None:
    name, page = f"lifts {turn.language}", turn.page
    await turn.search(WORDS)
    await turn.appears(row_of(turn, "lift"))
    await page.locator(".save-view input[name=name]").fill(name)
    await page.locator(".save-view button").click()
    await turn.open("/")
    view = page.locator(".views li", has_text=name)
    await view.locator("a").click()
    await page.locator(f"[data-search][value='{WORDS}']").wait_for()
    await row_of(turn, "lift").wait_for()
    await view.locator("button").click()
    await view.wait_for(state="detached")


async def assign_several_cases(turn: Turn) -> None:
    await turn.search(WORDS)
    for case in ("lift", "second"):
        await turn.appears(row_of(turn, case))
    for case in ("lift", "second"):
        await row_of(turn, case).locator("input").check()
    # Whoever holds several roles says in which one he acts.
    await turn.page.locator(".bulk select[name=role]").select_option("supervisor")
    await turn.page.locator(".bulk select[name=person]").select_option("zhao")
    await turn.page.locator(".bulk button[value=assign]").click()
    await accepted(turn, 2)


async def urge_several_cases(turn: Turn) -> None:
    await turn.search(WORDS)
    for case in ("lift", "second"):
        await row_of(turn, case).locator("input").check()
    await turn.page.locator(".bulk select[name=role]").select_option("assistant")
    await turn.page.locator(".bulk button[value=urge]").click()
    await accepted(turn, 2)


async def read_the_outcome_in_the_other_language(turn: Turn) -> None:
    """The switch on the page of an outcome, which is the answer to a form, leads to a page."""
    await turn.search(WORDS)
    await turn.page.locator(".bulk button[value=assign]").click()
    await turn.page.locator(".notice[role=alert]").wait_for()
    other = {"zh": "en", "en": "zh"}[turn.language]
    for language in (other, turn.language):
        await turn.page.locator(f"button[name=language][value={language}]").click()
        await turn.page.locator(f"html[lang={'zh-CN' if language == 'zh' else 'en'}] main h1").wait_for()
        assert await turn.page.locator("[data-search]").count() == 1, await turn.page.locator("main").inner_text()


async def acknowledge_an_escalation(turn: Turn) -> None:
    await turn.open("/escalations")
    row = row_of(turn, "danger")
    await turn.appears(row)
    assert "4" in await row.inner_text()
    await row.locator("input").check()
    await turn.page.locator("select[name=role]").select_option("supervisor")
    await turn.page.locator("button[value=acknowledge]").click()
    await accepted(turn)
    await turn.page.locator("main a.button").click()
    await turn.open("/escalations")

    async def is_gone() -> bool:
        await turn.page.reload()
        return not await row.count()

    await turn.holds(is_gone, "the acknowledged escalation leaves the list")


async def acknowledge_in_the_inbox(turn: Turn) -> None:
    await turn.open("/?escalated=yes")
    row = row_of(turn, "late")
    await turn.appears(row)
    await row.locator("input").check()
    await turn.page.locator(".bulk select[name=role]").select_option("supervisor")
    await turn.page.locator(".bulk button[value=acknowledge]").click()
    await accepted(turn)


async def decide_a_review(turn: Turn) -> None:
    await turn.open("/reviews")
    review = turn.page.locator("article", has=turn.page.locator(f"form[action$='/reviews/{turn.cases['review']}']"))
    await turn.appears(review)
    assert await review.locator("fieldset input[type=radio]").count() >= 2
    await review.locator("a[href$='/why']").click()
    await turn.page.locator(".why li, #why li").first.wait_for()
    await turn.open("/reviews")
    await review.locator("button[value=take]").click()
    outcome = turn.page.locator("p.panel[role=status]")
    await outcome.wait_for()
    assert turn.cases["review"] not in await outcome.inner_text()
    await review.locator("select[name='other.department']").select_option("gardens")
    await review.locator("button[value=decide]").click()
    await turn.page.locator("p.panel[role=status]").wait_for()
    await review.wait_for(state="detached")


async def act_on_all_members_of_a_group(turn: Turn) -> None:
    await turn.open("/groups")
    number = turn.page.locator(f"[data-row]:has(a[href$='/cases/{turn.cases['member']}']) a[data-open]")
    await turn.appears(number)
    await number.click()
    await turn.appears(row_of(turn, "member"))
    await turn.page.locator("select[name=role]").select_option("assistant")
    await turn.page.locator("select[name=action]").select_option("report_progress")
    await turn.page.locator("textarea[name=text]").fill("合同已查到")
    await turn.page.locator(".bulk button").click()
    await accepted(turn, 2)


async def link_two_cases_that_are_the_same(turn: Turn) -> None:
    await turn.open("/proposals")
    proposal = turn.page.locator("article", has=turn.page.locator(f"form[action$='/proposals/{turn.cases['again']}']"))
    await turn.appears(proposal)
    text = await proposal.inner_text()
    assert text.count("水管渗水") == 2, text
    await proposal.locator("select[name=role]").select_option("assistant")
    await proposal.locator("button[value=accept]").click()
    await turn.page.locator("p.panel[role=status]").wait_for()
    await turn.open_case(turn.cases["again"])
    await turn.appears(turn.page.locator(f"a[href$='/cases/{turn.cases['leak']}']"))


async def find_the_complainant(turn: Turn) -> None:
    for field, text in turn.complainant.items():
        await turn.open("/people")
        await turn.page.locator(f"[name={field}]").fill(text)
        await turn.page.locator(f"form:has([name={field}]) button").click()
        await row_of(turn, "lift").wait_for()
        assert turn.masked_phone in await row_of(turn, "lift").inner_text()


async def people_are_not_found_without_the_right(turn: Turn) -> None:
    await turn.open("/people")
    await turn.page.locator("[name=phone]").fill(turn.complainant["phone"])
    await turn.page.locator("form:has([name=phone]) button").click()
    await turn.page.locator(".notice[role=alert]").wait_for()
    assert await turn.page.locator("[data-row]").count() == 0
