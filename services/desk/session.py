"""The session of a signed-in person, and the dependencies by which a route asks for it."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Protocol, cast

from fastapi import Request

from services.desk.forms import first, read_form
from shared.procedures.organisation import Person

CSRF_FIELD, CSRF_HEADER = "csrf", "X-CSRF-Token"


@dataclass(frozen=True, slots=True)
class Session:
    """Who is signed in: a person of the organisation file, the roles that he holds now, his token for the services, and his CSRF token."""

    person: Person
    roles: tuple[str, ...]
    departments: tuple[str, ...]
    token: str
    csrf: str


class SessionReader(Protocol):
    """Finds the session of a request; `app.state.sessions` holds the one of the process."""

    async def read(self, request: Request) -> Session | None:
        """The session that the request's cookie names; None without a valid one."""
        ...

    async def holds(self, request: Request) -> bool:
        """Whether that session still holds; unlike a read, asking does not count as its use."""
        ...


class SignInRequiredError(Exception):
    """The request has no valid session: the person has to sign in first."""


class ForgedRequestError(Exception):
    """The CSRF token of a write is missing or is not the session's."""


async def signed_in(request: Request) -> Session:
    """The session of the request, as a dependency; raises `SignInRequiredError`."""
    session = await cast("SessionReader", request.app.state.sessions).read(request)
    if session is None:
        raise SignInRequiredError
    return session


async def writing(request: Request) -> Session:
    """The session of a request that changes something; raises `SignInRequiredError` or `ForgedRequestError`."""
    session = await signed_in(request)
    sent = request.headers.get(CSRF_HEADER, "")
    if not sent:
        sent = first(await read_form(request), CSRF_FIELD)
    if not hmac.compare_digest(sent.encode(), session.csrf.encode()):
        raise ForgedRequestError
    return session
