"""The screen of the room: figures and numbers, no names and no texts."""

from datetime import UTC, datetime, timedelta

from shared.contracts.events.clocks import ClockStarted
from shared.contracts.events.triage import Routed
from tests.integration.desk.conftest import START, DeskProbe, registration

ENGLISH = {"Accept-Language": "en"}
COMPLAINANT = {"name": "王先生", "phone": "13800001234", "email": "wang@example.org"}


async def fill(desk: DeskProbe) -> None:
    now = datetime.now(UTC)
    for case, department, due in (("late", "lifts", now - timedelta(days=1)), ("next", "water", now + timedelta(days=1))):
        about = {"case": case, "at": START, "procedure": "shop", "version": 3}
        await desk.apply(
            [
                registration(case, number=f"TS-{case}", text="王先生说电梯停运", title="王先生：电梯停运", complainant=COMPLAINANT),
                Routed(**about, department=department),
                ClockStarted(**about, clock="answer", round=1, due_at=due, started_at=START),
            ]
        )


async def test_the_board_shows_counters_departments_and_numbers_only(desk: DeskProbe) -> None:
    await fill(desk)
    desk.sign_in("li")
    page = (await desk.browser.get("/wallboard", headers=ENGLISH)).text
    assert [word for word in ("TS-late", "TS-next", "Lifts", "Water") if word not in page] == []
    assert [word for word in ("王先生", "电梯停运", "1234", "wang@", "李雷") if word in page] == []
    assert page.index("TS-late") < page.index("TS-next")
    desk.sign_in("shui")
    page = (await desk.browser.get("/wallboard", headers=ENGLISH)).text
    assert ("TS-late" in page, "TS-next" in page, "Lifts" in page) == (False, True, False)


async def test_who_is_signed_out_gets_an_answer_that_the_boards_script_tells(desk: DeskProbe) -> None:
    answer = await desk.browser.get("/wallboard", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (204, "/desk/sign-in?next=/desk/wallboard")
