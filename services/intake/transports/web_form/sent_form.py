"""Reads the body of a sent form: bounded, its files in temporary files of their own."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

_MAX_FIELDS = 100
_MAX_FIELD_BYTES = 131_072
_MAX_READ_FILES = 100
FORM_BYTES = 1_048_576
"""Fields of a form besides its files."""
_MULTIPART = "multipart/form-data"
BodyFault = Literal["body", "type"]


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file of a form, with the name that the browser gave."""

    name: str
    upload: UploadFile


@dataclass(frozen=True, slots=True)
class SentForm:
    """The contents of a sent form: the first value of each field, its files, and references of files that an earlier try had brought."""

    values: Mapping[str, str]
    files: Sequence[SentFile] = ()
    kept: Sequence[str] = ()


class FormBodyError(ValueError):
    """A body that is no form (`type`), or is too large or ends too early (`body`); `sent` has the fields that were read before."""

    def __init__(self, fault: BodyFault, sent: SentForm | None = None) -> None:
        super().__init__(fault)
        self.fault = fault
        self.sent = sent or SentForm({})


class _BodyTooLargeError(ValueError):
    """Ends the reading."""


@asynccontextmanager
async def received_form(request: Request, max_bytes: int, max_files: int) -> AsyncIterator[SentForm]:
    """The form of a request; its temporary files are deleted at the end of the block. Raises `FormBodyError`.

    More than `max_files` are read too, so that the form can be shown again with the typed fields.
    """
    if not request.headers.get("content-type", "").lower().startswith(_MULTIPART):
        raise FormBodyError("type")
    parser = MultiPartParser(
        request.headers,
        _bounded(request, max_bytes),
        max_files=max(max_files, _MAX_READ_FILES),
        max_fields=_MAX_FIELDS,
        max_part_size=_MAX_FIELD_BYTES,
    )
    try:
        data = await parser.parse()
    except (MultiPartException, KeyError, UnicodeDecodeError, _BodyTooLargeError) as error:
        # The parser has closed its files; the fields stand before them.
        typed = FormData([item for item in parser.items if isinstance(item[1], str)])
        raise FormBodyError("body", _sent_form(typed)) from error
    try:
        yield _sent_form(data)
    finally:
        await data.close()


async def _bounded(request: Request, max_bytes: int) -> AsyncGenerator[bytes, None]:
    length = 0
    async for chunk in request.stream():
        length += len(chunk)
        if length > max_bytes:
            raise _BodyTooLargeError
        yield chunk


def _sent_form(data: FormData) -> SentForm:
    values: dict[str, str] = {}
    files: list[SentFile] = []
    for name, value in data.multi_items():
        if isinstance(value, str):
            values.setdefault(name, value)
        elif value.filename:  # a browser sends an empty part where no file was chosen
            files.append(SentFile(value.filename, value))
    dropped = set(data.getlist("dropped"))
    kept = [text for text in data.getlist("kept") if isinstance(text, str) and text not in dropped]
    return SentForm(values, files, list(dict.fromkeys(kept)))
