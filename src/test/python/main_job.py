"""The main job, for a program that is started in some unusual way: records while the server is down, delivery when it is back."""
import http.server
import json
import time

import grpc

from loopback import serve

PATIENCE = 60


class MainServer:
    """Down until it is told to come up; keeps what it is sent."""

    def __init__(self):
        self.up, self.records, self.answer_to_records = False, [], 200
        main_server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if body and main_server.up:
                    main_server.records.append(json.loads(body)["log_data"])
                self.send_response(503 if not main_server.up else main_server.answer_to_records if body else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST = answer

            def log_message(self, *args):
                pass

        self.url = serve(Handler)


def until(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"not within {PATIENCE} s: {what}"
        time.sleep(0.02)


def send(socket, numbers):
    """Sends records over the socket, and returns when the agent has said that each is stored."""
    until(socket.exists, f"the socket {socket}")
    with grpc.insecure_channel(f"unix:{socket}", options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        call = channel.unary_unary("/logagent.LogAgent/SendLog")
        for number in numbers:
            payload = json.dumps({"n": number}).encode()
            # LogRequest.json_data; LogResponse.success is its first field, and true.
            assert call(bytes([0x0A, len(payload)]) + payload, timeout=PATIENCE).startswith(b"\x08\x01")
