"""Runs the programs in their images' root file systems as a container does: as an unprivileged user who sees no other files."""
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest
import requests
import yaml

from main_job import MainServer, send, until

PROJECT = Path(__file__).parents[3]
USER = 65532

pytestmark = pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("dpkg-deb"), reason="needs root and dpkg-deb")


class Image:
    """The root file system of an image, and what its Containerfile says."""

    def __init__(self, program, containerfile):
        self.program = program
        # Short, since the path of a UNIX socket is limited.
        self.root = Path(tempfile.mkdtemp(prefix="ep", dir="/tmp"))
        make = [PROJECT / "packaging" / "container" / "rootfs", PROJECT / "target" / program, self.root]
        if subprocess.run(make, capture_output=True).returncode:
            subprocess.run(["apt-get", "-q", "update"], check=True, capture_output=True)
            subprocess.run(make, check=True)
        # mkdtemp's mode lets no other user in. The owners are set as in the Containerfile.
        self.root.chmod(0o755)
        self.cache, self.data = (self.root / "var" / parent / program for parent in ("cache", "lib"))
        for place in (self.cache, self.data):
            os.chown(place, USER, USER)
        text = (PROJECT / "packaging" / "container" / containerfile).read_text().replace("\\\n", "")
        self.instructions = dict(re.findall(r"^([A-Z]+) (.*)$", text.split("\nFROM scratch\n")[1], re.MULTILINE))
        self.environment = dict(setting.split("=", 1) for setting in shlex.split(self.instructions["ENV"]))

    def start(self, *args, entry=None, **environment):
        """Starts the program, or another one, with its own /proc and process ids, and a read-only root, as in a container, but with the machine's
        devices and network."""
        inside = '''for place in "" "/var/cache/$program" "/var/lib/$program"; do mount --bind "$0$place" "$0$place" || exit; done
            mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && mount -o remount,bind,ro "$0" &&
            chroot=$(command -v chroot) && PATH=$path && exec "$chroot" --userspec=65532:65532 "$0" "$@"'''
        entry = entry or json.loads(self.instructions["ENTRYPOINT"])[0]
        settings = {**self.environment, **environment}
        return subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "/bin/sh", "-c", inside, self.root, entry, *args],
            env={**settings, "program": self.program, "path": settings["PATH"], "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def java(self):
        """The process ids of the Java programs that run in it."""
        return [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if self.runs_java(pid)]

    def runs_java(self, pid):
        try:
            return os.readlink(f"/proc/{pid}/root") == str(self.root) and os.readlink(f"/proc/{pid}/exe").endswith("/bin/java")
        except OSError:
            return False


@pytest.fixture(scope="module")
def agent():
    image = Image("echopost", "Containerfile")
    yield image
    shutil.rmtree(image.root)


@pytest.fixture(scope="module")
def hub():
    if not (PROJECT / "target" / "echopost-hub").exists():
        pytest.skip("needs target/echopost-hub")
    image = Image("echopost-hub", "Containerfile.hub")
    yield image
    shutil.rmtree(image.root)


@pytest.mark.parametrize("image, flag", [("agent", "-version"), ("hub", "--version")])
def test_it_starts(request, image, flag):
    image = request.getfixturevalue(image)
    version = (PROJECT / "VERSION").read_text()
    process = image.start(flag)
    assert (process.communicate(timeout=60)[0], process.returncode) == (f"{image.program} {version}", 0)


def test_the_agent_does_its_main_job_and_survives_a_crash(agent):
    server = MainServer()
    directory = agent.data / "data"
    process = agent.start("-datanadhi", "/var/lib/echopost/data", "-health-url", server.url)
    send(directory / "data-nadhi-agent.sock", range(50))
    assert {path.stat().st_uid for path in directory.rglob("*")} == {USER}
    # Here busybox's shell runs the launcher.
    (java,) = agent.java()
    os.kill(java, signal.SIGKILL)
    until(lambda: any("restarted_after_crash" in log.read_text() for log in directory.glob("session-*/agent.log")), "a restart")
    send(directory / "data-nadhi-agent.sock", range(50, 100))
    server.up = True
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 0, output
    assert json.loads(output.splitlines()[-1])["delivered"] == 50 + 50
    assert server.records == [{"n": n} for n in range(100)]


class RunningHub:
    """A hub in its image, with the command and the settings of the Containerfile, except for the addresses."""

    def __init__(self, image):
        self.image = image
        self.process = image.start(*json.loads(image.instructions["CMD"]), HUB_LISTEN="127.0.0.1:0", HUB_GRPC_LISTEN="127.0.0.1:0")
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if '"event":"hub_ready"' in line:
                self.url = "http://" + json.loads(line)["listen"]
                return
        raise AssertionError("the hub is not ready; it printed:\n" + "".join(lines))

    def end(self, number):
        (java,) = self.image.java()
        os.kill(java, number)
        output = self.process.communicate(timeout=60)[0]
        return self.process.returncode, output


def test_the_hub_stores_records_and_survives_a_crash(hub):
    running = RunningHub(hub)
    created = hub.start("key", "create", "--tenant-id", "acme", "--json")
    key = {"DATANADHI-API-KEY": json.loads(created.communicate(timeout=60)[0])["key"]}
    for n in range(50):
        assert requests.post(running.url + "/log", json={"pipelines": [], "log_data": n}, headers=key).ok
    assert {path.stat().st_uid for path in hub.data.rglob("*")} == {USER}
    assert (hub.data / "data").stat().st_mode & 0o777 == 0o700
    assert running.end(signal.SIGKILL)[0] != 0
    running = RunningHub(hub)
    stored = requests.post(running.url + "/log", json={"pipelines": [], "log_data": 50}, headers={**key, "Prefer": "wait=30"})
    assert stored.ok, stored.text
    rows = requests.get(running.url + "/v1/records", headers=key).text.splitlines()
    assert [json.loads(row)["log_data"] for row in rows] == list(range(51))
    status, output = running.end(signal.SIGTERM)
    assert status == 0 and '"event":"hub_stopping"' in output, output


@pytest.mark.parametrize("image", ["agent", "hub"])
def test_its_user_can_write_only_to_tmp_and_its_two_directories(request, image):
    image = request.getfixturevalue(image)
    assert image.instructions["USER"] == f"{USER}:{USER}"
    found = subprocess.run(
        ["find", ".", "-xdev", "(", "-user", str(USER), "-o", "-perm", "/6000", "-o", "-perm", "-2", "!", "-type", "l", ")",
         "-not", "-path", f"./var/*/{image.program}/*"], cwd=image.root, check=True, capture_output=True, text=True)
    assert sorted(found.stdout.split()) == ["./tmp", f"./var/cache/{image.program}", f"./var/lib/{image.program}"]


def test_the_hub_runs_in_the_pod_of_its_manifest(hub):
    *_, workload = yaml.safe_load_all((PROJECT / "packaging" / "kubernetes" / "hub.yaml").read_text())
    pod = workload["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert {pod["securityContext"][member] for member in ("runAsUser", "runAsGroup", "fsGroup")} == {USER}
    assert container["securityContext"]["readOnlyRootFilesystem"]
    ports = {port["name"]: f"0.0.0.0:{port['containerPort']}" for port in container["ports"]}
    assert ports == {"http": hub.environment["HUB_LISTEN"], "grpc": hub.environment["HUB_GRPC_LISTEN"]}
    # Kubernetes mounts volumes as root's, for the group fsGroup, and an emptyDir for everybody.
    mounts = [hub.root / mount["mountPath"].lstrip("/") for mount in container["volumeMounts"]]
    assert mounts == [hub.data, hub.cache]
    for mount, mode in zip(mounts, (0o2775, 0o2777)):
        shutil.rmtree(mount)
        mount.mkdir()
        os.chown(mount, 0, USER)
        mount.chmod(mode)
    running = RunningHub(hub)
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = container[probe]["httpGet"]
        assert asked["port"] == "http" and requests.get(running.url + asked["path"]).ok
    program, *arguments = container["lifecycle"]["preStop"]["exec"]["command"]
    hook = hub.start(*arguments, entry=program)
    assert (hook.communicate(timeout=60)[0], hook.returncode) == ("", 0)
    assert running.end(signal.SIGTERM)[0] == 0
