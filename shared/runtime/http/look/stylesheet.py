"""Stylesheets of pages: the colours that all of them share, and the layout of the pages for the public.

A service serves its own bytes of it, so that no page waits for another service.
"""

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).parent
COLOURS = (_FOLDER / "colours.css").read_text(encoding="utf-8")
"""The custom properties (`--ink`, `--paper`, …) of the light and the dark look."""
_PUBLIC_PAGES = (_FOLDER / "public_pages.css").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Stylesheet:
    """The text of a `<style>` element, and the content security policy that permits this text and nothing else."""

    text: str
    content_security_policy: str


def public_stylesheet(own: str) -> Stylesheet:
    """The shared look followed by the page's `own` rules."""
    text = COLOURS + _PUBLIC_PAGES + own
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    return Stylesheet(text, policy)
