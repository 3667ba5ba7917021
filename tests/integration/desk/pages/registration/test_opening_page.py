"""The page that opens a case which was registered just now."""

import pytest

from shared.contracts import topics
from tests.integration.desk.conftest import START, DeskProbe, registration

ADDRESS = "/complaints/registered"


async def test_a_case_that_the_desk_has_not_read_is_waited_for_and_then_opened(desk: DeskProbe) -> None:
    desk.sign_in("li")
    waiting = await desk.browser.get(f"{ADDRESS}/new")
    assert waiting.status_code == 200
    assert '<noscript><meta http-equiv="refresh" content="2; url=/desk/complaints/registered/new?since=' in waiting.text
    # From intake alone: sla, which the page of the case asks, has not opened it.
    await desk.apply([registration("new")], topics.COMPLAINT_EVENTS)
    assert (await desk.browser.get(f"{ADDRESS}/new")).status_code == 200
    await desk.apply([registration("new")])
    opened = await desk.browser.get(f"{ADDRESS}/new")
    assert (opened.status_code, opened.headers["location"]) == (303, "/desk/cases/new")


@pytest.mark.parametrize("since", ["0", str(int(START.timestamp()))])
async def test_the_wait_is_bounded_and_ends_with_what_to_do(desk: DeskProbe, since: str) -> None:
    desk.sign_in("li")
    page = await desk.browser.get(f"{ADDRESS}/lost?since={since}", headers={"Accept-Language": "en"})
    assert page.status_code == 404
    assert "its number is valid" in page.text
    assert "http-equiv" not in page.text
    assert 'href="/desk/complaints/registered/lost"' in page.text


@pytest.mark.parametrize("since", ["9" * 10, "9" * 400, "-1", "soon", "%00"])
async def test_an_instant_that_is_none_begins_the_wait_now(desk: DeskProbe, since: str) -> None:
    desk.sign_in("li")
    assert (await desk.browser.get(f"{ADDRESS}/lost?since={since}")).status_code == 200


async def test_a_case_that_the_person_may_not_see_is_answered_like_one_that_never_comes(desk: DeskProbe) -> None:
    await desk.apply([registration("accused", against=["wang"])])
    desk.sign_in("wang")
    for query in ("", "?since=0"):
        pages = [(await desk.browser.get(f"{ADDRESS}/{case}{query}")) for case in ("accused", "absent")]
        assert len({(page.status_code, page.text.replace("accused", "absent").partition("since=")[0]) for page in pages}) == 1
