"""References of attachments: signed, readable, kept apart from plain names; addresses that expire."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from shared.contracts.attachments import AttachmentKeys, AttachmentReference, MediaKind, ReadGrant, is_media, parse_reference

SHA256 = "ab" * 32
KEYS = AttachmentKeys(["a secret of the tests"])


def test_reference_is_read_back_and_genuine() -> None:
    text = str(KEYS.reference(SHA256, "现场 照片.jpg"))
    reference = parse_reference(text)
    assert reference is not None
    assert (reference.sha256, reference.name, KEYS.is_genuine(reference)) == (SHA256, "现场 照片.jpg", True)
    assert text.startswith(f"sha256:{SHA256}/")
    assert text.endswith("/现场 照片.jpg")


def test_signature_covers_digest_and_name() -> None:
    genuine = KEYS.reference(SHA256, "report.pdf")
    forged = [replace(genuine, name="photo.jpg"), replace(genuine, sha256="cd" * 32), replace(genuine, signature="0" * 16)]
    assert [KEYS.is_genuine(reference) for reference in forged] == [False, False, False]


@pytest.mark.parametrize(
    "text",
    [
        "现场.jpg",
        "s3://complaints/2026/photo.jpg",
        f"sha256:{SHA256}",
        f"sha256:{SHA256}/photo.jpg",
        f"sha256:{SHA256}/{'0' * 16}/",
        f"sha256:{SHA256}/{'0' * 16}/a/b.jpg",
        f"sha256:{SHA256}/{'0' * 16}/a\nb.jpg",
        f"sha256:{SHA256.upper()}/{'0' * 16}/a.jpg",
    ],
)
def test_other_texts_are_no_reference(text: str) -> None:
    assert parse_reference(text) is None


def test_only_texts_that_claim_to_be_stored_are_invalid() -> None:
    genuine, forged = str(KEYS.reference(SHA256, "a.jpg")), str(AttachmentReference(SHA256, "0" * 16, "a.jpg"))
    texts = ["现场.jpg", genuine, forged, f"sha256:{SHA256}/a.jpg", "SHA256:x", "https://example.org/a.jpg"]
    assert KEYS.invalid_references(texts) == [2, 3, 4]


def test_replaced_secret_still_checks_but_does_not_sign() -> None:
    old, both, new = (
        AttachmentKeys.parse(text) for text in ("the old secret ......", "the new secret ......, the old secret ......", "x" * 16)
    )
    assert old is not None
    assert both is not None
    assert new is not None
    reference = old.reference(SHA256, "a.jpg")
    assert both.is_genuine(reference)
    assert not new.is_genuine(reference)
    assert not old.is_genuine(both.reference(SHA256, "a.jpg"))
    assert AttachmentKeys.parse(" ") is None


@pytest.mark.parametrize("setting", ["short", "a secret of the tests, short", "a secret of the tests,"])
def test_short_secrets_are_refused(setting: str) -> None:
    with pytest.raises(ValueError, match="at least 16 characters"):
        AttachmentKeys.parse(setting)


def test_address_holds_until_it_expires_and_for_nothing_else() -> None:
    grant = ReadGrant(SHA256, "a&b=c 照片.jpg", 1_000, "li")
    address = urlsplit(KEYS.read_path(grant))
    query = {name: values[0] for name, values in parse_qs(address.query).items()}
    signature = query.pop("signature")
    assert (address.path, query) == (f"/v1/attachments/{SHA256}", {"name": grant.name, "expires": "1000", "reader": "li"})
    assert KEYS.allows(grant, signature, 999.9)
    assert not KEYS.allows(grant, signature, 1_000)
    others = [replace(grant, sha256="cd" * 32), replace(grant, name="b.jpg"), replace(grant, expires=9_000), replace(grant, reader="zhao")]
    assert not any(KEYS.allows(other, signature, 0) for other in others)
    assert not KEYS.allows(grant, "签名", 0)


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        (f"sha256:{SHA256}/{'0' * 16}/现场.jpg", "image", True),
        (f"sha256:{SHA256}/{'0' * 16}/现场.jpg.pdf", "image", False),
        (f"sha256:{SHA256}/{'0' * 16}/现场.jpg.pdf", "pdf", True),
        ("现场.JPG", "image", True),
        ("照片", "image", False),
        ("通话.amr", "audio", True),
        ("通话.amr", "video", False),
        ("a.mp4", "video", True),
    ],
)
def test_kind_of_media_is_judged_by_the_ending_of_the_name(text: str, kind: MediaKind, expected: bool) -> None:
    assert is_media(text, kind) is expected
