"""A real web server on the loopback interface that plays a customer's gateway: it may refuse, be slow, or be away."""

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self, cast

# Longer than any sender waits.
_FOR_EVER_SECONDS = 10.0


@dataclass(frozen=True)
class Received:
    """One request as it came in, whatever was answered."""

    headers: dict[str, str]
    body: bytes


@dataclass
class FakeWebhook:
    """Answers the first requests with ``statuses``, one each, and all others with 200.

    While ``drips`` is set it answers too, but a byte at a time, and never comes to an end.
    """

    statuses: deque[int] = field(default_factory=deque)
    received: list[Received] = field(default_factory=list)
    drips: bool = False

    def __enter__(self) -> Self:
        self._left = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Gateway)
        self._server.hook = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}/notices?token=secret-in-url"

    @property
    def ids(self) -> list[str]:
        """The ids of what came in, in order."""
        return [each.headers["webhook-id"] for each in self.received]

    def take(self, request: Received) -> int:
        """Keep a request and return the status to answer with."""
        self.received.append(request)
        return self.statuses.popleft() if self.statuses else 200

    def drip(self, out: Any) -> None:
        """Send bytes, slowly enough for each to be in time."""
        until = time.monotonic() + _FOR_EVER_SECONDS
        while time.monotonic() < until and not self._left.wait(0.05):
            out.write(b".")
            out.flush()


class _Server(ThreadingHTTPServer):
    hook: FakeWebhook
    daemon_threads = True


class _Gateway(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        hook = cast("_Server", self.server).hook
        body = self.rfile.read(int(self.headers["content-length"]))
        status = hook.take(Received({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(status)
        self.send_header("content-length", "1000000" if hook.drips else "0")
        self.end_headers()
        if hook.drips:
            hook.drip(self.wfile)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name it has there)
        """Say nothing."""
