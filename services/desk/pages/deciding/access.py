"""Who opens the pages on which people decide for departments; the services check each case and each action besides."""

from http import HTTPStatus

from starlette.exceptions import HTTPException

from services.desk.domain.viewer import department_key
from services.desk.pages.dependencies import DeskDependencies
from services.desk.session import Session
from shared.contracts.base import CASE_ID_PATTERN


def require_id(text: str) -> str:
    """The id of a case or group from an address; 404 for one that would name another address of a service, such as two dots."""
    if not text.strip("./") or CASE_ID_PATTERN.fullmatch(text) is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return text


def decides_for_departments(dependencies: DeskDependencies, session: Session) -> bool:
    """Whether the person sees cases other than those that he handles himself."""
    sees = dependencies.viewer(session).sees
    return sees is None or any(key.startswith(department_key("")) for key in sees)
