"""An S3-compatible server on loopback, behind a proxy that records every write and can kill a publisher at any of them."""
import http.client
import http.server
import os
import subprocess
import sys
import threading
import urllib.parse

from loopback import serve

# The headers that a proxy does not forward.
HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive"}
# `python -m moto.server` without Nagle's algorithm, which delays the body until the headers are acknowledged.
MOTO = """
import sys, moto.server, werkzeug.serving
werkzeug.serving.WSGIRequestHandler.disable_nagle_algorithm = True
moto.server.main(sys.argv[1:])
"""


def start_server(log):
    """Starts moto's server on a free port and returns its process and its address."""
    server = subprocess.Popen(
        [sys.executable, "-c", MOTO, "-H", "127.0.0.1", "-p", "0"], stdout=log, stderr=subprocess.PIPE, text=True)
    for line in server.stderr:
        if "Running on http://" in line:
            address = line.split("http://")[1].split()[0]
            # It logs a line for every request and would block if nobody read them.
            threading.Thread(target=lambda: [None for _ in server.stderr], daemon=True).start()
            return server, address
    raise RuntimeError(f"moto's server did not start: {server.wait()}")


class Gate:
    """Forwards requests, one write at a time.

    S3 and R2 execute a conditional write atomically. moto first checks the condition and then writes, so that two concurrent
    writers can both succeed. One write at a time prevents that."""

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
                if self.command in ("GET", "HEAD"):
                    status, headers, content = self.send_to_backend(body)
                else:
                    with gate.lock:
                        status, headers, content = self.send_to_backend(body)
                        _, _, key = urllib.parse.unquote(self.path.split("?")[0]).lstrip("/").partition("/")
                        if status < 300 and key:
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
