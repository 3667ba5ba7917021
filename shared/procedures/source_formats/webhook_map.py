"""The calls of another system: how they are signed, and where the fields of a complaint are in their body."""

import string
from typing import Annotated, Any, Literal, Self

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import AfterValidator, Field, model_validator

from shared.contracts.base import StrictModel
from shared.procedures.source_formats.fields import INSTANT_FIELDS, FieldName, FieldRules

SIGNED_PARTS = frozenset({"body", "timestamp", "secret", "url", "form"})
_VARIABLE = r"^[A-Z][A-Z0-9_]*$"


def _compiles(expression: str) -> str:
    try:
        jmespath.compile(expression)
    except JMESPathError as error:
        raise ValueError(f"{expression!r} is not JMESPath: {str(error).splitlines()[0]}; see jmespath.org") from error
    return expression


def _signed_parts_exist(template: str) -> str:
    try:
        parts = {name for _, name, spec, conversion in string.Formatter().parse(template) if name is not None or spec or conversion}
    except ValueError as error:
        raise ValueError(f"signed: {error}; write e.g. {{timestamp}}{{body}}") from error
    if unknown := parts - SIGNED_PARTS:
        raise ValueError(f"signed: there is no part {min(map(str, unknown))}; parts are {', '.join(sorted(SIGNED_PARTS))}")
    return template


JmesPath = Annotated[str, AfterValidator(_compiles)]
SecretVariables = Annotated[list[Annotated[str, Field(pattern=_VARIABLE)]], Field(min_length=1, max_length=5)]


class SignedTime(StrictModel):
    """The header with the instant of the call, which may differ from our clock by `within_seconds`: an older call is a replay."""

    header: str
    format: Literal["iso", "unix", "unix_ms"] = "unix"
    within_seconds: float = Field(default=300, gt=0, le=86_400)


class HmacSignature(StrictModel):
    """HMAC over parts of the call, in a header.

    `signed` names the parts in their order: body, timestamp (the header as sent), url (`url`, with the call's query), form (the
    parameters of a form, sorted, each name with its value) and secret.
    """

    kind: Literal["hmac"]
    header: str
    secret_env: SecretVariables = Field(description="environment variables with the secret; several while it is being changed")
    secret_encoding: Literal["text", "base64", "hex"] = Field(default="text", description="how the variable writes the bytes of the key")
    algorithm: Literal["sha1", "sha256", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = Field(default="", description="what stands before the signature in the header, e.g. sha256=")
    signed: Annotated[str, AfterValidator(_signed_parts_exist)] = "{body}"
    url: str = Field(default="", description="the address that the other system calls, which a proxy may hide from us")
    timestamp: SignedTime | None = None

    @model_validator(mode="after")
    def _parts_are_given(self) -> Self:
        if "{url}" in self.signed and not self.url:
            raise ValueError("signed has {url}; write under url the address that the other system calls")
        if self.timestamp is not None and "{timestamp}" not in self.signed:
            raise ValueError("timestamp: whoever repeats a call could write a new one; sign it, e.g. signed: '{timestamp}{body}'")
        if self.timestamp is None and "{timestamp}" in self.signed:
            raise ValueError("signed has {timestamp}; name its header under timestamp")
        return self


class TokenSignature(StrictModel):
    """A fixed secret in a header: for systems that sign nothing, over TLS only."""

    kind: Literal["token"]
    header: str = "Authorization"
    prefix: str = Field(default="Bearer ", description="what stands before the token in the header")
    secret_env: SecretVariables = Field(description="environment variables with the token; several while it is being changed")


class WebhookMap(FieldRules):
    """How a call becomes a submission; without `signature` it has to bring the source's API key."""

    signature: Annotated[HmacSignature | TokenSignature, Field(discriminator="kind")] | None = None
    body: Literal["json", "form"] = "json"
    json_fields: list[str] = Field(default_factory=list, description="parameters of a form whose value is JSON")
    only_when: JmesPath | None = Field(default=None, description="calls for which this is false or absent are answered and make no case")
    fields: dict[FieldName, JmesPath] = Field(min_length=1, description="field → JMESPath into the body")
    times: dict[FieldName, Literal["written", "unix", "unix_ms"]] = Field(
        default_factory=dict, description="how the system writes an instant; none: as text, with or without an offset"
    )

    @model_validator(mode="before")
    @classmethod
    def _kind_of_signature_is_named(cls, document: Any) -> Any:
        signature = document.get("signature") if isinstance(document, dict) else None
        if isinstance(signature, dict) and signature.get("kind") not in ("hmac", "token"):
            raise ValueError("signature.kind has to be hmac or token")
        return document

    @model_validator(mode="after")
    def _fields_can_be_used(self) -> Self:
        self.require_fields(self.fields)
        if other := [name for name in self.times if name not in INSTANT_FIELDS]:
            raise ValueError(f"times: {other[0]} is not an instant; instants are {', '.join(sorted(INSTANT_FIELDS))}")
        return self
