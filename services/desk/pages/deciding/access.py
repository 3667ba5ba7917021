"""Access to the pages on which people decide for departments; the services check each case and each action besides."""

from http import HTTPStatus

from starlette.exceptions import HTTPException

from services.desk.domain.viewer import person_key
from services.desk.pages.dependencies import DeskDependencies
from services.desk.session import Session
from services.desk.storage.groups.group_members import load_members
from shared.contracts.base import CASE_ID_PATTERN


def require_id(text: str) -> str:
    """The id of a case or group from an address; 404 for one that would name another address of a service, such as two dots."""
    if not text.strip("./") or CASE_ID_PATTERN.fullmatch(text) is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return text


async def case_label(dependencies: DeskDependencies, session: Session, case: str) -> str:
    """The number by which people know a case; the id of one that has none, or that the person does not see."""
    async with dependencies.database.transaction() as tx:
        rows = await load_members(tx, [case], dependencies.viewer(session))
    return str(rows[case]["number"] or case) if case in rows else case


def require_deciding(dependencies: DeskDependencies, session: Session, case: str = "") -> None:
    """404 for anyone who decides nothing, and for a `case` that is no id."""
    if case:
        require_id(case)
    if not may_decide(dependencies, session):
        raise HTTPException(HTTPStatus.NOT_FOUND)


def may_decide(dependencies: DeskDependencies, session: Session) -> bool:
    """Whether the person, or one whom he replaces now, holds a role or heads a department: anyone who only looks on decides nothing."""
    own = dependencies.viewer(session).own
    people, units = dependencies.organisation.people, dependencies.organisation.departments
    deciding = [person.id for person in people if person.roles] + [unit.head for unit in units if unit.head]
    return any(person_key(person) in own for person in deciding)
