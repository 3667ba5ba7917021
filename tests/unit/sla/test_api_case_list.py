"""The forms of the list of cases: JSON and CSV by Accept, and parameters that are validated."""

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import Request
from pydantic import ValidationError

from services.sla.api_case_list import CaseListParameters, page_response, to_csv
from services.sla.application.case_list import CasePage
from services.sla.domain.views.case_view import ROW_FIELDS


def request(accept: str, query: str = "limit=1") -> Request:
    headers = [(b"accept", accept.encode()), (b"host", b"sla")]
    return Request(
        {
            "type": "http",
            "method": "GET",
            "scheme": "http",
            "path": "/v1/cases",
            "root_path": "",
            "query_string": query.encode(),
            "headers": headers,
        }
    )


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/csv", "text/csv"),
        ("application/json, text/csv;q=0.5", "application/json"),
        ("application/json;q=0.1, text/csv;q=0.5", "text/csv"),
        ("text/csv;q=nonsense", "application/json"),
    ],
)
def test_the_client_chooses_the_form(accept: str, media_type: str) -> None:
    answer = page_response(CasePage([], None), request(accept))
    assert answer.headers["content-type"].split(";")[0] == media_type
    assert (answer.headers["vary"], answer.headers["cache-control"]) == ("Accept", "no-store")
    assert "link" not in answer.headers


def test_the_next_page_is_linked_with_the_same_filters() -> None:
    answer = page_response(CasePage([], "abc"), request("text/csv", "limit=1&status=open&cursor=old"))
    assert answer.headers["link"] == '</v1/cases?limit=1&status=open&cursor=abc>; rel="next"'


@pytest.mark.parametrize("title", ["=1+1", "+1", "-1", "@x", " =1", "\t=1", "\uff1dcmd"])
def test_cells_that_a_spreadsheet_would_execute_get_an_apostrophe(title: str) -> None:
    [row] = csv.DictReader(io.StringIO(to_csv([{"title": title, "cooperating": ["-a", "b"]}])))
    assert row["title"] == f"'{title}"
    assert row["cooperating"] == "'-a b"


def test_csv_has_every_column_and_keeps_commas_and_line_ends() -> None:
    row: dict[str, Any] = {"case": "c1", "title": 'a, "b"\nc', "breached": True, "late_by": 1.5, "due_at": None}
    [parsed] = csv.DictReader(io.StringIO(to_csv([row]), newline=""))
    assert tuple(parsed) == ROW_FIELDS
    assert (parsed["title"], parsed["breached"], parsed["late_by"], parsed["due_at"]) == ('a, "b"\nc', "true", "1.5", "")


def test_an_offset_whose_plus_sign_was_not_encoded_is_read() -> None:
    parameters = CaseListParameters.model_validate({"due_before": "2026-09-24T16:40:00 08:00"})
    assert parameters.due_before == datetime(2026, 9, 24, 8, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    "parameters",
    [
        {"limit": 0},
        {"limit": 201},
        {"status": "lost"},
        {"due_before": "2026-09-24"},
        {"due_before": "1999-12-31T00:00:00Z"},
        {"number": ""},
        {"number": "a\x00"},
        {"department": "x" * 201},
        {"cursor": "x" * 1001},
        {"unknown": "x"},
    ],
)
def test_parameters_that_cannot_be_are_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CaseListParameters.model_validate(parameters)
