"""What cannot be shown is a page that names what is wrong and what to do; programs get a problem document."""

import pytest

from tests.integration.desk.conftest import CSRF, DeskProbe

ENGLISH = {"Accept-Language": "en"}


async def test_an_unknown_page_is_a_page(desk: DeskProbe) -> None:
    desk.sign_in("li")
    answer = await desk.browser.get("/nonsense", headers=ENGLISH)
    assert answer.status_code == 404
    assert "There is no such page" in answer.text


async def test_a_program_gets_a_problem_document(desk: DeskProbe) -> None:
    answer = await desk.browser.get("/nonsense", headers={"Accept": "application/json"})
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_form_that_is_too_large_is_refused_before_it_is_kept(desk: DeskProbe) -> None:
    desk.sign_in("li")
    answer = await desk.browser.post("/views", content=b"csrf=" + b"x" * 100_000, headers=ENGLISH)
    assert answer.status_code == 413
    assert "Correct this" in answer.text


async def test_a_fault_of_ours_is_a_page_without_a_trace(desk: DeskProbe, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.sign_in("li")

    async def fail(*_: object) -> None:
        raise RuntimeError("a secret of the code")

    monkeypatch.setattr("services.desk.storage.saved_views.delete_view", fail)
    answer = await desk.browser.post("/views/delete", data={"csrf": CSRF, "name": "x"}, headers=ENGLISH)
    assert answer.status_code == 500
    assert "A fault of ours" in answer.text
    assert "secret" not in answer.text
