"""The way to the identity provider and back, and what is refused on it."""

import re
import time
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from services.desk.sign_in.local_accounts import LocalAccount, LocalAccounts, hash_password
from services.desk.sign_in.sessions import COOKIE
from tests.integration.desk.sign_in.conftest import BASE, SignInProbe
from tests.support.identity.oidc_provider import CLIENT_ID


def cookie_of(answer: httpx.Response) -> str:
    """The whole Set-Cookie of the session."""
    return next(header for header in answer.headers.get_list("set-cookie") if header.startswith(f"{COOKIE}="))


async def test_page_without_a_session_leads_to_the_sign_in_and_back(desk_sign_in: SignInProbe) -> None:
    browser = desk_sign_in.browser()
    sent = await browser.get("/help")
    assert (sent.status_code, sent.headers["location"]) == (303, "/desk/sign-in?next=/desk/help")
    filtered = await browser.get("/", params={"state": "open", "q": "电梯"})
    assert filtered.headers["location"] == "/desk/sign-in?next=/desk/%3Fstate%3Dopen%26q%3D%25E7%2594%25B5%25E6%25A2%25AF"
    expired = await browser.post("/bulk", data={"action": "urge"})
    assert expired.headers["location"] == "/desk/sign-in"
    page = await browser.get(sent.headers["location"].removeprefix("/desk"))
    assert "/desk/sign-in/start?next=/desk/help" in page.text
    answer = await desk_sign_in.sign_in(browser, "/desk/help")
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk/help")
    seen = await browser.get("/help")
    assert (seen.status_code, "李雷" in seen.text) == (200, True)


async def test_request_to_the_provider_has_state_nonce_and_pkce(desk_sign_in: SignInProbe) -> None:
    query = parse_qs(urlsplit(await desk_sign_in.begin(desk_sign_in.browser())).query)
    assert {name: query[name] for name in ("response_type", "client_id", "redirect_uri", "code_challenge_method")} == {
        "response_type": ["code"],
        "client_id": [CLIENT_ID],
        "redirect_uri": [f"{BASE}/sign-in/callback"],
        "code_challenge_method": ["S256"],
    }
    assert all(len(query[name][0]) >= 43 for name in ("state", "nonce", "code_challenge"))


async def test_session_is_known_by_its_hash_and_the_token_is_sealed(desk_sign_in: SignInProbe) -> None:
    browser = desk_sign_in.browser()
    answer = await desk_sign_in.sign_in(browser)
    header = cookie_of(answer)
    assert all(part in header for part in ("HttpOnly", "SameSite=lax", "Path=/desk/"))
    [row] = await desk_sign_in.rows("SELECT * FROM session")
    stored = repr(row)
    assert browser.cookies[COOKIE] not in stored
    assert "eyJ" not in stored
    assert row["person"] == "li"


async def test_person_is_found_by_his_account(desk_sign_in: SignInProbe) -> None:
    desk_sign_in.provider.account = "HeZong"
    await desk_sign_in.sign_in(desk_sign_in.browser())
    assert [row["person"] for row in await desk_sign_in.rows("SELECT person FROM session")] == ["he"]


async def test_account_of_nobody_gets_no_session(desk_sign_in: SignInProbe) -> None:
    desk_sign_in.provider.account = "stranger"
    browser = desk_sign_in.browser()
    answer = await desk_sign_in.sign_in(browser)
    assert (answer.status_code, COOKIE in browser.cookies) == (403, False)
    assert await desk_sign_in.rows("SELECT person FROM session") == []


WRONG_ID_TOKENS: dict[str, dict[str, Any]] = {
    "issuer": {"iss": "https://id.example.org"},
    "audience": {"aud": "another-application"},
    "several audiences, another party": {"aud": [CLIENT_ID, "other"], "azp": "other"},
    "expired": {"exp": int(time.time()) - 3600},
    "nonce": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "no person": {"preferred_username": None},
}


@pytest.mark.parametrize("kind", WRONG_ID_TOKENS)
async def test_id_token_that_is_not_right_in_one_point_is_refused(desk_sign_in: SignInProbe, kind: str) -> None:
    desk_sign_in.provider.id_claims = WRONG_ID_TOKENS[kind]
    answer = await desk_sign_in.sign_in(desk_sign_in.browser())
    assert answer.status_code == 403
    assert await desk_sign_in.rows("SELECT person FROM session") == []


async def test_state_is_used_once_by_the_browser_that_began(desk_sign_in: SignInProbe) -> None:
    browser, victim = desk_sign_in.browser(), desk_sign_in.browser()
    callback = await desk_sign_in.authorize(await desk_sign_in.begin(browser))
    # The address in the victim's browser would sign it in as somebody else.
    assert (await victim.get(callback)).status_code == 403
    assert (await browser.get(callback)).status_code == 403  # the state is used up
    callback = await desk_sign_in.authorize(await desk_sign_in.begin(browser))
    assert (await browser.get(callback)).status_code == 303
    assert (await browser.get(callback)).status_code == 403


async def test_made_up_state_and_late_answer_are_refused(desk_sign_in: SignInProbe) -> None:
    browser = desk_sign_in.browser()
    callback = await desk_sign_in.authorize(await desk_sign_in.begin(browser))
    made_up = re.sub(r"state=[^&]*", "state=made-up", callback)
    assert (await browser.get(made_up)).status_code == 403
    desk_sign_in.clock.moved += timedelta(minutes=11)
    assert (await browser.get(callback)).status_code == 403


async def test_code_of_another_attempt_is_refused_by_its_verifier(desk_sign_in: SignInProbe) -> None:
    browser = desk_sign_in.browser()
    first = parse_qs(urlsplit(await desk_sign_in.authorize(await desk_sign_in.begin(browser))).query)
    second = parse_qs(urlsplit(await desk_sign_in.authorize(await desk_sign_in.begin(browser))).query)
    mixed = await browser.get("/sign-in/callback", params={"state": second["state"][0], "code": first["code"][0]})
    assert mixed.status_code == 403


async def test_answer_leads_to_no_other_site(desk_sign_in: SignInProbe) -> None:
    for target in ("https://evil.example.org/", "//evil.example.org", "/\\evil.example.org", "javascript:alert(1)"):
        answer = await desk_sign_in.sign_in(desk_sign_in.browser(), target)
        assert answer.headers["location"] == "/desk/"


async def test_provider_that_is_away_is_a_page(desk_sign_in: SignInProbe) -> None:
    browser = desk_sign_in.browser()
    callback = await desk_sign_in.authorize(await desk_sign_in.begin(browser))
    desk_sign_in.provider.failing = True
    answer = await browser.get(callback)
    assert (answer.status_code, answer.headers["content-type"].startswith("text/html")) == (503, True)


def form_token(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found is not None
    return found[1]


async def sign_in_by_password(browser: httpx.AsyncClient, password: str, token: str | None = None, name: str = "wang") -> httpx.Response:
    page = await browser.get("/sign-in")
    fields = {"csrf": form_token(page.text) if token is None else token, "name": name, "password": password, "next": "/desk/help"}
    return await browser.post("/sign-in", data=fields)


async def test_local_account_signs_in_with_the_right_password(desk_sign_in: SignInProbe) -> None:
    browser = desk_sign_in.browser()
    answer = await sign_in_by_password(browser, "correct horse")
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk/help")
    assert "王工" in (await browser.get("/help")).text


async def test_form_of_another_site_does_not_sign_in(desk_sign_in: SignInProbe) -> None:
    assert (await sign_in_by_password(desk_sign_in.browser(), "correct horse", "")).status_code == 403
    other = form_token((await desk_sign_in.browser().get("/sign-in")).text)
    assert (await sign_in_by_password(desk_sign_in.browser(), "correct horse", other)).status_code == 403


async def test_wrong_password_is_refused_and_not_guessed_without_end(desk_sign_in: SignInProbe) -> None:
    browser = desk_sign_in.browser()
    page = await browser.get("/sign-in")
    fields = {"csrf": form_token(page.text), "name": "nobody", "password": "x"}
    first = await browser.post("/sign-in", data=fields)
    again = [(await browser.post("/sign-in", data=fields)).status_code for _ in range(4)]
    assert (first.status_code, 429 in again) == (403, True)
    known = await LocalAccounts([LocalAccount(name="li", person="li", password=hash_password("a"), token="t")]).check("li", "b")
    assert known is None
