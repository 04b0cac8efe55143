"""The hub is one file with its own Java runtime: how it unpacks itself, and what it does where it cannot."""
import contextlib
import os
import re
import signal
import subprocess

import pytest

from hub import PROGRAM, PROJECT
from main_job import until

VERSION = "echopost-hub %s\n" % (PROJECT / "VERSION").read_text().strip()
LARGEST_LAUNCHER = 1 << 16
JVM_NOT_INITIALIZED = "Error occurred during initialization of VM\n"


def is_packaged():
    if not PROGRAM.exists():
        return False
    with PROGRAM.open("rb") as program:
        return b"main \"$@\"; exit #" in program.read(LARGEST_LAUNCHER)


pytestmark = pytest.mark.skipif(not is_packaged(), reason="needs the packaged target/echopost-hub")


def start(*arguments, program=PROGRAM, **environment):
    """Starts the program with no other environment than this one."""
    return subprocess.Popen([program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env={name: str(value) for name, value in environment.items()})


def result(process):
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def run(*arguments, **more):
    return result(start(*arguments, **more))


def runtimes(cache):
    return [file.parent for file in cache.rglob("list")]


@contextlib.contextmanager
def small_disk(directory, options):
    directory.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0700," + options, "none", directory],
                             capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip("no small file system can be mounted: " + mounted.stderr.strip())
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", directory], check=True)


@pytest.fixture(scope="module")
def caches(tmp_path_factory):
    """What XDG_CACHE_HOME names. Several first starts at the same time have unpacked the runtime there."""
    directory = tmp_path_factory.mktemp("caches")
    starts = [start("--version", XDG_CACHE_HOME=directory) for _ in range(6)]
    assert [result(process) for process in starts] == [(0, VERSION, "")] * 6
    assert len(runtimes(directory)) == 1
    return directory


def test_starts_at_the_same_time_share_one_runtime_for_this_user_only(caches):
    [runtime] = runtimes(caches)
    assert [path.stat().st_mode & 0o777 for path in (runtime, runtime.parent, caches / "echopost")] == [0o700] * 3
    unpacked = runtime.stat().st_ino
    assert run("--version", XDG_CACHE_HOME=caches) == (0, VERSION, "")
    assert [path.stat().st_ino for path in runtimes(caches)] == [unpacked]


def test_help_and_wrong_usage_have_the_documented_exit_statuses(caches):
    for arguments in (["--help"], ["-h"], ["serve", "--help"]):
        status, out, err = run(*arguments, XDG_CACHE_HOME=caches)
        assert (status, err) == (0, "") and "echopost-hub" in out
    for arguments in (["nonsense"], ["serve", "--nonsense"], ["key", "create"], []):
        status, out, err = run(*arguments, XDG_CACHE_HOME=caches)
        assert (status, out) == (2, "") and "echopost-hub" in err, arguments
    [runtime] = runtimes(caches)
    assert list(runtime.glob(".start-*")) == []


def test_a_damaged_runtime_is_replaced(caches):
    [runtime] = runtimes(caches)
    library = runtime / "lib" / "server" / "libjvm.so"
    intact = library.read_bytes()
    library.write_bytes(intact[:-1])
    (runtime / "lib" / "modules").unlink()
    assert run("--version", XDG_CACHE_HOME=caches) == (0, VERSION, "")
    assert library.read_bytes() == intact


@pytest.mark.parametrize("options", ["size=60m", "size=300m,noexec", "size=300m,ro"])
def test_a_directory_that_is_full_or_forbids_programs_or_writing_is_passed_over(tmp_path, caches, options):
    with small_disk(tmp_path / "disk", options):
        place = tmp_path / "disk" / "runtime"
        assert run("--version", ECHOPOST_RUNTIME_DIR=place, XDG_CACHE_HOME=caches) == (0, VERSION, "")
        assert [path for path in place.rglob("*") if not path.is_dir()] == []


def test_without_another_place_the_runtime_is_in_the_data_directory(tmp_path):
    data = tmp_path / "data"
    for arguments in (["--data", data], ["--data=%s" % data]):
        status, out, err = run("status", *arguments, ECHOPOST_RUNTIME_DIR="/dev/null/x", HOME="/dev/null")
        assert status == 1 and "is no data directory" in err, (out, err)
    assert len(runtimes(data / ".runtime")) == 1


def test_without_any_place_one_line_names_the_variable_to_set(tmp_path):
    (tmp_path / ".runtime").touch()
    status, out, err = run("serve", "--data", tmp_path, ECHOPOST_RUNTIME_DIR="/dev/null/x")
    assert (status, out) == (1, "")
    assert re.fullmatch(r"echopost-hub: .*ECHOPOST_RUNTIME_DIR.*\n", err)
    status, out, err = run("serve", HUB_DATA="/dev/null/data", ECHOPOST_RUNTIME_DIR="/dev/null/x")
    assert (status, out) == (2, "")
    assert re.fullmatch(r"echopost-hub: .*/dev/null/data.*--data.*\n", err)


def test_a_program_that_was_cut_off_says_so(tmp_path):
    program = tmp_path / "echopost-hub"
    program.write_bytes(PROGRAM.read_bytes()[:-1_000_000])
    program.chmod(0o500)
    status, out, err = run("--version", program=program, ECHOPOST_RUNTIME_DIR=tmp_path / "runtime")
    assert (status, out) == (1, "")
    assert re.fullmatch("echopost-hub: .*damaged.*\n", err)


def test_a_sigterm_while_unpacking_leaves_nothing_behind(tmp_path):
    process = start("--version", ECHOPOST_RUNTIME_DIR=tmp_path / "runtime")
    until(lambda: any((tmp_path / "runtime").rglob(".new-*")), "unpacking has begun")
    process.terminate()
    assert process.wait(30) == 0
    assert [path for path in (tmp_path / "runtime").rglob("*") if not path.is_dir() or path.name.startswith(".")] == []


def test_a_sigterm_at_any_time_during_the_start_ends_the_hub(tmp_path, caches):
    for step in range(6):
        process = start("serve", "--data", tmp_path / "data", "--listen", "127.0.0.1:0", "--grpc-listen", "off",
                        XDG_CACHE_HOME=caches)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.02 + 0.12 * step)
        process.terminate()
        status, out, err = result(process)
        # The others: the signal came before the launcher had set its trap, or before the hub had set its handler. While the JVM
        # initializes itself, it takes its own exit for an error ("InternalError: Bad level") and ends with 1.
        assert status in (0, -signal.SIGTERM, 128 + signal.SIGTERM) or out.startswith(JVM_NOT_INITIALIZED), (status, out, err)


def test_a_report_of_a_crash_is_in_the_data_directory(tmp_path, caches):
    # In the name of a report the JVM replaces % sequences.
    data = tmp_path / "at 100 %p%%"
    data.mkdir(0o700)
    process = start("serve", "--data", data, "--listen", "127.0.0.1:0", "--grpc-listen", "off", XDG_CACHE_HOME=caches)
    try:
        until(lambda: (data / "hub.sock").exists(), "the hub has started")
        os.kill(process.pid, signal.SIGSEGV)
        assert process.wait(60) != 0
    finally:
        process.kill()
        process.communicate()
    assert [path.name for path in tmp_path.rglob("*crash*")] == ["crash-%d.log" % process.pid]
