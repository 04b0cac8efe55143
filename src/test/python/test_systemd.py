"""Checks the units with systemd's own tools, and their system call filters against the calls of the programs."""
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
import requests

from hub import PROGRAM, Hub
from main_job import MainServer, send, until

PROJECT = Path(__file__).parents[3]
UNIT = PROJECT / "packaging" / "systemd" / "echopost@.service"
HUB = UNIT.with_name("echopost-hub.service")

pytestmark = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")


@pytest.fixture
def unit(tmp_path):
    """The unit as an instance has it: with the path of the built program and a user."""
    place = tmp_path / UNIT.name
    text = UNIT.read_text().replace("/usr/local/bin/echopost", str(PROJECT / "target" / "echopost"))
    place.write_text(text.replace("[Service]\n", "[Service]\nUser=daemon\n"))
    return place


@pytest.fixture
def hub_unit(tmp_path):
    """The unit of the hub, with the path of a program and a user of this machine."""
    place = tmp_path / HUB.name
    text = HUB.read_text().replace("/usr/local/bin/echopost-hub", str(PROJECT / "target" / "echopost"))
    place.write_text(text.replace("User=echopost-hub", "User=daemon"))
    return place


def settings(unit):
    """The settings in [Service]; of a repeated key, the last value."""
    service = unit.read_text().split("[Service]")[1].split("[Install]")[0]
    return dict(line.split("=", 1) for line in service.splitlines() if "=" in line and not line.startswith("#"))


def test_systemd_accepts_an_instance(unit):
    instance = subprocess.run(
        ["systemd-escape", "--path", "--template=echopost@.service", "/var/lib/my app/.datanadhi"],
        check=True, capture_output=True, text=True).stdout.strip()
    assert instance == r"echopost@var-lib-my\x20app-.datanadhi.service"
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=yes", unit.with_name(instance)], capture_output=True, text=True)
    assert (verified.returncode, verified.stderr) == (0, "")


def exposure(unit):
    rated = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", unit], check=True, capture_output=True, text=True).stdout
    return re.search(r"Overall exposure level .*: ([\d.]+)", rated).group(1)


def test_the_exposure_levels_are_the_documented_ones(unit, hub_unit):
    for rated, document in ((unit, "RUNNING.md"), (hub_unit, "hub/RUNNING.md")):
        assert f"exposure level of {exposure(rated)}" in " ".join((PROJECT / "docs" / document).read_text().split())


def test_systemd_accepts_the_unit_of_the_hub(hub_unit):
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=yes", hub_unit], capture_output=True, text=True)
    assert (verified.returncode, verified.stderr) == (0, "")


def test_a_restart_of_the_hub_follows_only_a_failure_that_it_can_fix():
    service = settings(HUB)
    table = (PROJECT / "docs" / "hub" / "OPERATING.md").read_text().split("## Exit statuses and signals")[1].split("\n\n")[1]
    documented = {int(status) for status in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)}
    assert documented == {0, 1, 2, 3}
    restarted = documented - {0} - numbers(service["RestartPreventExitStatus"])
    assert (restarted, numbers(service["SuccessExitStatus"])) == ({1}, {128 + signal.SIGTERM})


def test_every_exit_status_is_a_success_or_prevents_a_restart():
    service = settings(UNIT)
    restarted = set(range(6)) - {0} - numbers(service["SuccessExitStatus"]) - numbers(service["RestartPreventExitStatus"])
    assert (numbers(service["SuccessExitStatus"]), restarted) == ({3, 4}, set())


def numbers(words):
    return {int(word) for word in words.split()}


@pytest.mark.skipif(not shutil.which("strace"), reason="needs strace")
def test_the_main_job_needs_no_system_call_that_the_unit_forbids(tmp_path):
    trace = tmp_path / "trace"
    server = MainServer()
    process = subprocess.Popen(
        ["strace", "-f", "-qq", "-e", "signal=none", "-o", trace, PROJECT / "target" / "echopost", "-datanadhi", tmp_path / "d",
         "-health-url", server.url],
        env={"PATH": "/usr/bin:/bin", "ECHOPOST_RUNTIME_DIR": str(tmp_path / "unpacked")}, stdout=subprocess.DEVNULL)
    send(tmp_path / "d" / "data-nadhi-agent.sock", range(20))
    server.up = True
    assert process.wait(120) == 0
    assert len(server.records) == 20
    called = set(re.findall(r"^\d+ +(?:<\.\.\. )?(\w+)[( ]", trace.read_text(), re.MULTILINE)) - {"exited"}
    # The trace includes the launcher, the JVM and SQLite.
    assert {"execve", "wait4", "epoll_wait", "accept4", "fsync"} <= called
    assert called - allowed(UNIT) == set()


@pytest.mark.skipif(not shutil.which("strace") or not PROGRAM.exists(), reason="needs strace and target/echopost-hub")
def test_the_hub_needs_no_system_call_that_its_unit_forbids(tmp_path):
    trace = tmp_path / "trace"
    # -D: the hub, not strace, is the process that is started and gets signals.
    traced = Hub(tmp_path, ["strace", "-D", "-f", "-q", "-e", "signal=none", "-o", trace])
    traced.environment.update(ECHOPOST_RUNTIME_DIR=str(tmp_path / "unpacked"), HUB_ARCHIVE_INTERVAL="1s")
    with traced as hub:
        for n in range(20):
            stored = requests.post(hub.url + "/log", json={"pipelines": ["p"], "log_data": n},
                                   headers={**hub.headers, "Prefer": "wait=30"})
            assert stored.ok, stored.text
        assert len(requests.get(hub.url + "/v1/records", headers=hub.headers).text.splitlines()) == 20
        hub.process.send_signal(signal.SIGHUP)
        until(lambda: "log_rotated" in hub.output.read_text(), "the log is rotated")
        hub.command("snapshot", "--tenant-id", "acme")
        until(lambda: list(hub.data.glob("objects/archive/acme/*/*.checksum")), "the records are archived")
        hub.command("drill", "--tenant-id", "acme")
        process = hub.process.pid
    until(lambda: re.search(rf"^{process} +\+\+\+ exited with 0", trace.read_text(), re.MULTILINE), "the end of the trace")
    called = set(re.findall(r"^\d+ +(?:<\.\.\. )?(\w+)[( ]", trace.read_text(), re.MULTILINE)) - {"exited"}
    assert {"execve", "epoll_wait", "accept", "fdatasync", "rename", "link"} <= called
    # SQLite calls it as root, and the unit has a user.
    assert called - allowed(HUB) - {"fchown"} == set()


def allowed(unit):
    """The system calls that the unit's filter allows."""
    permitted = set()
    for line in re.findall("^SystemCallFilter=(.*)$", unit.read_text(), re.MULTILINE):
        named = set().union(*(group(word) if word.startswith("@") else {word} for word in line.lstrip("~").split()))
        permitted = permitted - named if line.startswith("~") else permitted | named
    return permitted


def group(name):
    """The system calls of one of systemd's groups and of the groups that it includes."""
    listed = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager", name], check=True, capture_output=True, text=True).stdout
    words = [line.strip() for line in listed.splitlines()[1:] if line.strip() and not line.strip().startswith("#")]
    return {word for word in words if not word.startswith("@")}.union(*(group(word) for word in words if word.startswith("@")))
