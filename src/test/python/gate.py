"""An S3-compatible server on loopback, and a gate before it that sees every write and can stop a publisher at any of them."""
import http.client
import http.server
import os
import subprocess
import sys
import threading
import urllib.parse

from loopback import serve

# What is sent on; the rest is between two neighbours.
HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive"}
# As `python -m moto.server`, but headers and body do not wait for one another's acknowledgement.
MOTO = """
import sys, moto.server, werkzeug.serving
werkzeug.serving.WSGIRequestHandler.disable_nagle_algorithm = True
moto.server.main(sys.argv[1:])
"""


def start_server(log):
    """Starts moto's server on a free port and gives back its process and its address."""
    server = subprocess.Popen(
        [sys.executable, "-c", MOTO, "-H", "127.0.0.1", "-p", "0"], stdout=log, stderr=subprocess.PIPE, text=True)
    for line in server.stderr:
        if "Running on http://" in line:
            address = line.split("http://")[1].split()[0]
            # It writes a line for every request, and would stop when nobody reads them.
            threading.Thread(target=lambda: [None for _ in server.stderr], daemon=True).start()
            return server, address
    raise RuntimeError(f"moto's server did not start: {server.wait()}")


class Gate:
    """Passes requests on, one write at a time.

    S3 and R2 decide a conditional write atomically. moto checks first and writes then, and lets two writers win now and
    then; with one write at a time it cannot."""

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
                    status, headers, answer = self.ask(body)
                else:
                    with gate.lock:
                        status, headers, answer = self.ask(body)
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
                    self.wfile.write(answer)
                except (BrokenPipeError, ConnectionResetError):
                    # The publisher was killed while it waited for this answer.
                    self.close_connection = True

            def ask(self, body):
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
        """Kills the process as soon as it has had that many writes done, before it hears of the last."""
        target = len(self.writes) + count

        def look():
            if len(self.writes) == target:
                os.kill(pid(), 9)

        self.on_write = look
