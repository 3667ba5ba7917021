"""Search keys in Chinese and English."""

from datetime import UTC, datetime

import pytest

from services.desk.domain.search_grams import OPEN_GRAM, grams, normalise, query_grams, query_words, row_grams

RECEIVED = datetime(2026, 9, 24, tzinfo=UTC)
TEXT = "TS-2026-00017 三号楼电梯停运，Lift out of service；ＡＢＣ物业"


@pytest.mark.parametrize("query", ["电梯", "电梯停运", "lift", "LIFT service", "00017", "TS-2026-00017", "abc物业", "号楼 停运"])
def test_every_key_of_a_query_is_among_those_of_a_text_that_contains_it(query: str) -> None:
    words = query_words(query)
    stored = normalise(TEXT)
    assert all(word in stored for word in words)
    assert set(query_grams(words)) <= grams(stored)
    assert query_grams(words)


def test_a_text_without_the_words_lacks_a_key() -> None:
    assert not set(query_grams(query_words("漏水"))) <= grams(normalise(TEXT))


@pytest.mark.parametrize("query", ["", "电", "ab", "  ", "!?"])
def test_a_query_that_is_too_short_has_no_key(query: str) -> None:
    assert query_grams(query_words(query)) == []


def test_an_open_case_has_a_key_that_no_hash_has() -> None:
    assert OPEN_GRAM in row_grams(grams("电梯"), RECEIVED, [], is_open=True)
    assert OPEN_GRAM not in row_grams(grams("电梯"), RECEIVED, [], is_open=False)
    assert all(gram >= 0 for gram in grams(normalise(TEXT)))
