"""The folder with the data of `jiesu up` and `jiesu demo`."""

from pathlib import Path

import pytest

from deploy.embedded import EmbeddedServerError
from deploy.embedded.data_folder import prepare_data_folder


def test_missing_folders_are_created_private(tmp_path: Path) -> None:
    root = tmp_path / "var" / "up"
    prepare_data_folder(root)
    assert [folder.stat().st_mode & 0o777 for folder in (root.parent, root)] == [0o700, 0o700]


def test_a_folder_of_an_earlier_version_is_made_private(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    tmp_path.chmod(0o755)
    prepare_data_folder(tmp_path)
    assert tmp_path.stat().st_mode & 0o777 == 0o700


def test_a_folder_with_other_contents_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "letter.txt").touch()
    prepare_data_folder(tmp_path)
    assert tmp_path.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("below", ["", "below"])
def test_a_root_that_is_a_file_is_one_sentence(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedServerError, match=r"^--root: \S+ is not a folder, or lies below a file; name a folder\.$"):
        prepare_data_folder(tmp_path / "file" / below)


def test_a_root_that_cannot_be_written_is_one_sentence() -> None:
    with pytest.raises(EmbeddedServerError, match=r"^--root: /proc/jiesu cannot be written"):
        prepare_data_folder(Path("/proc/jiesu"))
