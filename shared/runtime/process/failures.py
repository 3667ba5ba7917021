"""Distinguishes infrastructure errors, which are retried, from errors of the data, which become dead letters."""

import errno
import os
import traceback
from pathlib import Path
from sysconfig import get_path

import asyncpg
from aiokafka.errors import KafkaError
from pydantic import ValidationError
from sqlalchemy import exc

from shared.runtime.errors import Rejected, Unavailable

# SQLSTATE classes that a record can cause: cardinality, data, integrity, check option, limits (a row too long), raised by PL/pgSQL.
_DATA_CLASSES = frozenset({"21", "22", "23", "44", "54", "P0"})
_DATA_ERRNOS = frozenset({errno.ENAMETOOLONG, errno.EILSEQ})
_OWN_PACKAGES = tuple(f"{Path(__file__).parents[3] / name}{os.sep}" for name in ("services", "shared"))
_DATABASE_WRAPPER = f"{Path(__file__).parents[1] / 'database'}{os.sep}"
_STANDARD_LIBRARY = f"{get_path('stdlib')}{os.sep}"
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
    # asyncpg raises it where a backend was killed during a statement.
    asyncpg.InternalClientError,
)

OUTAGE_CLASSES = (exc.SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, Unavailable, OSError)
"""Classes of errors for an `except` around work with the database; `is_infrastructure` decides which of them is an outage."""


def is_infrastructure(error: BaseException) -> bool:
    """True when a retry can succeed. Counts a missing table or a wrong password too: no record causes them."""
    if isinstance(error, exc.DBAPIError):
        return error.connection_invalidated or is_infrastructure(_driver_error(error))
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "XX")[:2] not in _DATA_CLASSES
    # A name that is too long comes from a record: trying again would stop its partition for ever.
    return isinstance(error, _INFRASTRUCTURE_ERRORS) and getattr(error, "errno", None) not in _DATA_ERRNOS


def _driver_error(error: exc.DBAPIError) -> BaseException:
    """The asyncpg error: SQLAlchemy wraps it in its dialect's error, and that one in a DBAPIError."""
    dialect_error = error.orig
    if dialect_error is None or dialect_error.__cause__ is None:
        return Unavailable("database error without a cause")
    return dialect_error.__cause__


def redacted_reason(error: BaseException) -> str:
    """One line for a dead letter or a log with names, rules and code locations, without values of the record."""
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


def fault_signature(error: BaseException) -> str:
    """Exception type and place: what two failures of the same fault of ours have in common."""
    if isinstance(error, exc.DBAPIError):
        return fault_signature(_driver_error(error))
    return f"{type(error).__name__}{_code_location(error)}"


def _code_location(error: BaseException) -> str:
    """The innermost line of our own code."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_ours(frame.filename)]
    if not frames:
        return ""
    return f" at {Path(frames[-1].filename).name}:{frames[-1].lineno} in {frames[-1].name}"


def _is_ours(filename: str) -> bool:
    # In an image our packages are in site-packages too. The driver's compiled code states a relative name, the same for every statement.
    if filename.startswith(_OWN_PACKAGES):
        # A statement passes through our own wrapper too: the place that matters is the one that asked for it.
        return not filename.startswith(_DATABASE_WRAPPER)
    return Path(filename).is_absolute() and "site-packages" not in filename and not filename.startswith(_STANDARD_LIBRARY)


def storable_text(text: str, max_length: int = 1000) -> str:
    """Text that PostgreSQL can store: without NUL and lone surrogates, at most `max_length` characters."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "�")[:max_length]
