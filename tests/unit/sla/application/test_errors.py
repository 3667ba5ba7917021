"""Errors of use cases and their HTTP status."""

from services.sla import api_documents
from services.sla.application.errors import RequestError


def test_every_request_error_has_a_status_and_a_title() -> None:
    assert set(api_documents.PROBLEM_TYPES) == set(RequestError.__subclasses__())
    assert all(400 <= problem.status < 500 and problem.title for problem in api_documents.PROBLEM_TYPES.values())
