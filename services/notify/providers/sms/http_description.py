"""The settings of kind `http`: a gateway's HTTP interface described in YAML."""

import re
from typing import Annotated, Any, Literal, Self

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from services.notify.domain.failure_reason import FailureReason
from services.notify.providers.kind import ProviderSettings, SecretName

PLACEHOLDER = re.compile(r"\$\{([a-z][a-z0-9_]*)\}")
MESSAGE_VALUES = frozenset({"to", "to_digits", "to_national", "text", "key", "encoding", "parts", "timestamp", "receipts_url"})
RECEIPT_VALUES = frozenset({"body", "timestamp"})


def _is_expression(text: str) -> str:
    try:
        jmespath.compile(text)
    except JMESPathError as error:
        raise ValueError("is not a JMESPath expression; see the examples in docs/how-to/send-sms.md") from error
    return text


Expression = Annotated[str, AfterValidator(_is_expression)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HttpError(_Part):
    """A response of the gateway, with the reason of the failure that it reports."""

    when: Expression = Field(description="true for this answer, e.g. body.code == '1001'")
    reason: Literal["refused", "busy", "credentials", "template"]
    permanent: bool = False

    @property
    def failure(self) -> FailureReason:
        """The reason as events and metrics have it."""
        return FailureReason(self.reason)


class HttpAnswer(_Part):
    """The interpretation of responses; expressions apply to `status` and `body`."""

    success: Expression = Field("status >= `200` && status < `300`", description="true if the message was accepted")
    reference: Expression | None = Field(None, description="the gateway's id of the message, which receipts may name")
    parts: Expression | None = Field(None, description="how many parts the gateway charges")
    code: Expression | None = Field(None, description="the gateway's code, for the event; only digits are used")
    errors: tuple[HttpError, ...] = ()


class HttpReceiptSignature(_Part):
    """HMAC-SHA256 over a text, in a header."""

    header: str
    secret_env: SecretName
    over: str = Field("${body}", description="the signed text, of ${body} and ${timestamp}")
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""
    timestamp_header: str = ""
    tolerance: float = Field(300.0, gt=0, description="seconds by which the timestamp may be off")

    @model_validator(mode="after")
    def _signs_the_timestamp(self) -> Self:
        if unknown := set(PLACEHOLDER.findall(self.over)) - RECEIPT_VALUES:
            raise ValueError(f"over: there is no {', '.join(sorted(unknown))}; use ${{body}} and ${{timestamp}}")
        if bool(self.timestamp_header) != ("${timestamp}" in self.over):
            raise ValueError("timestamp_header: goes with ${timestamp} in over; a timestamp that is not signed proves nothing")
        return self


class HttpReceipts(_Part):
    """The interpretation of receipts; expressions apply to `body` and `query`."""

    token_env: SecretName = Field("", description="token that the URL of the receipts ends with, as ?token=…")
    signature: HttpReceiptSignature | None = None
    items: Expression = Field("[@]", description="the list of reports in a call; the other expressions see one of them")
    key: Expression | None = Field(None, description="our key of the message")
    reference: Expression | None = Field(None, description="the gateway's id of the message")
    status: Expression
    delivered: tuple[str, ...] = Field(min_length=1)
    failed: tuple[str, ...] = Field(min_length=1)
    code: Expression | None = None
    reply: dict[str, Any] = Field(default_factory=lambda: {"recorded": True})

    @model_validator(mode="after")
    def _is_authenticated_and_named(self) -> Self:
        if not self.token_env and self.signature is None:
            raise ValueError("token_env or signature: one has to protect the receipts; anyone could report deliveries otherwise")
        if (self.key is None) == (self.reference is None):
            raise ValueError("key and reference: exactly one names the message; set one and remove the other")
        return self


class HttpSettings(ProviderSettings):
    """The settings of kind `http`."""

    method: Literal["GET", "POST", "PUT"] = "POST"
    url: str = Field(pattern=r"^https?://\S+$")
    headers: dict[str, str] = Field(default_factory=dict)
    query: dict[str, Any] = Field(default_factory=dict)
    json_body: dict[str, Any] | None = Field(None, alias="json")
    form: dict[str, Any] | None = None
    variables_env: dict[str, SecretName] = Field(default_factory=dict, description="${name} → environment variable")
    answer: HttpAnswer = HttpAnswer.model_validate({})
    receipts: HttpReceipts | None = None

    @model_validator(mode="after")
    def _uses_known_values(self) -> Self:
        if self.json_body is not None and self.form is not None:
            raise ValueError("json and form: a request has one body; remove one")
        used = set(PLACEHOLDER.findall(str([self.url, self.headers, self.query, self.json_body, self.form])))
        available = MESSAGE_VALUES | self.variables_env.keys()
        if unknown := used - available:
            raise ValueError(f"there is no value {', '.join(sorted(unknown))}; use {', '.join(sorted(available))}")
        return self
