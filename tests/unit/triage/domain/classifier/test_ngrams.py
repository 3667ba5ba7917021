"""N-grams: each text's own, whatever stands beside it in the batch."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from services.triage.domain.classifier.ngrams import BEGINNING, MAX_CHARACTERS, extract_ngrams, locate_ngrams, word_key

TEXTS = st.lists(st.tuples(st.text("电梯停运abc 。é漢", max_size=12), st.text("电梯停运abc 。é漢", max_size=30)), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_a_text_has_the_same_ngrams_in_any_batch(texts: list[tuple[str, str]]) -> None:
    batch = extract_ngrams(texts)
    for place, text in enumerate(texts):
        alone = extract_ngrams([text])
        assert Counter(batch.keys[batch.documents == place].tolist()) == Counter(alone.keys.tolist())


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_located_ngrams_are_those_that_are_counted(texts: list[tuple[str, str]]) -> None:
    for title, text in texts:
        assert Counter(locate_ngrams(title, text).keys.tolist()) == Counter(extract_ngrams([(title, text)]).keys.tolist())


def test_words_of_both_scripts_have_their_key_in_a_text() -> None:
    keys = set(extract_ngrams([("", "The Elevator 电梯停运 again")]).keys.tolist())
    assert {word_key(word) for word in ("elevator", "again", "the", "电梯", "停运", "电梯停运")} <= keys
    assert word_key("elevato") not in keys
    assert word_key("梯子") not in keys


def test_a_long_text_is_read_up_to_its_bound() -> None:
    assert len(extract_ngrams([("", "电" * 3 * MAX_CHARACTERS)]).keys) == len(extract_ngrams([("", "电" * MAX_CHARACTERS)]).keys)


def test_the_beginning_of_a_text_without_a_title_is_read_as_its_title() -> None:
    text = "电梯停运。" * 20
    assert locate_ngrams("", text).title == text[:BEGINNING]
    assert locate_ngrams("投诉", text).title == "投诉"
