"""The generated pages say what the code says, and leave nothing out."""

import re

import pytest

from cli.commands.development.docs import outdated_pages
from cli.reference import declared
from cli.reference.pages import PAGES
from shared.contracts.actions import ACTIONS
from shared.contracts.topics import TOPICS
from shared.procedures.loading.loader import installed, load_clauses
from tests.support.repository import PROJECT


def test_the_pages_are_current() -> None:
    assert outdated_pages(PROJECT) == [], "run `make docs`"


def test_every_setting_is_in_the_example_of_an_environment() -> None:
    variables = set(re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", (PROJECT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))
    assert {setting.variable for setting in declared.declared_settings()} - variables == set()


def test_every_setting_is_explained() -> None:
    assert [setting.variable for setting in declared.declared_settings() if not setting.help] == []


def test_no_secret_has_a_default_that_somebody_might_keep() -> None:
    assert [s.variable for s in declared.declared_settings() if s.secret and s.default and s.variable != "DATABASE_URL"] == []


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("metrics", {metric.name for metric in declared.declared_metrics()}),
        ("settings", {setting.variable for setting in declared.declared_settings()}),
        ("topics", set(TOPICS)),
        ("actions", set(ACTIONS)),
        ("clauses", {clause for pack in installed() for clause in load_clauses(pack)}),
    ],
)
def test_a_page_leaves_nothing_out(page: str, names: set[str]) -> None:
    text = PAGES[f"docs/reference/{page}.md"]()
    assert names
    assert [name for name in names if name not in text] == []
