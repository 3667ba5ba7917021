"""Jobs on one case: its actions in the order of its life, and what is read, printed and downloaded from its page."""

import io
import zipfile
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests.e2e.desk.jobs.steps import WORDS, Turn

CONTACT_LINK = "a[href$='/contact']:not([href$='/actions/contact'])"
Job = Callable[[Turn], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class TakeAction:
    """The job of one action with what is filled in; `shown` stands on the case's page afterwards."""

    action: str
    role: str
    data: tuple[tuple[str, str], ...] = ()
    shown: str = ""
    case: str = "lift"

    async def __call__(self, turn: Turn) -> None:
        await turn.act(turn.cases[self.case], self.action, self.role, **dict(self.data))
        if self.shown:
            await turn.page.locator("blockquote", has_text=self.shown).first.wait_for()

    def __str__(self) -> str:
        return self.action


def action(name: str, role: str, shown: str = "", **data: str) -> TakeAction:
    """An action on the case of the lift."""
    return TakeAction(name, role, tuple(data.items()), shown or data.get("text", ""))


async def answer_the_complainant(turn: Turn) -> None:
    tomorrow = turn.desk.services["desk"].clock.now() + timedelta(days=1)
    await turn.act(turn.cases["lift"], "answer", "assistant", text="明日修复", next_date=tomorrow.strftime("%Y-%m-%dT%H:%M"))
    await turn.page.locator(".quote blockquote", has_text="明日修复").first.wait_for()


async def read_the_case(turn: Turn) -> None:
    await turn.open_case(turn.cases["lift"])
    await turn.appears(turn.page.locator("blockquote", has_text=WORDS).first)
    assert await turn.page.locator("section.panel svg").count()


async def read_why_an_action_is_refused(turn: Turn) -> None:
    """The regulation lets only the supervisor call back: the page names the clause instead of a form."""
    await turn.open_case(turn.cases["lift"])
    await turn.page.locator("details summary", has_text=turn.t("case.forbidden").partition("{")[0].rstrip("（(")).click()
    await turn.page.locator("details td", has_text="3.7").first.wait_for()
    await turn.open(f"/cases/{turn.cases['lift']}/actions/call_back")
    await turn.page.locator(".notice", has_text="3.7").wait_for()
    assert await turn.page.locator("form.action").count() == 0


async def correct_a_field_of_an_action(turn: Turn) -> None:
    """The form comes again with the field marked and what was typed; corrected, it is sent."""
    await turn.open(f"/cases/{turn.cases['lift']}/actions/rate")
    page = turn.page
    await page.locator("#f-text").fill("电话里的评价")
    await page.locator("#f-score").fill("101")
    await page.locator("form.action button:not([name=preview])").click()
    await page.locator("#f-score[aria-invalid=true]").wait_for()
    assert await page.locator("#f-text").input_value() == "电话里的评价"
    await page.locator("#f-score").fill("100")
    await page.locator("form.action button:not([name=preview])").click()
    await page.locator("p.panel[role=status]").wait_for()


async def read_the_case_as_of_a_past_instant(turn: Turn) -> None:
    await turn.open_case(turn.cases["lift"])
    typed = turn.page.locator("[name=as_of]")
    before = turn.desk.services["desk"].clock.now() - timedelta(days=400)
    await typed.fill(before.strftime("%Y-%m-%dT%H:%M"))
    await typed.press("Enter")
    await turn.page.locator(".notice").first.wait_for()
    assert await turn.page.locator("blockquote").count() == 0
    assert await turn.page.locator("ul.actions").count() == 0


async def print_the_forms(turn: Turn) -> None:
    await turn.open(f"/cases/{turn.cases['lift']}/papers")
    starts = {"html": b"<!", "pdf": b"%PDF-", "docx": b"PK"}
    for kind, start in starts.items():
        link = turn.page.locator(f"a[href*='format={kind}']").first
        assert (await turn.linked_file(link)).startswith(start), kind
    await turn.page.locator("a[href*='format=html']").first.click()
    await turn.page.get_by_text(WORDS).first.wait_for()


async def download_the_evidence(turn: Turn) -> None:
    await turn.open_case(turn.cases["lift"])
    archive = await turn.linked_file(turn.page.locator("a[href$='/evidence']"))
    assert zipfile.is_zipfile(io.BytesIO(archive))


async def unmask_contact_data_with_a_reason(turn: Turn) -> None:
    await turn.open_case(turn.cases["lift"])
    await turn.page.locator(CONTACT_LINK).click()
    await turn.page.locator("[name=reason]").fill("约定上门时间")
    await turn.page.locator("main form button").click()
    await turn.page.locator("dl[role=status] dd", has_text=turn.complainant["phone"]).wait_for()
    await turn.page.locator("td", has_text="约定上门时间").first.wait_for()


async def contact_data_stay_masked(turn: Turn) -> None:
    """Whoever lacks the right finds no link, and no data at the address."""
    await turn.open_case(turn.cases["lift"])
    assert await turn.page.locator(CONTACT_LINK).count() == 0
    assert turn.complainant["phone"] not in await turn.page.content()
    answer = await turn.page.goto(f"{turn.desk.address}/cases/{turn.cases['lift']}/contact")
    assert answer is not None
    assert answer.status == 403


async def the_closed_case_is_among_the_ended(turn: Turn) -> None:
    await turn.search(WORDS)
    row = turn.page.locator("[data-row]", has=turn.page.locator(f"input[value='{turn.cases['lift']}']"))
    await turn.appears(row.locator("td", has_text=turn.t("state.closed")))
