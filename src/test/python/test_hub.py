"""Clients of a hub that are not written in Java, and the documents that describe its interfaces."""
import concurrent.futures
import contextlib
import fcntl
import gzip
import importlib
import itertools
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
import time

import grpc
import pytest
import requests
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from urllib3.util import Retry

from hub import PROGRAM, PROJECT, Hub
from main_job import until

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="needs target/echopost-hub")

LINE_ENDS = '{"msg":\r\n "gr\u00fc\u00dfe"}'


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    with Hub(tmp_path_factory.mktemp("hub")) as running:
        yield running


@pytest.fixture
def session(hub):
    """A session that repeats what the hub could not store now, as a service would."""
    with requests.Session() as session:
        retry = Retry(total=5, backoff_factor=0.1, status_forcelist=[503], allowed_methods=None)
        session.mount("http://", requests.adapters.HTTPAdapter(max_retries=retry))
        session.headers.update(hub.headers)
        yield session


def send(session, hub, key, data, pipelines=("python",), **headers):
    envelope = '{"pipelines":%s,"log_data":%s}' % (json.dumps(list(pipelines)), data)
    return session.post(hub.url + "/log", data=envelope.encode(),
                        headers={"Content-Type": "application/json", "Idempotency-Key": key, **headers})


def rows(answer):
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.iter_lines()]


# ---- requests

def test_a_repeat_with_requests_gets_the_same_receipt(hub, session):
    first = send(session, hub, "r-1", LINE_ENDS, Prefer="wait=20")
    again = send(session, hub, '"r-1"', LINE_ENDS.replace("\r\n", "  "))
    assert first.status_code == again.status_code == 200
    assert first.content == again.content
    assert "Idempotent-Replayed" not in first.headers and again.headers["Idempotent-Replayed"] == "true"
    assert first.headers["Preference-Applied"] == "wait" and first.headers["Hub-Seq"].isdigit()
    other = send(session, hub, "r-1", "2")
    assert other.status_code == 422 and other.headers["Content-Type"] == "application/problem+json"
    assert first.json()["sha256"] in other.json()["detail"]
    state = session.get(hub.url + "/v1/receipts/r-1").json()
    assert (state["sha256"], state["records"]) == (first.json()["sha256"], 1)
    assert state["seq"] == int(first.headers["Hub-Seq"])


def test_lines_and_uploads_and_transactions_are_stored_once(hub, session):
    lines = "".join('{"key":"n-%d","pipelines":["python"],"log_data":{"n":%d}}\n' % (n, n) for n in range(500))
    for _ in range(2):
        answer = session.post(hub.url + "/log", data=gzip.compress(lines.encode()),
                              headers={"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"})
        assert answer.json() == {"stored": 500, "errors": []}
    upload = '{"pipelines":["python"],"log_data":{"n":1}}\n{"pipelines":["python"],"log_data":{"n":1000}}\n'
    answer = session.post(hub.url + "/upload", data=gzip.compress(upload.encode()), headers={
        "Content-Type": "application/octet-stream", "Content-Encoding": "gzip", "Idempotency-Key": '"n-1", "n-1000"'})
    assert answer.json() == {"stored": 2}, answer.text
    body = {"records": [{"pipelines": ["python"], "log_data": n} for n in range(3)]}
    receipts = {session.post(hub.url + "/v1/transactions", json=body, headers={"Idempotency-Key": "t-1", "Prefer": "wait=20"}).content
                for _ in range(3)}
    assert len(receipts) == 1 and b'"key":"t-1"' in receipts.pop()
    stored = rows(session.get(hub.url + "/v1/records", params={"limit": 10_000, "pipeline": "python"}, stream=True))
    keys = [row["key"] for row in stored if row["key"].startswith("n-")]
    assert keys == ["n-%d" % n for n in range(500)] + ["n-1000"]
    assert [row["log_data"] for row in stored if row["key"] == "t-1"] == [0, 1, 2]


def test_a_consumer_continues_behind_its_cursor(hub, session):
    for n in range(5):
        assert send(session, hub, "c-%d" % n, n, pipelines=["work"], Prefer="wait=20").ok
    page = {"consumer": "worker", "limit": 3, "wait": 20}
    records = hub.url + "/v1/pipelines/work/records"
    first = rows(session.get(records, params=page))
    assert [row["n"] for row in first] == [1, 2, 3]
    assert rows(session.get(records, params=page)) == first
    assert session.post(hub.url + "/v1/pipelines/work/cursors/worker", json={"through": 3}).ok
    assert [row["log_data"] for row in rows(session.get(records, params=page))] == [3, 4]


def example(begin):
    """The block of code in API.md that begins with this line."""
    lines = iter((PROJECT / "docs" / "hub" / "API.md").read_text().splitlines())
    while next(lines) != begin:
        pass
    return "\n".join(itertools.takewhile(lambda line: line != "```", lines))


class Consumer:
    """The example of a consumer, as a process."""

    def __init__(self, directory, hub):
        self.program, self.output, self.errors = (directory / name for name in ("consumer.py", "records", "errors"))
        self.program.write_text(example("```py"))
        self.environment = {**os.environ, "KEY": hub.key, "HUB": hub.url}

    def start(self):
        with self.output.open("ab") as output, self.errors.open("ab") as errors:
            self.process = subprocess.Popen([sys.executable, self.program], stdout=output, stderr=errors, env=self.environment)

    def kill(self):
        self.process.kill()
        self.process.wait()
        # Where the next process begins.
        with self.output.open("a") as output:
            output.write("\nkilled\n")

    def runs(self):
        """The numbers that each process has printed. A killed one may have been within a line."""
        parts = self.output.read_text().split("\nkilled\n") if self.output.exists() else [""]
        return [[int(n) for n in re.findall(r"^(\d+) k-\1 \1$", part, re.MULTILINE)] for part in parts]

    def has(self, n):
        return lambda: any(n in run for run in self.runs())


def test_the_consumer_of_the_document_misses_no_record_whatever_is_killed(tmp_path):
    def batch(numbers):
        lines = "".join('{"key":"k-%d","pipelines":["orders"],"log_data":%d}\n' % (n, n) for n in numbers)
        answer = requests.post(hub.url + "/log", data=lines, headers={**hub.headers, "Content-Type": "application/x-ndjson"})
        assert answer.json() == {"stored": len(numbers), "errors": []}

    with Hub(tmp_path) as hub:
        consumer = Consumer(tmp_path, hub)
        consumer.start()
        try:
            batch(range(1, 1001))
            until(consumer.has(250), "record 250 is read")
            consumer.kill()
            consumer.start()
            until(consumer.has(600), "record 600 is read")
            hub.kill()
            hub.start_again()
            batch(range(1001, 1501))
            until(consumer.has(1500), "record 1500 is read")
            first, second = consumer.runs()
            assert first == list(range(1, len(first) + 1))
            # Each process reads on where the cursor is, and the last page of a killed one comes again.
            assert first[-1] - 100 < second[0] <= first[-1] + 1
            assert sorted(set(second)) == list(range(second[0], 1501))

            consumer.kill()
            batch(range(1501, 1601))
            until(lambda: hub.rows("SELECT max(seq) FROM events") == [(1600,)], "all records are applied")
            until(lambda: time.time() * 1000 - hub.rows("SELECT max(received_at) FROM events")[0][0] > 1000, "all are old")
            hub.kill()
            hub.start_again("--archive", "off", "--view-retention", "1s")
            until(lambda: hub.rows("SELECT count(*) FROM events") == [(0,)], "the records have left")
            batch([1601])
            consumer.start()
            until(consumer.has(1601), "record 1601 is read")
            assert consumer.errors.read_text() == "never read, they have left the hub: 1501-1600\n"
        finally:
            consumer.kill()


def test_a_revoked_key_is_refused_at_once(hub):
    created = json.loads(hub.command("key", "create", "--tenant-id", "other", "--json"))
    headers = {"Authorization": "Bearer " + created["key"]}
    assert requests.get(hub.url + "/v1/records", headers=headers).status_code == 200
    hub.command("key", "revoke", created["id"])
    assert requests.get(hub.url + "/v1/records", headers=headers).status_code == 401


def test_slow_readers_of_large_records_do_not_fill_the_memory(tmp_path, stubs):
    messages, services = stubs
    with Hub(tmp_path) as hub, requests.Session() as session, contextlib.ExitStack() as readers:
        session.headers.update(hub.headers)
        for n in range(12):
            # Its line is three times as long.
            assert send(session, hub, "large-%d" % n, "[%s1]" % ("\n" * 4_000_000), Prefer="wait=30").ok
            # These bytes are in its pipelines.
            assert send(session, hub, "names-%d" % n, "1", pipelines=["p", "x" * 4_000_000], Prefer="wait=30").ok
        for n in range(120):
            path = ["/v1/records", "/v1/pipelines/python/records?consumer=c%d" % n, "/v1/pipelines/p/records?consumer=c%d" % n][n % 3]
            reader = readers.enter_context(socket.create_connection(hub.listen.rsplit(":", 1)))
            reader.sendall(("GET %s HTTP/1.1\r\nHost: h\r\nDATANADHI-API-KEY: %s\r\n\r\n" % (path, hub.key)).encode())
        channel = readers.enter_context(grpc.insecure_channel(hub.grpc))
        streams = [services.HubStub(channel).Read(messages.ReadRequest(), metadata=[("datanadhi-api-key", hub.key)])
                   for _ in range(60)]
        for n in range(20):
            assert send(session, hub, "small-%d" % n, "1", Prefer="wait=5").ok
        assert session.get(hub.url + "/readyz").ok
        for stream in streams:
            stream.cancel()


def poster_of_many_pipelines(hub, _):
    body = '{"pipelines":[%s],"log_data":1}' % ",".join(['"a"'] * 900_000)

    def post():
        return requests.post(hub.url + "/log", data=body, timeout=120, headers={
            **hub.headers, "Content-Type": "application/json", "Idempotency-Key": "many"}).status_code

    return post


def appender_of_many_pipelines(hub, stubs):
    messages, _ = stubs
    record = messages.NewRecord(log_data=b"1", pipelines=["a"] * 900_000)
    body = messages.AppendRequest(idempotency_key="many", records=[record]).SerializeToString()

    def append():
        with grpc.insecure_channel(hub.grpc) as channel:
            # The message was encoded before: so all calls send it at the same time.
            call = channel.unary_unary("/hub.v1.Hub/Append")
            try:
                call(body, timeout=120, metadata=[("datanadhi-api-key", hub.key)])
                return 200
            except grpc.RpcError as failed:
                return 503 if failed.code() == grpc.StatusCode.UNAVAILABLE else failed.code()

    return append


@pytest.mark.parametrize("sender_of_many", [poster_of_many_pipelines, appender_of_many_pipelines])
def test_many_senders_of_many_pipelines_do_not_fill_the_memory(tmp_path, stubs, sender_of_many):
    with Hub(tmp_path) as hub:
        send_many = sender_of_many(hub, stubs)
        with concurrent.futures.ThreadPoolExecutor(16) as senders:
            statuses = set(senders.map(lambda _: send_many(), range(32)))
        assert statuses <= {200, 503}
        until(lambda: send_many() == 200, "one is stored")
        until(lambda: hub.rows("SELECT count(*) FROM events") == [(1,)], "it is applied")


def test_a_hub_makes_its_lock_and_its_socket_again(tmp_path):
    with Hub(tmp_path) as hub:
        names = [hub.data / "hub.lock", hub.data / "hub.sock"]
        for name in names:
            name.unlink()
        until(lambda: all(name.exists() for name in names), "they are there again")
        second = subprocess.run([PROGRAM, "serve", "--data", hub.data, "--listen", "127.0.0.1:0", "--grpc-listen", "off"],
                                capture_output=True, text=True, env=hub.environment)
        assert (second.returncode, str(hub.process.pid) in second.stderr) == (3, True), second
        assert hub.create_key("other").startswith("dnhub_")


def test_a_hub_ends_at_once_if_another_process_has_taken_its_directory(tmp_path):
    hub = Hub(tmp_path)
    hub.start("127.0.0.1:0", "127.0.0.1:0")
    with (tmp_path / "lock").open("w") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        (tmp_path / "lock").rename(hub.data / "hub.lock")
        assert hub.process.wait(30) == 1
    assert '"event":"directory_taken"' in hub.output.read_text()


# ---- grpcio

@pytest.fixture(scope="module")
def stubs(tmp_path_factory):
    """The modules that grpcio-tools makes of the .proto file."""
    directory = tmp_path_factory.mktemp("stubs")
    # The package googleapis-common-protos has google/rpc/*.proto beside its modules.
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", "-I%s" % (PROJECT / "proto"),
                    "-I%s" % sysconfig.get_path("purelib"), "--python_out=%s" % directory,
                    "--grpc_python_out=%s" % directory, "hub.proto"], check=True)
    sys.path.insert(0, str(directory))
    try:
        yield importlib.import_module("hub_pb2"), importlib.import_module("hub_pb2_grpc")
    finally:
        sys.path.remove(str(directory))


def test_grpcio_and_requests_give_one_receipt(hub, session, stubs):
    messages, services = stubs
    key = [("datanadhi-api-key", hub.key)]

    def request(name, data, **more):
        record = messages.NewRecord(log_data=data.encode(), pipelines=["python"])
        return messages.AppendRequest(idempotency_key=name, records=[record], **more)

    with grpc.insecure_channel(hub.grpc) as channel:
        stub = services.HubStub(channel)
        over_http = send(session, hub, "g-1", LINE_ENDS).json()
        receipt = stub.Append(request("g-1", LINE_ENDS), metadata=key)
        assert receipt.replayed
        assert {name: getattr(receipt, name) for name in ("tenant", "key", "sha256", "durability")} == {
            name: over_http[name] for name in ("tenant", "key", "sha256", "durability")}
        with pytest.raises(grpc.RpcError) as failed:
            stub.Append(request("g-1", "2"), metadata=key)
        assert failed.value.code() == grpc.StatusCode.ALREADY_EXISTS
        with pytest.raises(grpc.RpcError) as failed:
            stub.Append(request("g-2", "2"))
        assert failed.value.code() == grpc.StatusCode.UNAUTHENTICATED

        answers = list(stub.AppendStream((request("gs-%d" % n, str(n)) for n in range(300)), metadata=key))
        assert [(answer.number, answer.receipt.key) for answer in answers] == [(n + 1, "gs-%d" % n) for n in range(300)]
        last = stub.Append(request("gs-last", LINE_ENDS, wait_applied={"seconds": 20}), metadata=key)
        assert last.first_seq == last.last_seq > 300
        read = list(stub.Read(messages.ReadRequest(limit=1, **{"from": last.first_seq}), metadata=key))
        assert [(row.key, row.log_data.decode(), list(row.pipelines)) for row in read] == [("gs-last", LINE_ENDS, ["python"])]
        state = stub.GetReceipt(messages.GetReceiptRequest(key="gs-last"), metadata=key)
        assert (state.seq, state.records, state.sha256) == (last.first_seq, 1, last.sha256)


# ---- curl

def curl(hub, *arguments, data=b""):
    if not shutil.which("curl"):
        pytest.skip("needs curl")
    ran = subprocess.run(["curl", "-sS", "--fail-with-body", "-H", "DATANADHI_API_KEY: " + hub.key, *arguments],
                         input=data, capture_output=True)
    assert ran.returncode == 0, (ran.stdout, ran.stderr)
    return ran.stdout


def test_curl_sends_a_file_and_a_stream_and_a_large_record(hub):
    json_type = ["-H", "Content-Type: application/json"]
    record = b'{"pipelines":["curl"],"log_data":{"a":1}}'
    receipt = curl(hub, hub.url + "/log", *json_type, "-H", "Idempotency-Key: curl-1", "--data-binary", "@-", data=record)
    # A body without a length comes in chunks.
    again = curl(hub, hub.url + "/log", *json_type, "-H", 'Idempotency-Key: "curl-1"', "-X", "POST", "-T", "-", data=record)
    assert receipt == again and json.loads(receipt)["key"] == "curl-1"
    # curl asks before it sends so much.
    large = b'{"pipelines":["curl"],"log_data":"%s"}' % (b"x" * 4_000_000)
    receipt = curl(hub, hub.url + "/log", *json_type, "-H", "Expect: 100-continue", "--data-binary", "@-", data=large)
    assert json.loads(receipt)["status"] == "stored"
    packed = curl(hub, hub.url + "/log", "-H", "Content-Type: application/x-ndjson", "-H", "Content-Encoding: gzip",
                  "--data-binary", "@-", data=gzip.compress(b'{"key":"curl-2","pipelines":[],"log_data":2}\n'))
    assert json.loads(packed) == {"stored": 1, "errors": []}
    assert b"Accept-Post: application/json, application/x-ndjson" in curl(hub, "-I", hub.url + "/")


# ---- the end

def test_a_stop_answers_a_consumer_that_waits(tmp_path):
    request = "GET /v1/pipelines/work/records?consumer=c&wait=30 HTTP/1.1\r\nHost: hub\r\nDATANADHI-API-KEY: %s\r\n\r\n"
    with Hub(tmp_path) as hub, socket.create_connection(hub.listen.split(":")) as connection:
        connection.sendall((request % hub.key).encode())
        until(lambda: "hub_http_connections 2.0" in requests.get(hub.url + "/metrics", headers={"Connection": "close"}).text,
              "the connection")
        hub.process.terminate()
        assert hub.process.wait(10) == 0
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 200 "), answer


# ---- documents

def test_the_readme_shows_a_hub_by_itself(tmp_path):
    readme = (PROJECT / "README.md").read_text()
    block = re.search(r"A hub by itself:\n\n((?:    .*\n)+)", readme).group(1)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        listen = "127.0.0.1:%d" % free.getsockname()[1]
    assert block.count("http://127.0.0.1:5000/") == 2
    (tmp_path / "target").symlink_to(PROJECT / "target")
    ran = subprocess.run(
        ["sh", "-c", block.replace("127.0.0.1:5000", listen) + "kill $!; wait $!"], cwd=tmp_path, capture_output=True, text=True,
        timeout=120, env={**Hub(tmp_path).environment, "HUB_LISTEN": listen, "HUB_GRPC_LISTEN": "off"})
    assert ran.returncode == 0, ran.stderr + (tmp_path / "hub.log").read_text()
    receipt, record = re.fullmatch(r'(\{.*\})\n?(1  .*)\n', ran.stdout).groups()
    assert json.loads(receipt)["status"] == "stored"
    assert record.endswith('["demo"]  {"hello":"world"}')


def test_metrics_are_valid_in_both_formats(hub):
    assert requests.get(hub.url + "/livez").ok  # a request is counted when it has been answered
    text = requests.get(hub.url + "/metrics")
    assert text.headers["Content-Type"].startswith("text/plain")
    names = {family.name for family in parse_text(text.text)}
    assert {"applier_lag_seconds", "wal_append_latency_p99", "hub_appended_transactions"} <= names
    offsets = {(sample.name, sample.labels["stream"]) for family in parse_text(text.text) for sample in family.samples
               if "stream" in sample.labels and "offset" in sample.name}
    assert offsets == {(name, stream) for name in ("hub_log_end_offset", "hub_applied_offset") for stream in ("control", "events-0")}
    openmetrics = requests.get(hub.url + "/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert openmetrics.headers["Content-Type"].startswith("application/openmetrics-text")
    assert {family.name for family in parse_openmetrics(openmetrics.text)} == names
    promtool = PROJECT / "target" / "tools" / "bin" / "promtool"
    if not promtool.exists():
        pytest.skip("needs promtool")
    checked = subprocess.run([promtool, "check", "metrics"], input=text.text, capture_output=True, text=True)
    # The name of this metric, which alert rules in the field use, says hours. Nothing else may be found.
    assert checked.stderr == 'snapshot_age_hours use base unit "seconds" instead of "hours"\n'
    assert checked.returncode == 3


def test_the_hub_does_what_its_openapi_document_says(hub, tmp_path):
    """Requests that schemathesis makes of the document, right and wrong ones: each gets an answer that the document has."""
    program = PROJECT / "target" / "venv" / "bin" / "schemathesis"
    ran = subprocess.run(
        [program, "run", PROJECT / "docs" / "hub" / "openapi.yaml", "--url", hub.url, "-H", "DATANADHI-API-KEY: " + hub.key,
         "--checks",
         "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
         "response_schema_conformance,unsupported_method", "--max-examples", "10", "--max-time", "15", "--generation-deterministic",
         "--phases", "coverage,fuzzing", "--request-timeout", "60",
         "--continue-on-failure", "--no-color", "--workers", "1"],
        cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "SCHEMATHESIS_HOOKS": "hub_hooks"})
    assert ran.returncode == 0, ran.stdout[-20_000:] + ran.stderr[-2_000:]
