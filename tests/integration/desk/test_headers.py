"""Headers of every answer: the content security policy of each kind, and the flags of cookies below the path of a proxy."""

import re
from collections.abc import AsyncIterator
from http.cookies import Morsel, SimpleCookie
from pathlib import Path

import httpx
import pytest

from services.desk.bootstrap import build
from services.desk.config import DeskSettings
from services.desk.sign_in.local_accounts import hash_password
from shared.runtime.http.default_headers import DefaultHeaders
from tests.integration.desk.conftest import DEPARTMENTS, PEOPLE, DeskProbe, registration
from tests.integration.desk.test_access_matrix import ROUTES
from tests.support.messaging.sample_organisation import write_organisation, write_yaml
from tests.support.messaging.settings import SettingsFactory

PAGE = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
NO_PAGE = {"default-src": "'none'", "frame-ancestors": "'none'"}
PASSWORD = "correct horse"


def directives(answer: httpx.Response) -> dict[str, str]:
    """Name → sources of the one policy of an answer."""
    [policy] = answer.headers.get_list("content-security-policy")
    return dict(part.strip().split(" ", 1) for part in policy.split(";"))


@pytest.fixture
async def browser(desk: DeskProbe) -> AsyncIterator[httpx.AsyncClient]:
    """A browser at the desk behind what every service's server adds."""
    transport = httpx.ASGITransport(DefaultHeaders(desk.service.app), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://desk.test/desk", headers={"Accept": "text/html"}) as client:
        yield client


@pytest.mark.parametrize("person", [None, "li"])
async def test_every_answer_has_the_policy_of_its_kind_and_is_not_sniffed(
    desk: DeskProbe, browser: httpx.AsyncClient, person: str | None
) -> None:
    await desk.apply([registration("none")])
    if person is not None:
        desk.sign_in(person)
    for method, path in [*ROUTES, ("GET", "/absent")]:
        if path == "/changes" and person is not None:
            continue  # an endless answer
        address = re.sub(r"\{[^}]+\}", "none", path.replace("{action}", "answer").replace("{kind}", "csv"))
        answer = await browser.request(method, address, data={"csrf": "a-csrf-token"} if method == "POST" else None)
        is_page = answer.headers.get("content-type", "").startswith("text/html")
        assert directives(answer) == (PAGE if is_page else NO_PAGE), (method, path, answer.status_code)
        assert answer.headers["x-content-type-options"] == "nosniff", (method, path)
        assert not is_page or answer.headers["cache-control"] == "no-store", (method, path)


def cookies_of(answer: httpx.Response) -> dict[str, Morsel[str]]:
    jar: SimpleCookie = SimpleCookie()
    for header in answer.headers.get_list("set-cookie"):
        jar.load(header)
    return dict(jar)


@pytest.mark.parametrize(
    ("url", "path", "secure"),
    [
        ("https://complaints.example/desk", "/desk", True),
        ("https://complaints.example", "", True),
        ("http://127.0.0.1:8105/desk", "/desk", False),
    ],
)
async def test_cookies_belong_to_the_path_of_the_proxy_and_no_script_reads_them(
    make_settings: SettingsFactory, tmp_path: Path, url: str, path: str, secure: bool
) -> None:
    account = {"name": "li", "person": "li", "password": hash_password(PASSWORD), "token": "li-token"}
    accounts = write_yaml(tmp_path / "accounts.yaml", {"accounts": [account]})
    organisation = write_organisation(tmp_path, people=PEOPLE, departments=DEPARTMENTS)
    service = build(make_settings(DeskSettings, organisation=organisation, desk_path=path, desk_url=url, desk_accounts=accounts))
    transport = httpx.ASGITransport(service.app)
    async with httpx.AsyncClient(transport=transport, base_url=url, headers={"Accept": "text/html"}) as browser:
        found: dict[str, Morsel[str]] = {}
        page = await browser.get("/sign-in")
        found |= cookies_of(page)
        token = re.search(r'name="csrf" value="([^"]+)"', page.text)
        assert token is not None
        signed_in = await browser.post("/sign-in", data={"csrf": token[1], "name": "li", "password": PASSWORD})
        assert (signed_in.status_code, signed_in.headers["location"]) == (303, f"{path}/")
        # The browser's cookie of the form ends with the sign-in.
        assert cookies_of(signed_in)["jiesu_desk_browser"]["max-age"] == "0"
        found |= {name: cookie for name, cookie in cookies_of(signed_in).items() if cookie.value}
        for choice in ({"language": "en"}, {"theme": "dark"}):
            found |= cookies_of(await browser.post("/preferences", data=choice))
    assert set(found) == {"jiesu_desk", "jiesu_desk_browser", "jiesu_language", "jiesu_theme"}
    for name, cookie in found.items():
        flags = (cookie["path"], bool(cookie["httponly"]), cookie["samesite"].lower(), bool(cookie["secure"]), cookie["domain"])
        assert flags == (f"{path}/", True, "lax", secure, ""), name
    # The session ends with the browser; its limits are those of the database.
    assert (found["jiesu_desk"]["max-age"], found["jiesu_desk"]["expires"]) == ("", "")
    await service.app.state.dependencies.services.close()
    await service.processing_database.close()
    await service.database.close()
