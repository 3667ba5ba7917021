"""Figures of management: each agrees with the list behind it, for every person, after every kind of event and after a rebuild."""

import random
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import pytest
from openpyxl import load_workbook

from services.desk.application.management import ManagementFigures
from services.desk.domain.figures.case_sums import CHANNEL, CLASS, DEPARTMENT
from services.desk.domain.figures.figure_days import CaseFigure
from services.desk.domain.figures.management_view import ManagementView
from services.desk.domain.figures.periods import period_start
from services.desk.pages.management.figure_tables import scoped_view
from shared.contracts.events.base import CaseEvent
from shared.contracts.events.clocks import ClockBreached, Escalated
from shared.contracts.events.from_work_to_closing import CalledBack, Closed, Linked, Rated, Reopened, Unlinked, Urged, Withdrawn
from shared.contracts.events.triage import Classified, Routed
from shared.contracts.events.up_to_approval import Assigned, MeasuresDeemedApproved
from shared.procedures.calendars.zones import organisation_zone
from tests.integration.desk.conftest import START, DeskProbe, registration
from tests.integration.desk.test_rebuild import GrowingSource, rebuilder

ENGLISH = {"Accept-Language": "en"}
PEOPLE = ("li", "he", "wang", "shui")
CASES = 40
YEAR = 400


def common(case: str, day: float) -> dict[str, Any]:
    return {"case": case, "at": START - timedelta(days=YEAR - day), "procedure": "shop", "version": 3}


def happenings(case: str, day: float, chance: random.Random) -> CaseEvent:
    about = common(case, day)
    return chance.choice(
        [
            Classified(**about, **{"class": chance.choice(["urgent", "ordinary"])}),
            Routed(**about, department=chance.choice(["lifts", "water"])),
            Assigned(**about, person=chance.choice(PEOPLE)),
            Urged(**about),
            Escalated(**about, clock="answer", round=1, level=1),
            ClockBreached(**about, clock="answer", round=1),
            MeasuresDeemedApproved(**about),
            CalledBack(**about, outcome=chance.choice(["satisfied", "dissatisfied", "understood", "unreachable"])),
            Rated(**about, score=chance.choice([20, 60, 90])),
            Closed(**about),
            Reopened(**about),
            Withdrawn(**about),
            Linked(**about, to_case="case-0", **{"as": "duplicate"}),
            Unlinked(**about, to_case="case-0", **{"as": "duplicate"}),
        ]
    )


def histories(seed: int) -> list[CaseEvent]:
    """Forty cases over four hundred days, half of whose events are a day at most after the one before."""
    chance = random.Random(seed)
    events: list[CaseEvent] = []
    for number in range(CASES):
        day, case = chance.random() * YEAR * 0.8, f"case-{number}"
        against = {"against": [chance.choice(["wang", "何总"])]} if chance.random() < 0.2 else {}
        first = registration(case, received_at=START - timedelta(days=YEAR - day), channel=chance.choice(["hotline", "web"]), **against)
        events.append(first)
        for _ in range(chance.randrange(12)):
            day += chance.choice([0.1, 0.9, 20]) * chance.random()
            events.append(happenings(case, day, chance))
    return events


def views() -> list[ManagementView]:
    days = [(START - timedelta(days=back)).date() for back in (150, 0)]
    plain = [ManagementView(unit, period_start(day, unit)) for unit in ("week", "month", "quarter", "year") for day in days]
    of_year = ManagementView("year", date(2026, 1, 1), "shop")
    return [*plain, *(scoped_view(of_year, by, value) for by, value in ((DEPARTMENT, "lifts"), (CLASS, "urgent"), (CHANNEL, "web")))]


@pytest.fixture
def figures(desk: DeskProbe) -> ManagementFigures:
    return ManagementFigures(desk.service.database, desk.service.clock, organisation_zone(desk.organisation))


async def listed(figures: ManagementFigures, view: ManagementView, figure: CaseFigure, viewer: Any) -> list[str]:
    """The cases of a figure, by pages of seven."""
    found: list[str] = []
    cursor = ""
    while True:
        page = await figures.cases(view, figure, cursor, viewer, 7)
        found += [row["case_id"] for row in page.rows]
        if not page.next_cursor:
            return found
        cursor = page.next_cursor


async def test_a_figure_is_the_length_of_its_list_for_whoever_reads_it(desk: DeskProbe, figures: ManagementFigures) -> None:
    events = histories(1)
    for first in range(0, len(events), 17):
        await desk.apply(events[first : first + 17])
    differing: list[Any] = []
    counted = 0
    for person in PEOPLE:
        desk.sign_in(person)
        session = desk.sessions.session
        assert session is not None
        viewer = desk.service.app.state.dependencies.viewer(session)
        for view in views():
            overview = await figures.overview(view, viewer)
            for figure in CaseFigure:
                cases = await listed(figures, view, figure, viewer)
                counted += len(cases)
                if overview.chosen.count(figure) != len(cases) or len(set(cases)) != len(cases):
                    differing.append((person, view, figure, overview.chosen.count(figure), cases))
            for grouping, groups in overview.groups.items():
                for name, sums in groups.items():
                    cases = await listed(figures, scoped_view(view, grouping, name), CaseFigure.OPEN, viewer)
                    if sums.count(CaseFigure.OPEN) != len(cases):
                        differing.append((person, view, grouping, sums.count(CaseFigure.OPEN), cases))
    assert differing == []
    assert counted > 500


async def sums(desk: DeskProbe) -> dict[tuple[Any, ...], dict[int, int]]:
    """What is not zero: a case that changed its class leaves zeros behind."""
    rows = await desk.rows("SELECT * FROM figure_sum")
    keys = ("unit", "period", "procedure", "dimension", "value", "audience")
    found = {tuple(row[key] for key in keys): {place: count for place, count in enumerate(row["counts"]) if count} for row in rows}
    return {key: counts for key, counts in found.items() if counts}


async def test_a_rebuild_finds_the_same_sums(desk: DeskProbe) -> None:
    events = histories(3)
    for first in range(0, len(events), 5):
        await desk.apply(events[first : first + 5])
    before = await sums(desk)
    numbered: list[CaseEvent] = []
    numbers: dict[str, int] = {}
    for event in events:
        numbers[event.case] = numbers.get(event.case, 0) + 1
        numbered.append(event.model_copy(update={"sequence": numbers[event.case]}))
    await rebuilder(desk).run([GrowingSource(numbered[:50], numbered[50:])])
    assert before
    assert await sums(desk) == before


async def story(desk: DeskProbe) -> None:
    """Two cases of the lifts in September, one of them about their head; one of the water in August."""
    routes = {"one": "lifts", "secret": "lifts", "before": "water"}
    for case, department in routes.items():
        received = START - timedelta(days=30 if case == "before" else 1)
        about = {"case": case, "at": received, "procedure": "shop", "version": 3}
        against = {"against": ["何总"]} if case == "secret" else {}
        events = [
            registration(case, received_at=received, text="=电梯停运", title="电梯停运", **against),
            Routed(**about, department=department),
        ]
        await desk.apply([*events, Closed(**{**about, "at": received + timedelta(hours=30)})])


async def test_the_page_compares_with_the_period_before_and_links_each_figure_to_its_cases(desk: DeskProbe) -> None:
    await story(desk)
    desk.sign_in("li")
    page = (await desk.browser.get("/management?unit=month&period=2026-09-24", headers=ENGLISH)).text
    assert 'data-figure="closed.now">2</a>' in page
    assert 'data-figure="closed.before">1</a>' in page
    assert "<td>+1</td>" in page
    assert page.count('role="img"') == 6
    assert "2 d" in page
    cases = (await desk.browser.get("/management/cases?unit=month&period=2026-09-01&figure=closed", headers=ENGLISH)).text
    assert ("/cases/one" in cases, "/cases/secret" in cases, "/cases/before" in cases) == (True, True, False)
    assert (await desk.browser.get("/management/cases?figure=none")).status_code == 404


async def test_nobody_counts_a_case_about_himself(desk: DeskProbe) -> None:
    await story(desk)
    for person, closed in (("li", 2), ("he", 1), ("wang", 1), ("shui", 0)):
        desk.sign_in(person)
        page = (await desk.browser.get("/management?unit=month&period=2026-09-24&procedure=shop")).text
        cases = (await desk.browser.get("/management/cases?unit=month&period=2026-09-01&figure=closed")).text
        assert f'data-figure="closed.now">{closed}</a>' in page, person
        assert cases.count("data-row") == closed, person
        assert ("/cases/secret" in cases) == (person == "li"), person


async def test_the_file_holds_the_figures_and_no_formula(desk: DeskProbe) -> None:
    await story(desk)
    await desk.apply([Classified(case="one", at=START, procedure="shop", version=3, **{"class": "=HYPERLINK(1)"})])
    desk.sign_in("li")
    csv = await desk.browser.get("/management/figures.csv?unit=month&period=2026-09-24", headers=ENGLISH)
    assert csv.headers["content-disposition"].endswith("Figures-2026-09.csv")
    lines = csv.content.decode("utf-8-sig").splitlines()
    heads = lines[0].split(",")
    row = dict(zip(heads, next(line for line in lines if line.startswith("2026-09,All,")).split(","), strict=True))
    assert (row["Registered"], row["Closed"], row["On time"], row["Half closed within"]) == ("2", "2", "1.0", "48")
    assert "'=HYPERLINK(1)" in csv.text
    excel = await desk.browser.get("/management/figures.xlsx?unit=month&period=2026-09-24", headers=ENGLISH)
    sheet = load_workbook(BytesIO(excel.content)).active
    assert sheet is not None
    values = [[cell.value for cell in cells] for cells in sheet.iter_rows()]
    assert values[0] == heads
    assert {cell.data_type for cells in sheet.iter_rows() for cell in cells} <= {"s", "n"}
    assert any("=HYPERLINK(1)" in line for line in values)


async def test_the_page_opens_for_any_view_in_both_languages(desk: DeskProbe) -> None:
    desk.sign_in("li")
    for query in ("", "?unit=week", "?unit=year&only=department:lifts&procedure=x", "?period=2000-01-01&only=x"):
        for language in ("zh", "en"):
            answer = await desk.browser.get(f"/management{query}", headers={"Accept-Language": language})
            assert answer.status_code == 200, answer.text


async def test_a_forged_position_begins_at_the_first_case(desk: DeskProbe) -> None:
    await story(desk)
    desk.sign_in("li")
    for cursor in ("x", "2026-09-24T08:00:00~one", "2026-09-24T08:00:00+00:00~\x00"):
        answer = await desk.browser.get("/management/cases", params={"figure": "closed", "period": "2026-09-24", "cursor": cursor})
        assert answer.text.count("data-row") == 2


async def test_the_page_says_that_cases_of_an_older_version_are_not_counted(desk: DeskProbe) -> None:
    await story(desk)
    desk.sign_in("li")
    assert "jiesu desk rebuild" not in (await desk.browser.get("/management")).text
    async with desk.service.database.transaction() as tx:
        await tx.execute("UPDATE case_row SET figures = '{}' WHERE case_id = 'one'")
    assert "jiesu desk rebuild" in (await desk.browser.get("/management")).text
