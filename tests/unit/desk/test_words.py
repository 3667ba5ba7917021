"""Both languages have the same words, with the same places for values, and templates use no others."""

import re
from pathlib import Path

import pytest

import services.desk
from services.desk.pages.shell.words import LANGUAGES, words

FOLDER = Path(services.desk.__path__[0])
TEMPLATES = sorted((FOLDER / "templates").rglob("*.html"))
CALL = re.compile(r"\bt\('([a-z_.]+)'(?!\s*~)")


def places(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def test_both_languages_hold_the_same_keys() -> None:
    chinese, english = (words(language) for language in LANGUAGES)
    assert set(chinese) == set(english)
    assert [key for key in chinese if places(chinese[key]) != places(english[key])] == []


def test_no_text_is_empty_and_chinese_is_chinese() -> None:
    assert all(text.strip() for language in LANGUAGES for text in words(language).values())
    assert [key for key, text in words("zh").items() if not re.search(r"[\u4e00-\u9fff]", text)] == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_templates_use_known_keys_only(template: Path) -> None:
    used = set(CALL.findall(template.read_text(encoding="utf-8")))
    assert used - set(words("zh")) == set()


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_templates_hold_no_text_of_their_own(template: Path) -> None:
    text = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}|<[^>]*>", " ", template.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert set(re.findall(r"[A-Za-z\u4e00-\u9fff]{2,}", text)) <= {"English", "中文"}
