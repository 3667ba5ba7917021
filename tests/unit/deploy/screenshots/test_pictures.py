"""Pictures of the desk are small, complete in both languages, and used with a text in place of each."""

import io
import random
import re
from pathlib import Path

import pytest
from PIL import Image

from deploy.screenshots.pictures import MOST_BYTES, PAGES, write_picture
from tests.support.documents import documents
from tests.support.repository import PROJECT

FOLDER = PROJECT / "docs" / "images" / "desk"
NAMES = [*(name for pages in PAGES.values() for name in pages), "complainant"]
SHOWN = [
    (alternative, (document.path.parent / link).resolve())
    for document in documents()
    for alternative, link in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", document.text)
    if "images/desk/" in link
]


def png(image: Image.Image) -> bytes:
    content = io.BytesIO()
    image.save(content, "PNG")
    return content.getvalue()


def test_a_picture_is_written_with_few_colours(tmp_path: Path) -> None:
    picture = png(Image.linear_gradient("L").resize((1280, 800)))
    write_picture(picture, tmp_path / "page.png")
    with Image.open(tmp_path / "page.png") as image:
        assert (image.mode, image.size) == ("P", (1280, 800))
    assert (tmp_path / "page.png").stat().st_size <= MOST_BYTES


def test_a_picture_that_is_too_large_is_refused(tmp_path: Path) -> None:
    noise = Image.frombytes("RGB", (1280, 800), random.Random(1).randbytes(1280 * 800 * 3))
    with pytest.raises(ValueError, match=r"page\.png has \d+ bytes"):
        write_picture(png(noise), tmp_path / "page.png")
    assert not (tmp_path / "page.png").exists()


def test_every_page_has_a_small_picture_in_both_languages() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {f"{name}.{language}.png" for name in NAMES for language in ("zh", "en")}
    for path in FOLDER.iterdir():
        assert path.stat().st_size <= MOST_BYTES, path.name
        with Image.open(path) as image:
            assert image.size == (1280, 800), path.name


def test_every_picture_is_used_with_a_text_in_its_place() -> None:
    assert {path for _, path in SHOWN} == {path.resolve() for path in FOLDER.iterdir()}
    assert [path.name for alternative, path in SHOWN if len(alternative) < 5] == []
