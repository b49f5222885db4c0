"""The addresses that the driver and the tests ask, over HTTP/1.1 on a free loopback port; a thread a connection."""

import gzip
import json
import re
import traceback
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import answers
from service import Dropped, HttpError, Service

_TOKEN = re.compile(r'Snowflake Token="([^"]*)"')


def make_server(service: Service) -> ThreadingHTTPServer:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"service": service}))
    server.daemon_threads = True
    return server


class _Handler(BaseHTTPRequestHandler):
    service: Service
    protocol_version = "HTTP/1.1"
    # A head and a body in two packets would wait for each other.
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: standard error is for what goes wrong."""

    def _answer(self) -> None:
        try:
            body = self._body()
            url = urlsplit(self.path)
            status, answer = 200, self._route(url.path, dict(parse_qsl(url.query)), body)
        except Dropped:
            self.close_connection = True
            return
        except HttpError as error:
            status, answer = error.status, answers.failure("261000", f"HTTP {error.status}")
        except Exception as error:
            # 400: the driver would try a 500 again, for minutes.
            traceback.print_exc()
            status, answer = 400, answers.unsupported(f"{type(error).__name__}: {error}")
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _body(self) -> dict[str, Any]:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Content-Encoding") == "gzip":
            raw = gzip.decompress(raw)
        return json.loads(raw) if raw.strip() else {}

    def _route(self, path: str, query: dict[str, str], body: dict[str, Any]) -> Any:
        service, token = self.service, self._token()
        database = query.get("database", "").upper()
        routes: dict[str, Callable[[], Any]] = {
            "POST /session/v1/login-request": lambda: service.sign_in(
                query.get("databaseName"), query.get("schemaName"), body["data"]
            ),
            "POST /session/token-request": lambda: service.renew(token),
            "POST /session/heartbeat": lambda: service.heartbeat(token),
            "POST /session": lambda: service.sign_out(token),
            "POST /queries/v1/query-request": lambda: service.query(token, query.get("requestId", ""), body),
            "POST /queries/v1/abort-request": lambda: service.cancel(body.get("requestId", "")),
            "POST /telemetry/send": lambda: answers.success("Log Received"),
            "POST /__databases": lambda: service.create_database(body["name"]),
            "GET /__statements": lambda: service.statements(database),
            "DELETE /__statements": lambda: service.forget_statements(database),
            "DELETE /__sessions": lambda: service.end_sessions(database),
            "POST /__faults": lambda: service.faults.order(body),
            "DELETE /__faults": lambda: service.faults.clear(database),
        }
        if route := routes.get(f"{self.command} {path}"):
            return route()
        if found := re.fullmatch(r"/queries/([\w-]+)/result", path):
            return service.result(found[1])
        if re.fullmatch(r"/queries/([\w-]+)/abort-request", path):
            # Of a statement that has its result.
            return answers.success()
        raise HttpError(404)

    def _token(self) -> str:
        found = _TOKEN.search(self.headers.get("Authorization") or "")
        return found[1] if found else ""
