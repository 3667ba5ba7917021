"""The web form: opened, sent once or twice, refused with everything kept, protected, and readable for everybody."""

import asyncio

import httpx
import pytest

from shared.contracts.follow_codes import follow_code, follow_key
from tests.integration.intake.attachments.conftest import JPEG
from tests.integration.intake.conftest import query_rows
from tests.integration.intake.transports.web_form.conftest import FOLLOW_SECRET, TYPED, URL, FormsWith, opened, registered, send
from tests.support.html_page import HtmlPage


async def test_complaint_with_a_photograph_is_registered_and_gets_number_and_code(forms_with: FormsWith) -> None:
    async with forms_with() as (service, browser):
        page = await opened(browser)
        answer = await send(browser, page.values() | TYPED, ("现场.jpg", JPEG))
        [row] = await registered(service)
        source = await query_rows(service, "SELECT source FROM attachment")
    done = HtmlPage.parse(answer.text)
    code = follow_code(follow_key(FOLLOW_SECRET), row["case_id"])
    complaint = row["complaint"]
    assert (answer.status_code, list(done.accessibility_faults())) == (200, [])
    assert row["number"] in answer.text
    assert done.all("a", href=f"https://complaints.example.org/f/{code}?lang=zh")
    assert "客服中心 400-800-0000" in answer.text
    assert (complaint["channel"], complaint["text"], complaint["place"], complaint["product"]) == ("web", TYPED["text"], "3号楼", "lift")
    assert complaint["facts"] == {"media": True}
    assert complaint["attachments"][0].endswith("/现场.jpg")
    assert source[0]["source"] == "form:web"


async def test_form_sent_twice_is_one_complaint(forms_with: FormsWith) -> None:
    async with forms_with() as (service, browser):
        values = (await opened(browser)).values() | TYPED
        answers = await asyncio.gather(*(send(browser, values) for _ in range(3)))
        changed = await send(browser, values | {"text": "另一段文字"})
        rows = await registered(service)
        other = await send(browser, (await opened(browser)).values() | TYPED)
    assert len(rows) == 1
    assert {answer.status_code for answer in (*answers, changed, other)} == {200}
    assert all(rows[0]["number"] in answer.text for answer in (*answers, changed))
    assert "此前已收到" in changed.text
    assert rows[0]["number"] not in other.text


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_refused_form_keeps_text_choices_and_files_with_each_fault_beside_its_field(forms_with: FormsWith, language: str) -> None:
    async with forms_with() as (service, browser):
        page = await opened(browser, language)
        assert list(page.accessibility_faults()) == []
        wrong = TYPED | {"phone": "1380000000", "place": "", "happened_at": "昨天", "against": "张三\n李四", "anonymous": ""}
        answer = await send(browser, page.values() | wrong, ("现场.jpg", JPEG), ("a.exe", b"MZ\x90\0" + bytes(90)), language=language)
        shown = HtmlPage.parse(answer.text)
        kept = shown.values()
        assert (answer.status_code, list(shown.accessibility_faults())) == (422, [])
        for name in ("phone", "happened_at"):
            field = shown.by_id(f"field-{name}")
            assert field["aria-invalid"] == "true"
            assert shown.by_id(f"fault-{name}").text.strip() in shown.by_id("summary").text
            assert f"fault-{name}" in field["aria-describedby"]
        assert "a.exe" in shown.by_id("summary").text
        assert {name: kept[name] for name in wrong if name != "anonymous"} == {k: v for k, v in wrong.items() if k != "anonymous"}
        assert kept["token"] == page.values()["token"]
        assert kept["kept"].endswith("/现场.jpg")
        again = await send(browser, kept | {"phone": "13800001234", "happened_at": "2026-11-09T09:00"}, language=language)
        [row] = await registered(service)
    assert again.status_code == 200
    assert row["complaint"]["attachments"] == [kept["kept"]]
    assert row["complaint"]["against"] == ["张三", "李四"]


async def test_received_file_can_be_left_out_and_a_forged_one_is_not_taken(forms_with: FormsWith) -> None:
    async with forms_with() as (service, browser):
        refused = HtmlPage.parse((await send(browser, (await opened(browser)).values(), ("现场.jpg", JPEG))).text).values()
        forged = refused["kept"].replace("现场.jpg", "合同.jpg")
        answer = await send(browser, refused | TYPED | {"dropped": refused["kept"], "kept": [refused["kept"], forged]})
        [row] = await registered(service)
    assert answer.status_code == 200
    assert row["complaint"].get("attachments", []) == []


async def test_anonymous_complainant_needs_no_contact(forms_with: FormsWith) -> None:
    async with forms_with() as (service, browser):
        anonymous = await send(browser, (await opened(browser)).values() | {"text": "吵", "anonymous": "1"})
        [row] = await registered(service)
    assert "请凭查询码查看答复" in anonymous.text
    assert row["complaint"]["complainant"]["anonymous"] is True


@pytest.mark.parametrize(
    ("changes", "headers", "status", "message"),
    [
        ({"token": ""}, {}, 422, "页面已失效"),
        ({"token": "1.01934b1c-0000-7000-8000-000000000001." + "0" * 64}, {}, 422, "页面已失效"),
        ({"website": "http://spam.example.org"}, {}, 422, "请勿填写"),
        ({}, {"Sec-Fetch-Site": "cross-site"}, 403, "请在本页面"),
        ({}, {"Sec-Fetch-Site": "same-site", "Origin": "http://example.org", "Host": "example.org"}, 403, "请在本页面"),
        ({}, {"Origin": "https://evil.example.org"}, 403, "请在本页面"),
        ({}, {"Origin": "null"}, 403, "请在本页面"),
    ],
)
async def test_programs_and_other_sites_register_nothing(
    forms_with: FormsWith, changes: dict[str, str], headers: dict[str, str], status: int, message: str
) -> None:
    async with forms_with() as (service, browser):
        values = (await opened(browser)).values() | TYPED
        answer = await send(browser, values | changes, ("a.jpg", JPEG), **headers)
        assert (answer.status_code, message in answer.text) == (status, True)
        assert list(HtmlPage.parse(answer.text).accessibility_faults()) == []
        assert await registered(service) == []
        assert await query_rows(service, "SELECT 1 FROM attachment") == []


@pytest.mark.parametrize("headers", [{"Origin": "https://example.org", "Host": "Example.org:443"}, {"Sec-Fetch-Site": "same-origin"}])
async def test_own_page_may_send_the_form(forms_with: FormsWith, headers: dict[str, str]) -> None:
    async with forms_with() as (service, browser):
        assert (await send(browser, (await opened(browser)).values() | TYPED, **headers)).status_code == 200
        assert len(await registered(service)) == 1


@pytest.mark.parametrize(("count", "language"), [(3, "zh"), (30, "en")])
async def test_more_files_than_allowed_are_counted_beside_their_field(forms_with: FormsWith, count: int, language: str) -> None:
    async with forms_with(form={"attachments": 2}) as (service, browser):
        page = await opened(browser, language)
        files = [(f"{number}.jpg", JPEG + bytes([number])) for number in range(count)]
        answer = await send(browser, page.values() | TYPED, *files, language=language)
        shown = HtmlPage.parse(answer.text)
        assert (answer.status_code, await registered(service)) == (422, [])
        assert (shown.values()["text"], shown.values()["token"]) == (TYPED["text"], page.values()["token"])
        message = f"共 {count} 个，最多 2 个" if language == "zh" else f"There were {count} files, and at most 2"
        assert message in shown.by_id("fault-files").text
        assert [field["value"].rpartition("/")[2] for field in shown.all("input", name="kept")] == ["0.jpg", "1.jpg"]
        assert (await send(browser, shown.values(), language=language)).status_code == 200


async def test_body_that_ends_early_keeps_what_was_typed(forms_with: FormsWith) -> None:
    async with forms_with() as (_, browser):
        page = await opened(browser)
        many = [(f"{number}.jpg", b"") for number in range(101)]
        answer = await send(browser, page.values() | TYPED, *many)
        values = HtmlPage.parse(answer.text).values()
    assert (answer.status_code, values["text"], values["token"]) == (413, TYPED["text"], page.values()["token"])


async def test_form_sent_too_soon_or_too_late_is_shown_again(forms_with: FormsWith) -> None:
    async with forms_with(form_min_seconds=3600.0) as (service, browser):
        values = (await opened(browser)).values() | TYPED
        soon = HtmlPage.parse((await send(browser, values)).text).values()
        assert (soon["text"], soon["token"], await registered(service)) == (TYPED["text"], values["token"], [])
    async with forms_with(form_max_hours=1e-9) as (service, browser):
        late = HtmlPage.parse((await send(browser, values)).text).values()
        assert late["text"] == TYPED["text"]
        assert late["token"] != values["token"]
        assert await registered(service) == []


async def test_too_many_complaints_a_minute_wait_with_their_text(forms_with: FormsWith) -> None:
    async with forms_with(form={"per_minute": 1}) as (service, browser):
        answers = [await send(browser, (await opened(browser)).values() | TYPED | {"text": f"第{number}件"}) for number in range(2)]
        assert [answer.status_code for answer in answers] == [200, 429]
        assert HtmlPage.parse(answers[1].text).values()["text"] == "第1件"
        assert answers[1].headers["retry-after"] == "5"
        assert len(await registered(service)) == 1


async def test_outage_keeps_text_and_file_for_another_try(forms_with: FormsWith) -> None:
    async with forms_with() as (service, browser):
        values = (await opened(browser)).values() | TYPED
        async with service.database.transaction() as tx:
            await tx.execute("ALTER TABLE complaint RENAME TO away")
        away = await send(browser, values, ("现场.jpg", JPEG))
        async with service.database.transaction() as tx:
            await tx.execute("ALTER TABLE away RENAME TO complaint")
        assert (away.status_code, away.headers["retry-after"]) == (503, "5")
        again = await send(browser, HtmlPage.parse(away.text).values(), ("现场.jpg", JPEG))
        assert again.status_code == 200
        assert len(await registered(service)) == 1


@pytest.mark.parametrize("content", [b"", b"--x\r\n", b"text=a"])
async def test_body_that_is_no_form_shows_the_form(forms_with: FormsWith, content: bytes) -> None:
    async with forms_with() as (_, browser):
        answer = await browser.post(URL, content=content, headers={"Content-Type": "multipart/form-data; boundary=x"})
        plain = await browser.post(URL, content=b"text=a", headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert (answer.status_code in (413, 422), plain.status_code) == (True, 415)


async def test_too_large_body_ends_the_reading(forms_with: FormsWith) -> None:
    async with forms_with(form={"attachments": 0}) as (_, browser):
        page = await opened(browser)
        assert not page.all("input", type="file")
        try:
            answer = await send(browser, page.values() | TYPED, ("a.jpg", JPEG + bytes(3_000_000)))
            assert answer.status_code == 413
        except httpx.TransportError:
            pass  # the connection was closed while the client was still sending


async def test_source_without_a_form_has_no_page_and_headers_protect_the_others(forms_with: FormsWith) -> None:
    async with forms_with() as (_, browser):
        absent = [await browser.get("/complain/hotline"), await browser.post("/complain/none")]
        page = await browser.get(URL)
    assert [answer.status_code for answer in absent] == [404, 404]
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert (page.headers["referrer-policy"], page.headers["cache-control"], "set-cookie" in page.headers) == (
        "same-origin",
        "no-store",
        False,
    )
    assert "<script" not in page.text
