"""Runs the program in the image's root file system as a container does: as an unprivileged user who sees no other files."""
import json
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from main_job import MainServer, send, until

PROJECT = Path(__file__).parents[3]
USER = 65532

pytestmark = pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("dpkg-deb"), reason="needs root and dpkg-deb")


@pytest.fixture(scope="module")
def rootfs():
    # Short, since the path of a UNIX socket is limited.
    root = Path(tempfile.mkdtemp(prefix="ep", dir="/tmp"))
    make = [PROJECT / "packaging" / "container" / "rootfs", PROJECT / "target" / "echopost", root]
    if subprocess.run(make, capture_output=True).returncode:
        subprocess.run(["apt-get", "-q", "update"], check=True, capture_output=True)
        subprocess.run(make, check=True)
    # mkdtemp's mode lets no other user in. The owners are set as in the Containerfile.
    root.chmod(0o755)
    for place in ("var/cache/echopost", "var/lib/echopost"):
        os.chown(root / place, USER, USER)
    yield root
    shutil.rmtree(root)


def start(root, *args):
    """Starts the program with its own /proc and process ids, as in a container, but with the machine's devices and network."""
    inside = '''mount --bind "$0" "$0" && mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" &&
        exec chroot --userspec=65532:65532 "$0" "$@"'''
    return subprocess.Popen(
        ["unshare", "--mount", "--pid", "--fork", "--kill-child", "/bin/sh", "-c", inside, root, "/usr/local/bin/echopost", *args],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/var/lib/echopost",
             "ECHOPOST_RUNTIME_DIR": "/var/cache/echopost/runtime"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_it_starts(rootfs):
    version = (PROJECT / "VERSION").read_text()
    process = start(rootfs, "-version")
    assert (process.communicate(timeout=60)[0], process.returncode) == (f"echopost {version}", 0)


def test_it_does_its_main_job_and_survives_a_crash(rootfs):
    server = MainServer()
    directory = rootfs / "var/lib/echopost/data"
    process = start(rootfs, "-datanadhi", "/var/lib/echopost/data", "-health-url", server.url)
    send(directory / "data-nadhi-agent.sock", range(50))
    assert {path.stat().st_uid for path in directory.rglob("*")} == {USER}
    # Here busybox's shell runs the launcher.
    java = [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if runs_java_in(pid, rootfs)]
    assert len(java) == 1
    os.kill(java[0], signal.SIGKILL)
    until(lambda: any("restarted_after_crash" in log.read_text() for log in directory.glob("session-*/agent.log")), "a restart")
    send(directory / "data-nadhi-agent.sock", range(50, 100))
    server.up = True
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 0, output
    assert json.loads(output.splitlines()[-1])["delivered"] == 50 + 50
    assert server.records == [{"n": n} for n in range(100)]


def runs_java_in(pid, root):
    try:
        return os.readlink(f"/proc/{pid}/root") == str(root) and os.readlink(f"/proc/{pid}/exe").endswith("/bin/java")
    except OSError:
        return False


def test_its_user_can_write_only_to_tmp_and_its_two_directories(rootfs):
    found = subprocess.run(
        ["find", ".", "-xdev", "(", "-user", str(USER), "-o", "-perm", "/6000", "-o", "-perm", "-2", "!", "-type", "l", ")",
         "-not", "-path", "./var/*/echopost/*"], cwd=rootfs, check=True, capture_output=True, text=True)
    assert sorted(found.stdout.split()) == ["./tmp", "./var/cache/echopost", "./var/lib/echopost"]
