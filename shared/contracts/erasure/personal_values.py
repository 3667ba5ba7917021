"""Which values of an event are personal, the event without them, and the keyed hash that binds both together."""

import hmac
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

import orjson

ERASED = "[erased]"
"""Replacement of a personal text after its erasure."""
ERASED_FIELD = "erased"
"""The field of an erased event with the keyed hash of what was taken out; no event of the contract has a field of this name."""
_MARK = re.compile(r"\[erased( [0-9a-f]{8})?\]")
# Facts and reasons from the lists of a procedure are codes or dates: figures and conditions go on reading them.
_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}|\d{4}-\d\d-\d\d(T[0-9:.]{5,15}(Z|[+-]\d\d:\d\d))?")
_Erase = Callable[[Any, bytes], Any]


def _text(value: Any, _: bytes) -> Any:
    """A marker for every text in the value; numbers, booleans and names of fields stay."""
    return _replace_texts(value, lambda text: ERASED if text and _MARK.fullmatch(text) is None else text)


def _free_text(value: Any, _: bytes) -> Any:
    """As `_text`, but codes and dates stay."""
    return _replace_texts(value, lambda text: text if _CODE.fullmatch(text) else _text(text, b""))


def _replace_texts(value: Any, replaced: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return replaced(value)
    if isinstance(value, list):
        return [_replace_texts(entry, replaced) for entry in value]
    if isinstance(value, dict):
        return {name: _replace_texts(entry, replaced) for name, entry in value.items()}
    return value


def _pseudonym(value: Any, key: bytes) -> Any:
    """A marker that is equal for equal names in one case, so that what counts households or people by name counts the same."""
    if isinstance(value, list):
        return [_pseudonym(entry, key) for entry in value]
    if not isinstance(value, str) or not value or _MARK.fullmatch(value):
        return value
    # One household is written 3-1-402 and ３-１-４０２ by two people: figures take both for one.
    name = "".join(unicodedata.normalize("NFKC", value).split()).casefold()
    return f"[erased {hmac.digest(key, name.encode(), 'sha256').hex()[:8]}]"


_COMPLAINANT: dict[str, _Erase] = {
    **dict.fromkeys(("name", "phone", "email", "address", "identity", "id_number", "enterprise"), _text),
    **dict.fromkeys(("id", "household"), _pseudonym),
}


def _complainant(value: Any, key: bytes) -> Any:
    return _apply(value, _COMPLAINANT, key) if isinstance(value, dict) else value


_COMPLAINT: dict[str, _Erase] = {
    **dict.fromkeys(("title", "text", "object", "demand", "place", "contact", "external_id", "attachments"), _text),
    "against": _pseudonym,
    "complainant": _complainant,
    "facts": _free_text,
}


def _complaint(value: Any, key: bytes) -> Any:
    return _apply(value, _COMPLAINT, key) if isinstance(value, dict) else value


_EVENT: dict[str, _Erase] = {
    # `data` is what a refused action was sent with, `fields` what an amendment set, `key` the value that a group has in common.
    **dict.fromkeys(
        ("text", "promise", "demands", "place", "values", "contact", "evidence", "found", "fields", "data", "attachments", "key"), _text
    ),
    **dict.fromkeys(("reason", "facts", "figures"), _free_text),
    **dict.fromkeys(("household", "complainant_keys"), _pseudonym),
    "complaint": _complaint,
}
# Of a call the person may be the complainant; elsewhere the field names a member of the staff.
_CALL = {**_EVENT, "person": _pseudonym}
PERSONAL_NAMES = frozenset({*_CALL, *_COMPLAINT, *_COMPLAINANT} - {"complaint", "complainant"})
"""Names of the fields that hold personal values, wherever they are."""


def erased_fields(fields: Mapping[str, Any], key: bytes) -> dict[str, Any]:
    """The fields of an event, read from JSON, without personal values; equal to `fields` where there are none.

    `key` is the case's personal key. The fields of an erased event stay as they are, whatever the key.
    """
    return _apply(fields, _CALL if fields.get("type") == "call_recorded" else _EVENT, key)


def erased_complaint(complaint: Mapping[str, Any], key: bytes) -> dict[str, Any]:
    """The fields of a complaint, read from JSON, without personal values."""
    return _apply(complaint, _COMPLAINT, key)


def erased_names(names: list[str], key: bytes) -> list[str]:
    """Names or keyed hashes of people as the pseudonyms that take their place."""
    return [_pseudonym(name, key) for name in names]


def erased_body(body: bytes, key: bytes) -> bytes:
    """An event without its personal values, with the keyed hash of them, as canonical JSON; the body itself if nothing is personal.

    The ledger's hash covers these bytes instead of the event's own, so that they can take its place without breaking the chain.
    """
    fields = orjson.loads(body)
    if ERASED_FIELD in fields:
        return body
    public = erased_fields(fields, key)
    taken = {name: value for name, value in fields.items() if public[name] != value}
    if not taken:
        return body
    # Keyed, since a hash alone would confirm a guess: a name or a phone number is soon guessed.
    digest = hmac.digest(key, _canonical(taken), "sha256").hex()
    return _canonical({**public, ERASED_FIELD: digest})


def has_personal_fields(names: Mapping[str, Any]) -> bool:
    """Whether an event with these fields may have personal values."""
    return not _CALL.keys().isdisjoint(names)


def _apply(fields: Mapping[str, Any], rules: Mapping[str, _Erase], key: bytes) -> dict[str, Any]:
    return {name: rules[name](value, key) if name in rules else value for name, value in fields.items()}


def _canonical(fields: Mapping[str, Any]) -> bytes:
    return orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)
