"""The main job, for tests that start the program in special environments: accept records while the server is down, deliver later."""
import http.server
import json
import time

import grpc

from loopback import serve

TIMEOUT = 60


class MainServer:
    """A main server that is down until `up` is set, and keeps the records that it receives."""

    def __init__(self):
        self.up, self.records, self.status_for_records = False, [], 200
        main_server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def respond(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if body and main_server.up:
                    main_server.records.append(json.loads(body)["log_data"])
                self.send_response(503 if not main_server.up else main_server.status_for_records if body else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST = respond

            def log_message(self, *args):
                pass

        self.url = serve(Handler)


def until(condition, what):
    end = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < end, f"not within {TIMEOUT} s: {what}"
        time.sleep(0.02)


def send(socket, numbers):
    """Sends records over the socket, and returns when the agent has acknowledged each as stored."""
    until(socket.exists, f"the socket {socket}")
    with grpc.insecure_channel(f"unix:{socket}", options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        call = channel.unary_unary("/logagent.LogAgent/SendLog")
        for number in numbers:
            payload = json.dumps({"n": number}).encode()
            # LogRequest.json_data; LogResponse.success is its first field, and true.
            assert call(bytes([0x0A, len(payload)]) + payload, timeout=TIMEOUT).startswith(b"\x08\x01")
