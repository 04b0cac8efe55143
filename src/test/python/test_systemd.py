"""Checks the units with systemd's own tools, and the agent's system call filter against the calls of the program."""
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from main_job import MainServer, send

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


def settings():
    """The settings in [Service]; of a repeated key, the last value."""
    service = UNIT.read_text().split("[Service]")[1].split("[Install]")[0]
    return dict(line.split("=", 1) for line in service.splitlines() if "=" in line and not line.startswith("#"))


def test_systemd_accepts_an_instance(unit):
    instance = subprocess.run(
        ["systemd-escape", "--path", "--template=echopost@.service", "/var/lib/my app/.datanadhi"],
        check=True, capture_output=True, text=True).stdout.strip()
    assert instance == r"echopost@var-lib-my\x20app-.datanadhi.service"
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=yes", unit.with_name(instance)], capture_output=True, text=True)
    assert (verified.returncode, verified.stderr) == (0, "")


def test_its_exposure_level_is_the_documented_one(unit):
    rated = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", unit], check=True, capture_output=True, text=True).stdout
    score = re.search(r"Overall exposure level .*: ([\d.]+)", rated).group(1)
    assert f"exposure level of {score}" in (PROJECT / "docs" / "RUNNING.md").read_text()


def test_systemd_accepts_the_unit_of_the_hub(tmp_path):
    place = tmp_path / HUB.name
    text = HUB.read_text().replace("/usr/local/bin/echopost-hub", str(PROJECT / "target" / "echopost"))
    place.write_text(text.replace("User=echopost-hub", "User=daemon"))
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=yes", place], capture_output=True, text=True)
    assert (verified.returncode, verified.stderr) == (0, "")


def test_every_exit_status_is_a_success_or_prevents_a_restart():
    service = settings()
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
    assert called - allowed() == set()


def allowed():
    """The system calls that the unit's filter allows."""
    permitted = set()
    for line in re.findall("^SystemCallFilter=(.*)$", UNIT.read_text(), re.MULTILINE):
        named = set().union(*(group(word) if word.startswith("@") else {word} for word in line.lstrip("~").split()))
        permitted = permitted - named if line.startswith("~") else permitted | named
    return permitted


def group(name):
    """The system calls of one of systemd's groups and of the groups that it includes."""
    listed = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager", name], check=True, capture_output=True, text=True).stdout
    words = [line.strip() for line in listed.splitlines()[1:] if line.strip() and not line.strip().startswith("#")]
    return {word for word in words if not word.startswith("@")}.union(*(group(word) for word in words if word.startswith("@")))
