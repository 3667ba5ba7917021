"""Chooses the media type of an answer by the header Accept (RFC 9110, 12.5.1)."""

from collections.abc import Sequence


def preferred_media_type(accept: str, available: Sequence[str]) -> str | None:
    """The available media type that the header prefers, the first among equals; None if it allows none of them."""
    weights = accepted_weights(accept) or {"*/*": 1.0}
    best: tuple[float, str] | None = None
    for name in available:
        ranges = (name, f"{name.partition('/')[0]}/*", "*/*")
        weight = next((weights[media_range] for media_range in ranges if media_range in weights), 0.0)
        if weight > 0 and (best is None or weight > best[0]):
            best = weight, name
    return None if best is None else best[1]


def accepted_weights(accept: str) -> dict[str, float]:
    """Media range → weight; a weight that cannot be read counts as 0, so that such a range selects nothing."""
    weights: dict[str, float] = {}
    for item in accept.split(","):
        media_range, *parameters = [part.strip().lower() for part in item.split(";")]
        if media_range:
            weight = next((part.removeprefix("q=") for part in parameters if part.startswith("q=")), "1")
            try:
                weights[media_range] = float(weight)
            except ValueError:
                weights[media_range] = 0.0
    return weights
