"""Receives webhooks: verifies each one, and takes a repeated one once."""

import json
import os
from http.server import BaseHTTPRequestHandler, HTTPServer

from jiesu_client import is_webhook_valid

MAX_BYTES = 1_000_000
seen: set[str] = set()


class WebhookHandler(BaseHTTPRequestHandler):
    """The environment holds SECRET and PORT."""

    def do_POST(self) -> None:
        """204 for a webhook that is taken, 401 for one that is not the platform's."""
        body = self.rfile.read(min(int(self.headers["Content-Length"]), MAX_BYTES))
        headers = {name.lower(): value for name, value in self.headers.items()}
        valid = is_webhook_valid(os.environ["SECRET"], headers, body)
        self.send_response(204 if valid else 401)
        self.end_headers()
        event = json.loads(body) if valid else {}
        if valid and event["id"] not in seen:
            seen.add(event["id"])
            print(event["type"], event["data"]["case"], flush=True)


HTTPServer(("127.0.0.1", int(os.environ["PORT"])), WebhookHandler).serve_forever()
