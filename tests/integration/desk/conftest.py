"""The desk as a browser sees it, with people who are signed in, and a read model that tests fill with events."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import Request

from services.desk.application.confidential_fields import ConfidentialFields
from services.desk.application.projecting import ProjectRecords
from services.desk.bootstrap import build
from services.desk.config import DeskSettings
from services.desk.session import Session
from services.desk.storage.reading_progress import ReadingProgress
from shared.contracts import topics
from shared.contracts.events import encode_event
from shared.contracts.events.base import CaseEvent
from shared.contracts.topics import Topic
from shared.procedures.loading.loader import load_organisation
from shared.procedures.organisation import Organisation
from shared.runtime.clock import uuid7
from shared.runtime.service import Service
from tests.support.messaging.sample_organisation import PROCEDURE, registered_event, sample_complaint, write_organisation
from tests.support.messaging.settings import SettingsFactory

START = datetime(2026, 9, 24, 8, 0, tzinfo=UTC)
CSRF = "a-csrf-token"
DEPARTMENTS = [
    {"id": "lifts", "zh": "电梯部", "en": "Lifts", "head": "he"},
    {"id": "water", "zh": "供水部", "en": "Water", "head": "shui"},
]
PEOPLE = [
    {"id": "li", "name": "李雷", "roles": ["handler"]},
    {"id": "he", "name": "何总", "roles": ["handler"], "department": "lifts"},
    {"id": "wang", "name": "王工", "roles": ["handler"], "department": "lifts"},
    {"id": "shui", "name": "水总", "roles": ["handler"], "department": "water"},
]


class FixedSessions:
    """Signs in whom the test names."""

    def __init__(self) -> None:
        self.session: Session | None = None

    async def read(self, request: Request) -> Session | None:  # noqa: ARG002 - the protocol
        return self.session

    async def holds(self, request: Request) -> bool:  # noqa: ARG002 - the protocol
        return self.session is not None


@dataclass
class DeskProbe:
    """A browser at a desk that runs without topics."""

    service: Service
    organisation: Organisation
    browser: httpx.AsyncClient
    sessions: FixedSessions
    projection: ProjectRecords
    sequences: dict[str, int] = field(default_factory=dict)

    def sign_in(self, person_id: str) -> Session:
        person = self.organisation.person(person_id)
        assert person is not None
        departments = (person.department,) if person.department else ()
        self.sessions.session = Session(person, tuple(person.roles), departments, f"{person_id}-token", CSRF)
        return self.sessions.session

    async def apply(self, events: Sequence[CaseEvent], topic: Topic = topics.CASE_EVENTS) -> None:
        """Apply events as the consumer does; those of case-events get the next numbers of their cases."""
        records: list[tuple[str, Any, bytes]] = []
        for event in events:
            numbered = event
            if topic is topics.CASE_EVENTS and not event.sequence:
                self.sequences[event.case] = self.sequences.get(event.case, 0) + 1
                numbered = event.model_copy(update={"sequence": self.sequences[event.case]})
            records.append((topic.name, numbered, encode_event(numbered)))
        async with self.service.database.transaction() as tx:
            await self.projection.apply(tx, records)

    async def rows(self, statement: str, *args: Any) -> list[dict[str, Any]]:
        async with self.service.database.transaction() as tx:
            return [dict(row) for row in await tx.fetch(statement, *args)]


def registration(case: str, **fields: Any) -> CaseEvent:
    """A registration as sla repeats it on case-events."""
    complaint = sample_complaint(case, START, **fields)
    return registered_event(complaint, PROCEDURE["id"], PROCEDURE["version"])


@pytest.fixture
def desk_settings(make_settings: SettingsFactory, tmp_path: Path) -> DeskSettings:
    organisation = write_organisation(tmp_path, people=PEOPLE, departments=DEPARTMENTS)
    return make_settings(DeskSettings, organisation=organisation, desk_path="/desk")


@asynccontextmanager
async def desk_probe(desk_settings: DeskSettings) -> AsyncIterator[DeskProbe]:
    """A desk for the length of a block."""
    service = build(desk_settings)
    sessions = service.app.state.sessions = FixedSessions()
    transport = httpx.ASGITransport(service.app, raise_app_exceptions=False)
    organisation = load_organisation(desk_settings.organisation)
    fields = ConfidentialFields(organisation, desk_settings.organisation.parent)
    async with httpx.AsyncClient(transport=transport, base_url="http://desk.test/desk", headers={"Accept": "text/html"}) as browser:
        yield DeskProbe(service, organisation, browser, sessions, ProjectRecords(fields, ReadingProgress(uuid7())))
    # Else a connection to a service is found unclosed during a later test, which then fails.
    await service.app.state.dependencies.services.close()
    await service.processing_database.close()
    await service.database.close()


@pytest.fixture
async def desk(desk_settings: DeskSettings) -> AsyncIterator[DeskProbe]:
    async with desk_probe(desk_settings) as probe:
        yield probe
