"""The guarantees of scripts/publish, tested with an S3-compatible server on loopback and publisher processes that are killed."""
import base64
import hashlib
import itertools
import json
import os
import subprocess
import sys

import boto3
import pytest

from gate import Gate, start_server
from publisher import SCRIPT, Publisher, publish

PLATFORMS = ("linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64")
PROGRAMS = {"echopost": "EchoPost", "echopost-hub": "The EchoPost hub"}
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "publisher", "AWS_SECRET_ACCESS_KEY": "publisher-secret"}


@pytest.fixture(scope="session")
def gate(tmp_path_factory):
    """versitygw, or the server at the address in ECHOPOST_TEST_S3 (with the keys above)."""
    if os.environ.get("ECHOPOST_TEST_S3"):
        yield Gate(os.environ["ECHOPOST_TEST_S3"])
        return
    with open(tmp_path_factory.mktemp("s3") / "log", "w") as log:
        server, address = start_server(
            tmp_path_factory.mktemp("buckets"), log, CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"])
        yield Gate(address)
        server.terminate()
        server.wait()


class Store:
    """A bucket, and the builds to publish in it."""

    def __init__(self, gate, directory, bucket):
        self.gate, self.directory, self.bucket = gate, directory, bucket
        self.environment = {**CREDENTIALS, "AWS_ENDPOINT_URL_S3": gate.url, "ECHOPOST_BUCKET": bucket}
        self.s3 = boto3.client(
            "s3", endpoint_url=gate.url, region_name="us-east-1", aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"])
        self.s3.create_bucket(Bucket=bucket)
        gate.on_write = lambda: None
        gate.writes.clear()

    def build(self, version, by, suffix=""):
        """A build of both programs for all four platforms, different for each `by`."""
        root = self.directory / f"{version}{suffix}-{by}"
        for platform in PLATFORMS:
            place = root / "dist" / platform.replace("/", "-")
            place.mkdir(parents=True)
            for program, title in PROGRAMS.items():
                data = f"#!/bin/sh\n# {title} {version}{suffix} in one file\n{platform}, built by {by}\n".encode() * 50
                (place / program).write_bytes(data)
                (place / f"{program}.sha256").write_text(f"{hashlib.sha256(data).hexdigest()}  {program}\n")
        (root / "VERSION").write_text(version + "\n")
        self.attest(root)
        return root

    @staticmethod
    def attest(root):
        files = sorted(file for program in PROGRAMS for file in (root / "dist").glob(f"*/{program}"))
        statement = {
            "_type": "https://in-toto.io/Statement/v1", "predicateType": "https://slsa.dev/provenance/v1",
            "subject": [{"name": str(f), "digest": {"sha256": hashlib.sha256(f.read_bytes()).hexdigest()}} for f in files]}
        payload = base64.b64encode(json.dumps(statement).encode()).decode()
        bundle = {"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "dsseEnvelope": {"payload": payload}}
        (root / "dist" / "provenance.json").write_text(json.dumps(bundle))

    def start(self, root, channel="production", *more):
        return Publisher(root, [channel, root / "dist", *more], self.environment)

    def publish(self, root, channel="production", *more):
        """The exit status and the output."""
        publisher = self.start(root, channel, *more)
        return publisher.end(), publisher.out + publisher.err

    def check(self):
        publisher = Publisher(self.directory, ["check"], self.environment)
        return publisher.end(), publisher.out + publisher.err

    def objects(self):
        """The objects in the bucket: the server's MD5 of the content, by key."""
        listed = self.s3.list_objects_v2(Bucket=self.bucket).get("Contents", ())
        return {o["Key"]: o["ETag"].strip('"') for o in listed}

    def read(self, key):
        return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def visible(self):
        """The objects that users can download."""
        return programs(self.objects())

    @staticmethod
    def release(root, version):
        """All objects that the release of that build makes visible, except latest."""
        expected = {}
        for platform, program in itertools.product(PLATFORMS, PROGRAMS):
            data = (root / "dist" / platform.replace("/", "-") / program).read_bytes()
            name = f"echopost/{platform}/{program}-{version}"
            expected[name] = data
            expected[name + ".sha256"] = f"{hashlib.sha256(data).hexdigest()}  {program}-{version}\n".encode()
            expected[name + ".provenance.json"] = (root / "dist" / "provenance.json").read_bytes()
        return {key: md5(data) for key, data in expected.items()}

    def latest(self, root):
        return {k: v for k, v in self.release(root, "latest").items() if not k.endswith(".provenance.json")}


def md5(data):
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def programs(objects):
    return {k: v for k, v in objects.items() if k.startswith(tuple(f"echopost/{p}/" for p in PLATFORMS))}


@pytest.fixture
def store(gate, tmp_path, request):
    return Store(gate, tmp_path, "b-" + hashlib.sha256(request.node.name.encode()).hexdigest()[:20])


def test_a_release_is_completely_visible_and_becomes_latest(store):
    build = store.build("v1.2.3", "us")
    status, output = store.publish(build)
    assert (status, output.splitlines()[-1]) == (0, "latest is v1.2.3"), output
    assert store.visible() == store.release(build, "v1.2.3") | store.latest(build)
    assert store.check() == (0, "1 releases are complete, latest is v1.2.3\n")


def test_sha256sum_accepts_a_download(store, tmp_path):
    store.publish(store.build("v1.2.3", "us"))
    for program, version in itertools.product(PROGRAMS, ("v1.2.3", "latest")):
        for suffix in ("", ".sha256"):
            name = f"{program}-{version}{suffix}"
            (tmp_path / name).write_bytes(store.read(f"echopost/darwin/arm64/{name}"))
        subprocess.run(["sha256sum", "--strict", "-c", f"{program}-{version}.sha256"], cwd=tmp_path, check=True)


def test_latest_is_written_after_everything_else(store):
    store.publish(store.build("v1.2.3", "us"))
    writes = [key.removeprefix("echopost/") for key in store.gate.writes]
    is_latest = ["-latest" in key for key in writes]
    assert is_latest == sorted(is_latest)
    assert is_latest.count(True) == 16
    committed = writes.index("releases/v1.2.3.json")
    assert all(key.startswith("staging/") for key in writes[:committed])


def test_a_snapshot_does_not_change_latest(store):
    release, snapshot = store.build("v1.2.3", "us"), store.build("v1.2.4", "us", "-snapshot")
    store.publish(release)
    status, output = store.publish(snapshot, "snapshot")
    assert (status, output) == (0, f"published echopost and echopost-hub v1.2.4-snapshot for {', '.join(PLATFORMS)}\n")
    assert store.visible() == (
        store.release(release, "v1.2.3") | store.latest(release) | store.release(snapshot, "v1.2.4-snapshot"))
    # A later release does not count it as a release either.
    later = store.build("v1.2.5", "us")
    assert store.publish(later)[0] == 0
    assert store.latest(later).items() <= store.visible().items()


def test_a_snapshot_may_be_named(store):
    build = store.build("v1.2.3", "us", "-try-2")
    assert store.publish(build, "snapshot", "--suffix", "try-2")[0] == 0
    assert store.visible() == store.release(build, "v1.2.3-try-2")


def test_a_version_is_published_once(store):
    ours, theirs = store.build("v1.2.3", "us"), store.build("v1.2.3", "them")
    store.publish(ours)
    before = store.objects()
    status, output = store.publish(theirs)
    assert (status, output) == (
        3, "publish: v1.2.3 is published already, with other bytes, and was not changed: raise the number in VERSION\n")
    assert store.objects() == before
    status, output = store.publish(ours)
    assert status == 0, output
    assert store.objects() == before


def test_a_snapshot_is_published_once(store):
    store.publish(store.build("v1.2.3", "us", "-snapshot"), "snapshot")
    before = store.objects()
    status, output = store.publish(store.build("v1.2.3", "them", "-snapshot"), "snapshot")
    assert status == 3 and "choose another --suffix" in output
    assert store.objects() == before


def test_a_publisher_that_is_killed_at_any_step_continues_on_the_next_run(store):
    """Each run is killed after its first write that changed something, until all writes are done."""
    old, new = store.build("v1.2.3", "us"), store.build("v1.2.4", "us")
    store.publish(old)
    before, after = store.latest(old), store.latest(new)
    complete = store.release(old, "v1.2.3") | store.release(new, "v1.2.4")
    kills = 0
    while True:
        publisher = None
        store.gate.kill_after(1, lambda: publisher.pid())
        publisher = store.start(new)
        status = publisher.end()
        store.gate.on_write = lambda: None
        if status == 0:
            break
        assert status == -9, publisher.err
        kills += 1
        objects = store.objects()
        visible = programs(objects)
        moved = [key for key in after if visible[key] == after[key]]
        if "echopost/releases/v1.2.4.json" not in objects:
            assert visible == store.release(old, "v1.2.3") | before
        elif not moved:
            # Visible objects do not change, and new ones are correct from the start.
            assert (store.release(old, "v1.2.3") | before).items() <= visible.items()
            assert {k: v for k, v in visible.items() if k not in before}.items() <= complete.items()
        else:
            assert complete.items() <= visible.items()
            assert all(visible[key] in (before[key], after[key]) for key in after)
        if kills in (9, 10, 36):
            assert store.check()[0] == (0 if kills == 9 else 1)
    # Eight files and their provenance, the manifest, three objects for each file, and latest with its checksum.
    assert kills == 8 + 1 + 1 + 24 + 16
    assert store.visible() == complete | after
    assert store.check()[0] == 0


@pytest.mark.parametrize("writes", [1, 9])
def test_before_the_manifest_is_written_another_build_can_take_the_version(store, writes):
    ours, theirs = store.build("v1.2.3", "us"), store.build("v1.2.3", "them")
    kill(store, ours, writes)
    assert store.visible() == {}
    status, output = store.publish(theirs)
    assert status == 0, output
    assert store.visible() == store.release(theirs, "v1.2.3") | store.latest(theirs)


@pytest.mark.parametrize("writes", [10, 20, 35])
def test_after_the_manifest_is_written_the_next_publisher_completes_the_release(store, writes):
    ours, theirs = store.build("v1.2.3", "us"), store.build("v1.2.3", "them")
    kill(store, ours, writes)
    status, output = store.publish(theirs)
    assert status == 3, output
    assert store.visible() == store.release(ours, "v1.2.3") | store.latest(ours)


def test_the_next_release_completes_latest(store):
    one, two = store.build("v1.2.3", "us"), store.build("v1.2.4", "us")
    kill(store, one, 36)
    assert store.publish(two)[0] == 0
    assert store.visible() == store.release(one, "v1.2.3") | store.release(two, "v1.2.4") | store.latest(two)


def kill(store, build, writes):
    publisher = None
    store.gate.kill_after(writes, lambda: publisher.pid())
    publisher = store.start(build)
    assert publisher.end() == -9, publisher.err
    store.gate.on_write = lambda: None


@pytest.mark.parametrize("attempt", range(2))
def test_of_three_concurrent_publishers_one_publishes_completely(store, attempt):
    builds = [store.build("v1.2.3", by) for by in ("us", "them", "others")]
    publishers = [store.start(build) for build in builds]
    statuses = [publisher.end() for publisher in publishers]
    assert sorted(statuses) == [0, 3, 3], [p.err for p in publishers]
    winner = builds[statuses.index(0)]
    assert store.visible() == store.release(winner, "v1.2.3") | store.latest(winner)


def test_of_concurrent_versions_the_highest_becomes_latest(store):
    builds = [store.build(version, "us") for version in ("v1.10.0", "v1.9.0", "v1.9.10")]
    publishers = [store.start(build) for build in builds]
    assert [publisher.end() for publisher in publishers] == [0, 0, 0], [p.err for p in publishers]
    assert store.latest(builds[0]).items() <= store.visible().items()
    assert store.check() == (0, "3 releases are complete, latest is v1.10.0\n")


def test_a_lower_version_does_not_become_latest(store):
    new, old = store.build("v2.0.0", "us"), store.build("v1.9.9", "us")
    store.publish(new)
    status, output = store.publish(old)
    assert (status, output.splitlines()[-1]) == (0, "latest is v2.0.0")
    assert store.visible() == store.release(new, "v2.0.0") | store.release(old, "v1.9.9") | store.latest(new)


def test_a_release_without_the_hub_stays_complete(store):
    """As they were made before the hub was released."""
    old, new = store.build("v1.2.3", "us"), store.build("v1.2.4", "us")
    store.publish(old)
    manifest = json.loads(store.read("echopost/releases/v1.2.3.json"))
    del manifest["hub_files"]
    store.s3.put_object(Bucket=store.bucket, Key="echopost/releases/v1.2.3.json", Body=json.dumps(manifest).encode())
    of_agent = {key: value for key, value in (store.release(old, "v1.2.3") | store.latest(old)).items() if "echopost-hub" not in key}
    for key in store.visible().keys() - of_agent.keys():
        store.s3.delete_object(Bucket=store.bucket, Key=key)
    assert store.check() == (0, "1 releases are complete, latest is v1.2.3\n")
    assert store.publish(old)[0] == 3
    assert store.visible() == of_agent
    assert store.publish(new)[0] == 0
    assert store.visible() == of_agent | store.release(new, "v1.2.4") | store.latest(new)
    assert store.check() == (0, "2 releases are complete, latest is v1.2.4\n")


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_existing_object_is_not_overwritten(store, program):
    """A foreign object has the name of a file of the release."""
    name = f"echopost/darwin/amd64/{program}-v1.2.3"
    store.s3.put_object(Bucket=store.bucket, Key=name, Body=b"foreign")
    status, output = store.publish(store.build("v1.2.3", "us"))
    assert status == 1 and f"{name}: holds other bytes" in output
    assert store.read(name) == b"foreign"
    assert not any("latest" in key for key in store.visible())


def test_check_names_missing_and_wrong_objects(store):
    store.publish(store.build("v1.2.3", "us"))
    store.s3.put_object(Bucket=store.bucket, Key="echopost/linux/amd64/echopost-latest", Body=b"damaged")
    store.s3.delete_object(Bucket=store.bucket, Key="echopost/linux/arm64/echopost-hub-v1.2.3.sha256")
    status, output = store.check()
    assert status == 1
    assert output.splitlines()[1:] == [
        "  echopost/linux/arm64/echopost-hub-v1.2.3.sha256: is missing", "  echopost/linux/amd64/echopost-latest: is not v1.2.3"]


def remove_a_platform(root):
    (root / "dist" / "darwin-arm64" / "echopost").unlink()


def remove_a_hub(root):
    (root / "dist" / "linux-amd64" / "echopost-hub").unlink()


def swap_the_programs(root):
    place = root / "dist" / "linux-amd64"
    for suffix in ("", ".sha256"):
        (place / f"echopost-hub{suffix}").rename(place / "kept")
        (place / f"echopost{suffix}").rename(place / f"echopost-hub{suffix}")
        (place / "kept").rename(place / f"echopost{suffix}")


def change_a_byte(root):
    with open(root / "dist" / "linux-arm64" / "echopost", "ab") as file:
        file.write(b"!")


def attest_before_a_rebuild(root):
    place = root / "dist" / "linux-arm64"
    data = (place / "echopost").read_bytes() + b"!"
    (place / "echopost").write_bytes(data)
    (place / "echopost.sha256").write_text(hashlib.sha256(data).hexdigest())


def another_version(root):
    (root / "VERSION").write_text("v1.2.4\n")


def no_version(root):
    (root / "VERSION").write_text("1.2\n")


def no_provenance(root):
    (root / "dist" / "provenance.json").write_text("{}")


def one_file_twice(root):
    for name in ("echopost", "echopost.sha256"):
        (root / "dist" / "linux-arm64" / name).write_bytes((root / "dist" / "linux-amd64" / name).read_bytes())


@pytest.mark.parametrize(
    "spoil, complaint",
    [(remove_a_platform, "darwin-arm64/echopost: No such file"), (remove_a_hub, "linux-amd64/echopost-hub: No such file"),
     (swap_the_programs, "linux-amd64/echopost is not EchoPost v1.2.3"), (change_a_byte, "does not match its .sha256"),
     (attest_before_a_rebuild, "provenance.json does not name echopost for linux/arm64"), (another_version, "is not EchoPost v1.2.4"),
     (no_version, "which is not of the form v1.2.3"), (no_provenance, "is not a Sigstore bundle"),
     (one_file_twice, "two platforms have the same file")])
def test_an_invalid_build_is_not_published(store, spoil, complaint):
    build = store.build("v1.2.3", "us")
    spoil(build)
    status, output = store.publish(build)
    assert status == 2 and complaint in output
    assert store.objects() == {}


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_built_program_says_which_version_it_is(program):
    built = SCRIPT.parent.parent / "target" / program
    if not built.exists():
        pytest.skip(f"needs target/{program}")
    with built.open("rb") as file:
        begin = file.read(200).decode(errors="replace")
    assert f"# {PROGRAMS[program]} {(SCRIPT.parent.parent / 'VERSION').read_text().strip()} in one file" in begin


@pytest.mark.parametrize("suffix", ["", "a.sha256", "../x", "a--b", "-a"])
def test_a_suffix_that_is_no_part_of_a_version_is_refused(store, suffix):
    status, output = store.publish(store.build("v1.2.3", "us"), "snapshot", f"--suffix={suffix}")
    assert status == 2 and "letters, digits and single hyphens" in output
    assert store.objects() == {}


def test_an_unreachable_store_is_an_error(store):
    store.environment["AWS_ENDPOINT_URL_S3"] = "http://127.0.0.1:1"
    status, output = store.publish(store.build("v1.2.3", "us"))
    assert status == 1 and "Could not connect" in output


def test_the_command_itself(store):
    """Runs the script as the workflow does."""
    missing = subprocess.run([sys.executable, SCRIPT, "snapshot", store.directory / "none"], capture_output=True, text=True,
                             env={**os.environ, **store.environment})
    assert missing.returncode == 2 and f"echopost and echopost-hub for all of {', '.join(PLATFORMS)}" in missing.stderr
    checked = subprocess.run([SCRIPT, "check"], capture_output=True, text=True, env={
        **os.environ, **store.environment, "PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"})
    assert (checked.returncode, checked.stdout) == (0, "0 releases are complete, latest is none\n"), checked.stderr
