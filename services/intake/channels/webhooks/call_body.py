"""Finds the fields of a complaint in the body of a call, by the JMESPath expressions of a map."""

from datetime import tzinfo
from typing import Any
from urllib.parse import parse_qsl

import jmespath
from jmespath.exceptions import JMESPathError

from services.intake.channels.json_document import MalformedJsonError, parse_json
from services.intake.channels.mapped_fields import FieldMapper, MappedDocument
from services.intake.domain.submission_faults import SubmissionFault
from shared.contracts.json_text import JsonTextError, parse_json_text
from shared.procedures.source_formats.webhook_map import WebhookMap

_MAX_PARAMETERS = 1000


class UnusableBodyError(ValueError):
    """The body does not match the map; `fault` names the rule and the remedy."""

    def __init__(self, rule: str, remedy: str) -> None:
        super().__init__(rule)
        self.fault = SubmissionFault("body", rule, remedy)


class WebhookReader:
    """Reads calls by a map, whose expressions are compiled once; `zone` holds where the map names none."""

    def __init__(self, webhook: WebhookMap, zone: tzinfo) -> None:
        self.webhook = webhook
        self._mapper = FieldMapper(webhook, zone, webhook.times)
        self._fields = {name: jmespath.compile(text) for name, text in webhook.fields.items()}
        self._only_when = jmespath.compile(webhook.only_when) if webhook.only_when else None

    def parameters(self, body: bytes) -> list[tuple[str, str]]:
        """The parameters of a form in their order, empty for JSON; raises `UnusableBodyError`."""
        if self.webhook.body == "json":
            return []
        if body.count(b"&") >= _MAX_PARAMETERS:
            raise UnusableBodyError("too_many", f"send at most {_MAX_PARAMETERS} parameters")
        try:
            return parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=bool(body))
        except ValueError:
            raise UnusableBodyError("not_a_form", "send application/x-www-form-urlencoded in UTF-8, as the map says") from None

    def document(self, body: bytes) -> MappedDocument | None:
        """The document of a call, None for one that makes no case; raises `UnusableBodyError`."""
        value = self._body(body)
        if self._only_when is not None and not self._search("only_when", self._only_when, value):
            return None
        return self._mapper.document({name: self._search(name, compiled, value) for name, compiled in self._fields.items()})

    def _body(self, body: bytes) -> Any:
        if self.webhook.body == "json":
            try:
                return parse_json(body)
            except MalformedJsonError as error:
                raise UnusableBodyError("not_json", f"send JSON in UTF-8 ({error})") from None
        value: dict[str, Any] = dict(self.parameters(body))
        for name in self.webhook.json_fields:
            if value.get(name):
                try:
                    value[name] = parse_json_text(value[name].encode())
                except JsonTextError:
                    raise UnusableBodyError("not_json", f"send JSON in the parameter {name}, as the map says") from None
        return value

    def _search(self, name: str, compiled: Any, value: Any) -> Any:
        try:
            return compiled.search(value)
        except JMESPathError as error:
            # A function that gets another type than it takes; its text would quote the value.
            remedy = f"the expression of {name} does not fit this call ({type(error).__name__}); correct the map"
            raise UnusableBodyError("mapping", remedy) from None
