"""Decisions on reviews as training data: lines that training reads, and what --redact masks."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.commands.authoring.training_export import redacted, training_line
from services.sla.storage.reviews.review_figures import LearnedDecision
from services.triage.training.history import read_history

DECISION = LearnedDecision(
    "case-1",
    datetime(2026, 11, 9, tzinfo=UTC),
    "corrected",
    {"department": "repairs", "kind": "complaint"},
    {"title": "电梯停运", "text": "王五不理，电话 13800000000，请联系 wang@example.org", "against": ["王五"]},
)


@pytest.mark.parametrize("redact", [False, True])
def test_training_reads_what_is_exported(tmp_path: Path, redact: bool) -> None:
    path = tmp_path / "decisions.jsonl"
    path.write_text(training_line(DECISION, redact=redact), encoding="utf-8")
    [row] = read_history(path)
    assert (row.title, row.labels, row.group) == ("电梯停运", {"department": "repairs", "kind": "complaint"}, "case-1")
    assert ("13800000000" in row.text) is not redact


def test_redaction_masks_contacts_and_the_accused() -> None:
    text = json.loads(training_line(DECISION, redact=True))["text"]
    assert text == "〇不理，电话 〇，请联系 〇"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("身份证43010219900101123X", "身份证〇"),
        ("call 0731-8888 8888 now", "call 〇 now"),
        ("3号楼2单元502室", "3号楼2单元502室"),
        ("车牌湘A12345违停", "车牌湘〇违停"),
        ("lift stopped at 10:30", "lift stopped at 10:30"),
    ],
)
def test_numbers_are_masked_and_places_stay(text: str, masked: str) -> None:
    assert redacted(text, []) == masked
