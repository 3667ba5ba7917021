"""Renders an explanation as one HTML file without scripts, fonts or other files."""

from collections.abc import Iterator
from html import escape

from shared.procedures.explain.page import ExplanationPage, PageSection

_STYLE = """
body { font: 16px/1.6 system-ui, "Noto Sans CJK SC", "Microsoft YaHei", sans-serif;
  max-width: 52rem; margin: 2rem auto; padding: 0 1rem; color: #1c1c1c; background: #fff; }
h1 { line-height: 1.3; } h2 { margin-top: 2.5rem; border-bottom: 1px solid #ccc; }
section { margin: 1.4rem 0; break-inside: avoid; }
.words { color: #444; border-left: 4px solid #b4472b; padding-left: .8rem; margin: .3rem 0; }
.id { font-weight: 700; } ul { margin: .3rem 0; padding-left: 1.4rem; } nav { columns: 6rem; font-size: .9rem; } a { color: #7a2e1a; }
@media (prefers-color-scheme: dark) { body { color: #e6e6e6; background: #161616; } .words { color: #bbb; } a { color: #f0a58f; } }
@media print { nav { display: none; } body { margin: 0; max-width: none; } }
"""


def render_html(page: ExplanationPage) -> str:
    """The page as an HTML document."""
    return "\n".join(_lines(page)) + "\n"


def _lines(page: ExplanationPage) -> Iterator[str]:
    yield f'<!doctype html>\n<html lang="{"zh-CN" if page.language == "zh" else "en"}">\n<head>\n<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{escape(page.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{escape(page.title)}</h1>"
    yield from (f"<p>{escape(line)}</p>" for line in page.intro)
    links = " ".join(f'<a href="#c{index}">{escape(section.heading)}</a><br>' for index, section in enumerate(page.clause_sections))
    yield f"<nav>{links}</nav>"
    for index, section in enumerate(page.clause_sections):
        yield f'<section id="c{index}">'
        yield f'<p class="words"><span class="id">{escape(section.heading)}</span> {escape(section.clause_text)}</p>'
        yield from _entry_list(section)
        yield "</section>"
    for section in page.appendices:
        yield f"<h2>{escape(section.heading)}</h2>"
        yield from _entry_list(section)
    yield "</body>\n</html>"


def _entry_list(section: PageSection) -> Iterator[str]:
    yield "<ul>"
    for entry in section.entries:
        first, *more = entry.lines
        inner = "".join(f"<li>{escape(line)}</li>" for line in more)
        yield f"<li>{escape(first)}{f'<ul>{inner}</ul>' if inner else ''}</li>"
    yield "</ul>"
