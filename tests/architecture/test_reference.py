"""The generated pages are current and complete."""

import re

import pytest

from cli.commands.development.docs import outdated_pages
from cli.reference import declared
from cli.reference.pages import PAGES
from shared.contracts.actions import ACTION_DEFINITIONS
from shared.contracts.topics import TOPICS
from shared.procedures.loading.loader import installed_packs, load_clauses
from tests.support.repository import PROJECT


def test_pages_are_current() -> None:
    assert list(outdated_pages(PROJECT)) == [], "run `make docs`"


def test_every_setting_is_in_the_example_environment_file() -> None:
    variables = set(re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", (PROJECT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))
    assert {setting.variable for setting in declared.declared_settings()} - variables == set()


def test_every_setting_has_a_description() -> None:
    assert [setting.variable for setting in declared.declared_settings() if not setting.help] == []


def test_no_secret_has_a_default() -> None:
    assert [s.variable for s in declared.declared_settings() if s.secret and s.default and s.variable != "DATABASE_URL"] == []


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("metrics", {metric.name for metric in declared.declared_metrics()}),
        ("settings", {setting.variable for setting in declared.declared_settings()}),
        ("topics", set(TOPICS)),
        ("actions", set(ACTION_DEFINITIONS)),
        ("clauses", {clause for pack in installed_packs() for clause in load_clauses(pack)}),
    ],
)
def test_page_names_everything_declared(page: str, names: set[str]) -> None:
    text = PAGES[f"docs/reference/{page}.md"]()
    assert names
    assert [name for name in names if name not in text] == []
