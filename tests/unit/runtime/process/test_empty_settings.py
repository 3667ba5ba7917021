"""A variable that is there but empty, as compose files write it: it is as if absent, or an error with field and rule."""

from collections.abc import Iterator

import pytest

from cli.service_names import SERVICES
from shared.runtime.errors import Misconfigured
from tests.support.containers.production_settings import service_settings, variable_of

TYPES = {service: service_settings(service) for service in SERVICES}


def variables() -> Iterator[tuple[str, str, str]]:
    """Service, field and variable of every setting; one that several services share is of the first."""
    seen = set[str]()
    for service, settings in TYPES.items():
        for field in settings.model_fields:
            variable = variable_of(settings, field)
            if variable not in seen:
                seen.add(variable)
                yield service, field, variable


@pytest.mark.parametrize(("service", "field", "variable"), list(variables()))
def test_an_empty_variable_is_as_if_absent_or_named_with_its_rule(
    service: str, field: str, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = getattr(TYPES[service](), field)
    monkeypatch.setenv(variable, "")
    fault = ""
    try:
        empty = getattr(TYPES[service](), field)
    except Misconfigured as error:
        fault, empty = str(error), absent
    assert fault == "" or fault.startswith(f"{variable}: must ")
    assert empty == absent


@pytest.mark.parametrize(
    ("service", "variable", "message"),
    [
        # Empty, it would listen on every address of the machine.
        ("sla", "JIESU_HTTP_HOST", "JIESU_HTTP_HOST: must not be empty; give a value, or remove the variable for 127.0.0.1"),
        ("intake", "JIESU_PHONE_REGION", "JIESU_PHONE_REGION: must not be empty; give a value, or remove the variable for CN"),
        ("triage", "JIESU_BATCH_SIZE", "JIESU_BATCH_SIZE: must be a whole number"),
    ],
)
def test_the_rule_names_the_remedy(service: str, variable: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "")
    with pytest.raises(Misconfigured) as raised:
        TYPES[service]()
    assert str(raised.value) == message


def test_an_empty_path_is_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIESU_MAILBOXES", "")
    monkeypatch.setenv("JIESU_IMPORT_FOLDER", "")
    settings = TYPES["intake"]().model_dump()
    assert (settings["mailboxes"], settings["import_folder"]) == (None, None)
