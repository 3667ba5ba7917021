"""Which errors are an outage (wait and try again) and which are a fault of the data (a dead letter)."""

import traceback
from pathlib import Path

import asyncpg
from aiokafka.errors import KafkaError
from pydantic import ValidationError
from sqlalchemy import exc

from shared.runtime.errors import Rejected, Unavailable

# SQLSTATE classes that a record can cause: cardinality, data, integrity, check option, limits (a row too long), raised in SQL.
_DATA_CLASSES = frozenset({"21", "22", "23", "44", "54", "P0"})
_INFRASTRUCTURE_ERRORS = (
    OSError,
    TimeoutError,
    MemoryError,
    KafkaError,
    Unavailable,
    exc.TimeoutError,
    exc.PendingRollbackError,
    exc.ResourceClosedError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


def is_infrastructure(error: BaseException) -> bool:
    """True when trying the same again later can succeed; a missing table or a refused password counts, no record caused it."""
    if isinstance(error, exc.DBAPIError):
        return error.connection_invalidated or is_infrastructure(_driver_error(error))
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "XX")[:2] not in _DATA_CLASSES
    return isinstance(error, _INFRASTRUCTURE_ERRORS)


def _driver_error(error: exc.DBAPIError) -> BaseException:
    """The asyncpg error that SQLAlchemy wrapped, twice."""
    inner = error.orig
    return inner.__cause__ if inner is not None and inner.__cause__ is not None else Unavailable("database error without a cause")


def redacted_reason(error: BaseException) -> str:
    """One line for a dead letter or a log that holds no value of the record: names, rules and places only."""
    if isinstance(error, Rejected):
        return storable_text(error.reason)
    if isinstance(error, ValidationError):
        faults = error.errors(include_input=False, include_context=False, include_url=False)[:5]
        return storable_text(f"{error.title}: {'; '.join('.'.join(map(str, fault['loc'])) + ': ' + fault['type'] for fault in faults)}")
    if isinstance(error, exc.DBAPIError):
        return redacted_reason(_driver_error(error))
    if isinstance(error, asyncpg.PostgresError):
        return f"{type(error).__name__} (SQLSTATE {error.sqlstate}){_code_location(error)}"
    return f"{type(error).__name__}{_code_location(error)}"


def _code_location(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "site-packages" not in frame.filename]
    if not ours:
        return ""
    return f" at {Path(ours[-1].filename).name}:{ours[-1].lineno} in {ours[-1].name}"


def storable_text(text: str, max_length: int = 1000) -> str:
    """Text that PostgreSQL can store: without NUL and lone surrogates, cut to `longest` characters."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "�")[:max_length]
