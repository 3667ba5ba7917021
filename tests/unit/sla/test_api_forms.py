"""The route that prints a form: the format by Accept, headers, and its errors as problems."""

import re
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import cast

import httpx
import pytest
from fastapi import FastAPI

from services.sla import api_forms
from services.sla.api import SlaApiDependencies
from services.sla.api_forms import accepted_format
from services.sla.application.actions import TakeHttpActions
from services.sla.application.case_list import ListCases
from services.sla.application.errors import CaseNotFoundError, FormNotFoundError
from services.sla.application.forms.form_queries import FormQueries
from services.sla.application.identity import IdentityRegistry
from services.sla.application.queries import CaseQueries
from shared.procedures.access import Actor
from shared.procedures.forms.filled_form import FilledForm
from shared.procedures.model.procedure import LanguageCode
from shared.procedures.organisation import Organisation
from shared.runtime.http.problem import add_problem_handlers

TOKEN = "a token of the tests"
PDF, DOCX = "application/pdf", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


class OneForm:
    """Stands in for FormQueries: case-1 has the form sheet."""

    async def fill_form(self, case_id: str, form_id: str, actor: Actor, language: LanguageCode, version: int | None) -> FilledForm:
        assert actor.id == "li"
        if case_id != "case-1":
            raise CaseNotFoundError
        if form_id != "sheet":
            raise FormNotFoundError("form: must be one of sheet")
        return FilledForm("sheet", language, "处理单", "某物业", "规程", "", "S-1/01", f"version {version}", ())


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    people = [{"id": "li", "roles": ["assistant"], "token_sha256": sha256(TOKEN.encode()).hexdigest()}]
    identities = IdentityRegistry(Organisation.model_validate({"id": "estate", "people": people}))
    dependencies = SlaApiDependencies(
        identities, cast("TakeHttpActions", None), cast("CaseQueries", None), cast("ListCases", None), per_second=100
    )
    application = FastAPI()
    add_problem_handlers(application)
    application.include_router(api_forms.router(dependencies, cast("FormQueries", OneForm())))
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://sla", headers=headers) as connected:
        yield connected


async def test_form_is_html_that_no_cache_keeps_and_nothing_runs_in(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/cases/case-1/forms/sheet")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    policy = answer.headers["content-security-policy"]
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[^']+'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'", policy
    )
    assert "<h1>处理单</h1>" in answer.text


@pytest.mark.parametrize(("media_type", "start"), [(PDF, b"%PDF-"), (DOCX, b"PK")])
async def test_form_is_printed_in_the_accepted_format(client: httpx.AsyncClient, media_type: str, start: bytes) -> None:
    answer = await client.get("/v1/cases/case-1/forms/sheet", headers={"Accept": media_type})
    assert answer.headers["content-type"] == media_type
    assert answer.content.startswith(start)


async def test_language_and_version_are_chosen(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/cases/case-1/forms/sheet", params={"language": "en", "version": 2})
    assert '<html lang="en">' in answer.text
    assert "version 2" in answer.text


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        ("case-2/forms/sheet", 404, "case: must be the id of a registered case that concerns your department"),
        ("case-1/forms/none", 404, "form: must be one of sheet"),
        ("case-1/forms/sheet?version=0", 422, "version"),
        ("case-1/forms/sheet?language=fr", 422, "language"),
    ],
)
async def test_error_is_a_problem(client: httpx.AsyncClient, path: str, status: int, detail: str) -> None:
    answer = await client.get(f"/v1/cases/{path}")
    assert answer.status_code == status
    assert detail in answer.json()["detail"]


async def test_without_a_token_nothing_is_printed(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/cases/case-1/forms/sheet", headers={"Authorization": "Bearer wrong"})).status_code == 401


async def test_no_accepted_format_is_406_with_the_formats(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/cases/case-1/forms/sheet", headers={"Accept": "image/png"})
    assert answer.status_code == 406
    assert "text/html" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "html"),
        ("*/*", "html"),
        ("text/*", "html"),
        ("application/*", "pdf"),
        (f"{PDF}, text/html;q=0.9", "pdf"),
        (f"{PDF};q=0.1, text/html;q=0.9", "html"),
        (f"text/html;q=0, {DOCX}", "docx"),
        ("TEXT/HTML", "html"),
        ("text/html;q=0", None),
        ("text/html;q=much", None),
        ("image/png", None),
        (",;,", "html"),
    ],
)
def test_format_is_chosen_by_the_accept_header(accept: str, expected: str | None) -> None:
    assert accepted_format(accept) == expected


def test_format_that_is_not_installed_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_forms, "is_available", lambda form_format: form_format == "html")
    assert accepted_format(PDF) is None
    assert accepted_format(f"{PDF}, text/html;q=0.1") == "html"
