"""The review queue at the desk, decided by a real sla."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.desk.config import DeskSettings
from services.sla.bootstrap import build as build_sla
from services.sla.config import SlaSettings
from shared.contracts.topics import TOPICS, department_topic
from shared.runtime.kafka.topic_admin import apply_topics
from shared.runtime.service import Service
from tests.integration.desk.conftest import CSRF, DeskProbe
from tests.integration.sla.application.reviews.test_review_queue import send_for_review
from tests.integration.sla.recorded_cases import wait_for_events
from tests.integration.sla.sla_harness import SlaHarness, event_types, write_organisation
from tests.support.messaging.sample_organisation import token_of
from tests.support.messaging.settings import SettingsFactory
from tests.support.messaging.topic_client import TopicClient

ENGLISH = {"Accept-Language": "en"}
PEOPLE: dict[str, dict[str, Any]] = {
    "li": {"roles": ["assistant"]},
    "wu": {"roles": ["assistant"]},
    "qian": {"roles": ["handler"], "department": "gardens"},
    "guest": {"roles": []},
}


@pytest.fixture
def desk_settings(make_settings: SettingsFactory, tmp_path: Path) -> DeskSettings:
    people = [{"id": name, "token_sha256": token_of(name), **fields} for name, fields in PEOPLE.items()]
    departments = [{"id": "repairs"}, {"id": "gardens"}]
    organisation = write_organisation(tmp_path / "organisation.yaml", people=people, line={}, fallback="li", departments=departments)
    return make_settings(DeskSettings, organisation=organisation, desk_path="/desk")


@pytest.fixture
async def sla(make_settings: SettingsFactory, desk_settings: DeskSettings, topic_client: TopicClient) -> SlaHarness:
    settings = make_settings(SlaSettings, organisation=desk_settings.organisation)
    await apply_topics(settings, [*TOPICS.values(), department_topic("repairs"), department_topic("gardens")])
    return SlaHarness(settings, topic_client)


def connect(desk: DeskProbe, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(desk.service.app.state.dependencies.services._urls, "sla", f"http://127.0.0.1:{service.http_port}")


def form_of(page: str, case: str) -> str:
    found = re.search(rf'action="/desk/reviews/{case}">.*?name="form" value="([^"]+)"', page, re.DOTALL)
    assert found is not None, page
    return found.group(1)


async def test_review_is_decided_with_the_guesses_and_why(desk: DeskProbe, sla: SlaHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    async with build_sla(sla.settings).running() as service:
        connect(desk, service, monkeypatch)
        for number, case in enumerate(("guessed", "wrong")):
            await send_for_review(sla, case, minute=number)
            await wait_for_events(service, case, "route_proposed")
        desk.sign_in("li")
        page = (await desk.browser.get("/reviews", headers=ENGLISH)).text
        assert page.index("/reviews/guessed") < page.index("/reviews/wrong")
        assert page.count("repairs (60 %)") == page.count("gardens (30 %)") == 2
        assert "triage was not sure" in page
        why = await desk.browser.get("/reviews/guessed/why", headers=ENGLISH)
        assert "clause 2.2.1" in why.text
        taken = await desk.browser.post("/reviews/guessed", data={"csrf": CSRF, "step": "take"}, headers=ENGLISH)
        assert "li works on it" in taken.text
        desk.sign_in("wu")
        blocked = {"csrf": CSRF, "form": "w", "step": "decide", "guess.department": "repairs"}
        refused = await desk.browser.post("/reviews/guessed", data=blocked, headers=ENGLISH)
        assert refused.status_code == 409
        assert "Refused" in refused.text
        desk.sign_in("li")
        decision = {"csrf": CSRF, "form": form_of(page, "guessed"), "step": "decide", "guess.department": "repairs"}
        for _ in range(2):
            decided = await desk.browser.post("/reviews/guessed", data=decision, headers=ENGLISH)
            assert decided.status_code == 200, decided.text
        assert "/reviews/guessed" not in decided.text
        corrected = {**decision, "form": form_of(page, "wrong"), "guess.department": "repairs", "other.department": "gardens"}
        assert (await desk.browser.post("/reviews/wrong", data=corrected)).status_code == 200
        assert (await event_types(service, "guessed")).count("review_decided") == 1
        async with service.database.transaction() as tx:
            departments = dict(await tx.fetch("SELECT id, department FROM cases"))
        assert departments == {"guessed": "repairs", "wrong": "gardens"}
        nonsense = {**decision, "form": "n", "other.department": "no-such-department"}
        assert (await desk.browser.post("/reviews/wrong", data=nonsense)).status_code == 409


async def test_who_decides_nothing_sees_no_such_page(desk: DeskProbe) -> None:
    desk.sign_in("guest")
    assert "/reviews" not in (await desk.browser.get("/help")).text
    for path in ("/reviews", "/reviews/case/why"):
        assert (await desk.browser.get(path)).status_code == 404
    assert (await desk.browser.post("/reviews/case", data={"csrf": CSRF, "step": "decide"})).status_code == 404
    desk.sign_in("li")
    assert "/desk/reviews" in (await desk.browser.get("/help")).text
    assert (await desk.browser.post("/reviews/case", data={"csrf": "another", "step": "decide"})).status_code == 403
    for case in ("%00", "%2e%2e"):
        assert (await desk.browser.post(f"/reviews/{case}", data={"csrf": CSRF, "step": "decide"})).status_code in (404, 405)


async def test_while_sla_is_away_the_page_says_so(desk: DeskProbe, monkeypatch: pytest.MonkeyPatch) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(503))
    monkeypatch.setattr(desk.service.app.state.dependencies.services, "_http", httpx.AsyncClient(transport=transport))
    desk.sign_in("li")
    answer = await desk.browser.get("/reviews", headers=ENGLISH)
    assert answer.status_code == 503
    assert "Try again in a moment" in answer.text
