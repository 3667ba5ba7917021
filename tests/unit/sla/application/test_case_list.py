"""Cursors of the list of cases."""

import base64
from datetime import UTC, datetime

import orjson
import pytest

from services.sla.application.case_list import decode_cursor, encode_cursor
from services.sla.application.errors import CursorError
from services.sla.storage.case_list import CaseFilter, CasePosition

POSITION = CasePosition(datetime(2026, 9, 24, 2, 0, 0, 123456, tzinfo=UTC), "case-1")
OPEN = CaseFilter(status="open")


def test_cursor_gives_its_position_back() -> None:
    assert decode_cursor(encode_cursor(POSITION, OPEN), OPEN) == POSITION


def test_cursor_belongs_to_its_filter() -> None:
    with pytest.raises(CursorError):
        decode_cursor(encode_cursor(POSITION, OPEN), CaseFilter(status="closed"))


@pytest.mark.parametrize("parts", [None, [], [1, 2, 3], ["1", "case", "x"], {"a": 1}, [2**62, "case", ""], [0, "a\x00", ""]])
def test_forged_cursor_is_refused(parts: object) -> None:
    digest = orjson.loads(base64.urlsafe_b64decode(encode_cursor(POSITION, OPEN) + "=="))[2]
    filled = [*parts[:2], digest] if isinstance(parts, list) and len(parts) == 3 else parts
    with pytest.raises(CursorError):
        decode_cursor(base64.urlsafe_b64encode(orjson.dumps(filled)).decode(), OPEN)


@pytest.mark.parametrize("cursor", ["", "%%%", "\u4e2d", "AAAA", "a"])
def test_text_that_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(CursorError):
        decode_cursor(cursor, OPEN)
