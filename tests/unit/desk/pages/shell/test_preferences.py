"""Where a form may send the browser: to a page of this desk, with its query, and nowhere else."""

import pytest

from services.desk.pages.shell.preferences import local_path


@pytest.mark.parametrize("target", ["/desk/", "/desk/cases/c1", "/desk/calculator?start=2026-10-01&duration=3wd"])
def test_a_page_of_the_desk_is_kept_with_its_query(target: str) -> None:
    assert local_path(target, "/desk") == target


@pytest.mark.parametrize(
    "target",
    [
        "https://elsewhere.example/desk/",
        "//elsewhere.example/desk/",
        "/\\elsewhere.example/desk/",
        "/other/",
        "/desk/../other/",
        "/desk/%2e%2E/other/",
        "/desk/./../other/",
        "/desk/\r\nSet-Cookie: a=b",
        "javascript:alert(1)",
        "",
    ],
)
def test_nothing_else_is(target: str) -> None:
    assert local_path(target, "/desk") == ""
