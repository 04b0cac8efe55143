"""A hub for the tests: the packaged program as a process, on ports that the system chose."""
import contextlib
import json
import os
import sqlite3
import subprocess
import time
from pathlib import Path

PROJECT = Path(__file__).parents[3]
PROGRAM = PROJECT / "target" / "echopost-hub"
READY_SECONDS = 60


class Hub:
    """Runs from the start of a `with` block to its end, with one tenant, `acme`. It can be killed and started again between."""

    def __init__(self, directory, wrapper=()):
        """`wrapper` is a command that becomes the program that follows it."""
        self.wrapper = wrapper
        self.data = directory / "data"
        self.output = directory / "output"
        self.environment = {"ECHOPOST_RUNTIME_DIR": str(PROJECT / "target" / "unpacked"), **os.environ}

    def __enter__(self):
        self.start("127.0.0.1:0", "127.0.0.1:0")
        self.key = self.create_key("acme")
        self.headers = {"DATANADHI-API-KEY": self.key}
        return self

    def start(self, listen, grpc_listen, *more):
        command = [*self.wrapper, PROGRAM, "serve", "--data", self.data, "--listen", listen, "--grpc-listen", grpc_listen, *more]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=self.environment)
        ready = self.await_ready()
        self.listen, self.grpc = ready["listen"], ready["grpc_listen"]
        self.url = "http://" + self.listen

    def kill(self):
        self.process.kill()
        self.process.wait()

    def start_again(self, *more):
        """Starts it where it listened before, with more flags."""
        self.start(self.listen, self.grpc, *more)

    def rows(self, query):
        """What a query finds in the database of `acme`, as soon as the hub has created it."""
        found = list(self.data.glob("tenants/*/acme/canonical.db"))
        if not found:
            return []
        with contextlib.closing(sqlite3.connect("file:%s?mode=ro" % found[0], uri=True)) as database:
            return database.execute(query).fetchall()

    def await_ready(self):
        end = time.monotonic() + READY_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            for line in self.output.read_text().splitlines():
                if '"event":"hub_ready"' in line and line.endswith("}"):
                    return json.loads(line)
            time.sleep(0.02)
        raise AssertionError("the hub is not ready; it printed:\n" + self.output.read_text())

    def command(self, *arguments):
        """Runs a command on the data directory and returns what it prints."""
        return subprocess.run([PROGRAM, *arguments, "--data", self.data], check=True, capture_output=True, text=True,
                              env=self.environment).stdout

    def create_key(self, tenant):
        return json.loads(self.command("key", "create", "--tenant-id", tenant, "--json"))["key"]

    def __exit__(self, *_):
        self.process.terminate()
        assert self.process.wait(30) == 0, self.output.read_text()
        assert '"level":"SEVERE"' not in self.output.read_text()
