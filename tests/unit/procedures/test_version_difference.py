"""Diff: what is new, gone or different, in words."""

from pathlib import Path

from shared.procedures.loading.loader import load_procedure
from shared.procedures.version_difference import EntryChange, compare_versions
from tests.unit.procedures.samples import write_pack


def changes(tmp_path: Path, *edits: tuple[str, str]) -> list[EntryChange]:
    return compare_versions(load_procedure(write_pack(tmp_path / "old")), load_procedure(write_pack(tmp_path / "new", *edits)), "en")


def test_the_same_procedure_has_no_differences(tmp_path: Path) -> None:
    assert changes(tmp_path) == []


def test_a_changed_limit_is_said_before_and_after(tmp_path: Path) -> None:
    assert changes(tmp_path, ("every: 3d", "every: 5d")) == [
        EntryChange(
            "clocks.chase",
            ("3.1",),
            ("Until then, every 3 calendar days: Desk is chased by text message.",),
            ("Until then, every 5 calendar days: Desk is chased by text message.",),
        )
    ]


def test_what_is_gone_and_what_is_new_are_told(tmp_path: Path) -> None:
    found = changes(tmp_path, ("id: chase", "id: urge"))
    assert [(change.entry, bool(change.before), bool(change.after)) for change in found] == [
        ("clocks.urge", False, True),
        ("clocks.chase", True, False),
    ]


def test_a_change_that_the_words_do_not_show_is_told_by_its_key(tmp_path: Path) -> None:
    (found,) = changes(tmp_path, ('clause: "4.1"', 'clause: "4.2"'))
    assert (found.before, found.after) == (("clause: 4.1",), ("clause: 4.2",))


def test_a_changed_role_or_title_is_told(tmp_path: Path) -> None:
    assert [change.entry for change in changes(tmp_path, ("en: Sample", "en: Other"), ("en: Chief", "en: Head"))][:2] == ["title", "roles"]
