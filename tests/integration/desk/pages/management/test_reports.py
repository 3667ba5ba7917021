"""The periodic reports at the desk, kept and signed by a real sla."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.desk.config import DeskSettings
from services.sla.bootstrap import build as build_sla
from services.sla.config import SlaSettings
from shared.contracts.topics import TOPICS, department_topic
from shared.runtime.kafka.topic_admin import apply_topics
from tests.integration.desk.conftest import CSRF, DeskProbe
from tests.integration.sla.application.test_periodic_reports import start_duties_at
from tests.integration.sla.application.test_reports import runner
from tests.integration.sla.recorded_cases import wait_for_events
from tests.integration.sla.sla_harness import SlaHarness, write_organisation
from tests.support.messaging.sample_organisation import token_of
from tests.support.messaging.settings import SettingsFactory
from tests.support.messaging.topic_client import TopicClient

ENGLISH = {"Accept-Language": "en"}
RECEIVED_AT = datetime.now(UTC) - timedelta(days=10)
PEOPLE: dict[str, dict[str, Any]] = {
    "li": {"name": "李雷", "roles": ["assistant", "supervisor"]},
    "sun": {"roles": ["management"]},
    "qian": {"roles": ["handler"], "department": "gardens"},
}
REPORTS = "/management/reports"


@pytest.fixture
def desk_settings(make_settings: SettingsFactory, tmp_path: Path) -> DeskSettings:
    people = [{"id": name, "token_sha256": token_of(name), **fields} for name, fields in PEOPLE.items()]
    departments = [{"id": "repairs"}, {"id": "gardens"}]
    organisation = write_organisation(tmp_path / "organisation.yaml", people=people, departments=departments)
    return make_settings(DeskSettings, organisation=organisation, desk_path="/desk")


async def test_a_report_is_read_downloaded_and_signed_by_the_role_that_owes_it(
    desk: DeskProbe,
    make_settings: SettingsFactory,
    desk_settings: DeskSettings,
    topic_client: TopicClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = make_settings(SlaSettings, organisation=desk_settings.organisation)
    await apply_topics(settings, [*TOPICS.values(), department_topic("repairs"), department_topic("gardens")])
    harness = SlaHarness(settings, topic_client)
    async with build_sla(settings).running() as service:
        monkeypatch.setitem(desk.service.app.state.dependencies.services._urls, "sla", f"http://127.0.0.1:{service.http_port}")
        await harness.send_first_decision("kept", RECEIVED_AT)
        await wait_for_events(service, "kept", "clock_breached")
        await start_duties_at(service, RECEIVED_AT)
        await runner(harness, service).run_once()
        desk.sign_in("li")
        day = ((RECEIVED_AT + timedelta(hours=8)).date() - timedelta(days=(RECEIVED_AT + timedelta(hours=8)).weekday())).isoformat()
        path = f"{REPORTS}/hunan-property/weekly_check/{day}"
        assert f'href="/desk{path}"' in (await desk.browser.get(REPORTS, headers=ENGLISH)).text
        page = (await desk.browser.get(path, headers=ENGLISH)).text
        assert "Sign the report" in page
        assert "<td>1</td>" in page
        rows = await desk.browser.get(f"{path}/lists/not_handled?kind=csv")
        assert rows.headers["content-disposition"].startswith("attachment")
        assert len(rows.content.decode("utf-8-sig").splitlines()) == 2
        assert (await desk.browser.get(f"{path}/document")).json()["state"] == "drafted"

        desk.sign_in("sun")
        assert "Sign the report" not in (await desk.browser.get(path, headers=ENGLISH)).text
        refused = await desk.browser.post(f"{path}/sign", data={"csrf": CSRF}, headers=ENGLISH)
        assert (refused.status_code, "supervisor" in refused.text) == (403, True)
        desk.sign_in("qian")
        assert path not in (await desk.browser.get(REPORTS)).text
        assert [(await desk.browser.get(f"{path}{part}")).status_code for part in ("", "/document", "/lists/not_handled")] == [404] * 3

        desk.sign_in("li")
        assert (await desk.browser.post(f"{path}/sign", data={"text": "已检查"})).status_code == 403
        signed = await desk.browser.post(f"{path}/sign", data={"csrf": CSRF, "text": "已检查"})
        assert (signed.status_code, signed.headers["location"]) == (303, f"/desk{path}")
        page = (await desk.browser.get(path, headers=ENGLISH)).text
        assert ("Signed by 李雷" in page, "已检查" in page, "Sign the report" in page) == (True, True, False)
        again = await desk.browser.post(f"{path}/sign", data={"csrf": CSRF}, headers=ENGLISH)
        assert (again.status_code, "The action was refused" in again.text) == (409, True)
