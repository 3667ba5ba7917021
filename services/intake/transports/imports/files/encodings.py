"""Finds the encoding of a text file, by its mark or by decoding the whole of it; never by statistics."""

import codecs
from pathlib import Path

from services.intake.transports.imports.files.unusable_file import UnusableFileError

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_BLOCK = 1 << 20
FOUND = {
    "utf-8-sig": "UTF-8, by its byte order mark",
    "utf-16": "UTF-16, by its byte order mark",
    "utf-8": "UTF-8 without a mark: every byte fits",
    "gb18030": "GB18030: not UTF-8, and every byte fits",
}
"""Encoding → how it was found, for the report."""


def find_encoding(path: Path, stated: str | None) -> str:
    """Python's name of the encoding; a stated one is checked. Raises `UnusableFileError`."""
    with path.open("rb") as file:
        head = file.read(4)
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    if marked is not None:
        if stated is not None and not marked.startswith(stated):
            raise UnusableFileError("encoding", f"its byte order mark says {marked}, and the column map {stated}; make them agree")
        candidates = [marked]
    else:
        # UTF-8 first: Chinese text of another encoding is almost never valid UTF-8, while GB18030 takes almost any bytes.
        candidates = [stated] if stated else ["utf-8", "gb18030"]
    for name in candidates:
        if _decodes(path, name):
            return name
    remedy = f"not every byte is {' or '.join(candidates)}; save the file as CSV in UTF-8"
    raise UnusableFileError("encoding", remedy)


def _decodes(path: Path, name: str) -> bool:
    decoder = codecs.getincrementaldecoder(name)("strict")
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
