"""Validates documents with pydantic, and turns its errors into problems with line, clause and remedy."""

import re
import types
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared.procedures.loading.yaml_document import YamlDocument
from shared.procedures.model.effects import EFFECT_CLASSES
from shared.procedures.model.entry_list import YamlPath
from shared.procedures.model.procedure_error import ProcedureError

ModelT = TypeVar("ModelT", bound=BaseModel)

_SUBJECT = re.compile(r"\A\w+ should ")  # of pydantic's messages: Input, String, List, …
_EXPECTED = {
    "string_type": "text; put it in quotes",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "list_type": "a list: […]",
    "dict_type": "a mapping: {…}",
    "model_type": "a mapping: {…}",
    "model_attributes_type": "a mapping: {…}",
}
_PATTERNS = {
    r"^[a-z][a-z0-9-]{0,39}$": "a small letter, then small letters, digits and hyphens, 40 characters at most",
    r"^[a-z][a-z0-9-]*$": "a small letter, then small letters, digits and hyphens",
    r"^[a-z][a-z0-9_]*$": "a small letter, then small letters, digits and underscores",
    r"^[a-z][a-z0-9_.]*$": "a small letter, then small letters, digits, underscores and dots",
    r"^[a-z0-9][a-z0-9_-]{0,60}$": "small letters, digits, underscores and hyphens, 61 characters at most",
    r"^https?://\S+$": "an address that begins with http:// or https://",
    r"^([01]\d|2[0-3]):[0-5]\d$": "a time from 00:00 to 23:59 in quotes",
}
"""The patterns of several files in words; others are shown as they are."""


def validate_document(model: type[ModelT], document: YamlDocument) -> ModelT:
    """The document as a model; raises `ProcedureError` with all problems, each with file, line and clause."""
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        messages = _one_message_per_path(model, document, error.errors(include_url=False))
        raise ProcedureError([document.problem_at(path, message) for path, message in messages]) from error


def _one_message_per_path(model: type[BaseModel], document: YamlDocument, errors: list[ErrorDetails]) -> Iterator[tuple[YamlPath, str]]:
    """One message for each path of the file.

    Pydantic reports an error for each branch of a union. An error of a deeper path replaces those of other branches at the path above,
    because its branch is the one that the author meant.
    """
    located = [(document.locate(error["loc"])[0], error) for error in errors]
    reported: set[YamlPath] = set()
    for path, error in located:
        concerns_key = error["type"] in ("extra_forbidden", "missing")
        full_path = (*path, error["loc"][-1]) if concerns_key else path
        deeper = any(other[: len(path)] == path and len(other) > len(path) for other, e in located if _is_other_union_branch(e, error))
        if full_path in reported or (deeper and not concerns_key):
            continue
        reported.add(full_path)
        yield path, _message(model, path, error)


def _is_other_union_branch(one: ErrorDetails, other: ErrorDetails) -> bool:
    """Whether two errors come from different branches of the union at a path."""
    return one["loc"][: len(other["loc"]) - 1] == other["loc"][:-1] and one["loc"] != other["loc"]


def _message(model: type[BaseModel], path: YamlPath, error: ErrorDetails) -> str:
    name, kind = ".".join(str(step) for step in path) or "the file", error["type"]
    if kind == "extra_forbidden":
        return f"{name}: unknown key; {_known_keys_hint(model, error['loc'])}"
    if kind == "missing":
        return f"{name}: the key {error['loc'][-1]} is missing; add it"
    if kind in ("union_tag_not_found", "union_tag_invalid"):
        return f"{name}: {error['input']!r} is not an effect; use one of {', '.join(EFFECT_CLASSES)}"
    if kind == "value_error":
        return f"{name}: {error['ctx']['error']}"
    # YAML reads 3.10 as the number 3.1, so a clause without quotes could be another clause.
    if kind in ("string_type", "string_pattern_mismatch") and path and "clause" in str(path[-1:]) + str(path[-2:-1]):
        return f'{name}: {error["input"]!r} is not a clause id; write it in quotes, such as "3.10" (YAML reads 3.10 as 3.1)'
    expected = _EXPECTED.get(kind) or _PATTERNS.get(error.get("ctx", {}).get("pattern", ""))
    rule = f"it has to be {expected}" if expected else _SUBJECT.sub("it should ", error["msg"])
    return f"{name}: is {error['input']!r}; {rule}"


def _known_keys_hint(model: type[BaseModel], loc: tuple[str | int, ...]) -> str:
    keys = sorted({key for annotation in _annotations_at(model, loc[:-1]) if _is_model(annotation) for key in _yaml_keys(annotation)})
    close = get_close_matches(str(loc[-1]), keys, 1)
    return f"did you mean {close[0]}?" if close else f"known keys are {', '.join(keys) or 'none'}"


def _annotations_at(model: type[BaseModel], loc: tuple[str | int, ...]) -> list[Any]:
    """The type annotations at a location of a pydantic error, whose steps are fields, list positions and tags of union branches."""
    annotations: list[Any] = [model]
    for step in loc:
        children = [child for annotation in annotations for child in _child_annotations(annotation, step)]
        branches = [annotation for annotation in annotations if getattr(annotation, "__name__", "") == step]
        annotations = [flat for annotation in children or branches or annotations for flat in _flatten_annotation(annotation)]
    return annotations


def _flatten_annotation(annotation: Any) -> list[Any]:
    """The members of a union, without `Annotated`; a list of one for other annotations."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _flatten_annotation(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return [flat for member in get_args(annotation) for flat in _flatten_annotation(member)]
    return [annotation]


def _child_annotations(annotation: Any, step: str | int) -> list[Any]:
    if _is_model(annotation):
        return [info.annotation for name, info in annotation.model_fields.items() if (info.alias or name) == step]
    if get_origin(annotation) is list and isinstance(step, int):
        return list(get_args(annotation))
    return [get_args(annotation)[1]] if get_origin(annotation) is dict and isinstance(step, str) else []


def _yaml_keys(model: type[BaseModel]) -> list[str]:
    return [info.alias or name for name, info in model.model_fields.items()]


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
