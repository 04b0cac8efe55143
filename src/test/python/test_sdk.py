"""An application that logs with the SDK for Java, through an agent, to a hub: all three as they are released, as processes."""
import json
import os
import re
import shutil
import signal
import subprocess

import pytest

from hub import PROGRAM, PROJECT, Hub
from main_job import until

AGENT = PROJECT / "target" / "echopost"
JARS = list((PROJECT / "sdk" / "java" / "target").glob("datanadhi-sdk-*[0-9].jar"))
APPLICATION = PROJECT / "src" / "test" / "python" / "SdkApplication.java"

pytestmark = [
    pytest.mark.skipif(not PROGRAM.exists() or not AGENT.exists(), reason="needs target/echopost and target/echopost-hub"),
    pytest.mark.skipif(not JARS, reason="the SDK for Java is not built"),
    pytest.mark.skipif(not shutil.which("java"), reason="needs a JDK of at least 17"),
]


class Application:
    """The application, with the agent's program where the SDK finds it."""

    def __init__(self, directory, hub):
        self.directory = directory / "sdk"
        self.output = directory / "application"
        self.lock = self.directory / "echopost" / "agent.lock"
        self.lock.parent.mkdir(parents=True)
        shutil.copy(AGENT, self.lock.parent / "echopost")
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                ["java", "-cp", JARS[0], APPLICATION, self.directory, hub.url], stdin=subprocess.PIPE, stdout=output,
                stderr=subprocess.STDOUT, env={**hub.environment, "DATANADHI_API_KEY": hub.key})

    def counters(self):
        reports = [line for line in self.output.read_text().splitlines() if line.startswith("{") and line.endswith("}")]
        return json.loads(reports[-1]) if reports else {"main": 0, "echopost": 0}

    def delivers(self, more, to):
        """Returns when that many records more are delivered to a destination."""
        before = self.counters()[to]

        def delivered():
            assert self.process.poll() is None, self.output.read_text()
            return self.counters()[to] >= before + more

        until(delivered, "%d records to %s" % (more, to))

    def agents(self):
        """The processes that run the agent's program of this application."""
        found = subprocess.run(["pgrep", "-f", str(self.lock.parent)], capture_output=True, text=True).stdout.split()
        return [int(pid) for pid in found if int(pid) != self.process.pid]

    def kill_agent(self):
        os.kill(int(self.lock.read_text()), signal.SIGKILL)

    def batches(self):
        """How many batches the agents have sent, and how many records in them."""
        texts = [path.read_text() for path in self.lock.parent.glob("session-*/metrics.prom")]
        return tuple(sum(float(value) for text in texts for value in re.findall("(?m)^echopost_batch_records_%s(?:{.*})? (.*)" % name, text))
                     for name in ("count", "sum"))

    def finish(self):
        self.process.communicate(b"\n", timeout=60)
        assert self.process.returncode == 0, self.output.read_text()
        return self.counters()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        for pid in self.agents():
            os.kill(pid, signal.SIGKILL)


def ways(numbers):
    """Into how few sequences, each of them rising, these numbers can be divided."""
    last = []
    for number in numbers:
        behind = [n for n in last if n < number]
        if behind:
            last.remove(max(behind))
        last.append(number)
    return len(last)


def test_every_record_of_an_application_reaches_the_hub_once_and_in_order(tmp_path):
    """The hub is killed twice, the second time while the agent delivers what it has kept; the agent is killed too."""
    with Hub(tmp_path) as hub, Application(tmp_path, hub) as application:
        application.delivers(200, to="main")
        hub.kill()
        application.delivers(300, to="echopost")
        hub.start_again()
        application.delivers(100, to="main")
        hub.kill()
        application.delivers(300, to="echopost")
        application.kill_agent()
        application.delivers(100, to="echopost")
        hub.start_again()
        application.delivers(100, to="main")
        counters = application.finish()
        submitted = counters["submitted"]
        assert counters["main"] + counters["echopost"] == submitted and submitted > 1000, counters

        until(lambda: hub.rows("SELECT count(*) FROM events")[0][0] >= submitted, "all records in canonical.db")
        until(lambda: not application.agents(), "an agent that has delivered everything ends")
        stored = [json.loads(data)["n"] for data, in hub.rows("SELECT log_data FROM events ORDER BY seq")]
        assert sorted(stored) == list(range(1, submitted + 1))
        # A record goes directly or through the agent. Each of these two ways keeps the order.
        assert ways(stored) <= 2
        batches, records = application.batches()
        assert 0 < batches < records, "the hub offers batches, and the agent sends its backlog in them"
        assert hub.rows("SELECT count(*), min(first), max(last) FROM sources") == [(1, 1, submitted)]
        # The source numbers its records as the application did.
        assert hub.rows("SELECT count(*) FROM events WHERE key NOT LIKE '%-' || json_extract(log_data, '$.n')") == [(0,)]
