"""The case that triage's link or proposal of a duplicate names, as sla checks it."""

from typing import Any

import pytest

from services.sla.domain.lifecycle.case import Case
from services.sla.domain.lifecycle.inputs import ApplyDecision
from services.sla.domain.lifecycle.links.resolution import LINK_RULE, resolve_link


def case(case_id: str, procedure: str = "p", **state: Any) -> Case:
    return Case(case_id, procedure, 1, "", 0, 0, {}, {}, **state)


def decision(event: str) -> ApplyDecision:
    return ApplyDecision(event, 5, {"to_case": "a", "as": "duplicate", "rule": "duplicates", "clause": "7"})


@pytest.mark.parametrize("event", ["linked", "link_proposed"])
def test_lead_that_is_not_opened_yet_is_no_obstacle(event: str) -> None:
    assert resolve_link(case("b"), decision(event), lambda _: None) == decision(event)


@pytest.mark.parametrize("event", ["linked", "link_proposed"])
@pytest.mark.parametrize(
    ("lead", "own", "reason"),
    [
        ({"answered": True}, {}, "has been answered"),
        ({"status": "closed"}, {}, "has ended"),
        ({"procedure": "other"}, {}, "another procedure"),
        ({}, {"decided_by_person": ["link"]}, "a person has decided"),
        ({}, {"lead": "a"}, "already"),
    ],
)
def test_link_that_cannot_hold_is_refused_with_its_clause(event: str, lead: dict[str, Any], own: dict[str, Any], reason: str) -> None:
    refused = resolve_link(case("b", **own), decision(event), {"a": case("a", **lead)}.get)
    assert isinstance(refused, ApplyDecision)
    assert (refused.event, refused.data["rule"], refused.data["clause"]) == ("action_refused", LINK_RULE, "7")
    assert reason in refused.data["reason"]
    assert refused.data["data"]["to_case"] == "a"


def test_link_to_a_duplicate_goes_to_its_lead_unless_that_was_answered() -> None:
    cases = {"a": case("a", lead="z"), "z": case("z")}
    resolved = resolve_link(case("b"), decision("linked"), cases.get)
    assert isinstance(resolved, ApplyDecision)
    assert resolved.data["to_case"] == "z"
    refused = resolve_link(case("b"), decision("linked"), (cases | {"z": case("z", answered=True)}).get)
    assert isinstance(refused, ApplyDecision)
    assert refused.event == "action_refused"
