"""The static files, each under an address that holds the hash of its content, so that browsers keep it for a year."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from fastapi import APIRouter, Response

from shared.runtime.http.look.stylesheet import COLOURS

_FOLDER = Path(__file__).parents[2] / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
_YEAR = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class StaticFile:
    """The content of a file, its media type, and the start of its hash."""

    content: bytes
    media_type: str
    digest: str


def load_static_files() -> dict[str, StaticFile]:
    """The files by name: read once, since they change with a release only."""
    files = {}
    for path in sorted(_FOLDER.iterdir()):
        if path.suffix in _TYPES:
            shared = COLOURS if path.suffix == ".css" else ""
            content = shared.encode() + path.read_bytes()
            files[path.name] = StaticFile(content, _TYPES[path.suffix], sha256(content).hexdigest()[:16])
    return files


def router(files: dict[str, StaticFile]) -> APIRouter:
    """`GET /static/{digest}/{name}`."""
    routes = APIRouter()

    @routes.get("/static/{digest}/{name}", include_in_schema=False)
    async def static_file(digest: str, name: str) -> Response:
        """The file; an old address is answered too, as a page of the release before may still be open."""
        file = files.get(name)
        if file is None:
            return Response(status_code=404)
        cache = _YEAR if digest == file.digest else "no-cache"
        return Response(file.content, media_type=file.media_type, headers={"Cache-Control": cache})

    return routes
