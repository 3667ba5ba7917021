"""Search of a complainant by exact name or phone with masked answers, and unmasking with its record."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from services.sla.bootstrap import build
from shared.contracts.events.triage import Classified
from shared.contracts.person_keys import person_key, pseudonym_key
from shared.contracts.topics import TRIAGE_EVENTS
from shared.runtime.encryption import EncryptionKeyRing
from tests.integration.sla.application.test_access import DEPARTMENTS, organisation_people
from tests.integration.sla.recorded_cases import wait_for_events
from tests.integration.sla.sla_harness import SlaHarness, first_decision, person_client, write_organisation
from tests.support.messaging.cloud_events import case_event

SEALING, PSEUDONYM = f"k1:{'A' * 43}=", "the pseudonym secret"
CONTACT = {"name": "王 建国", "phone": "+8613800000000", "email": "wang@example.org", "id_number": "110101199001011234"}
MASKED = ({"name": "王**", "phone": "138****0000"}, {"name": "", "phone": ""})
MAY = ["find_by_phone", "unmask"]
PEOPLE = organisation_people(li={"may": MAY}, qian={"may": MAY}, sun={"may": ["find_by_phone"]})


def decision(case: str, *, anonymous: bool = False, against: list[str] | None = None) -> Classified:
    event = first_decision(case, datetime.now(UTC) - timedelta(minutes=1))
    document = event.model_dump(mode="json", by_alias=True, exclude_none=True)
    document["registered"]["complaint"] |= {
        "contact": EncryptionKeyRing.parse(SecretStr(SEALING)).encrypt(CONTACT, case),
        "complainant": {"anonymous": anonymous, **({} if anonymous else {"name": "王**", "phone": "138****0000"})},
        "against": against or [],
    }
    document["registered"]["complainant_keys"] = [person_key("phone", "+8613800000000", pseudonym_key(PSEUDONYM))]
    return Classified.model_validate(document)


@pytest.fixture
def keyed(harness: SlaHarness) -> SlaHarness:
    write_organisation(harness.settings.organisation, departments=DEPARTMENTS, people=PEOPLE, fallback="sun")
    keys = {"sealing_keys": SecretStr(SEALING), "pseudonym_key": SecretStr(PSEUDONYM)}
    return SlaHarness(harness.settings.model_copy(update=keys), harness.topic_client)


async def test_complainant_is_found_masked_and_seen_with_a_record(keyed: SlaHarness) -> None:
    async with build(keyed.settings).running() as service:
        for event in (decision("own"), decision("anonymous", anonymous=True), decision("accused", against=["qian"])):
            await keyed.topic_client.publish(case_event(TRIAGE_EVENTS, event, "triage"))
            await wait_for_events(service, event.case, "registered")

        async def post(person: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
            async with person_client(service, person) as http:
                answer = await http.post(path, json=body)
            return answer.status_code, answer.json()

        async def found(person: str, **query: str) -> list[str]:
            status, answer = await post(person, "/v1/people/search", query)
            assert status == 200, answer
            assert all(row["complainant"] in MASKED for row in answer["cases"])
            return sorted(row["case"] for row in answer["cases"])

        # An anonymous complainant is not found by a name; the accused does not find the case that is about him.
        assert await found("li", name="王  建国") == ["accused", "own"]
        assert await found("qian", name="王 建国") == ["own"]
        assert await found("qian", phone="138 0000 0000") == ["anonymous", "own"]
        assert await found("li", name="王建") == []
        refusals = [
            ("zhao", {"name": "王 建国"}, 403),
            ("zhao", {"phone": "13800000000"}, 403),
            ("li", {}, 422),
            ("li", {"name": "a", "phone": "13800000000"}, 422),
            ("li", {"phone": "x"}, 422),
        ]
        assert [(await post(person, "/v1/people/search", body))[0] for person, body, _ in refusals] == [status for *_, status in refusals]

        seen = {"fields": ["phone", "name"], "reason": "回访"}
        status, answer = await post("li", "/v1/cases/own/unmask", seen)
        assert (status, answer["values"]) == (200, {"name": "王 建国", "phone": "+8613800000000"})
        unmaskings = [
            ("sun", "own", seen, 403),  # without the right
            ("qian", "accused", seen, 404),  # the case is about him
            ("li", "anonymous", seen, 403),
            ("li", "own", {"fields": ["phone"], "reason": " "}, 422),
            ("li", "own", {"fields": ["id_number"], "reason": "回访"}, 422),
        ]
        assert [(await post(person, f"/v1/cases/{case}/unmask", body))[0] for person, case, body, _ in unmaskings] == [
            status for *_, status in unmaskings
        ]
        async with person_client(service, "li") as http:
            recorded = (await http.get("/v1/cases/own/unmaskings")).json()["unmaskings"]
            permitted = (await http.get("/v1/cases/own/permitted-actions")).json()
        assert [(each["person"], each["fields"], each["reason"]) for each in recorded] == [("li", ["name", "phone"], "回访")]
        async with service.database.transaction() as tx:
            assert await tx.fetchval("SELECT count(*) FROM unmasking") == 1
        by_name = {each["action"]: each for each in permitted["actions"]}
        assert permitted["roles"] == ["assistant"]
        assert by_name["answer"]["permitted"]
        assert not by_name["reopen"]["permitted"]


async def test_without_keys_contact_data_stay_sealed(harness: SlaHarness) -> None:
    write_organisation(harness.settings.organisation, departments=DEPARTMENTS, people=PEOPLE, fallback="sun")
    async with build(harness.settings).running() as service, person_client(service, "li") as http:
        await harness.send_first_decision("own")
        await wait_for_events(service, "own", "registered")
        answer = await http.post("/v1/cases/own/unmask", json={"fields": ["phone"], "reason": "回访"})
        search = await http.post("/v1/people/search", json={"name": "王建国"})
    assert [each.json()["type"] for each in (answer, search)] == ["urn:jiesu:problem:contacts_sealed"] * 2
