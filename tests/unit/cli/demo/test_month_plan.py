"""The demo's month is the same in every run, large enough, and played by people of its organisation."""

from datetime import timedelta
from pathlib import Path

import yaml

from cli.demo.month_plan import BURST_SIZE, END, START, plan_month
from cli.demo.staff import StaffPlanner
from shared.procedures.loading.loader import load_organisation

DEMO = Path("deploy/demo")
PLAN = plan_month(StaffPlanner())


def test_the_month_is_the_same_in_every_run() -> None:
    again = plan_month(StaffPlanner())
    assert (again.submissions, again.actions) == (PLAN.submissions, PLAN.actions)


def test_there_are_at_least_300_different_complaints_of_three_procedures() -> None:
    organisation = load_organisation(DEMO / "organisation.yaml")
    assert len({sent.case for sent in PLAN.submissions}) >= 300
    assert len({sent.body["text"] for sent in PLAN.submissions}) >= 250
    assert {source.procedure for source in organisation.sources if source.id in {sent.source for sent in PLAN.submissions}} == {
        "hunan-property",
        "greentown-qd1001",
        "telecom-urgent",
    }


def test_some_are_sent_twice_and_lie_within_the_month() -> None:
    assert sum(sent.resend for sent in PLAN.submissions) >= 10
    assert all(START <= sent.at <= END for sent in PLAN.submissions)


def test_the_burst_fits_into_half_an_hour() -> None:
    burst = [sent for sent in PLAN.submissions if sent.body["external_id"].startswith("burst-") and not sent.resend]
    assert len(burst) == BURST_SIZE
    assert burst[-1].at - burst[0].at < timedelta(minutes=30)


def test_everybody_who_acts_has_a_token_and_signs_with_a_key_of_the_organisation() -> None:
    organisation = load_organisation(DEMO / "organisation.yaml")
    secrets = yaml.safe_load((DEMO / "secrets.yaml").read_text(encoding="utf-8"))["people"]
    for person in {act.person for act in PLAN.actions}:
        known = organisation.person(person)
        assert known is not None
        assert secrets[person]["key_id"] in known.keys
