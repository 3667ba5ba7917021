"""Request bodies are read up to a limit, with or without Content-Length."""

from collections.abc import Sequence
from typing import Any

import pytest
from fastapi import FastAPI, Request
from pydantic import BaseModel, Field

from shared.contracts.base import StrictModel
from shared.runtime.http.body import MAX_DISCARDED_BYTES, read_body, read_model, request_body, stream_body
from shared.runtime.http.problem import HttpProblem


class Address(StrictModel):
    city: str = Field(min_length=1)


class Person(StrictModel):
    name: str
    address: Address | None = None


class ChunkedBody:
    """The receiving side of an ASGI server, which counts the bytes that were read."""

    def __init__(self, chunks: Sequence[bytes]) -> None:
        self._chunks = list(chunks)
        self.bytes_read = 0

    async def receive(self) -> dict[str, Any]:
        chunk = self._chunks.pop(0)
        self.bytes_read += len(chunk)
        return {"type": "http.request", "body": chunk, "more_body": bool(self._chunks)}


def request_with(body: ChunkedBody, length: int | None = None) -> Request:
    headers = [] if length is None else [(b"content-length", str(length).encode())]
    return Request({"type": "http", "method": "POST", "headers": headers}, body.receive)


async def test_body_of_several_chunks_is_joined() -> None:
    assert await read_body(request_with(ChunkedBody([b"ab", b"", b"cd"])), 4) == b"abcd"


async def test_body_over_the_limit_is_refused_without_content_length() -> None:
    with pytest.raises(HttpProblem) as raised:
        await read_body(request_with(ChunkedBody([b"ab", b"cd", b"e"])), 4)
    assert raised.value.type.status == 413
    assert raised.value.headers["Connection"] == "close"
    assert raised.value.document()["errors"][0]["rule"] == "too_large"


async def test_body_that_declares_too_much_is_given_out_in_no_part() -> None:
    received = [chunk async for chunk in stream_body(request_with(ChunkedBody([b"ab", b"cd"]), 4), 4)]
    assert b"".join(received) == b"abcd"
    received.clear()
    with pytest.raises(HttpProblem):
        received += [chunk async for chunk in stream_body(request_with(ChunkedBody([b"ab", b"cde"]), 5), 4)]
    assert received == []


async def test_reading_stops_once_the_excess_is_over_4_mebibytes() -> None:
    body = ChunkedBody([b"x" * 65_536] * 1000)
    with pytest.raises(HttpProblem):
        await read_body(request_with(body), 1000)
    assert body.bytes_read <= 1000 + MAX_DISCARDED_BYTES + 65_536


async def test_model_is_read_from_json() -> None:
    body = ChunkedBody([b'{"name": "Wang", "address": {"city": "Changsha"}}'])
    assert await read_model(request_with(body), Person, 1000) == Person(name="Wang", address=Address(city="Changsha"))


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        (b"{", ["body"]),
        (b'{"name": "\\ud800"}', ["body"]),
        (b"{}", ["body.name"]),
        (b'{"name": "secret", "colour": 1}', ["body.colour"]),
        (b'{"name": 1, "address": {"city": ""}}', ["body.name", "body.address.city"]),
    ],
)
async def test_invalid_model_is_refused_with_the_path_of_each_field(content: bytes, fields: list[str]) -> None:
    with pytest.raises(HttpProblem) as raised:
        await read_model(request_with(ChunkedBody([content])), Person, 1000)
    assert raised.value.type.status == 422
    assert [fault.field for fault in raised.value.faults] == fields
    assert "secret" not in str(raised.value.document())


def test_openapi_shows_the_body_with_nested_models_inlined() -> None:
    app = FastAPI()

    @app.post("/people", openapi_extra=request_body(Person))
    async def add(request: Request) -> None:
        await read_model(request, Person, 1000)

    schema = app.openapi()["paths"]["/people"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert set(schema["properties"]) == {"name", "address"}
    assert schema["properties"]["address"]["anyOf"][0]["properties"]["city"] == {"minLength": 1, "title": "City", "type": "string"}
    assert "$ref" not in str(schema)


def test_openapi_of_a_model_without_definitions_is_its_schema() -> None:
    class Flat(BaseModel):
        number: int

    assert request_body(Flat)["requestBody"]["content"]["application/json"]["schema"] == Flat.model_json_schema()
