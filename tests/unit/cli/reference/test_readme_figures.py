"""Figures in the READMEs come from the page of measurements."""

from pathlib import Path

import pytest

from cli.reference.readme_figures import PERFORMANCE, readmes
from shared.runtime.errors import Misconfigured

RUN = """### {name}

`python -m tests.bench.chain.pipeline` (AMD EPYC, 2 cores, Python 3.11.7, load 3.2, 2026-11-23).

|  | figure |
|---|---|
| complaints a second (goal: 1,000) | {rate} |
| events on `case-events` a complaint | 5.0 |
| messages to people a complaint | 1.0 |
"""
PAGE = RUN.format(name="one-notice", rate="1,234") + RUN.format(name="hunan-property", rate="567")
BLOCK = "<!-- figures: written by `make docs` from docs/reference/performance.md -->\nold\n<!-- end of figures -->\nafter\n"


def checkout(folder: Path, page: str = PAGE, block: str = BLOCK) -> Path:
    (folder / PERFORMANCE).parent.mkdir(parents=True)
    (folder / PERFORMANCE).write_text(page, encoding="utf-8")
    for name in ("README.md", "README.zh.md"):
        (folder / name).write_text(block, encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_the_block_has_the_measured_rates_and_their_day_only(tmp_path: Path, name: str) -> None:
    text = readmes(checkout(tmp_path))[name]()
    assert "1,234" in text
    assert "567" in text
    assert "2026-11-23" in text
    assert "old" not in text
    assert text.endswith("\n<!-- end of figures -->\nafter\n")


def test_filling_twice_changes_nothing(tmp_path: Path) -> None:
    folder = checkout(tmp_path)
    once = readmes(folder)["README.md"]()
    (folder / "README.md").write_text(once, encoding="utf-8")
    assert readmes(folder)["README.md"]() == once


def test_a_run_that_was_not_measured_is_named(tmp_path: Path) -> None:
    folder = checkout(tmp_path, page=RUN.format(name="one-notice", rate="1"))
    with pytest.raises(Misconfigured, match="hunan-property: measure it with `make bench`"):
        readmes(folder)["README.md"]()


def test_a_readme_without_the_block_is_named(tmp_path: Path) -> None:
    folder = checkout(tmp_path, block="no block\n")
    with pytest.raises(Misconfigured, match=r"README\.md: has no block of figures"):
        readmes(folder)["README.md"]()
