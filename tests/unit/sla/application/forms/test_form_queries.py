"""A form has the visibility and the redaction of its case."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest

from services.sla.application.errors import FormNotFoundError
from services.sla.application.forms.form_queries import FormQueries
from services.sla.application.queries import CaseQueries
from services.sla.domain.views import redaction
from shared.procedures.access import Actor
from shared.procedures.forms.html_form import render_form_html
from shared.procedures.organisation import Organisation, Person
from tests.unit.procedures.forms.sample_form import sample_events, sample_procedure

NOW = datetime(2026, 9, 24, tzinfo=UTC)
ORGANISATION = Organisation.model_validate(
    {
        "id": "estate",
        "departments": [{"id": "repairs"}, {"id": "office", "sees": ["text"]}],
        "people": [{"id": "qian", "department": "repairs"}, {"id": "wu", "department": "office"}, {"id": "li"}],
    }
)


class StoredCase:
    """Stands in for CaseQueries and its database: one case with the sample's events."""

    def __init__(self) -> None:
        procedure = sample_procedure()
        confidential = {"clause": "1", "hidden": ["text", "complainant.name", "reason"]}
        self.procedure = type(procedure).model_validate({**procedure.model_dump(by_alias=True), "confidentiality": [confidential]})
        self.rulebooks = SimpleNamespace(for_case=lambda _: SimpleNamespace(procedure=self.procedure, organisation=ORGANISATION))
        self.clock = SimpleNamespace(now=lambda: NOW)
        self.database = SimpleNamespace(transaction=self._transaction)

    async def load_visible_case(self, case_id: str, _: Actor, at: datetime) -> object:
        return SimpleNamespace(id=case_id, at=at)

    def hidden_fields(self, actor: Actor, _: object, at: datetime) -> tuple[str, ...]:
        assert at == NOW
        department = ORGANISATION.department(actor.person.department) if actor.person and actor.person.department else None
        return () if department is None else redaction.hidden_fields(self.procedure, department)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Any]:
        yield self

    async def fetch(self, _: str, case_id: str) -> list[dict[str, Any]]:
        assert case_id == "case-1"
        return [{"type": event["event"], "body": orjson.dumps(event)} for event in sample_events()[:4]]


def actor(person_id: str) -> Actor:
    person = next(person for person in ORGANISATION.people if person.id == person_id)
    assert isinstance(person, Person)
    return Actor(person_id, person)


async def page(person_id: str, version: int | None = None) -> str:
    queries = FormQueries(cast("CaseQueries", StoredCase()))
    return render_form_html(await queries.fill_form("case-1", "sheet", actor(person_id), "zh", version))


@pytest.mark.parametrize(
    ("person_id", "shown", "hidden"),
    [
        ("qian", [], ["电梯停运", "第一次措施", "王**", "重新制定"]),
        ("wu", ["电梯停运", "第一次措施"], ["王**", "重新制定"]),
        ("li", ["电梯停运", "第一次措施", "王**", "重新制定"], []),
    ],
)
async def test_form_hides_what_is_confidential_to_the_readers_department(person_id: str, shown: list[str], hidden: list[str]) -> None:
    printed = await page(person_id)
    assert [text for text in shown if text not in printed] == []
    assert [text for text in hidden if text in printed] == []
    assert ("（保密）" in printed) == bool(hidden)


async def test_hash_is_the_same_for_every_reader() -> None:
    hashes = {(await page(person_id, 1)).split("（SHA-256） ")[1][:64] for person_id in ("qian", "wu", "li")}
    assert len(hashes) == 1


@pytest.mark.parametrize(("form", "version"), [("none", None), ("register", None), ("sheet", 2)])
async def test_unknown_form_or_version_is_not_found(form: str, version: int | None) -> None:
    with pytest.raises(FormNotFoundError, match=r"form: must be one of sheet|version: must be from 1 to 1"):
        await FormQueries(cast("CaseQueries", StoredCase())).fill_form("case-1", form, actor("li"), "zh", version)
