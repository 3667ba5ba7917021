"""Messages of either version are decoded by the other; nothing that both know is lost on the way."""

import json
from pathlib import Path

import pytest

from shared.contracts import MODELS_BY_CE_TYPE, decode_body
from shared.contracts.events import EVENT_CLASSES, encode_event
from tests.support.repository import PROJECT
from tests.support.upgrades.old_version import examples_of, extract_old_version, read_back_by_old_version

ADDED_TYPES = {"person_erased"}
"""What the present version sends and the old one does not know: its services skip the type by the record's header."""
ADDED_FIELDS = {"surveyed": {"missing"}, "handed_over": {"missing"}, "reported": {"missing"}}
"""Of events that both know; the old version ignores them."""


@pytest.fixture(scope="module")
def old_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the packages of the version before operations."""
    return extract_old_version(tmp_path_factory.mktemp("old-version"))


def test_messages_of_the_old_version_are_decoded_whole(old_folder: Path) -> None:
    examples = examples_of(old_folder)
    assert set(MODELS_BY_CE_TYPE) - set(examples) == ADDED_TYPES
    for name, body in examples.items():
        message = decode_body(name, body.encode())
        if name in EVENT_CLASSES:
            assert json.loads(encode_event(message)) == json.loads(body), name  # type: ignore[arg-type]


def test_messages_of_the_present_version_are_decoded_by_the_old_one(old_folder: Path) -> None:
    examples = examples_of(PROJECT)
    read = read_back_by_old_version(old_folder, examples)
    assert set(examples) - set(read) == ADDED_TYPES
    for name, written in read.items():
        if written:
            added = ADDED_FIELDS.get(name, set())
            known = {field: value for field, value in json.loads(examples[name]).items() if field not in added}
            assert json.loads(written) == known, name
