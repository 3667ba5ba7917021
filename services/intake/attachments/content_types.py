"""Recognises the type of a file by its content, never by its name, and gives the name the ending of that type."""

import re
import zipfile
from codecs import BOM_UTF8
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import puremagic

from shared.contracts.attachments import MAX_NAME_LENGTH

UNKNOWN_TYPE = "application/octet-stream"
TEXT_TYPE = "text/plain"
_TEXT_SAMPLE_BYTES = 65_536
_BIDI_AND_CONTROL = re.compile(r"[\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff\ud800-\udfff]")
_CONTROL_BYTES = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_OFFICE = "application/vnd.openxmlformats-officedocument"


@dataclass(frozen=True, slots=True)
class FileType:
    """A media type with the endings that files of it have; the first is given to a name that has none of them."""

    media_type: str
    endings: tuple[str, ...]


_TYPES = (
    FileType("image/jpeg", (".jpg", ".jpeg")),
    FileType("image/png", (".png",)),
    FileType("image/gif", (".gif",)),
    FileType("image/webp", (".webp",)),
    FileType("image/heic", (".heic",)),
    FileType("image/bmp", (".bmp",)),
    FileType("image/tiff", (".tiff", ".tif")),
    FileType("application/pdf", (".pdf",)),
    FileType(TEXT_TYPE, (".txt", ".csv", ".log", ".md")),
    FileType(f"{_OFFICE}.wordprocessingml.document", (".docx",)),
    FileType(f"{_OFFICE}.spreadsheetml.sheet", (".xlsx",)),
    FileType(f"{_OFFICE}.presentationml.presentation", (".pptx",)),
    # One container for Word, Excel and PowerPoint before 2007, and for WPS: their macros are why the default does not allow it.
    FileType("application/x-ole-storage", (".doc", ".xls", ".ppt", ".wps", ".et", ".dps", ".msg")),
    FileType("audio/mpeg", (".mp3",)),
    FileType("audio/wav", (".wav",)),
    FileType("audio/amr", (".amr",)),
    FileType("audio/mp4", (".m4a",)),
    FileType("video/mp4", (".mp4", ".m4v")),
    FileType("video/quicktime", (".mov",)),
    FileType("video/3gpp", (".3gp", ".3g2")),
    FileType("text/html", (".html", ".htm")),
    FileType("image/svg+xml", (".svg",)),
    FileType("application/zip", (".zip",)),
)
TYPES: Mapping[str, FileType] = {file_type.media_type: file_type for file_type in _TYPES}
IMAGE_TYPES = tuple(media_type for media_type in TYPES if media_type.startswith("image/") and media_type != "image/svg+xml")
DEFAULT_TYPES = (
    *IMAGE_TYPES,
    *("application/pdf", TEXT_TYPE, *(name for name in TYPES if name.startswith(_OFFICE))),
    *(name for name in TYPES if name.startswith(("audio/", "video/"))),
)
"""Types that complainants and clerks send: photographs, scans, letters, recordings. Nothing that a browser or an office program runs."""
_BY_ENDING = {ending: file_type.media_type for file_type in _TYPES for ending in file_type.endings} | {
    # Endings that puremagic gives and that no stored name keeps: conditions of packs know the usual ones.
    **dict.fromkeys((".jpe", ".jfif"), "image/jpeg"),
    ".heif": "image/heic",
    ".dib": "image/bmp",
}
_OFFICE_FOLDERS = {"word/": ".docx", "xl/": ".xlsx", "ppt/": ".pptx"}
# The brand after `ftyp` (ISO base media): puremagic knows fewer of them than cameras and telephones write.
_BRANDS = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"), "image/heic"),
    **dict.fromkeys((b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V "), "video/mp4"),
    **dict.fromkeys((b"3gp4", b"3gp5", b"3gp6", b"3gp7", b"3g2a"), "video/3gpp"),
    **dict.fromkeys((b"M4A ", b"M4B "), "audio/mp4"),
    b"qt  ": "video/quicktime",
}
_MP3_FRAMES = (b"\xff\xfb", b"\xff\xfa", b"\xff\xf3", b"\xff\xf2")


def recognise(path: Path) -> str:
    """The media type of the file by its content; `UNKNOWN_TYPE` for content that is none of `TYPES`."""
    with path.open("rb") as file:
        head = file.read(_TEXT_SAMPLE_BYTES)
    if _is_text(head):
        return _text_type(head)
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], UNKNOWN_TYPE)
    if head.startswith(b"PK\x03\x04"):
        return _office_or_zip(path)
    if head.startswith(_MP3_FRAMES):
        return "audio/mpeg"
    try:
        candidates = puremagic.magic_file(path)
    except (puremagic.PureError, ValueError):
        return UNKNOWN_TYPE
    known = (_BY_ENDING.get(candidate.extension.lower(), TEXT_TYPE) for candidate in candidates)
    return next((media_type for media_type in known if not media_type.startswith("text/")), UNKNOWN_TYPE)


def stored_name(name: str, media_type: str) -> str:
    """The name without path and control characters, ending as files of the type do: `photo.jpg` of a document is `photo.jpg.pdf`.

    Characters that change the direction of writing are left out: with one, `gpj.exe` is shown as `exe.jpg`.
    """
    cleaned = _BIDI_AND_CONTROL.sub("", name.replace("\\", "/")).rpartition("/")[2].strip().strip(".") or "attachment"
    endings = TYPES[media_type].endings if media_type in TYPES else ()
    if endings and not cleaned.lower().endswith(endings):
        cleaned = f"{cleaned[: MAX_NAME_LENGTH - len(endings[0])]}{endings[0]}"
    ending = Path(cleaned).suffix
    return cleaned if len(cleaned) <= MAX_NAME_LENGTH else f"{cleaned[: MAX_NAME_LENGTH - len(ending)]}{ending}"


def _office_or_zip(path: Path) -> str:
    """A document of Office 2007 and later, which is a zip; one with macros counts as any other zip."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError, OSError):
        return UNKNOWN_TYPE
    if "[Content_Types].xml" in names and not any(name.lower().endswith("vbaproject.bin") for name in names):
        for folder, ending in _OFFICE_FOLDERS.items():
            if any(name.startswith(folder) for name in names):
                return _BY_ENDING[ending]
    return "application/zip"


def _text_type(head: bytes) -> str:
    """The type of content without control bytes: signatures of two letters, such as BM of a bitmap, mean nothing in it."""
    if head.startswith(b"%PDF-"):
        return "application/pdf"
    start = head.removeprefix(BOM_UTF8).lstrip()
    if start.startswith(b"<"):
        return "image/svg+xml" if b"<svg" in start.lower() else "text/html"
    return TEXT_TYPE


def _is_text(head: bytes) -> bool:
    if not head or _CONTROL_BYTES.search(head):
        return False
    # The sample may end inside a character, of four bytes at most.
    return any(_decodes(head[: len(head) - cut], encoding) for encoding in ("utf-8", "gb18030") for cut in range(4))


def _decodes(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
