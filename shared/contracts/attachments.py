"""How a complaint or an action names a stored attachment, and the signed, short-lived address under which it is read.

`sha256:<64 hex digits>/<16 hex digits>/<file name>`: the digest of the content, a signature, and a name whose ending intake took from the
content. Intake signs what it has stored; without the signature anybody who knows a digest could name another case's file as his own, and
call a document `photo.jpg` where a clause asks for photographs.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode

_PREFIX = "sha256:"
_REFERENCE = re.compile(r"sha256:([0-9a-f]{64})/([0-9a-f]{16})/([^/\x00-\x1f\x7f]{1,200})")
_SIGNATURE_DIGITS = 16
MIN_SECRET_LENGTH = 16
MAX_NAME_LENGTH = 200
IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".heic", ".bmp", ".tif", ".tiff")
"""Those that conditions of packs take for photographs."""
MediaKind = Literal["image", "audio", "video", "pdf"]
MEDIA_ENDINGS: dict[MediaKind, tuple[str, ...]] = {
    "image": IMAGE_ENDINGS,
    "audio": (".mp3", ".wav", ".amr", ".m4a"),
    "video": (".mp4", ".m4v", ".mov", ".3gp", ".3g2"),
    "pdf": (".pdf",),
}
"""Kind of media → the endings of file names; intake gives a stored file the ending of its content."""


@dataclass(frozen=True, slots=True)
class AttachmentReference:
    """A stored attachment as messages name it; its text is the contract."""

    sha256: str
    signature: str
    name: str

    def __str__(self) -> str:
        """The text that is in `attachments`."""
        return f"{_PREFIX}{self.sha256}/{self.signature}/{self.name}"


def parse_reference(text: str) -> AttachmentReference | None:
    """The stored attachment that a text names; None for a plain name or address, which `attachments` may hold as well."""
    match = _REFERENCE.fullmatch(text)
    return None if match is None else AttachmentReference(*match.groups())


def claims_to_be_stored(text: str) -> bool:
    """Whether a text is meant as the reference of a stored attachment, readable or not."""
    return text[: len(_PREFIX)].lower() == _PREFIX


def may_be_image(text: str) -> bool:
    """Whether a text of `attachments` can be a photograph: a stored file by its ending, which is that of its content; a plain name too."""
    reference = parse_reference(text)
    return reference is None or reference.name.lower().endswith(IMAGE_ENDINGS)


def is_media(text: str, kind: MediaKind) -> bool:
    """Whether a text of `attachments` names a file of a kind of media, judged by the ending of its name."""
    return text.lower().endswith(MEDIA_ENDINGS[kind])


@dataclass(frozen=True, slots=True)
class ReadGrant:
    """Leave to read one attachment until an instant, in seconds since 1970 of real time; `reader` is who asked for it."""

    sha256: str
    name: str
    expires: int
    reader: str


class AttachmentKeys:
    """Signs and checks references and addresses; the first secret signs, all of them check, so that one can be replaced."""

    def __init__(self, secrets: Sequence[str]) -> None:
        if not secrets or any(len(secret) < MIN_SECRET_LENGTH for secret in secrets):
            raise ValueError(f"each secret needs at least {MIN_SECRET_LENGTH} characters")
        self._keys = [hashlib.sha256(b"jiesu attachments " + secret.encode()).digest() for secret in secrets]

    @classmethod
    def parse(cls, setting: str) -> "AttachmentKeys | None":
        """The keys of a setting with one or more secrets, comma separated; None for an empty one. Raises `ValueError`."""
        return cls([secret.strip() for secret in setting.split(",")]) if setting.strip() else None

    def reference(self, sha256: str, name: str) -> AttachmentReference:
        """The signed reference of a stored content under a name."""
        return AttachmentReference(sha256, _reference_signature(self._keys[0], sha256, name), name)

    def is_genuine(self, reference: AttachmentReference) -> bool:
        """Whether intake stored the content and gave it this name."""
        signatures = [_reference_signature(key, reference.sha256, reference.name) for key in self._keys]
        return any(hmac.compare_digest(signature, reference.signature) for signature in signatures)

    def invalid_references(self, texts: Sequence[str]) -> list[int]:
        """The positions of texts that claim to be stored attachments and are not."""
        return [
            position
            for position, text in enumerate(texts)
            if claims_to_be_stored(text) and ((reference := parse_reference(text)) is None or not self.is_genuine(reference))
        ]

    def read_path(self, grant: ReadGrant) -> str:
        """The path and query under which intake serves the attachment until the grant expires."""
        query = {"name": grant.name, "expires": grant.expires, "reader": grant.reader, "signature": _grant_signature(self._keys[0], grant)}
        return f"/v1/attachments/{grant.sha256}?{urlencode(query)}"

    def allows(self, grant: ReadGrant, signature: str, now: float) -> bool:
        """Whether the signature is that of the grant, and the grant has not expired; `now` in seconds since 1970."""
        signatures = [_grant_signature(key, grant).encode() for key in self._keys]
        return any(hmac.compare_digest(expected, signature.encode()) for expected in signatures) and now < grant.expires


def _reference_signature(key: bytes, sha256: str, name: str) -> str:
    return hmac.digest(key, f"reference\n{sha256}\n{name}".encode(), "sha256").hex()[:_SIGNATURE_DIGITS]


def _grant_signature(key: bytes, grant: ReadGrant) -> str:
    # Names hold no line break, so that no two grants have the same text.
    content = f"read\n{grant.sha256}\n{grant.expires}\n{grant.reader}\n{grant.name}"
    return hmac.digest(key, content.encode(), "sha256").hex()
