"""Reads request bodies up to a limit; authenticate before, since FastAPI reads the body of a declared model first."""

from codecs import BOM_UTF8
from collections.abc import AsyncIterator
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from shared.contracts.json_text import JsonTextError, parse_json_text
from shared.runtime.http.problem import BODY_TOO_LARGE, INVALID, FieldFault, HttpProblem, validation_problem

MAX_DISCARDED_BYTES = 4_194_304
"""Bytes over the limit that are read and discarded: most clients read no response before they have sent their request."""
ModelT = TypeVar("ModelT", bound=BaseModel)


async def read_body(request: Request, max_bytes: int) -> bytes:
    """The body; raises HttpProblem 413 beyond `max_bytes`. Counts what arrives, since a chunked request has no Content-Length."""
    content = bytearray()
    async for chunk in stream_body(request, max_bytes):
        content += chunk
    return bytes(content)


async def stream_body(request: Request, max_bytes: int) -> AsyncIterator[bytes]:
    """The body chunk by chunk, up to `max_bytes`; raises HttpProblem 413 behind the last of them if there is more."""
    declared, length = request.headers.get("content-length", ""), 0
    # A body that declares too much is discarded from its first byte: nothing of it reaches a disk.
    too_large = declared.isdecimal() and int(declared) > max_bytes
    async for chunk in request.stream():
        length += len(chunk)
        if length > max_bytes + MAX_DISCARDED_BYTES:
            break
        if length <= max_bytes and not too_large:
            yield chunk
    if length > max_bytes or too_large:
        fault = FieldFault("body", "too_large", f"send at most {max_bytes} bytes; send attachments by reference")
        raise HttpProblem(BODY_TOO_LARGE, faults=[fault], headers={"Connection": "close"})


async def read_model(request: Request, model: type[ModelT], max_bytes: int) -> ModelT:
    """The JSON body as a model; raises HttpProblem 413, or 422 with the path of each invalid field."""
    body = await read_body(request, max_bytes)
    try:
        parse_json_text(body)
    except JsonTextError as error:
        raise HttpProblem(INVALID, faults=[FieldFault("body", "not_json", f"send JSON in UTF-8 ({error})")]) from None
    try:
        return model.model_validate_json(body.removeprefix(BOM_UTF8))
    except ValidationError as error:
        raise validation_problem(error.errors(include_input=False, include_url=False, include_context=False), prefix=("body",)) from None


def request_body(model: type[BaseModel], example: dict[str, Any] | None = None) -> dict[str, Any]:
    """`openapi_extra` of a route that reads its body itself: OpenAPI shows only bodies that FastAPI reads."""
    schema = model.model_json_schema()
    definitions = schema.pop("$defs", {})
    content: dict[str, Any] = {"schema": _inlined(schema, definitions)}
    if example is not None:
        content["example"] = example
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def header_parameter(name: str, description: str, *, required: bool = False) -> dict[str, Any]:
    """A header that a route reads itself, for the `parameters` of its `openapi_extra`: FastAPI would check it before the caller."""
    schema = {"type": "string", "minLength": 1, "maxLength": 200}
    return {"name": name, "in": "header", "required": required, "description": description, "schema": schema}


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """The schema with its definitions in place: `#/$defs` would point to the root of the OpenAPI document."""
    if isinstance(schema, list):
        return [_inlined(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        return _inlined({**definitions[name], **{key: value for key, value in schema.items() if key != "$ref"}}, definitions)
    return {key: _inlined(value, definitions) for key, value in schema.items()}
