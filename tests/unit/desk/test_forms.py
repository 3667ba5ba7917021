"""Fields of a form as a hostile browser sends them."""

from starlette.requests import Request
from starlette.types import Message

from services.desk.forms import first, read_form


def form_request(body: bytes) -> Request:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request({"type": "http", "method": "POST", "path": "/", "headers": [], "query_string": b""}, receive)


async def test_no_value_and_no_name_of_a_form_holds_nul() -> None:
    # The second value of a field once reached PostgreSQL as it was sent, and the bulk page answered 500.
    fields = await read_form(form_request(b"case=one&case=%00&case=a%00b&na%00me=x"))
    assert fields == {"case": ["one", "", "ab"], "name": ["x"]}
    assert first(fields, "case") == "one"
