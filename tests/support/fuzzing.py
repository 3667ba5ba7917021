"""Sends what schemathesis generates from a service's OpenAPI document to the running service, and checks every answer."""

import asyncio
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, cast

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS

# Not among them: whether valid data is accepted and invalid refused. An optional field that cannot be read refuses no submission
# (vocabulary.md), and what a schema calls a string may still be no role or case of this organisation.
CHECK_NAMES = [
    *("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance"),
    *("response_schema_conformance", "missing_required_header", "unsupported_method", "ignored_auth"),
]
Adapt = Callable[[Case[Any], st.DataObject], Mapping[str, str]]
"""Changes a case, so that it reaches further than chance would, and gives its headers."""


async def fuzz_service(base_url: str, adapt: Adapt, examples: int) -> int:
    """Send so many examples of each operation, valid and invalid ones; returns how many requests were answered."""
    return await asyncio.to_thread(_fuzz_operations, base_url, adapt, examples)


def _fuzz_operations(base_url: str, adapt: Adapt, examples: int) -> int:
    schema = schemathesis.openapi.from_url(f"{base_url}/openapi.json")
    sent = 0
    for result in schema.get_all_operations():
        operation = cast("Any", result).ok()
        # Together, since some operations have nothing that could be invalid.
        strategy = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in GenerationMode))
        sent += _fuzz(base_url, strategy, adapt, examples)
    return sent


def _fuzz(base_url: str, strategy: st.SearchStrategy[Case[Any]], adapt: Adapt, examples: int) -> int:
    sent = 0

    # The same requests in every run: a fault that is found once is found again.
    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy, st.data())
    def send(case: Case[Any], data: st.DataObject) -> None:
        nonlocal sent
        headers: dict[str, Any] = dict(adapt(case, data))
        sent += 1
        response = case.call(base_url=base_url, headers=headers, timeout=20)
        # A query above the server's limit is refused before any operation reads it, so no operation describes it.
        if response.status_code != HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE:
            case.validate_response(response, checks=cast("Any", CHECKS.get_by_names(CHECK_NAMES)))

    send()
    return sent
