"""The demo's organisation holds together: its regulations run, its roles are held, its secrets fit, and what it is to show is in it."""

import base64
import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

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
    found: dict[str, Any] = yaml.safe_load((DEMO / "secrets.yaml").read_text(encoding="utf-8"))
    return found


def test_every_source_runs_its_procedure_with_its_parameters(organisation: Organisation) -> None:
    assert {bind_parameters(load_procedure(source.procedure), source.parameters).procedure.id for source in organisation.sources} == SERVED


def test_somebody_holds_every_role_but_the_vacant_one(organisation: Organisation) -> None:
    found = [finding for name in SERVED for finding in roles.check_vacant_roles(load_procedure(name), organisation)]
    assert [(finding.severity, "manager" in finding.message) for finding in found] == [("warning", True)]


def test_calendars_are_those_that_departments_name(organisation: Organisation) -> None:
    known = {Calendar.parse(each).id for each in organisation.calendars}
    assert {unit.calendar for unit in organisation.departments if unit.calendar} == {"duty", "network"}
    assert known == {"default", "duty", "network"}


def test_substitute_stands_in_while_the_supervisor_is_away(organisation: Organisation) -> None:
    away, back = (datetime.fromisoformat(text) for text in ("2026-09-25T23:59:59+08:00", "2026-09-26T00:00:00+08:00"))
    assert organisation.role_holders("supervisor", "property_service", away) == ("luo-dan",)
    assert organisation.role_holders("supervisor", "property_service", back) == ("he-jing",)


def test_roles_of_one_division_are_not_held_in_another(organisation: Organisation) -> None:
    at = datetime.fromisoformat("2026-10-09T10:00:00+08:00")
    assert organisation.role_holders("supervisor", "telecom_network", at) == ("tao-ran",)
    assert organisation.role_holders("customer_service", "homes_sales", at) == ("ye-qing",)
    assert organisation.role_holders("manager", "telecom_network", at) == ()


def test_secrets_fit_the_organisation_and_say_what_they_are(organisation: Organisation, secrets: dict[str, Any]) -> None:
    assert "demo only" in secrets["note"]
    for source in organisation.sources:
        held = secrets["sources"][source.id]
        assert [_sha256(held["api_key"])] == source.key_sha256
        assert _public(held) == source.keys
    for person in organisation.people:
        held = secrets["people"][person.id]
        assert _sha256(held["token"]) == person.token_sha256
        assert _public(held) == person.keys
        assert held["token"].startswith("demo-only-")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _public(held: dict[str, str]) -> dict[str, str]:
    if "private" not in held:
        return {}
    private = Ed25519PrivateKey.from_private_bytes(base64.b64decode(held["private"]))
    return {held["key_id"]: base64.b64encode(private.public_key().public_bytes_raw()).decode()}
