"""The demo's month: identical in every run, large enough, and acted by people of its organisation."""

from datetime import timedelta

import yaml

from cli.demo.demo_files import ORGANISATION_FILE, SECRETS_FILE
from cli.demo.month_plan import BURST_SIZE, END, START, plan_month
from cli.demo.staff import StaffPlanner
from shared.procedures.loading.loader import load_organisation

PLAN = plan_month(StaffPlanner())


def test_month_is_identical_in_every_run() -> None:
    again = plan_month(StaffPlanner())
    assert (again.submissions, again.actions) == (PLAN.submissions, PLAN.actions)


def test_month_has_300_complaints_under_three_procedures() -> None:
    organisation = load_organisation(ORGANISATION_FILE)
    assert len({submission.case for submission in PLAN.submissions}) >= 300
    assert len({submission.body["text"] for submission in PLAN.submissions}) >= 250
    assert {source.procedure for source in organisation.sources if source.id in {submission.source for submission in PLAN.submissions}} == {
        "hunan-property",
        "greentown-qd1001",
        "telecom-urgent",
    }


def test_some_submissions_are_resent_within_the_month() -> None:
    assert sum(submission.resend for submission in PLAN.submissions) >= 10
    assert all(START <= submission.at <= END for submission in PLAN.submissions)


def test_burst_fits_into_half_an_hour() -> None:
    burst = [submission for submission in PLAN.submissions if submission.body["external_id"].startswith("burst-") and not submission.resend]
    assert len(burst) == BURST_SIZE
    assert burst[-1].at - burst[0].at < timedelta(minutes=30)


def test_every_acting_person_has_a_key_of_the_organisation() -> None:
    organisation = load_organisation(ORGANISATION_FILE)
    secrets = yaml.safe_load(SECRETS_FILE.read_text(encoding="utf-8"))["people"]
    for name in {action.person for action in PLAN.actions}:
        person = organisation.person(name)
        assert person is not None
        assert secrets[name]["key_id"] in person.keys
        assert secrets[name]["token"]


def test_some_cases_are_reopened_after_they_closed() -> None:
    reopened = [action for action in PLAN.actions if action.action == "reopen"]
    closed_at = {action.case: action.at for action in PLAN.actions if action.action == "close"}
    assert len(reopened) >= 10
    assert all(closed_at[action.case] < action.at < END for action in reopened)
