"""The configurations of the how-to pages can be loaded as they stand."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.procedures.checks.organisation.organisation_check import check_organisation, load_checked_organisation
from tests.support.messaging.sample_organisation import write_yaml
from tests.support.repository import PROJECT

_YAML = re.compile(r"```yaml\n(.*?)```", re.DOTALL)


def documented(page: str) -> dict[str, Any]:
    [block] = _YAML.findall((PROJECT / "docs" / "how-to" / page).read_text(encoding="utf-8"))
    loaded: dict[str, Any] = yaml.safe_load(block)
    return loaded


@pytest.mark.parametrize(("page", "source"), [("web-form.md", "web"), ("enter-by-hand.md", "front-desk")])
def test_configuration_of_the_page_is_accepted(page: str, source: str, tmp_path: Path) -> None:
    organisation = load_checked_organisation(write_yaml(tmp_path / "organisation.yaml", {"id": "test"} | documented(page)))
    assert [each.id for each in organisation.sources] == [source]


def test_what_no_form_can_ask_for_is_named_with_its_line(tmp_path: Path) -> None:
    data = {"id": "test"} | documented("web-form.md")
    data["sources"][0] |= {"channels": ["hotline"], "entered_by": ["nobody"]}
    data["sources"][0]["form"]["fields"][4]["field"] = "facts.absent"
    problems = [str(problem) for problem in check_organisation(write_yaml(tmp_path / "organisation.yaml", data))]
    for expected in (
        "entered_by: nobody is no person",
        "form.channel web is none of",
        "field facts.absent: hunan-property declares no such",
    ):
        assert any(re.search(rf"organisation\.yaml:\d+.*{re.escape(expected)}", problem) for problem in problems), (expected, problems)
