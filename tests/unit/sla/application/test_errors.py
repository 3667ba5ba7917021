"""Errors of use cases and their HTTP status."""

from services.sla import api
from services.sla.application.errors import RequestError


def test_every_request_error_has_a_status_and_a_title() -> None:
    assert set(api.STATUS_AND_TITLE) == set(RequestError.__subclasses__())
    assert all(400 <= status < 500 and title for status, title in api.STATUS_AND_TITLE.values())
