"""The list of cases over HTTP: its parameters, and its JSON and CSV forms."""

import csv
import io
import re
from typing import Annotated, Any, Literal

from fastapi import Request
from fastapi.responses import JSONResponse, Response
from pydantic import BeforeValidator, Field, StringConstraints

from services.sla.application.case_list import CasePage
from services.sla.domain.views.case_view import ROW_FIELDS
from services.sla.storage.case_list import CaseFilter
from shared.contracts.base import InputInstant, StrictModel
from shared.runtime.spreadsheets.cell_text import inert_text

MAX_CASES = 200
PHONE_HEADER = "the complainant's phone number; a header, because proxies log the addresses of requests"
JSON, CSV = "application/json", "text/csv"
RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "a page of cases",
        "content": {
            JSON: {
                "schema": {
                    "type": "object",
                    "required": ["cases", "next_cursor"],
                    "properties": {
                        "cases": {"type": "array", "items": {"type": "object"}},
                        "next_cursor": {"type": ["string", "null"]},
                    },
                }
            },
            CSV: {"schema": {"type": "string"}},
        },
    }
}
_UNENCODED_PLUS = re.compile(r"(?<=:\d\d) (?=\d\d:?\d\d$)")


def _restore_plus(value: Any) -> Any:
    """A plus sign in an address is read as a space: the offset +08:00 arrives as ` 08:00` where the client did not write %2B."""
    return _UNENCODED_PLUS.sub("+", value) if isinstance(value, str) else value


FilterText = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
QueryInstant = Annotated[InputInstant, BeforeValidator(_restore_plus)]


class CaseListParameters(StrictModel):
    """Filters, which all apply, and the page."""

    status: Literal["open", "closed", "refused", "withdrawn"] | None = None
    class_: FilterText | None = Field(None, alias="class")
    department: FilterText | None = Field(None, description="the lead department")
    procedure: FilterText | None = None
    number: FilterText | None = None
    due_before: QueryInstant | None = Field(None, description="a running clock is due before this instant, or was")
    breached: bool | None = Field(None, description="whether a deadline was missed")
    cursor: Annotated[str, StringConstraints(max_length=1000)] | None = Field(None, description="`next_cursor` of the page before")
    limit: int = Field(50, ge=1, le=MAX_CASES)

    def to_filter(self) -> CaseFilter:
        """The filter of the page."""
        return CaseFilter(
            status=self.status,
            class_=self.class_,
            department=self.department,
            procedure=self.procedure,
            number=self.number,
            due_before=self.due_before,
            breached=self.breached,
        )


def page_response(page: CasePage, request: Request) -> Response:
    """The page in the form that the client accepts; JSON if it accepts both alike."""
    headers = {"Vary": "Accept", "Cache-Control": "no-store"}
    if page.next_cursor is not None:
        url = request.url.include_query_params(cursor=page.next_cursor)
        headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'
    if _prefers_csv(request.headers.get("accept", "")):
        return Response(to_csv(page.rows), headers=headers, media_type=CSV)
    return JSONResponse({"cases": page.rows, "next_cursor": page.next_cursor}, headers=headers)


def to_csv(rows: list[dict[str, Any]]) -> str:
    """The rows under a header line (RFC 4180), hidden fields empty; a cell that a spreadsheet would execute gets an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(ROW_FIELDS)
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in ROW_FIELDS])
    return text.getvalue()


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case list():
            return _cell(" ".join(map(str, value)))
        case _:
            return inert_text(str(value))


def _prefers_csv(accept: str) -> bool:
    quality = dict.fromkeys((JSON, CSV), 0.0)
    for part in accept.lower().split(","):
        media_type, *parameters = (text.strip() for text in part.split(";"))
        if media_type in quality:
            weight = next((text[2:] for text in parameters if text.startswith("q=")), "1")
            quality[media_type] = float(weight) if re.fullmatch(r"[01](\.\d{0,3})?", weight) else 0.0
    return quality[CSV] > quality[JSON]
