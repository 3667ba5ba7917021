"""One look for the desk and the pages of the public: the same colours, and a policy that permits exactly the text."""

import base64
import hashlib
import re
from pathlib import Path

import pytest

from services.desk.pages.shell.static_files import load_static_files
from services.intake.transports.web_form import form_page
from services.sla.follow import page
from shared.runtime.http.look.stylesheet import COLOURS, public_stylesheet

ROOT = Path(__file__).parents[4]
OWN = (
    "services/desk/static/desk.css",
    "services/sla/follow/templates/style.css",
    "services/intake/transports/web_form/templates/style.css",
)


def test_policy_permits_the_text_and_no_other() -> None:
    sheet = public_stylesheet(".own { margin: 0; }")
    digest = base64.b64encode(hashlib.sha256(sheet.text.encode()).digest()).decode()
    assert sheet.text.endswith(".own { margin: 0; }")
    assert f"style-src 'sha256-{digest}';" in sheet.content_security_policy
    assert public_stylesheet("").content_security_policy != sheet.content_security_policy


def test_desk_and_public_pages_have_the_same_colours() -> None:
    assert load_static_files()["desk.css"].content.decode().startswith(COLOURS)
    assert COLOURS in page.render_code_page("zh")
    assert page.CONTENT_SECURITY_POLICY != form_page.CONTENT_SECURITY_POLICY


@pytest.mark.parametrize("path", OWN)
def test_rules_of_a_page_define_no_colour_and_use_no_unknown_one(path: str) -> None:
    rules = (ROOT / path).read_text(encoding="utf-8")
    assert re.findall(r"^\s*--\w+:", rules, re.MULTILINE) == []
    assert set(re.findall(r"var\((--[\w-]+)\)", rules)) <= set(re.findall(r"(--[\w-]+):", COLOURS))
