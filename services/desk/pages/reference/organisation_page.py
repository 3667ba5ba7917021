"""The organisation: departments with people, vacancies and absences, and who a message to each role would reach."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from services.desk.domain.organisation_tree import organisation_tree, role_reaches
from services.desk.pages.dependencies import DeskDependencies
from services.desk.session import Session, signed_in
from shared.procedures.calendars.zones import organisation_zone


def router(dependencies: DeskDependencies) -> APIRouter:
    """`GET /organisation`."""
    routes = APIRouter()
    organisation, regulations = dependencies.organisation, dependencies.regulations
    zone = organisation_zone(organisation)

    @routes.get("/organisation", name="organisation")
    async def show_organisation(
        request: Request, session: Annotated[Session, Depends(signed_in)], at: str = "", department: str = ""
    ) -> Response:
        """The tree at an instant (`at`, local time; none or unreadable: now), and the roles for a case of a department."""
        instant = _instant(at, dependencies.clock.now()).astimezone(zone)
        if organisation.department(department) is None:
            department = next(iter([*session.departments, *(unit.id for unit in organisation.departments)]), "")
        language = dependencies.pages.reader_language(request)
        return dependencies.pages.render(
            request,
            "reference/organisation.html",
            session,
            tree=organisation_tree(organisation, instant),
            reaches=role_reaches(organisation, regulations.roles, department, instant),
            role_names={role: regulations.role_name(role, language) for role in regulations.roles},
            departments=organisation.departments,
            department=department,
            at=f"{instant:%Y-%m-%dT%H:%M}",
        )

    def _instant(text: str, now: datetime) -> datetime:
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            return now
        return at if at.tzinfo else at.replace(tzinfo=zone)

    return routes
