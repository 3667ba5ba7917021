"""The words of the pages, one file for each language."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml

LANGUAGES = ("zh", "en")
_FOLDER = Path(__file__).parents[2] / "words"


@cache
def words(language: str) -> Mapping[str, str]:
    """Key → text of a language."""
    return {str(key): str(text) for key, text in yaml.safe_load((_FOLDER / f"{language}.yaml").read_text(encoding="utf-8")).items()}


def translate(language: str, key: str, **values: object) -> str:
    """The text of a key with its values; raises `KeyError` for a key that the file lacks."""
    text = words(language)[key]
    return text.format(**values) if values else text


def translate_known(language: str, prefix: str, name: str) -> str:
    """The text of a name that comes from data, such as a state; the name itself where there is none."""
    return words(language).get(f"{prefix}.{name}", name)
