"""The example of a main server in docs/INTEGRATING.md: run as it is printed there, with plain requests and with an agent."""
import gzip
import importlib
import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import grpc
import pytest
import requests

from main_job import TIMEOUT, until

PROJECT = Path(__file__).parents[3]
AGENT = PROJECT / "target" / "echopost"
OFFER = "application/json, application/x-ndjson"


class ExampleServer:
    """The example as a process, which can be killed and started again on the same port and database."""

    def __init__(self, directory):
        text = (PROJECT / "docs" / "INTEGRATING.md").read_text()
        (self.source,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        self.program, self.database, self.log = directory / "server.py", directory / "records.db", directory / "server.log"
        self.program.write_text(self.source)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([sys.executable, self.program, self.database, str(self.port)], stderr=log)
        until(self.answers, "the example does not answer")

    def answers(self):
        try:
            return requests.get(self.url, timeout=5).headers["Accept-Post"] == OFFER
        except requests.ConnectionError:
            assert self.process.poll() is None, self.log.read_text()
            return False

    def kill(self):
        self.process.kill()
        self.process.wait()

    def posts(self):
        return self.log.read_text().count('"POST /log')

    def rows(self):
        """Key and payload of each record, in the order in which they were stored."""
        database = sqlite3.connect(self.database)
        try:
            return [(key, json.loads(data)) for key, data in database.execute("SELECT key, log_data FROM records ORDER BY seq")]
        finally:
            database.close()


@pytest.fixture
def server(tmp_path):
    running = ExampleServer(tmp_path)
    yield running
    running.kill()


def post(server, body, **headers):
    return requests.post(server.url + "/log", data=body, timeout=30, headers={"DATANADHI-API-KEY": "k", **headers})


def post_batch(server, lines, compress=False):
    body = "".join(line + "\n" for line in lines).encode()
    headers = {"Content-Type": "application/x-ndjson"}
    if compress:
        body, headers["Content-Encoding"] = gzip.compress(body), "gzip"
    return post(server, body, **headers)


def line(key, data):
    return '{"key":"%s","pipelines":["p"],"log_data":%s}' % (key, data)


def test_the_example_is_short_and_each_answer_offers_batches(server):
    assert len(server.source.splitlines()) <= 45
    answer = post(server, b'{"pipelines":[],"log_data":{}}', **{"Content-Type": "application/json", "Idempotency-Key": '"k-0"'})
    for offering in (requests.get(server.url, timeout=5), answer):
        assert offering.status_code == 200
        assert (offering.headers["Accept-Post"], offering.headers["Accept-Encoding"]) == (OFFER, "gzip")


@pytest.mark.parametrize("compress", (False, True))
def test_a_repeat_is_acknowledged_and_stored_once_whichever_way_it_comes(server, compress):
    lines = [line(f"k-{n}", '{"n":%d}' % n) for n in range(1000)]
    for _ in range(2):
        answer = post_batch(server, lines, compress)
        assert (answer.status_code, answer.json()) == (200, {"stored": 1000, "errors": []})
    single = post(server, b'{"pipelines":["p"],"log_data":{"n":\n7}}',
                  **{"Content-Type": "application/json", "Idempotency-Key": '"k-7"'})
    assert single.status_code == 200
    assert server.rows() == [(f"k-{n}", {"n": n}) for n in range(1000)]


def test_a_record_has_one_key_in_both_ways(server):
    key = 'say "a\\b"'.replace(" ", "_")
    quoted = json.dumps(key)
    for _ in range(2):
        assert post_batch(server, ['{"key":%s,"pipelines":[],"log_data":{}}' % quoted]).json()["stored"] == 1
        assert post(server, b'{"pipelines":[],"log_data":{}}',
                    **{"Content-Type": "application/json", "Idempotency-Key": quoted}).status_code == 200
    assert server.rows() == [(key, {})]


def test_a_line_that_is_never_accepted_is_an_error_and_the_others_are_stored(server):
    deep = "[" * 100_000 + "]" * 100_000
    lines = [line("a", "{}"), line("b", "1"), "{", line("c", "{}"), line("d", '{"deep":%s}' % deep), line("e", "{}"), "[1]"]
    answer = post_batch(server, lines)
    assert answer.status_code == 200
    assert answer.json()["stored"] == 3
    assert [(error["line"], error["status"]) for error in answer.json()["errors"]] == [(2, 422), (3, 422), (5, 422), (7, 422)]
    assert server.rows() == [("a", {}), ("c", {}), ("e", {})]
    single = post(server, b'{"pipelines":[],"log_data":1}', **{"Content-Type": "application/json", "Idempotency-Key": '"f"'})
    assert single.status_code == 422


def test_a_batch_that_cannot_be_stored_gets_no_answer_and_leaves_nothing(server):
    database = sqlite3.connect(server.database)
    database.execute("CREATE TRIGGER full BEFORE INSERT ON records WHEN NEW.key = 'k-2' BEGIN SELECT RAISE(ABORT, 'full'); END")
    database.commit()
    lines = [line(f"k-{n}", "{}") for n in range(4)]
    with pytest.raises(requests.ConnectionError):
        post_batch(server, lines)
    assert server.rows() == []
    database.execute("DROP TRIGGER full")
    database.commit()
    database.close()
    assert post_batch(server, lines).json() == {"stored": 4, "errors": []}
    assert [key for key, _ in server.rows()] == ["k-0", "k-1", "k-2", "k-3"]


@pytest.fixture(scope="module")
def stubs(tmp_path_factory):
    """The modules that grpcio-tools makes of the .proto file."""
    directory = tmp_path_factory.mktemp("stubs")
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", f"-I{PROJECT / 'proto'}", f"--python_out={directory}",
                    f"--grpc_python_out={directory}", "logagent.proto"], check=True)
    sys.path.insert(0, str(directory))
    yield importlib.import_module("logagent_pb2"), importlib.import_module("logagent_pb2_grpc")
    sys.path.remove(str(directory))


class Agent:
    """The packaged agent as a process."""

    def __init__(self, directory, url):
        self.directory = directory
        environment = {"ECHOPOST_RUNTIME_DIR": str(PROJECT / "target" / "unpacked"), "DATANADHI_API_KEY": "k", **os.environ}
        self.process = subprocess.Popen([AGENT, "-datanadhi", directory, "-health-url", url], env=environment,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.socket = directory / "data-nadhi-agent.sock"
        until(self.socket.exists, "the agent is not ready")

    def send(self, stubs, payloads, key):
        """Sends the payloads; `key` makes the idempotency key of a payload's number."""
        messages, services = stubs
        with grpc.insecure_channel(f"unix:{self.socket}") as channel:
            send = services.LogAgentStub(channel).SendLog
            for first in range(0, len(payloads), 500):
                calls = [send.future(messages.LogRequest(json_data=payloads[n], pipelines=["p"]),
                                     metadata=[("idempotency-key", key(n))])
                         for n in range(first, min(first + 500, len(payloads)))]
                assert all(call.result(timeout=TIMEOUT).success for call in calls)


@pytest.mark.skipif(not AGENT.exists(), reason="needs target/echopost")
def test_an_agent_delivers_each_record_once_although_the_server_is_killed(server, stubs, short_directory):
    agent = Agent(short_directory, server.url)
    payloads = ['{"n":%d}' % n for n in range(5000)]
    payloads[10] = '{"n":\n10}'
    payloads[20] = "20"
    server.kill()
    agent.send(stubs, payloads, key=lambda n: f"key-{n}")
    for rows in (1, 1500):
        server.start()
        until(lambda: len(server.rows()) >= rows, "the agent delivers nothing")
        server.kill()
    server.start()
    assert agent.process.wait(TIMEOUT) == 5, "the agent has set one record aside"
    assert server.posts() < 500, "the records went in batches"
    # gRPC for Python does not keep the order of calls that are made at the same time.
    assert sorted(server.rows(), key=lambda row: row[1]["n"]) == [(f"key-{n}", {"n": n}) for n in range(5000) if n != 20]


@pytest.fixture
def short_directory():
    """A directory whose path leaves room for a socket's name."""
    with tempfile.TemporaryDirectory(prefix="ep") as directory:
        yield Path(directory)
