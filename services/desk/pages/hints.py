"""First-run hints: a panel of the inbox until the person closes it, and of the help page at any time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from services.desk.domain.hints import Hint
from services.desk.pages.deciding.access import may_decide
from services.desk.pages.dependencies import DeskDependencies
from services.desk.pages.page import url_for
from services.desk.session import Session, writing
from services.desk.storage.closed_hints import close_hints
from shared.procedures.model.procedure import LanguageCode


@dataclass(frozen=True, slots=True)
class ShownHint:
    """A hint with its address, and the values of its text."""

    name: str
    address: str
    values: Mapping[str, str]


def router(dependencies: DeskDependencies) -> APIRouter:
    """`POST /hints/close`."""
    routes = APIRouter()

    @routes.post("/hints/close", name="close_hints")
    async def close(request: Request, session: Annotated[Session, Depends(writing)]) -> Response:
        """Close the panel of the inbox for this person, on all his devices."""
        async with dependencies.database.transaction() as tx:
            await close_hints(tx, session.person.id)
        return RedirectResponse(url_for(request, "inbox"), 303)

    return routes


def shown_hints(dependencies: DeskDependencies, request: Request, session: Session) -> list[ShownHint]:
    """The hints of the signed-in person now."""
    chosen = dependencies.hints.hints(
        session.person,
        dependencies.clock.now(),
        takes_complaints=bool(dependencies.entry_sources.of(session.person)),
        decides=may_decide(dependencies, session),
    )
    language = dependencies.pages.reader_language(request)
    return [ShownHint(hint.name, _address(request, hint), _values(dependencies, hint, language)) for hint in chosen]


def _address(request: Request, hint: Hint) -> str:
    path = url_for(request, hint.route, **hint.parameters)
    return f"{path}?{urlencode(hint.query)}" if hint.query else path


def _values(dependencies: DeskDependencies, hint: Hint, language: LanguageCode) -> dict[str, str]:
    if not hint.actions:
        return {}
    texts = dependencies.regulations.texts(hint.procedure, language)
    named = [texts.action(action) for action in hint.actions]
    return {"actions": texts.join_list(named, ("和", "and")), "title": texts.title(texts.procedure.title)}
