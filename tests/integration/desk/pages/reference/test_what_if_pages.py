"""Trials in the browser: the form, a wrong number at its field, progress, the result in both languages, and the file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, cast
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI, Header

from services.desk import bootstrap
from services.desk.application.service_client import ServiceClient
from services.desk.config import DeskSettings
from services.sla.api import SlaApiDependencies
from services.sla.storage.trials.what_if_runs import WhatIfRun
from services.sla.what_if import routes
from services.sla.what_if.orders import TrialOrder, TrialOrders
from services.sla.what_if.trials import TrialRunningError, Trials
from shared.procedures.access import Actor
from shared.procedures.loading.loader import load_organisation
from shared.procedures.numbers.stated_numbers import stated_numbers
from shared.runtime.http.problem import add_problem_handlers
from tests.integration.desk.conftest import CSRF, DEPARTMENTS, PEOPLE, DeskProbe
from tests.support.messaging.sample_organisation import SOURCES, write_organisation
from tests.support.messaging.settings import SettingsFactory

PAGE = "/regulations/hunan-property/what-if"
ENGLISH = {"Accept-Language": "en"}
RUN = UUID("01890000-0000-7000-8000-000000000001")
DIFFERENCE = {"case": "c1", "number": "=1+1", "round": 1, "clauses": ["3.5.2"], "name": "measures_talked_over"}
RESULT = {
    "cases": 3,
    "differing": 1,
    "not_replayed": 1,
    "other_version": 2,
    "not_reached": 0,
    "more": True,
    "more_differences": 0,
    "summary": [
        {"clause": "3.5.2", "kind": "breach", "before": 1, "after": 0, "changed": 1},
        {"clause": "3.6", "kind": "reminder", "before": 4, "after": 4, "changed": 0},
    ],
}


@dataclass
class ScriptedTrials:
    """Stands for sla's trials: keeps the order, and answers what the test says."""

    order: TrialOrder | None = None
    state: str = "done"
    is_running: bool = False

    async def start(self, order: TrialOrder) -> WhatIfRun:
        if self.is_running:
            raise TrialRunningError
        self.order = order
        return await self.read(RUN, order.actor)

    async def read(self, run_id: UUID, actor: Actor, wait_seconds: float = 0.0) -> WhatIfRun:  # noqa: ARG002 - sla's signature
        assert self.order is not None
        numbers = {number.key: value for number, value in self.order.changed.changes}
        (key,) = numbers
        moved = {"kind": "deadline", "before": "2026-09-29T23:59:59+08:00", "after": "2026-10-09T23:59:59+08:00", "because": [key]}
        gone: dict[str, Any] = {"kind": "breach", "before": "2026-09-29T23:59:59+08:00", "after": None, "because": []}
        result = {**RESULT, "differences": [{**DIFFERENCE, **moved}, {**DIFFERENCE, **gone}]} if self.state == "done" else None
        asked = {
            "version": 1,
            "received_from": self.order.period.received_from.isoformat(),
            "received_before": self.order.period.received_before.isoformat(),
            "numbers": numbers,
        }
        return WhatIfRun(run_id, "hunan-property", self.state, asked, 2, 3, result)

    async def cancel(self, run_id: UUID, actor: Actor) -> WhatIfRun:
        self.state = "cancelled"
        return await self.read(run_id, actor)


@pytest.fixture
def trials() -> ScriptedTrials:
    return ScriptedTrials()


@pytest.fixture
def desk_settings(make_settings: SettingsFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trials: ScriptedTrials) -> DeskSettings:
    people = [{**person, "may": ["what_if"]} if person["id"] == "li" else person for person in PEOPLE]
    sources = [*SOURCES, {"id": "estate", "procedure": "hunan-property"}]
    organisation = write_organisation(tmp_path, people=people, departments=DEPARTMENTS, sources=sources)
    settings = make_settings(DeskSettings, organisation=organisation, desk_path="/desk")
    loaded = load_organisation(organisation)

    class _Dependencies:
        async def authenticate(self, authorization: Annotated[str, Header()]) -> Actor:
            name = authorization.removeprefix("Bearer ").removesuffix("-token")
            return Actor(name, loaded.person(name))

    app = FastAPI()
    add_problem_handlers(app)
    orders = TrialOrders(loaded, tmp_path)
    app.include_router(routes.router(cast("SlaApiDependencies", _Dependencies()), orders, cast("Trials", trials)))
    monkeypatch.setattr(bootstrap, "ServiceClient", partial(ServiceClient, transport=httpx.ASGITransport(app)))
    return settings


def sent(desk: DeskProbe, **changes: str) -> dict[str, Any]:
    """The form as a browser sends it, with the field of 3.5.2 changed."""
    procedure = desk.service.app.state.dependencies.regulations.packs["hunan-property"].procedure
    fields = {f"number.{number.key}": number.value for number in stated_numbers(procedure)}
    named = next(f"number.{number.key}" for number in stated_numbers(procedure) if number.clauses == ("3.5.2",))
    days = {"csrf": CSRF, "first_day": "2026-09-01", "last_day": "2026-09-30"}
    return {**days, **fields, **{named if name == "measures" else name: value for name, value in changes.items()}}


async def test_the_form_has_every_number_and_goes_to_sla_with_what_was_changed(desk: DeskProbe, trials: ScriptedTrials) -> None:
    desk.sign_in("li")
    regulation = await desk.browser.get("/regulations/hunan-property", headers=ENGLISH)
    assert f'href="/desk{PAGE}"' in regulation.text
    form = await desk.browser.get(PAGE, headers=ENGLISH)
    assert form.status_code == 200
    fields = {name for name in sent(desk) if name.startswith("number.")}
    assert all(f'name="{name}"' in form.text for name in fields)
    assert "clause 3.5.2 Measures drawn up and talked over within three working days: due within" in form.text
    answer = await desk.browser.post(PAGE, data=sent(desk, measures=" 8wd "), headers=ENGLISH)
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"] == f"/desk{PAGE}/{RUN}"
    assert trials.order is not None
    assert [value for _, value in trials.order.changed.changes] == ["8wd"]
    assert trials.order.period.received_from.isoformat() == "2026-09-01T00:00:00+08:00"
    assert trials.order.period.received_before.isoformat() == "2026-10-01T00:00:00+08:00"


WRONG: list[tuple[dict[str, str], str]] = [
    ({"measures": "soon"}, "write 30m, 2h, 4wh"),
    ({"measures": "1.5wd"}, "give whole wd or a smaller unit"),
    ({}, "change at least one number"),
    ({"first_day": "<b>", "measures": "8wd"}, "write a day such as 2026-10-01"),
    ({"last_day": "2026-08-01", "measures": "8wd"}, "give an instant after the beginning of the period"),
]


async def test_a_wrong_field_is_marked_and_keeps_what_was_typed(desk: DeskProbe, trials: ScriptedTrials) -> None:
    desk.sign_in("li")
    for changes, remedy in WRONG:
        answer = await desk.browser.post(PAGE, data=sent(desk, **changes), headers=ENGLISH)
        assert answer.status_code == 422
        assert remedy in answer.text
        assert "<b>" not in answer.text
        assert 'role="alert"' in answer.text
        assert answer.text.count('aria-invalid="true"') == (1 if changes else 0)
        assert f'value="{changes.get("measures", "3wd")}"' in answer.text
    trials.is_running = True
    answer = await desk.browser.post(PAGE, data=sent(desk, measures="8wd"), headers=ENGLISH)
    assert answer.status_code == 422
    assert "Another trial of yours is running" in answer.text
    assert trials.order is None


async def test_the_result_shows_clauses_cases_and_why_and_is_a_file(desk: DeskProbe) -> None:
    desk.sign_in("li")
    await desk.browser.post(PAGE, data=sent(desk, measures="8wd"))
    page = await desk.browser.get(f"{PAGE}/{RUN}", headers=ENGLISH)
    assert page.status_code == 200
    assert "Of 3 cases, 1 would differ." in page.text
    assert "they would have acted differently" in page.text
    assert "2 cases are of another version" in page.text
    assert "3wd → 8wd" in page.text
    assert "2026-10-09 23:59" in page.text
    assert "Follows from a change elsewhere" in page.text
    # A clause under which nothing differs is left out of the summary.
    assert page.text.count('<th scope="row">clause') == 1
    assert "hx-trigger" not in page.text
    chinese = await desk.browser.get(f"{PAGE}/{RUN}", headers={"Accept-Language": "zh"})
    assert "3 件案件中，1 件会有不同。" in chinese.text
    file = await desk.browser.get(f"{PAGE}/{RUN}/differences.csv", headers=ENGLISH)
    assert file.headers["content-type"].startswith("text/csv")
    head, first_row, second_row = file.content.decode("utf-8-sig").splitlines()
    assert head == "Case,Kind,Of,Clause,Before,After,Why"
    # The number of a case comes from a source; a spreadsheet must not calculate it.
    assert not first_row.startswith("=")
    assert "2026-09-29 23:59,2026-10-09 23:59" in first_row
    assert ",2026-09-29 23:59,," in second_row
    assert (await desk.browser.get(f"/regulations/shop/what-if/{RUN}")).status_code == 404


async def test_progress_renews_itself_is_cancelled_without_script_and_needs_the_right(desk: DeskProbe, trials: ScriptedTrials) -> None:
    desk.sign_in("li")
    trials.state = "running"
    await desk.browser.post(PAGE, data=sent(desk, measures="8wd"))
    page = await desk.browser.get(f"{PAGE}/{RUN}", headers=ENGLISH)
    assert "2 of 3 cases." in page.text
    assert 'hx-trigger="every 1s"' in page.text
    assert "Look again" in page.text
    assert (await desk.browser.get(f"{PAGE}/{RUN}/differences.csv")).status_code == 404
    answer = await desk.browser.post(f"{PAGE}/{RUN}/cancel", data={"csrf": CSRF})
    assert answer.headers["location"] == f"/desk{PAGE}/{RUN}"
    assert "The trial was cancelled." in (await desk.browser.get(f"{PAGE}/{RUN}", headers=ENGLISH)).text
    assert (await desk.browser.get(f"{PAGE}/none")).status_code == 404
    # Whoever lacks the right finds no trial, and no way to it.
    desk.sign_in("wang")
    assert (await desk.browser.get(PAGE)).status_code == 404
    assert (await desk.browser.post(PAGE, data=sent(desk, measures="8wd"))).status_code == 404
    assert PAGE not in (await desk.browser.get("/regulations/hunan-property")).text
