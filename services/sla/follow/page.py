"""Renders the complainant's page: plain HTML that works without scripts, from 320 pixels up, in Chinese and English."""

import base64
import hashlib
from typing import Any, Literal

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from services.sla.follow.page_texts import TEXTS

PageLanguage = Literal["zh", "en"]
_STYLE = (
    ":root{color-scheme:light dark;font:1rem/1.6 system-ui,sans-serif}body{max-width:40rem;margin:0 auto;padding:1rem}"
    "h1{font-size:1.3rem}ol{padding-left:1.2rem}time{color:#595959}@media(prefers-color-scheme:dark){time{color:#b0b0b0}}"
    "fieldset{margin:1rem 0;border:1px solid #767676;border-radius:.4rem}textarea,input[type=text]{width:100%;box-sizing:border-box;font:inherit}"
    "button{font:inherit;padding:.5rem 1.2rem;min-height:2.75rem}.said{white-space:pre-wrap;border-left:.25rem solid #767676;padding-left:.7rem}"
    ".refused{border:2px solid #b00020;padding:.5rem;border-radius:.4rem}label{display:block;margin:.3rem 0}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_PAGE = """<!doctype html>
<html lang="{{ t.lang }}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title><style>{{ style }}</style></head>
<body><nav><a href="?lang={{ t.other }}" lang="{{ t.other }}" hreflang="{{ t.other }}">{{ t.switch }}</a></nav>
<main><h1>{{ title }}</h1>
{% block main %}{% endblock %}
</main></body></html>"""
_CODE = """{% extends "page" %}{% block main %}
{% if unknown %}<p class="refused" role="alert">{{ t.unknown }}</p>{% endif %}
<form method="get" action="{{ action }}"><input type="hidden" name="lang" value="{{ t.lang }}">
<label for="code">{{ t.code }}</label><input type="text" id="code" name="code" autocomplete="off" autocapitalize="characters" required maxlength="40">
<p><button>{{ t.open }}</button></p></form>{% endblock %}"""
_FOLLOW = """{% extends "page" %}{% block main %}
{% if refused %}<p class="refused" role="alert">{{ t.refused }}</p>{% endif %}
<p>{{ case.matter }}</p><p><strong>{{ t.status[case.status] }}</strong> · {{ t.received }} <time>{{ case.received_at | minute }}</time></p>
<h2>{{ t.so_far }}</h2><ol>
{% for step in case.steps %}<li><time>{{ step.at | minute }}</time> {{ t.steps[step.event] }}
{%- if step.date is defined %} {{ step.date | minute }}{% endif %}
{%- for said in ("text", "reason") if step[said] is defined %}<div class="said">{{ step[said] }}</div>{% endfor %}</li>
{% endfor %}</ol>
{% for action in case.actions %}<form method="post" action="?lang={{ t.lang }}"><fieldset><legend>{{ t.actions[action] }}</legend>
<input type="hidden" name="action" value="{{ action }}"><input type="hidden" name="once" value="{{ action }}-{{ case.steps | length }}">
{% if action == "rate" %}{% for score, label in t.scores %}<label><input type="radio" name="score" value="{{ score }}" required> {{ label }}</label>
{% endfor %}{% endif -%}
<label for="text-{{ action }}">{{ t.words[action] }}</label>
<textarea id="text-{{ action }}" name="text" rows="3" maxlength="{{ 500 if action in ("withdraw", "reopen") else 5000 }}"
{%- if action == "supplement" %} required{% endif %}></textarea>
<p><button>{{ t.send }}</button></p></fieldset></form>
{% endfor %}{% endblock %}"""
_ENVIRONMENT = Environment(
    loader=DictLoader({"page": _PAGE, "code": _CODE, "follow": _FOLLOW}), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
_ENVIRONMENT.filters["minute"] = lambda instant: instant[:16].replace("T", " ")


def render_code_page(language: PageLanguage, *, unknown: bool, below: bool = False) -> str:
    """The page on which a code is typed; `unknown`: the one that was typed opens nothing; `below`: shown at the address of a code."""
    # Relative addresses hold behind a proxy that serves the page under a path of its own.
    return _render("code", language, TEXTS[language]["code_title"], unknown=unknown, action="../f" if below else "")


def render_follow_page(case: dict[str, Any], language: PageLanguage, *, refused: bool = False) -> str:
    """The page of a case, from `follow_document`; `refused`: what was sent last was not accepted."""
    return _render("follow", language, f"{TEXTS[language]['case_title']} {case['number']}", case=case, refused=refused)


def _render(name: str, language: PageLanguage, title: str, **values: Any) -> str:
    return _ENVIRONMENT.get_template(name).render(t=TEXTS[language], title=title, style=Markup(_STYLE), **values)  # noqa: S704 - ours
