"""A server on the loopback that answers as a test says, and remembers what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.seen.append({"path": self.path, **dict(self.headers)})
        self.server.answer(self)

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    """``answer`` is called with the request's handler; ``seen`` holds path and headers of every request."""

    daemon_threads = True
    answer: Callable[[BaseHTTPRequestHandler], None]

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[dict[str, str]] = []
        self.sends(b"sound")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/feed"

    def sends(self, body, status=200, **headers):
        """Answer everything alike."""
        self.answer = lambda handler: send(handler, body, status, **headers)


def send(handler, body, status=200, **headers):
    """Send one answer; underscores of a header's name become hyphens."""
    handler.send_response(status)
    for name, value in {"Content_Length": str(len(body)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


@contextmanager
def serving():
    """Run a server for a while."""
    with Server() as found:
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield found
        finally:
            found.shutdown()
            thread.join()
