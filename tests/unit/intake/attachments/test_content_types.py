"""The type of a file is that of its content; its name gets the ending of that type and nothing that deceives."""

import io
import zipfile
from pathlib import Path

import pytest

from services.intake.attachments.content_types import DEFAULT_TYPES, TYPES, UNKNOWN_TYPE, recognise, stored_name
from shared.contracts.attachments import AttachmentKeys, parse_reference

OFFICE = "application/vnd.openxmlformats-officedocument"


def office(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return content.getvalue()


JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(50)
CONTENTS = {
    "image/jpeg": [JPEG, b"\xff\xd8\xff\xe1\x00\x10Exif\x00\x00" + bytes(50), b"\xff\xd8\xff\xdb\x00\x43" + bytes(50)],
    "image/png": [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(30)],
    "image/gif": [b"GIF89a\1\0\1\0" + bytes(9)],
    "image/webp": [b"RIFF\x10\0\0\0WEBPVP8 " + bytes(9)],
    "image/heic": [b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic"],
    "image/bmp": [b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28" + bytes(40)],
    "image/tiff": [b"II*\0" + bytes(40), b"MM\0*" + bytes(40)],
    "application/pdf": [b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n%%EOF", b"%PDF-1.4\nall ASCII\n%%EOF"],
    "text/plain": [
        "投诉内容，电梯停运".encode(),
        "投诉内容，电梯停运".encode("gb18030"),
        "\ufeff带标记".encode(),
        b"BM",
        b"#!/bin/sh\nrm -r /\n",
    ],
    f"{OFFICE}.wordprocessingml.document": [office("[Content_Types].xml", "word/document.xml")],
    f"{OFFICE}.spreadsheetml.sheet": [office("[Content_Types].xml", "xl/workbook.xml")],
    "application/zip": [office("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), office("a.exe")],
    "application/x-ole-storage": [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500)],
    "audio/mpeg": [b"ID3\x03" + bytes(9), b"\xff\xfb\x90\x64" + bytes(99)],
    "audio/wav": [b"RIFF\x10\0\0\0WAVEfmt " + bytes(9)],
    "audio/amr": [b"#!AMR\n\x04\x91" + bytes(30)],
    "video/mp4": [b"\0\0\0\x18ftypisom\0\0\0\0"],
    "video/quicktime": [b"\0\0\0\x14ftypqt  \0\0\0\0"],
    "text/html": [b"<html><script>", b"\n\n<!DOCTYPE html>", b"\xef\xbb\xbf <p>"],
    "image/svg+xml": [b'<svg xmlns="x">', b'<?xml version="1.0"?><svg onload="x">'],
    UNKNOWN_TYPE: [b"MZ\x90\0" + bytes(80), b"\x7fELF\2\1\1\0" + bytes(80), bytes(range(256)), b"PK\x03\x04broken", bytes(20)],
}


@pytest.mark.parametrize(("media_type", "content"), [(name, content) for name, contents in CONTENTS.items() for content in contents])
def test_type_is_recognised_by_content(media_type: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "named.jpg"
    path.write_bytes(content)
    assert recognise(path) == media_type


def test_text_that_ends_inside_a_character_of_the_sample_is_text(tmp_path: Path) -> None:
    path = tmp_path / "long"
    path.write_bytes(b"x" + "投".encode() * 30_000)
    assert recognise(path) == "text/plain"


def test_default_takes_nothing_that_runs() -> None:
    assert not {"text/html", "image/svg+xml", "application/zip", "application/x-ole-storage", UNKNOWN_TYPE} & set(DEFAULT_TYPES)
    assert set(DEFAULT_TYPES) <= set(TYPES)


@pytest.mark.parametrize(
    ("name", "media_type", "expected"),
    [
        ("现场.jpg", "image/jpeg", "现场.jpg"),
        ("IMG.JPEG", "image/jpeg", "IMG.JPEG"),
        ("photo.jpg", "application/pdf", "photo.jpg.pdf"),
        ("..\\..\\etc/passwd", "text/plain", "passwd.txt"),
        ("/", "image/png", "attachment.png"),
        ("a\n\x00b.png", "image/png", "ab.png"),
        ("\u202egpj.exe.jpg", "image/jpeg", "gpj.exe.jpg"),
        ("x" * 300 + ".jpg", "image/jpeg", "x" * 196 + ".jpg"),
        ("  .jpg. ", "image/jpeg", "jpg.jpg"),
    ],
)
def test_name_ends_as_its_content_and_fits_a_reference(name: str, media_type: str, expected: str) -> None:
    stored = stored_name(name, media_type)
    assert stored == expected
    keys = AttachmentKeys(["a secret of the tests"])
    assert parse_reference(str(keys.reference("0" * 64, stored))) == keys.reference("0" * 64, stored)
