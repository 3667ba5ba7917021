"""The printed form: escaped, one file without anything that runs or is fetched, signature lines blank where nobody signed."""

import base64
import hashlib
import re
from html import unescape
from html.parser import HTMLParser

from shared.procedures.forms.filled_form import FilledField
from shared.procedures.forms.filling import fill_form
from shared.procedures.forms.html_form import render_form_html
from shared.procedures.forms.page_layout import field_rows
from shared.procedures.forms.versions import form_versions
from tests.unit.procedures.forms.sample_form import event, form_of, registered, sample_events, sample_procedure, sample_texts

HOSTILE = "<script>alert(1)</script>\"'&<img src=x onerror=alert(1)>{{ 7 * 7 }}"
VOID_ELEMENTS = {"meta", "br", "col"}


class BalanceParser(HTMLParser):
    """Collects the elements that are open at the end, and all tags."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not any(name.startswith("on") or name in ("src", "href", "style") for name, _ in attrs)
        if tag not in VOID_ELEMENTS:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def html(events: list[dict[str, object]]) -> str:
    procedure = sample_procedure()
    form = form_of(procedure)
    return render_form_html(fill_form(form, events, sample_texts(), form_versions(procedure, form, events)))


def test_values_are_escaped() -> None:
    page = html([registered(text=HOSTILE, complainant={"name": HOSTILE}, attachments=[HOSTILE])])
    parser = BalanceParser()
    parser.feed(page)
    assert parser.open == []
    assert parser.tags.isdisjoint({"script", "img", "link", "iframe"})
    assert "{{ 7 * 7 }}" in page


def test_signature_has_name_and_time_where_signed_and_an_empty_line_where_not() -> None:
    lines = re.findall(r'<span class="line">(.*?)</span>', html([*sample_events(), event(6, "called_back", "desk", "li")]))
    assert lines == ["", "", "李敏", "2026年9月14日 16:00"]


def test_page_is_a4_with_title_number_and_hash() -> None:
    page = html(sample_events()[:4])
    assert "size: A4" in page
    assert "<h1>处理单</h1>" in page
    assert "S-2026-00001/01" in page
    assert re.search(r"\b[0-9a-f]{64}\b", page)


def test_narrow_fields_share_a_row() -> None:
    narrow, wide = FilledField("a"), FilledField("b", wide=True)
    assert field_rows((narrow, narrow, narrow, wide, narrow)) == [(narrow, narrow), (narrow,), (wide,), (narrow,)]


def test_the_policy_of_the_page_permits_its_own_style_alone() -> None:
    page = html(sample_events())
    found = re.search(r"<style>(.*)</style>", page, re.DOTALL)
    assert found is not None
    digest = base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'none'; base-uri 'none'"
    assert f'content="{policy}"' in unescape(page)
    # Each row and column has its rule.
    classes = set(re.findall(r'class="(lines-\d+)"', page))
    assert classes
    assert all(f".{name} {{ height: " in found[1] for name in classes)
