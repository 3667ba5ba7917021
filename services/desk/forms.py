"""Reads the fields of a form, up to a limit."""

from __future__ import annotations

from urllib.parse import parse_qs

from fastapi import Request

from shared.runtime.http.body import read_body
from shared.runtime.http.problem import INVALID, FieldFault, HttpProblem

MAX_FORM_BYTES = 65_536
_MAX_FIELDS = 1_000
FormFields = dict[str, list[str]]


async def read_form(request: Request, max_bytes: int = MAX_FORM_BYTES) -> FormFields:
    """The fields of a url-encoded body, by name, without NUL, which PostgreSQL stores in no text; raises `HttpProblem` 413 or 422.

    Not FastAPI's `Form`, which reads a body of any size before a dependency can check who sends it.
    """
    known: FormFields | None = getattr(request.state, "form_fields", None)
    if known is None:
        body = await read_body(request, max_bytes)
        try:
            sent = parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
        except ValueError:
            raise HttpProblem(INVALID, faults=[FieldFault("body", "not_a_form", "send url-encoded fields in UTF-8")]) from None
        known = {name.replace("\x00", ""): [value.replace("\x00", "") for value in values] for name, values in sent.items()}
        request.state.form_fields = known
    return known


def first(fields: FormFields, name: str) -> str:
    """The first value of a field; empty without one."""
    return fields.get(name, [""])[0]
