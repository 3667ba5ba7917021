"""Duplicates over the real service: what one case brings about for another is stored with it and decided under the other's lock."""

from tests.integration.sla.recorded_cases import wait_for_events
from tests.integration.sla.sla_harness import SlaHarness, event_types, person_client


async def test_duplicate_joins_its_lead_and_ends_with_it(harness: SlaHarness) -> None:
    async with harness.build().running() as service, person_client(service) as http:
        for case in ("lead-1", "copy-1"):
            await harness.send_first_decision(case)
            await wait_for_events(service, case, "registered")
        url = "/v1/cases/{}/actions"
        unknown = await http.post(url.format("copy-1"), json={"action": "link", "role": "assistant", "data": {"case": "nowhere"}})
        assert (unknown.status_code, "register" in unknown.json()["detail"]) == (409, True)
        link = {"action": "link", "role": "assistant", "data": {"case": "lead-1", "as": "duplicate"}}
        assert (await http.post(url.format("copy-1"), json=link)).status_code == 200
        await wait_for_events(service, "lead-1", "duplicate_joined")
        handled = await http.post(url.format("copy-1"), json={"action": "handle", "role": "assistant"})
        assert (handled.status_code, "lead-1" in handled.json()["detail"]) == (409, True)
        refusal = {"action": "refuse", "role": "assistant", "data": {"reason": "unfounded"}}
        assert (await http.post(url.format("lead-1"), json=refusal)).status_code == 200
        await wait_for_events(service, "copy-1", "refused")
        assert "notification_requested" in (await event_types(service, "copy-1"))[-3:]


async def test_supplement_that_a_source_signs_reaches_the_case(harness: SlaHarness) -> None:
    async with harness.build().running() as service:
        await harness.send_first_decision("told-1")
        await wait_for_events(service, "told-1", "registered")
        await harness.send_action("told-1", "supplement", key_id="hotline-1", role="", text="又停了")
        assert "action_refused" not in await wait_for_events(service, "told-1", "supplemented")
