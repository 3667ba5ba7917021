"""The tour of the desk names pages, people and pictures that exist, and people who may do what it asks of them."""

import re
from pathlib import Path

import pytest
import yaml

from services.desk.application.registration.entry_sources import EntrySources
from shared.procedures.loading.loader import load_organisation
from tests.integration.desk.test_access_matrix import DEMO, ROUTES

PROJECT = Path(__file__).parents[3]
TOUR = (PROJECT / "docs" / "tutorials" / "tour.md").read_text(encoding="utf-8")
SPANS = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", TOUR, flags=re.DOTALL | re.MULTILINE))
PATHS = sorted({span for span in SPANS if span.startswith("/")})
ORGANISATION = load_organisation(DEMO)
PEOPLE = {person.id: person for person in ORGANISATION.people}
NAMED = sorted({span for span in SPANS if span in PEOPLE})
PAGES = [path for method, path in ROUTES if method == "GET"]


def routes_of(path: str) -> list[str]:
    """The pages that answer the address, best first: a literal part goes before a parameter."""
    bare = re.sub(r"\{\w+\}", "x", path.partition("?")[0])
    patterns = {page: re.sub(r"\\\{[^}]+\\\}", "[^/]+", re.escape(page)) for page in PAGES}
    return [page for page, pattern in patterns.items() if re.fullmatch(pattern, bare)]


def test_tour_visits_the_pages_of_every_kind_of_work() -> None:
    visited = {page for path in PATHS for page in routes_of(path)}
    assert visited >= {
        *("/", "/help", "/complaints/new", "/cases/{case}/clocks", "/cases/{case}/actions/{action}", "/reviews", "/proposals"),
        *("/escalations", "/management", "/wallboard", "/regulations/{procedure}/what-if"),
    }


@pytest.mark.parametrize("path", PATHS)
def test_each_path_is_a_page_of_the_desk(path: str) -> None:
    assert routes_of(path)


def test_a_path_that_no_page_has_is_found() -> None:
    assert routes_of("/absent") == []


def test_each_person_of_the_tour_has_an_account_of_the_demo() -> None:
    accounts = yaml.safe_load((DEMO.parent / "desk_accounts.yaml").read_text(encoding="utf-8"))["accounts"]
    listed = re.findall(r"^\| `([\w-]+)` \|", TOUR, re.MULTILINE)
    assert len(listed) == 6
    assert set(NAMED) == set(listed)
    assert set(listed) <= {account["person"] for account in accounts}


def test_the_people_of_the_demo_may_do_what_the_tour_asks() -> None:
    sources = EntrySources(ORGANISATION, DEMO.parent)
    assert "property-hotline" in [source.id for source in sources.of(PEOPLE["luo-dan"])]
    assert {"find_by_phone", "unmask"} <= set(PEOPLE["luo-dan"].may)
    assert "what_if" in PEOPLE["zhou-an"].may
    assert {"supervisor"} <= set(PEOPLE["desk-lin"].roles) & set(PEOPLE["he-jing"].roles)
