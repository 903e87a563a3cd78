"""A business's own calls of both platforms at a sandbox, written out by hand; and a place where webhooks arrive."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from deploy.sandbox.names import LineChannel, WhatsAppNumber
from deploy.sandbox.world import Bot, Number

NUMBER, CHANNEL = WhatsAppNumber(), LineChannel()
GRAPH = "/v25.0"


class Business:
    """Calls with the accounts' own tokens."""

    def __init__(self, platforms: str) -> None:
        self._http = httpx.Client(base_url=platforms, trust_env=False, timeout=30)

    def line(self, method, path, body=None, **headers):
        """Call LINE."""
        return self._http.request(method, path, json=body, headers=_bearer(Bot().token) | headers)

    def graph(self, method, path, body=None, **more):
        """Call Meta."""
        return self._http.request(method, f"{GRAPH}/{path}", json=body, headers=_bearer(Number().token), **more)

    def get(self, url, token=None):
        """Fetch an address as it stands."""
        return self._http.get(url, headers=_bearer(token) if token else {})

    def say(self, to, text="Hello", **more):
        """Send a text over WhatsApp to a phone number, or with ``recipient`` to a scoped id."""
        address = {"to": to} if to else {}
        body = {"messaging_product": "whatsapp", "recipient_type": "individual", **address, "type": "text"}
        return self.graph("POST", f"{NUMBER.phone_number_id}/messages", body | {"text": {"body": text}} | more)

    def send_whatsapp(self, kind, content, to):
        """Send any form over WhatsApp."""
        base = {"messaging_product": "whatsapp", "recipient_type": "individual", "to": to, "type": kind}
        return self.graph("POST", f"{NUMBER.phone_number_id}/messages", base | {kind: content})

    def push(self, to, *texts, form="push", **headers):
        """Push texts over LINE."""
        messages = [{"type": "text", "text": text} for text in texts]
        return self.line("POST", f"/v2/bot/message/{form}", {"to": to, "messages": messages}, **headers)

    def reply(self, token, *texts, **headers):
        """Reply over LINE."""
        messages = [{"type": "text", "text": text} for text in texts]
        return self.line("POST", "/v2/bot/message/reply", {"replyToken": token, "messages": messages}, **headers)


def _bearer(token):
    return {"authorization": f"Bearer {token}"}


class Arrivals:
    """What arrived at a callback: bodies with their headers; ``answers`` are the statuses given, the last for ever."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.answers = [200]
        self.url = ""

    @property
    def events(self):
        """Give every LINE event that arrived, in order."""
        return [event for body in self.bodies for event in json.loads(body).get("events", ())]

    @property
    def values(self):
        """Give every WhatsApp value that arrived, in order."""
        entries = [entry for body in self.bodies for entry in json.loads(body).get("entry", ())]
        return [change["value"] for entry in entries for change in entry["changes"]]


@contextmanager
def arrivals() -> Iterator[Arrivals]:
    """Listen on a free port of this machine."""
    seen = Arrivals()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            seen.headers.append({name.lower(): value for name, value in self.headers.items()})
            seen.bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(seen.answers.pop(0) if len(seen.answers) > 1 else seen.answers[0])
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *words):
            del words

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    seen.url = f"http://127.0.0.1:{server.server_port}/hook"
    try:
        yield seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
