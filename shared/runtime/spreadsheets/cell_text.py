"""Texts as cells of CSV files, which a spreadsheet would otherwise execute."""

# OWASP, CSV injection: the full-width forms too, which a Chinese spreadsheet reads like the others.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def inert_text(text: str) -> str:
    """The text, with an apostrophe before it where a spreadsheet would read a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_STARTS) else text
