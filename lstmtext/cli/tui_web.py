"""The terminal UI in a browser: textual-serve, for this machine and for its own page only.

The page can start trainings and read files, so two things are refused beside what the loopback address
keeps out: names that merely point here (DNS rebinding), and pages of other sites that open the socket.
Must not listen on any other address.
"""

from __future__ import annotations

import os
import re
import shlex
import socket
import sys
from typing import Any

from lstmtext.errors import MissingExtraError, UsageError

__all__ = ["serve"]

HOST = "127.0.0.1"
# Keys go to the element that has the focus, and the page gives it to none: without this they need a click first.
FOCUS = b"""<script>
const looking = setInterval(() => {
  const terminal = document.querySelector(".xterm-helper-textarea");
  if (terminal) terminal.focus();
  if (document.body.classList.contains("-first-byte")) clearInterval(looking);
}, 100);
</script>
</body>"""
FOREIGN_FONT = re.compile(rb"<link[^>]*fonts\.googleapis\.com[^>]*>", re.DOTALL)


def serve(run: str | None, port: int) -> int:
    """Serve until Ctrl-C. Raises MissingExtraError without textual-serve, UsageError when the port is taken."""
    try:
        from aiohttp import web
        from textual_serve.server import Server
    except ImportError:
        raise MissingExtraError("`lstmtext tui --web`", "web") from None
    _refuse_taken(port)
    allowed = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}

    @web.middleware
    async def own_page_only(request: Any, handler: Any) -> Any:
        origin = request.headers.get("Origin", "").removeprefix("http://")
        if request.host not in allowed or (origin and origin not in allowed):
            raise web.HTTPForbidden(text="lstmtext answers its own page on this machine only.")
        return await handler(request)

    class Local(Server):
        async def _make_app(self) -> Any:
            app = await super()._make_app()
            app.middlewares.append(own_page_only)
            return app

        async def handle_index(self, request: Any) -> Any:
            response: Any = await super().handle_index(request)
            page = FOREIGN_FONT.sub(b"", response.body)  # nothing is fetched from anywhere else
            response.body = page.replace(b"</body>", FOCUS)
            return response

        async def on_startup(self, app: Any) -> None:  # noqa: ARG002
            print(f"lstmtext is at {self.public_url} (this machine only). Ctrl-C ends it; trainings go on.", flush=True)

    # A page is its own process. Its output is a pipe, which says nothing about the browser's glyphs.
    os.environ["LSTMTEXT_ASCII"] = "0"
    os.environ["PYTHONIOENCODING"] = "utf-8"
    words = [sys.executable, "-m", "lstmtext", "tui", *([run] if run else [])]
    Local(shlex.join(words), host=HOST, port=port, title="lstmtext").serve()
    return 0


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise UsageError(f"Port {port} cannot be used: {error.strerror}. Choose another with --port.") from None
