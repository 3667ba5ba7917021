"""The form of an action on a case: shown with what the contract asks, sent to sla with the person's token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from services.desk.application.service_client import ServiceRefusedError, ServiceUnavailableError
from services.desk.forms import first, read_form
from services.desk.pages.case.action_choices import field_choices, option_names
from services.desk.pages.case.action_fields import ActionField, action_fields
from services.desk.pages.case.action_values import FieldFaultsError, read_action, typed_values
from services.desk.pages.case.messages.message_words import PreviewedRequest, preview_messages
from services.desk.pages.case.visible_case import case_texts, require_visible
from services.desk.pages.dependencies import DeskDependencies
from services.desk.pages.page import url_for
from services.desk.session import Session, signed_in, writing
from shared.contracts.actions import ACTION_DEFINITIONS
from shared.procedures.calendars.zones import organisation_zone
from shared.runtime.clock import uuid7

_KEY_LENGTH = 100


@dataclass(frozen=True, slots=True)
class SentActionForm:
    """The typed values and why they were not accepted; `key` makes a repetition of the same form one action."""

    key: str
    values: Mapping[str, str] = field(default_factory=dict)
    role: str = ""
    faults: Mapping[str, str] = field(default_factory=dict)
    refusal: ServiceRefusedError | None = None
    unavailable: bool = False
    status: int = 200
    preview: list[PreviewedRequest] | None = None


class ActionPages:
    """Shows and sends the forms of actions."""

    def __init__(self, dependencies: DeskDependencies) -> None:
        self._dependencies = dependencies
        self._zone = organisation_zone(dependencies.organisation)

    async def show(self, request: Request, session: Session, case: str, action: str, sent: SentActionForm) -> Response:
        """The form, or why the person may not take the action; raises HTTPException 404."""
        row, permission, fields = await self._form(request, session, case, action)
        texts = case_texts(self._dependencies, request, row["procedure"])
        names = option_names(self._dependencies.organisation, texts)
        return self._dependencies.pages.render(
            request,
            "case/action.html",
            session,
            sent.status,
            row=row,
            action=action,
            permission=permission,
            fields=fields,
            texts=texts,
            option_name=names,
            sent=sent,
            person_name=self._person_name,
        )

    async def send(self, request: Request, session: Session, case: str, action: str) -> Response:
        """Take the action at sla, or preview its messages; the form comes again as it was filled in for a preview and with a fault."""
        form = await read_form(request)
        _, _, fields = await self._form(request, session, case, action)
        filled = SentActionForm(first(form, "key")[:_KEY_LENGTH] or str(uuid7()), typed_values(fields, form), first(form, "role"))
        try:
            body = read_action(case, action, fields, form, self._zone)
            if first(form, "preview"):
                previewed = await preview_messages(self._dependencies.services, session.token, case, body)
                return await self.show(request, session, case, action, replace(filled, preview=previewed))
            path = f"/v1/cases/{quote(case, safe='')}/actions"
            await self._dependencies.services.post("sla", path, session.token, body, filled.key)
        except FieldFaultsError as error:
            refused = replace(filled, faults=error.faults, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        except ServiceRefusedError as error:
            refused = replace(filled, refusal=error, status=error.status)
        except ServiceUnavailableError:
            # sla may have taken the action: the same key in the form makes sending it again harmless.
            refused = replace(filled, unavailable=True, status=HTTPStatus.SERVICE_UNAVAILABLE)
        else:
            return RedirectResponse(f"{url_for(request, 'case_page', case=case)}?done={quote(action)}", HTTPStatus.SEE_OTHER)
        return await self.show(request, session, case, action, refused)

    def _person_name(self, person_id: str) -> str:
        person = self._dependencies.organisation.person(person_id)
        return (person.name or person.id) if person else person_id

    async def _form(
        self, request: Request, session: Session, case: str, action: str
    ) -> tuple[Mapping[str, Any], Mapping[str, Any], list[ActionField]]:
        if action not in ACTION_DEFINITIONS:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        reading = await require_visible(self._dependencies, session, case)
        try:
            path = f"/v1/cases/{quote(case, safe='')}/permitted-actions"
            answer = await self._dependencies.services.get("sla", path, session.token)
        except ServiceRefusedError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                raise HTTPException(HTTPStatus.NOT_FOUND) from error
            raise
        permission = next((each for each in answer["actions"] if each["action"] == action), None)
        if permission is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        choices = field_choices(self._dependencies.organisation, case_texts(self._dependencies, request, reading.row["procedure"]))
        return reading.row, permission, action_fields(action, permission, choices)


def router(dependencies: DeskDependencies) -> APIRouter:
    """`GET` and `POST /cases/{case}/actions/{action}`."""
    routes = APIRouter()
    pages = ActionPages(dependencies)

    @routes.get("/cases/{case}/actions/{action}", name="case_action")
    async def show_action(case: str, action: str, request: Request, session: Annotated[Session, Depends(signed_in)]) -> Response:
        """The empty form."""
        return await pages.show(request, session, case, action, SentActionForm(str(uuid7())))

    @routes.post("/cases/{case}/actions/{action}", name="take_case_action")
    async def take_action(case: str, action: str, request: Request, session: Annotated[Session, Depends(writing)]) -> Response:
        """303 to the case after the action, else the form with what is wrong."""
        return await pages.send(request, session, case, action)

    return routes
