"""Shared by the routes of triage: authentication, the cases that a person may read, and the errors of lists."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Request
from pydantic import StringConstraints

from services.triage.application.cursors import PagePositionError
from services.triage.application.group_pages import GroupNotFoundError
from services.triage.application.procedure_registry import ProcedureRegistry
from services.triage.application.readable_cases import ReadableCases
from shared.procedures.access import Actor
from shared.procedures.calendars.zones import organisation_zone
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database
from shared.runtime.http.bearer import unauthorized
from shared.runtime.http.identity.people import PersonAuthentication
from shared.runtime.http.problem import INVALID, HttpProblem, ProblemType

UNKNOWN_CASE = ProblemType("unknown_case", 404, "there is no such case")
UNKNOWN_GROUP = ProblemType("unknown_group", 404, "there is no such group")
CursorText = Annotated[str, StringConstraints(max_length=1000)]


class TriageApiDependencies:
    """The parts that every route of triage uses."""

    def __init__(self, database: Database, registry: ProcedureRegistry, clock: Clock, people: PersonAuthentication) -> None:
        self.database = database
        self.clock = clock
        self.zone = organisation_zone(registry.organisation)
        self.cases = ReadableCases(registry)
        self._people = people

    async def authenticate(self, request: Request) -> Actor:
        """The person of the bearer token; raises HttpProblem 401, or 503 while the identity provider cannot be read."""
        person = await self._people.person(request)
        if person is None:
            raise unauthorized("Authorization: send Bearer and the token of a person of the organisation")
        return Actor(person.id, person)


@contextmanager
def list_errors_as_problems() -> Iterator[None]:
    """Answer what a client did wrong as a problem."""
    try:
        yield
    except PagePositionError:
        raise HttpProblem(INVALID, "cursor: must be next_cursor of a page of this list; leave it out for the first page") from None
    except GroupNotFoundError:
        raise HttpProblem(UNKNOWN_GROUP, "group: must be the id of a group of which a case concerns your department") from None
