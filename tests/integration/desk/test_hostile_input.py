"""Hostile input on every route: it is a page or a refusal, never a fault of the desk, a header of the sender's or his markup."""

import re
from urllib.parse import quote

import pytest

from tests.integration.desk.conftest import CSRF, DeskProbe, registration
from tests.integration.desk.test_access_matrix import ROUTES

MARKUP = "\"'><script>document.title=1</script><img src=x onerror=document.title=1>"
HOSTILE = {
    "NUL": "a\x00b",
    "header": "x\r\nSet-Cookie: stolen=1\r\n\r\n",
    "markup": MARKUP,
    "template": "{{ 7 * 7 }}{% include 'layout.html' %}",
    "path": "../../../../etc/passwd",
    "other site": "//evil.example/\\evil.example",
    "number": "9" * 4_000,
}
NAMES = (
    *("query", "procedure", "class", "department", "state", "due", "assigned", "escalated", "cursor", "next", "back", "as_of", "done"),
    *("language", "theme", "name", "case", "action", "person", "form", "key", "role", "text", "step", "reason", "start", "clock"),
    *("duration", "counting", "pause_from", "pause_to", "extend", "format", "version", "source", "phone", "title", "decided", "code"),
    *("complainant.name", "complainant.phone", "data.text", "guess.class", "other.department", "outcome", "everywhere", "logout_token"),
)


@pytest.mark.parametrize("kind", sorted(HOSTILE))
async def test_hostile_input_is_a_page_or_a_refusal(desk: DeskProbe, kind: str) -> None:
    value = HOSTILE[kind]
    faults = []
    for method, path in ROUTES:
        if path == "/changes":
            continue  # an endless answer that reads nothing of the request
        # A sign-out has to leave the next route its session.
        desk.sign_in("li")
        address = re.sub(r"\{[^}]+\}", quote(value[:500], safe=""), path)
        values = dict.fromkeys(NAMES, value[:1000])
        if method == "POST":
            answer = await desk.browser.request(method, address, data={**values, "csrf": CSRF, "person": "li"})
        else:
            answer = await desk.browser.request(method, address, params=values)
        headers = " ".join(f"{name}: {text}" for name, text in answer.headers.items() if name != "content-security-policy")
        # 503: what the page shows is read from a service, and none runs here.
        if answer.status_code >= 500 and answer.status_code != 503:
            faults.append(f"{method} {path}: {answer.status_code}")
        if "stolen" in answer.headers.get("set-cookie", "") or re.search(r"location: (?!/desk/|http://desk\.test/desk/)", headers):
            faults.append(f"{method} {path}: {headers}")
        if "<script>document" in answer.text or "<img src=x" in answer.text:
            faults.append(f"{method} {path}: markup")
    assert faults == []


async def test_markup_in_every_field_of_a_complaint_is_shown_as_text(desk: DeskProbe) -> None:
    person = {"name": MARKUP, "phone": "13800001234", "address": MARKUP}
    await desk.apply([registration("case-1", text=MARKUP, title=MARKUP, number=MARKUP[:60], complainant=person)])
    desk.sign_in("li")
    for path in ("/", "/cases/case-1", "/cases/case-1/papers", "/?query=script&state=all"):
        answer = await desk.browser.get(path)
        assert "<script>document" not in answer.text, path
        assert "<img src=x" not in answer.text, path
    assert "&lt;script&gt;" in (await desk.browser.get("/")).text
