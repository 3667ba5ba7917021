"""HTTP reads of sla: a case with its events, the explanation of a deadline, and their access control."""

from tests.integration.sla.recorded_cases import wait_for_events
from tests.integration.sla.sla_harness import OTHER_DEPARTMENT_TOKEN, SlaHarness, person_client


async def test_case_shows_its_events_and_explains_its_deadlines(harness: SlaHarness) -> None:
    async with harness.build().running() as service, person_client(service) as http:
        await harness.send_first_decision("case-7", facility_failure=True)
        await wait_for_events(service, "case-7", "clock_started")
        case = (await http.get("/v1/cases/case-7")).json()
        clock = (await http.get("/v1/cases/case-7/clocks/3.5.1")).json()
        unknown = await http.get("/v1/cases/case-7/clocks/none")
    assert case["status"] == "open"
    assert case["events"][0]["event"] == "registered"
    assert "contact" not in case["events"][0]["complaint"]
    assert clock["rounds"][0]["dues"][0]["due"] == clock["rounds"][0]["due_at"]
    assert unknown.status_code == 404
    assert "same_day" in unknown.json()["detail"]


async def test_case_of_another_department_is_answered_like_an_unknown_one(harness: SlaHarness) -> None:
    async with (
        harness.build().running() as service,
        person_client(service) as http,
        person_client(service, OTHER_DEPARTMENT_TOKEN) as outsider,
    ):
        await harness.send_first_decision("case-8")
        await wait_for_events(service, "case-8", "registered")
        url, route = "/v1/cases/case-8", {"action": "route", "role": "assistant", "data": {"department": "repairs"}}
        assert (await http.post(f"{url}/actions", json=route)).status_code == 200
        assert (await http.get(url)).status_code == 200
        hidden = [await outsider.get(url), await outsider.post(f"{url}/actions", json={"action": "answer"})]
        unknown = [await outsider.get("/v1/cases/none"), await outsider.post("/v1/cases/none/actions", json={"action": "answer"})]
    assert [answer.status_code for answer in (*hidden, *unknown)] == [404] * 4
    assert [answer.json() for answer in hidden] == [answer.json() for answer in unknown]


async def test_id_that_no_case_can_have_is_answered_like_an_unknown_one(harness: SlaHarness) -> None:
    async with harness.build().running() as service, person_client(service) as http:
        for case in ("%00", "a%00", "%0A", "a" * 201):
            url, action = f"/v1/cases/{case}", {"action": "answer", "role": "assistant"}
            answers = [await http.get(url), await http.get(f"{url}/clocks"), await http.post(f"{url}/actions", json=action)]
            assert [answer.status_code for answer in answers] == [404] * 3
