"""A look at the site on this machine: loopback only, under headers as strict as the pages' own policy."""

from __future__ import annotations

import errno
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from dfar_bench.errors import InputError
from dfar_bench.leaderboard.site.build import MARK

HOST = "127.0.0.1"

HEADERS = {
    # The page's own policy says which scripts and styles may run; both hold.
    "Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}


class _Handler(SimpleHTTPRequestHandler):
    def end_headers(self) -> None:
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def list_directory(self, path: Any) -> None:
        """No listings; the pages link to all that there is."""
        self.send_error(404)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: nobody reads it."""


def server(site: Path, port: int) -> ThreadingHTTPServer:
    """A server of a site's files; port 0 takes a free one.

    Raises:
        InputError: there is no site, or the port is taken.
    """
    if not (site / MARK).is_file():
        raise InputError(f"{site} is no board: make one with dfar-bench board build --out {site}.")
    try:
        return ThreadingHTTPServer((HOST, port), partial(_Handler, directory=str(site)))
    except OSError as error:
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            why = "in use" if error.errno == errno.EADDRINUSE else "not allowed"
            raise InputError(f"port {port} is {why}: choose another with --port (0 takes a free one).") from None
        raise


def serve(site: Path, port: int) -> None:
    """Serve a site until interrupted."""
    with server(site, port) as running:
        try:
            print(f"http://{HOST}:{running.server_address[1]}/ (Ctrl-C ends it)", flush=True)
            running.serve_forever()
        except KeyboardInterrupt:
            print()
