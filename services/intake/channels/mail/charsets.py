"""Decodes bytes of mails by their charset label, or without it where the label is wrong or missing."""

import re
from encodings.aliases import aliases

from charset_normalizer import from_bytes

# A label gb2312 or gbk stands on bytes of its superset GB18030: 朱镕生 has no 镕 in GB2312, and 𠮷 takes four bytes.
_READ_AS = {
    **dict.fromkeys(("gb2312", "gb_2312_80", "csgb2312", "x_gb", "gb", "gbk", "x_gbk", "cp936", "ms936", "windows_936"), "gb18030"),
    **dict.fromkeys(("euc_cn", "euccn", "gb_18030", "chinese", "936", "euc_gb2312_cn"), "gb18030"),
    **dict.fromkeys(("big5", "big5_tw", "csbig5", "x_x_big5", "cn_big5"), "big5hkscs"),
    **dict.fromkeys(("latin_1", "latin1", "iso_8859_1", "iso8859_1", "8859"), "cp1252"),
    "unicode_1_1_utf_8": "utf_8",
    "ks_c_5601_1987": "cp949",
}
_KNOWN = frozenset(
    {
        *("ascii", "utf_8", "utf_16", "utf_16_be", "utf_16_le", "utf_32", "utf_7", "gb18030", "hz", "big5hkscs", "cp950"),
        *("euc_jp", "euc_jis_2004", "shift_jis", "cp932", "iso2022_jp", "iso2022_jp_1", "iso2022_jp_2", "iso2022_jp_3"),
        *("euc_kr", "cp949", "johab", "iso2022_kr", "koi8_r", "koi8_u", "cp874", "tis_620", "cp437", "cp850", "cp866", "mac_roman"),
        # There is no part 12.
        *(f"iso8859_{part}" for part in (*range(2, 12), *range(13, 17))),
        *(f"cp125{page}" for page in range(9)),
    }
)
"""Codecs of text; Python has others, such as zlib and unicode_escape, that a label must not reach."""
_WESTERN = frozenset({"ascii", "cp1252", ""})
"""Labels that programs write without looking at the text."""
_LABEL = re.compile(r"[A-Za-z0-9_.:-]{1,40}")
_GB_PAIRS = re.compile(rb"(?:[\xa1-\xf7][\xa1-\xfe]|[\x81-\xfe][\x30-\x39][\x81-\xfe][\x30-\x39])+")
_HIGH_BYTES = re.compile(rb"[\x80-\xff]")
_MIN_SHARE_OF_PAIRS = 0.9
_MAX_REPLACED = 0.02
_GUESSED_BYTES = 8_000
_GUESSED_CODECS = ["utf_8", "gb18030", "big5hkscs", "euc_jp", "cp932", "euc_kr", "cp1252", "cp1251", "koi8_r", "iso8859_2", "cp1256"]


def decode_text(data: bytes, label: str) -> tuple[str, str]:
    """The text, and a note if it was not read by its label; empty otherwise."""
    name = _codec(label)
    if data.isascii() and name in (*_WESTERN, "utf_8", "gb18030"):
        return data.decode("ascii"), ""
    if name and name not in _WESTERN:
        text = _strictly(data, name)
        if text is not None:
            return text, ""
    found = _found_codec(data)
    if not found and name:
        text = data.decode(name, "replace")
        # A mail that was cut inside a character: the label is right.
        if name in _WESTERN or text.count("\ufffd") <= max(1, _MAX_REPLACED * len(text)):
            return text, "" if name in _WESTERN else f"charset: {name} with bytes that do not fit"
    found = found or _guessed_codec(data) or name or "utf_8"
    return data.decode(found, "replace"), f"charset: {name or 'no known label'}, read as {found}"


def _codec(label: str) -> str:
    """The codec of a label, empty for an unknown one."""
    if _LABEL.fullmatch(label) is None:
        return ""
    normal = label.lower().replace("-", "_").replace(":", "_").replace(".", "_")
    name = _READ_AS.get(normal) or aliases.get(normal, normal)
    name = _READ_AS.get(name, name)
    return name if name in _KNOWN else ""


def _strictly(data: bytes, name: str) -> str | None:
    try:
        return data.decode(name)
    except UnicodeError:
        return None


def _found_codec(data: bytes) -> str:
    """UTF-8 or GB18030 where the bytes themselves show it, empty otherwise."""
    if _strictly(data, "utf_8") is not None:
        return "utf_8"
    high = len(_HIGH_BYTES.findall(data))
    # Western text has single high bytes between letters, Chinese text has pairs of them.
    paired = sum(len(_HIGH_BYTES.findall(run)) for run in _GB_PAIRS.findall(data))
    return "gb18030" if high and paired >= _MIN_SHARE_OF_PAIRS * high and _strictly(data, "gb18030") is not None else ""


def _guessed_codec(data: bytes) -> str:
    # Detection tries every codec on several samples: the beginning is enough, and bounds the time.
    best = from_bytes(data[:_GUESSED_BYTES], steps=3, chunk_size=512, cp_isolation=_GUESSED_CODECS, preemptive_behaviour=False).best()
    return best.encoding if best is not None else ""
