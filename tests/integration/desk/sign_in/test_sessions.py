"""Sessions: limits, rotation, renewal of the token, sign-out here, everywhere and by the provider."""

import re
from datetime import timedelta

import httpx
import pytest
from fastapi import Request

from services.desk.sign_in.sessions import COOKIE
from tests.integration.desk.sign_in.conftest import SignInProbe
from tests.integration.desk.sign_in.test_sign_in import sign_in_by_password


async def status(browser: httpx.AsyncClient) -> int:
    return (await browser.get("/help")).status_code


async def csrf(browser: httpx.AsyncClient) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', (await browser.get("/help")).text)
    assert found is not None
    return found[1]


async def test_session_ends_when_idle(desk_sign_in: SignInProbe) -> None:
    browser = desk_sign_in.browser()
    await desk_sign_in.sign_in(browser)
    for _ in range(3):
        desk_sign_in.clock.moved += timedelta(minutes=29)
        assert await status(browser) == 200
    desk_sign_in.clock.moved += timedelta(minutes=31)
    assert await status(browser) == 303


async def test_session_ends_however_it_is_used(desk_sign_in: SignInProbe) -> None:
    browser = desk_sign_in.browser()
    await desk_sign_in.sign_in(browser)
    for _ in range(29):
        desk_sign_in.clock.moved += timedelta(minutes=20)
        assert await status(browser) == 200
    desk_sign_in.clock.moved += timedelta(minutes=21)
    assert await status(browser) == 303


async def test_sign_in_makes_a_new_cookie_and_ends_the_one_before(desk_sign_in: SignInProbe) -> None:
    browser, other = desk_sign_in.browser(), desk_sign_in.browser()
    await desk_sign_in.sign_in(browser)
    planted = browser.cookies[COOKIE]
    await desk_sign_in.sign_in(browser)
    assert browser.cookies[COOKIE] != planted
    other.cookies.set(COOKIE, planted)
    assert await status(other) == 303


@pytest.mark.parametrize("way", ["provider", "password"])
async def test_value_that_was_planted_before_the_sign_in_is_never_the_session(desk_sign_in: SignInProbe, way: str) -> None:
    victim, attacker, planted = desk_sign_in.browser(), desk_sign_in.browser(), "planted" * 6
    for browser in (victim, attacker):
        browser.cookies.set(COOKIE, planted, domain="desk.test", path="/desk/")
    answer = await (desk_sign_in.sign_in(victim) if way == "provider" else sign_in_by_password(victim, "correct horse", name="wang-2"))
    assert answer.status_code == 303
    assert planted not in victim.cookies[COOKIE]
    assert (await status(victim), await status(attacker)) == (200, 303)


async def test_token_of_a_page_from_before_a_sign_in_authorises_nothing_after_it(desk_sign_in: SignInProbe) -> None:
    browser = desk_sign_in.browser()
    await desk_sign_in.sign_in(browser)
    token = await csrf(browser)
    await desk_sign_in.sign_in(browser)
    assert (await browser.post("/sign-out", data={"csrf": token})).status_code == 403
    assert await status(browser) == 200


@pytest.mark.parametrize("cookie", ["", "x", "made-up" * 10])
async def test_made_up_cookie_is_no_session(desk_sign_in: SignInProbe, cookie: str) -> None:
    browser = desk_sign_in.browser()
    browser.cookies.set(COOKIE, cookie)
    assert await status(browser) == 303


async def test_sign_out_ends_this_session_and_everywhere_all_of_the_person(desk_sign_in: SignInProbe) -> None:
    here, there, third = (desk_sign_in.browser() for _ in range(3))
    for browser in (here, there, third):
        await desk_sign_in.sign_in(browser)
    cookie = here.cookies[COOKIE]
    answer = await here.post("/sign-out", data={"csrf": await csrf(here)})
    assert (answer.status_code, "id_token_hint=" in answer.text) == (200, True)
    here.cookies.set(COOKIE, cookie)
    assert [await status(browser) for browser in (here, there, third)] == [303, 200, 200]
    await there.post("/sign-out", data={"csrf": await csrf(there), "everywhere": "1"})
    assert await status(third) == 303


async def test_sign_out_without_the_token_of_the_page_is_refused(desk_sign_in: SignInProbe) -> None:
    browser, other = desk_sign_in.browser(), desk_sign_in.browser()
    for each in (browser, other):
        await desk_sign_in.sign_in(each)
    for token in ("", "x", await csrf(other)):
        assert (await browser.post("/sign-out", data={"csrf": token})).status_code == 403
    assert await status(browser) == 200


async def test_token_is_renewed_before_it_expires(desk_sign_in: SignInProbe) -> None:
    browser = desk_sign_in.browser()
    await desk_sign_in.sign_in(browser)
    [before] = await desk_sign_in.rows("SELECT sealed, token_expires_at FROM session")
    desk_sign_in.clock.moved += timedelta(seconds=280)
    assert await status(browser) == 200
    [after] = await desk_sign_in.rows("SELECT sealed, token_expires_at FROM session")
    assert after["sealed"] != before["sealed"]
    assert after["token_expires_at"] > before["token_expires_at"]
    assert desk_sign_in.provider.requests.count("token") == 2


async def test_session_ends_when_the_provider_renews_no_longer(desk_sign_in: SignInProbe) -> None:
    browser = desk_sign_in.browser()
    await desk_sign_in.sign_in(browser)
    desk_sign_in.provider.refresh_tokens.clear()
    desk_sign_in.clock.moved += timedelta(seconds=280)
    assert await status(browser) == 303
    assert await desk_sign_in.rows("SELECT person FROM session") == []


async def test_provider_ends_the_sessions_that_its_logout_token_names(desk_sign_in: SignInProbe) -> None:
    browser = desk_sign_in.browser()
    await desk_sign_in.sign_in(browser)

    async def logout(token: str) -> int:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(desk_sign_in.service.app), base_url="http://desk.test") as provider:
            return (await provider.post("/desk/sign-in/back-channel-logout", data={"logout_token": token})).status_code

    make = desk_sign_in.provider.logout_token
    refused = [make(aud="other"), make(events={}), make(nonce="x"), make(iss="https://id.example.org"), "", "a.b.c"]
    refused.append(desk_sign_in.provider.id_token("n"))
    assert [await logout(token) for token in refused] == [400] * len(refused)
    assert await status(browser) == 200
    assert await logout(make(sid="s-1")) == 200
    assert await status(browser) == 303


async def test_session_of_a_substitute_has_the_roles_of_the_absent_person_too(desk_sign_in: SignInProbe) -> None:
    browser = desk_sign_in.browser()
    await desk_sign_in.sign_in(browser)
    request = Request({"type": "http", "headers": [(b"cookie", f"{COOKIE}={browser.cookies[COOKIE]}".encode())]})
    session = await desk_sign_in.service.app.state.sessions.read(request)
    assert session.roles == ("handler", "supervisor")
