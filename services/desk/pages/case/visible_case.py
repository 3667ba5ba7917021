"""The case that a page is about, for those who may see it, and the names of its procedure."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import Request
from starlette.exceptions import HTTPException

from services.desk.pages.dependencies import DeskDependencies
from services.desk.session import Session
from services.desk.storage.case_reading import CaseReading, load_case
from shared.procedures.explain.procedure_texts import ProcedureTexts


async def require_visible(dependencies: DeskDependencies, session: Session, case: str) -> CaseReading:
    """The case in the read model; raises HTTPException 404 where it does not exist and where the person may not see it, alike."""
    async with dependencies.database.transaction() as tx:
        reading = None if "\x00" in case else await load_case(tx, case, dependencies.viewer(session))
    if reading is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return reading


def case_texts(dependencies: DeskDependencies, request: Request, procedure: str) -> ProcedureTexts | None:
    """The names of the procedure in the reader's language; None for a case of a procedure that no source has any more."""
    if procedure not in dependencies.regulations.packs:
        return None
    return dependencies.regulations.texts(procedure, dependencies.pages.reader_language(request))
