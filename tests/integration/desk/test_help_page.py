"""The example of a page: its template, words, addresses and headers."""

from tests.integration.desk.conftest import DeskProbe


async def test_help_lists_the_keys_in_both_languages(desk: DeskProbe) -> None:
    desk.sign_in("li")
    chinese = await desk.browser.get("/help", headers={"Accept-Language": "zh-CN"})
    english = await desk.browser.get("/help", headers={"Accept-Language": "en"})
    assert "快捷键" in chinese.text
    assert "<kbd>j</kbd>" in english.text
    assert 'lang="en"' in english.text


async def test_every_address_is_below_the_path_of_the_proxy(desk: DeskProbe) -> None:
    desk.sign_in("li")
    page = await desk.browser.get("/help")
    addresses = [part.partition('"')[0] for name in ('href="', 'src="', 'action="') for part in page.text.split(name)[1:]]
    assert addresses
    assert [address for address in addresses if not address.startswith(("/desk/", "#"))] == []
    for address in addresses:
        if "/static/" in address:
            answer = await desk.browser.get(address.removeprefix("/desk"))
            assert answer.status_code == 200
            assert "immutable" in answer.headers["cache-control"]


async def test_the_policy_allows_nothing_inline_and_no_third_party(desk: DeskProbe) -> None:
    desk.sign_in("li")
    page = await desk.browser.get("/help")
    policy = page.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "<style" not in page.text
    assert " style=" not in page.text
    assert "<script>" not in page.text
    assert "http://" not in page.text
    assert "https://" not in page.text


async def test_without_a_session_the_page_asks_to_sign_in(desk: DeskProbe) -> None:
    answer = await desk.browser.get("/help")
    assert answer.status_code in (303, 401)


async def test_the_language_switch_is_kept_and_goes_back_to_the_page(desk: DeskProbe) -> None:
    desk.sign_in("li")
    answer = await desk.browser.post("/preferences", data={"language": "en", "back": "/desk/help?x=1"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/desk/help?x=1"
    assert "Keys of the desk" in (await desk.browser.get("/help", headers={"Accept-Language": "zh"})).text


async def test_the_switch_never_leads_to_another_site(desk: DeskProbe) -> None:
    for back in ("https://evil.example/desk/", "//evil.example/desk/", "/\\evil.example", "javascript:alert(1)", "/other"):
        answer = await desk.browser.post("/preferences", data={"theme": "dark", "back": back})
        assert answer.headers["location"] == "/desk/"
