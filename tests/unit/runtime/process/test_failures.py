"""Infrastructure errors are distinguished from errors of the data, and reasons contain no values."""

import errno
import re

import asyncpg
import pytest
from aiokafka.errors import KafkaConnectionError
from pydantic import BaseModel, ValidationError
from sqlalchemy import exc

from shared.runtime.errors import Rejected, Unavailable
from shared.runtime.process import failures
from shared.runtime.process.failures import is_infrastructure, redacted_reason, storable_text


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.DeadlockDetectedError("x"),
        asyncpg.SerializationError("x"),
        asyncpg.AdminShutdownError("x"),
        asyncpg.CannotConnectNowError("x"),
        asyncpg.TooManyConnectionsError("x"),
        asyncpg.LockNotAvailableError("x"),
        asyncpg.QueryCanceledError("x"),
        asyncpg.IdleInTransactionSessionTimeoutError("x"),
        asyncpg.InvalidPasswordError("x"),
        asyncpg.UndefinedTableError("x"),
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.InternalClientError("got result for unknown protocol state"),
        exc.TimeoutError("pool"),
        ConnectionResetError(),
        TimeoutError(),
        KafkaConnectionError(),
        Unavailable("x"),
    ],
)
def test_outages_are_infrastructure_errors(error: Exception) -> None:
    assert is_infrastructure(error)


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.CharacterNotInRepertoireError("x"),
        asyncpg.DataError("x"),
        asyncpg.UniqueViolationError("x"),
        asyncpg.NumericValueOutOfRangeError("x"),
        asyncpg.CardinalityViolationError("x"),
        Rejected("x"),
        ValueError(),
        KeyError("x"),
        ZeroDivisionError(),
        OSError(errno.ENAMETOOLONG, "File name too long"),
    ],
)
def test_errors_of_the_data_are_no_infrastructure_errors(error: Exception) -> None:
    assert not is_infrastructure(error)


def test_the_driver_error_inside_sqlalchemys_error_decides() -> None:
    def wrapped(inner: Exception, *, invalidated: bool = False) -> exc.DBAPIError:
        adapter = Exception("adapter")
        adapter.__cause__ = inner
        return exc.DBAPIError("SELECT", {}, adapter, connection_invalidated=invalidated)

    assert is_infrastructure(wrapped(asyncpg.DeadlockDetectedError("x")))
    assert is_infrastructure(wrapped(asyncpg.DataError("x"), invalidated=True))
    assert not is_infrastructure(wrapped(asyncpg.DataError("x")))


def test_reason_names_field_and_rule_but_no_value() -> None:
    class Person(BaseModel):
        phone: int

    with pytest.raises(ValidationError) as raised:
        Person.model_validate({"phone": "13800000000x"})
    assert redacted_reason(raised.value) == "Person: phone: int_parsing"
    assert redacted_reason(asyncpg.DataError("invalid input: '13800000000'")) == "DataError (SQLSTATE 22000)"
    assert "13800000000" not in redacted_reason(ValueError("13800000000"))


def test_storable_text_replaces_nul_and_lone_surrogates() -> None:
    assert storable_text("a\x00b\ud800c") == "a�b?c"


def _run_as(filename: str, source: str, names: dict[str, object]) -> None:
    exec(compile(source, filename, "exec"), names)


def test_the_place_of_a_fault_is_not_the_drivers_compiled_code() -> None:
    """Else all errors of the database share a place, and the breaker takes different faults for the same."""
    with pytest.raises(asyncpg.RaiseError) as raised:
        _run_as("asyncpg/protocol/protocol.pyx", "raise error", {"error": asyncpg.RaiseError("x")})
    assert re.fullmatch(r"RaiseError \(SQLSTATE P0001\) at test_failures\.py:\d+ in _run_as", redacted_reason(raised.value))


def test_the_place_of_a_fault_is_found_where_our_packages_are_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "_OWN_PACKAGES", ("/usr/lib/site-packages/services/",))
    with pytest.raises(KeyError) as raised:
        _run_as("/usr/lib/site-packages/services/sla/case.py", "{}['x']", {})
    assert redacted_reason(raised.value) == "KeyError at case.py:1 in <module>"


def test_the_place_of_a_fault_is_the_caller_of_our_database_wrapper() -> None:
    with pytest.raises(asyncpg.RaiseError) as raised:
        _run_as(f"{failures._DATABASE_WRAPPER}transaction.py", "raise error", {"error": asyncpg.RaiseError("x")})
    assert " in _run_as" in redacted_reason(raised.value)
