"""Who may read a case, act on it, and see which fields: the matrix of actors and cases."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.procedures.access import AccessPolicy, Actor, CaseParties, hidden_from_department
from shared.procedures.accused import excluded_people
from shared.procedures.model.procedure import ConfidentialityRule, Procedure
from shared.procedures.organisation import Organisation

AWAY = datetime(2026, 9, 24, 8, tzinfo=UTC)
BACK = AWAY + timedelta(days=2)
ABSENT = [{"from": AWAY, "to": AWAY + timedelta(days=1)}]
ORGANISATION = Organisation.model_validate(
    {
        "id": "estate",
        "departments": [
            {"id": "estate", "head": "sun"},
            {"id": "repairs", "parent": "estate", "head": "zhao", "sees": ["complainant.name"]},
            {"id": "lifts", "parent": "repairs"},
            {"id": "gardens", "sees": ["text"]},
        ],
        "people": [
            {"id": "li", "name": "李明", "roles": ["assistant"]},
            {"id": "zhao", "name": "赵强", "roles": ["handler"], "department": "repairs", "substitute": "wu", "absent": ABSENT},
            {"id": "wu", "name": "吴芳", "roles": ["clerk"], "department": "gardens", "substitute": "qian", "absent": ABSENT},
            {"id": "qian", "name": "钱进", "roles": ["handler"], "department": "gardens"},
            {"id": "sun", "name": "孙丽", "roles": ["manager"], "department": "estate"},
            {"id": "guest", "name": "孙丽", "department": "gardens"},
        ],
        "sources": [{"id": "hotline", "procedure": "hunan-property"}, {"id": "web", "procedure": "hunan-property"}],
    }
)
POLICY = AccessPolicy(ORGANISATION)
PROCEDURE = Procedure.model_validate(
    {
        "id": "sample",
        "version": 1,
        "title": {"zh": "示例", "en": "Sample"},
        "register": {"number": "S-{year}-{seq:05}", "required": ["text"], "clause": "1"},
        "roles": {},
        "confidentiality": [{"hidden": ["complainant.name", "text"], "visible_to": ["clerk"], "clause": "1"}],
    }
)
REPAIRS = CaseParties(department="repairs", source="hotline")
LIFTS = CaseParties(department="lifts", source="hotline")
GARDENS = CaseParties(department="gardens", proposed="repairs", source="hotline")
PROPOSED = CaseParties(proposed="repairs", source="hotline")
SHARED = CaseParties(department="repairs", cooperating=("gardens",), source="hotline")
ASSIGNED = CaseParties(department="repairs", handler="qian", source="hotline")
CATCH_ALL = CaseParties(proposed="unassigned", source="hotline")
NOWHERE = CaseParties(source="hotline")
BY_ID = CaseParties(department="repairs", source="hotline", against=frozenset({"zhao"}))
BY_NAME = CaseParties(department="repairs", source="hotline", against=frozenset({"李明"}))
BY_SHARED_NAME = CaseParties(department="repairs", source="hotline", against=frozenset({"孙丽"}))


def actor(actor_id: str) -> Actor:
    return Actor(actor_id, ORGANISATION.person(actor_id))


READERS = [
    (REPAIRS, BACK, {"li", "zhao", "sun", "hotline"}),
    # wu, who would act for zhao, is absent too: qian acts for both.
    (REPAIRS, AWAY, {"li", "zhao", "qian", "sun", "hotline"}),
    (LIFTS, BACK, {"li", "zhao", "sun", "hotline"}),
    (GARDENS, BACK, {"li", "wu", "qian", "guest", "hotline"}),
    (PROPOSED, BACK, {"li", "zhao", "sun", "hotline"}),
    (SHARED, BACK, {"li", "zhao", "sun", "wu", "qian", "guest", "hotline"}),
    (ASSIGNED, BACK, {"li", "zhao", "sun", "qian", "hotline"}),
    (CATCH_ALL, BACK, {"li", "zhao", "sun", "wu", "qian", "hotline"}),
    (NOWHERE, BACK, {"li", "zhao", "sun", "wu", "qian", "hotline"}),
    # wu, the substitute of the accused, takes his place.
    (BY_ID, BACK, {"li", "wu", "sun", "hotline"}),
    (BY_NAME, BACK, {"zhao", "sun", "hotline"}),
    (BY_SHARED_NAME, BACK, {"li", "zhao", "sun", "hotline"}),
]


@pytest.mark.parametrize("actor_id", ["li", "zhao", "wu", "qian", "sun", "guest", "hotline", "web"])
@pytest.mark.parametrize(("parties", "at", "readers"), READERS)
def test_who_may_read_a_case(parties: CaseParties, at: datetime, readers: set[str], actor_id: str) -> None:
    assert POLICY.may_read(actor(actor_id), parties, at) == (actor_id in readers)


@pytest.mark.parametrize("actor_id", ["li", "zhao", "wu", "qian", "sun", "guest"])
@pytest.mark.parametrize(("parties", "at", "readers"), READERS)
def test_list_filter_agrees_with_the_policy_of_a_single_case(parties: CaseParties, at: datetime, readers: set[str], actor_id: str) -> None:
    if parties.against:  # no filter of a list knows them: each row passes `may_read` as well
        return
    departments = POLICY.readable_departments(actor(actor_id), at)
    responsible = parties.department or parties.proposed
    concerned = {responsible, *parties.cooperating}
    known = {unit.id for unit in ORGANISATION.departments}
    selected = departments is None or bool(departments & concerned) or not concerned & known
    selected = selected or parties.handler in POLICY.represented_ids(actor(actor_id), at)
    assert selected or actor_id not in readers


@pytest.mark.parametrize(
    ("actor_id", "parties", "at", "roles"),
    [
        ("li", REPAIRS, BACK, ("assistant",)),
        ("zhao", REPAIRS, BACK, ("handler", "owner")),
        # No head of its own: messages to the owner go to the one above, so he acts as owner too.
        ("zhao", LIFTS, BACK, ("handler", "owner")),
        ("qian", REPAIRS, BACK, ()),
        ("qian", REPAIRS, AWAY, ("handler", "owner")),
        ("qian", ASSIGNED, BACK, ("handler",)),
        ("qian", SHARED, BACK, ()),
        ("sun", REPAIRS, BACK, ("manager",)),
        ("sun", GARDENS, BACK, ()),
        ("zhao", NOWHERE, BACK, ("handler",)),
        ("zhao", CATCH_ALL, BACK, ("handler",)),
        ("zhao", BY_ID, BACK, ()),
        ("hotline", REPAIRS, BACK, ("system",)),
        ("web", REPAIRS, BACK, ("system",)),
    ],
)
def test_roles_on_a_case(actor_id: str, parties: CaseParties, at: datetime, roles: tuple[str, ...]) -> None:
    assert POLICY.roles(actor(actor_id), parties, at) == roles


@pytest.mark.parametrize("actor_id", ["li", "zhao", "wu", "qian", "sun", "guest", "hotline", "web"])
@pytest.mark.parametrize(("parties", "at", "_readers"), READERS)
def test_who_holds_a_role_on_a_case_may_act_on_it(parties: CaseParties, at: datetime, _readers: set[str], actor_id: str) -> None:
    assert POLICY.may_act(actor(actor_id), parties, at) or not POLICY.roles(actor(actor_id), parties, at)


@pytest.mark.parametrize(
    ("actor_id", "parties", "at", "hidden"),
    [
        ("li", REPAIRS, BACK, ()),
        ("zhao", REPAIRS, BACK, ("text",)),
        ("sun", REPAIRS, BACK, ("complainant.name", "text")),
        # The substitute sees what the absent person of repairs sees, not what his own gardens may.
        ("qian", REPAIRS, AWAY, ("text",)),
        ("qian", GARDENS, BACK, ("complainant.name",)),
        ("qian", SHARED, AWAY, ()),
        ("qian", ASSIGNED, BACK, ()),
        # A role that the procedure lets see: a clerk does, where he holds the role on the case.
        ("wu", GARDENS, BACK, ()),
        ("wu", REPAIRS, BACK, ("complainant.name", "text")),
        ("hotline", REPAIRS, BACK, ()),
        ("web", REPAIRS, BACK, ("complainant.name", "text")),
    ],
)
def test_fields_that_stay_hidden(actor_id: str, parties: CaseParties, at: datetime, hidden: tuple[str, ...]) -> None:
    assert POLICY.hidden_fields(actor(actor_id), PROCEDURE, parties, at) == hidden


REPORTING = Organisation.model_validate(
    {
        "id": "estate",
        "departments": [{"id": "estate", "head": "sun"}, {"id": "repairs", "parent": "estate", "head": "zhao"}, {"id": "gardens"}],
        "people": [
            {"id": "sun", "roles": ["manager"], "department": "estate"},
            {"id": "zhao", "roles": ["head"], "department": "repairs"},
            {"id": "wu", "roles": ["handler"], "department": "repairs", "substitute": "feng", "absent": ABSENT},
            {"id": "feng", "roles": ["handler"], "department": "repairs"},
            {"id": "he", "roles": ["clerk"], "department": "gardens"},
        ],
    }
)


@pytest.mark.parametrize(
    ("against", "readers"), [("zhao", {"sun", "he"}), ("wu", {"sun", "zhao", "feng", "he"}), ("he", {"sun", "zhao", "wu", "feng"})]
)
@pytest.mark.parametrize("at", [AWAY, BACK])
def test_those_who_report_to_an_accused_read_nothing_of_his_case(against: str, readers: set[str], at: datetime) -> None:
    parties = CaseParties(department="repairs", cooperating=("gardens",), against=frozenset({against}))
    policy = AccessPolicy(REPORTING)
    able = {person.id for person in REPORTING.people if policy.may_read(Actor(person.id, person), parties, at)}
    assert able == readers
    assert {person.id for person in REPORTING.people if policy.may_act(Actor(person.id, person), parties, at)} == readers


def test_access_and_decisions_leave_out_the_same_people() -> None:
    parties = CaseParties(department="repairs", against=frozenset({"zhao"}))
    unreadable = {person.id for person in REPORTING.people if not AccessPolicy(REPORTING).roles(Actor(person.id, person), parties, BACK)}
    assert excluded_people(REPORTING, ["zhao"]) == {"zhao", "wu", "feng"} <= unreadable


def test_reports_belong_to_the_role_that_owes_them_and_the_roles_above() -> None:
    line = ORGANISATION.model_copy(update={"line": {"handler": "clerk", "clerk": "manager"}, "fallback": "guest"})
    policy = AccessPolicy(line)
    people = {person.id: Actor(person.id, person) for person in line.people}
    signing = {name for name, actor in people.items() if policy.holds_role(actor, "handler", BACK)}
    reading = {name for name, actor in people.items() if policy.may_read_report(actor, "handler", BACK)}
    assert signing == {"zhao", "qian"}
    assert reading == {"zhao", "qian", "wu", "sun", "guest"}
    # While zhao is away wu would act for him, and since wu is away too, qian does.
    assert {name for name, actor in people.items() if policy.holds_role(actor, "clerk", AWAY)} == {"wu", "qian"}
    assert not policy.may_read_report(Actor("hotline"), "handler", BACK)
    circle = AccessPolicy(line.model_copy(update={"line": {"handler": "clerk", "clerk": "handler"}}))
    assert not circle.may_read_report(people["li"], "handler", BACK)


def test_a_confidential_household_is_hidden_in_agreements_and_compensations_too() -> None:
    entry = {"clause": "1", "hidden": ["complainant.household"], "visible_to": []}
    procedure = PROCEDURE.model_copy(update={"confidentiality": [ConfidentialityRule.model_validate(entry)]})
    assert hidden_from_department(procedure, None) == ("complainant.household", "household")
