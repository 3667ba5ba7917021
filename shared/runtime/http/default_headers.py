"""Headers that every answer has unless the route sets its own: two policies of one name would both apply, and forbid a page its style."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_DEFAULTS = (
    # Nothing but the pages that say otherwise is meant to be shown by a browser.
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
)


class DefaultHeaders:
    """ASGI application that adds the headers which an answer lacks."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and its answer back."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                names = {name.lower() for name, _ in headers}
                message = {**message, "headers": headers + [default for default in _DEFAULTS if default[0] not in names]}
            await send(message)

        await self._app(scope, receive, send_with_headers)
