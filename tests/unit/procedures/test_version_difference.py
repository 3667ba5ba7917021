"""Differences of two versions of a procedure: added, removed and changed entries."""

from pathlib import Path

from shared.procedures.loading.loader import load_procedure
from shared.procedures.version_difference import EntryChange, compare_versions
from tests.unit.procedures.sample_pack import write_pack


def changes(tmp_path: Path, *edits: tuple[str, str]) -> list[EntryChange]:
    return compare_versions(load_procedure(write_pack(tmp_path / "old")), load_procedure(write_pack(tmp_path / "new", *edits)), "en")


def test_equal_procedures_have_no_differences(tmp_path: Path) -> None:
    assert changes(tmp_path) == []


def test_a_changed_limit_is_described_before_and_after(tmp_path: Path) -> None:
    assert changes(tmp_path, ("every: 3d", "every: 5d")) == [
        EntryChange(
            "clocks.chase",
            ("3.1",),
            ("Until then, every 3 calendar days, the system reminds the desk by text message.",),
            ("Until then, every 5 calendar days, the system reminds the desk by text message.",),
        )
    ]


def test_a_renamed_entry_is_one_added_and_one_removed(tmp_path: Path) -> None:
    renamed = changes(tmp_path, ("id: chase", "id: urge"))
    assert [(change.entry, bool(change.before), bool(change.after)) for change in renamed] == [
        ("clocks.urge", False, True),
        ("clocks.chase", True, False),
    ]


def test_a_change_that_the_description_does_not_show_is_listed_by_its_key(tmp_path: Path) -> None:
    (change,) = changes(tmp_path, ('clause: "4.1"', 'clause: "4.2"'))
    assert (change.before, change.after) == (("clause: 4.1",), ("clause: 4.2",))


def test_a_changed_title_or_role_is_listed(tmp_path: Path) -> None:
    assert [change.entry for change in changes(tmp_path, ("en: Sample", "en: Other"), ("en: Chief", "en: Head"))][:2] == ["title", "roles"]
