"""An S3-compatible server on loopback, behind a proxy that records every write and can kill a publisher at any of them."""
import contextlib
import http.client
import http.server
import os
import shutil
import socket
import subprocess
import threading
import time
import urllib.parse
from pathlib import Path

from loopback import serve

# The headers that a proxy does not forward.
HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive"}
ROOT = Path(__file__).resolve().parents[3]
START_SECONDS = 20


def start_server(home, log, access, secret):
    """Starts versitygw, which checks signatures, checksums and conditions, on a free port, and returns its process and address."""
    program = shutil.which("versitygw", path=f"{ROOT}/target/tools/bin:{os.environ['PATH']}")
    if program is None:
        raise RuntimeError("no versitygw: scripts/install-tools versitygw")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [program, "--port", f"127.0.0.1:{port}", "--access", access, "--secret", secret, "--keep-alive", "--quiet", "posix", home],
        stdout=log, stderr=subprocess.STDOUT)
    end = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < end:
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return server, f"127.0.0.1:{port}"
        time.sleep(0.02)
    server.kill()
    raise RuntimeError(f"versitygw did not start: {server.wait()}, see {log.name}")


class Gate:
    """Forwards requests, and notes the successful writes."""

    def __init__(self, backend):
        self.lock = threading.Lock()
        self.writes = []
        self.on_write = lambda: None
        gate = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def forward(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, headers, content = self.send_to_backend(body)
                _, _, key = urllib.parse.unquote(self.path.split("?")[0]).lstrip("/").partition("/")
                if self.command not in ("GET", "HEAD") and status < 300 and key:
                    with gate.lock:
                        gate.writes.append(key)
                        gate.on_write()
                try:
                    self.send_response_only(status)
                    for name, value in headers:
                        if name.lower() not in HOP_BY_HOP:
                            self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(content)
                except (BrokenPipeError, ConnectionResetError):
                    # The publisher was killed while it waited for this response.
                    self.close_connection = True

            def send_to_backend(self, body):
                connection = http.client.HTTPConnection(backend, timeout=30)
                try:
                    connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                    for name, value in self.headers.items():
                        if name.lower() not in HOP_BY_HOP | {"expect"}:
                            connection.putheader(name, value)
                    connection.endheaders(body)
                    response = connection.getresponse()
                    return response.status, response.getheaders(), response.read()
                finally:
                    connection.close()

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = forward

            def log_message(self, *args):
                pass

        self.url = serve(Handler)

    def kill_after(self, count, pid):
        """Kills the process after that many successful writes, before it receives the response to the last one."""
        target = len(self.writes) + count

        def kill_at_target():
            if len(self.writes) == target:
                os.kill(pid(), 9)

        self.on_write = kill_at_target
