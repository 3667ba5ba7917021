"""The demo's organisation: its procedures load, its roles have holders, its secrets match its keys."""

import base64
import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.desk.sign_in.local_accounts import load_accounts
from shared.procedures.calendars.calendar import Calendar
from shared.procedures.checks import roles
from shared.procedures.loading.loader import load_organisation, load_procedure
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.organisation import Organisation

DEMO = Path(__file__).parents[2] / "deploy" / "demo"
SERVED = {"hunan-property", "greentown-qd1001", "telecom-urgent"}


@pytest.fixture(scope="module")
def organisation() -> Organisation:
    return load_organisation(DEMO / "organisation.yaml")


@pytest.fixture(scope="module")
def secrets() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEMO / "secrets.yaml").read_text(encoding="utf-8"))
    return loaded


def test_the_procedure_of_every_source_accepts_its_parameters(organisation: Organisation) -> None:
    assert {bind_parameters(load_procedure(source.procedure), source.parameters).procedure.id for source in organisation.sources} == SERVED


def test_every_role_but_one_has_a_holder(organisation: Organisation) -> None:
    findings = [finding for name in SERVED for finding in roles.check_vacant_roles(load_procedure(name), organisation)]
    assert [(finding.severity, "manager" in finding.message) for finding in findings] == [("warning", True)]


def test_every_calendar_is_used_by_a_department_or_as_default(organisation: Organisation) -> None:
    calendar_ids = {Calendar.parse(calendar).id for calendar in organisation.calendars}
    assert {department.calendar for department in organisation.departments if department.calendar} == {"duty", "network"}
    assert calendar_ids == {"default", "duty", "network"}


def test_a_substitute_replaces_the_absent_supervisor(organisation: Organisation) -> None:
    absent, present = (datetime.fromisoformat(text) for text in ("2026-09-25T23:59:59+08:00", "2026-09-26T00:00:00+08:00"))
    assert organisation.role_holders("supervisor", "property_service", absent) == ("luo-dan",)
    assert organisation.role_holders("supervisor", "property_service", present) == ("he-jing",)


def test_a_role_in_one_division_is_not_valid_in_another(organisation: Organisation) -> None:
    at = datetime.fromisoformat("2026-10-09T10:00:00+08:00")
    assert organisation.role_holders("supervisor", "telecom_network", at) == ("tao-ran",)
    assert organisation.role_holders("customer_service", "homes_sales", at) == ("ye-qing",)
    assert organisation.role_holders("manager", "telecom_network", at) == ()


def test_the_secrets_match_the_keys_of_the_organisation_and_are_marked_as_demo_only(
    organisation: Organisation, secrets: dict[str, Any]
) -> None:
    assert "demo only" in secrets["note"]
    for source in organisation.sources:
        secret = secrets["sources"][source.id]
        assert [_sha256(secret["api_key"])] == source.key_sha256
        assert _public_keys(secret) == source.keys
    for person in organisation.people:
        secret = secrets["people"][person.id]
        assert _sha256(secret["token"]) == person.token_sha256
        assert _public_keys(secret) == person.keys
        assert secret["token"].startswith("demo-only-")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _public_keys(secret: dict[str, str]) -> dict[str, str]:
    if "private" not in secret:
        return {}
    private = Ed25519PrivateKey.from_private_bytes(base64.b64decode(secret["private"]))
    return {secret["key_id"]: base64.b64encode(private.public_key().public_bytes_raw()).decode()}


def test_accounts_of_the_desk_have_the_tokens_of_their_people(organisation: Organisation) -> None:
    accounts = yaml.safe_load((DEMO / "desk_accounts.yaml").read_text(encoding="utf-8"))["accounts"]
    load_accounts(DEMO / "desk_accounts.yaml", organisation)
    people = {person.id: person.token_sha256 for person in organisation.people if person.token_sha256}
    assert {each["person"]: hashlib.sha256(each["token"].encode()).hexdigest() for each in accounts} == people
