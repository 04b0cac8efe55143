"""What scripts/publish promises, against an S3-compatible server on loopback, by publishers that are processes and are killed."""
import base64
import hashlib
import json
import os
import subprocess
import sys

import boto3
import pytest

from gate import Gate, start_server
from publisher import SCRIPT, Publisher, publish

PLATFORMS = ("linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64")
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "publisher", "AWS_SECRET_ACCESS_KEY": "publisher-secret"}


@pytest.fixture(scope="session")
def gate(tmp_path_factory):
    """moto's server, or the one at the address in ECHOPOST_TEST_S3 (with the keys above)."""
    if os.environ.get("ECHOPOST_TEST_S3"):
        yield Gate(os.environ["ECHOPOST_TEST_S3"])
        return
    with open(tmp_path_factory.mktemp("moto") / "log", "w") as log:
        server, address = start_server(log)
        yield Gate(address)
        server.terminate()
        server.wait()


class World:
    """A bucket, and builds to be published into it."""

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
        """A build of all four platforms, which differs from that of any other builder."""
        root = self.directory / f"{version}{suffix}-{by}"
        for platform in PLATFORMS:
            place = root / "dist" / platform.replace("/", "-")
            place.mkdir(parents=True)
            data = f"#!/bin/sh\n# EchoPost {version}{suffix} in one file\n{platform}, built by {by}\n".encode() * 50
            (place / "echopost").write_bytes(data)
            (place / "echopost.sha256").write_text(f"{hashlib.sha256(data).hexdigest()}  echopost\n")
        (root / "VERSION").write_text(version + "\n")
        self.attest(root)
        return root

    @staticmethod
    def attest(root):
        files = sorted((root / "dist").glob("*/echopost"))
        statement = {
            "_type": "https://in-toto.io/Statement/v1", "predicateType": "https://slsa.dev/provenance/v1",
            "subject": [{"name": str(f), "digest": {"sha256": hashlib.sha256(f.read_bytes()).hexdigest()}} for f in files]}
        payload = base64.b64encode(json.dumps(statement).encode()).decode()
        bundle = {"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "dsseEnvelope": {"payload": payload}}
        (root / "dist" / "provenance.json").write_text(json.dumps(bundle))

    def start(self, root, channel="production", *more):
        return Publisher(root, [channel, root / "dist", *more], self.environment)

    def publish(self, root, channel="production", *more):
        """The exit status, and what was printed."""
        publisher = self.start(root, channel, *more)
        return publisher.end(), publisher.out + publisher.err

    def check(self):
        publisher = Publisher(self.directory, ["check"], self.environment)
        return publisher.end(), publisher.out + publisher.err

    def objects(self):
        """What is in the bucket: by key, the MD5 that the server has made of the bytes."""
        listed = self.s3.list_objects_v2(Bucket=self.bucket).get("Contents", ())
        return {o["Key"]: o["ETag"].strip('"') for o in listed}

    def read(self, key):
        return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def visible(self):
        """What somebody finds who asks for a platform's program."""
        return programs(self.objects())

    @staticmethod
    def whole(root, version):
        """All that the release of that build has to make visible, but for latest."""
        expected = {}
        for platform in PLATFORMS:
            data = (root / "dist" / platform.replace("/", "-") / "echopost").read_bytes()
            name = f"echopost/{platform}/echopost-{version}"
            expected[name] = data
            expected[name + ".sha256"] = f"{hashlib.sha256(data).hexdigest()}  echopost-{version}\n".encode()
            expected[name + ".provenance.json"] = (root / "dist" / "provenance.json").read_bytes()
        return {key: md5(data) for key, data in expected.items()}

    def latest(self, root):
        return {k: v for k, v in self.whole(root, "latest").items() if not k.endswith(".provenance.json")}


def md5(data):
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def programs(objects):
    return {k: v for k, v in objects.items() if k.startswith(tuple(f"echopost/{p}/" for p in PLATFORMS))}


@pytest.fixture
def world(gate, tmp_path, request):
    return World(gate, tmp_path, "b-" + hashlib.sha256(request.node.name.encode()).hexdigest()[:20])


def test_a_release_is_visible_whole_and_becomes_latest(world):
    build = world.build("v1.2.3", "us")
    status, said = world.publish(build)
    assert (status, said.splitlines()[-1]) == (0, "latest is v1.2.3"), said
    assert world.visible() == world.whole(build, "v1.2.3") | world.latest(build)
    assert world.check() == (0, "1 releases are complete, latest is v1.2.3\n")


def test_sha256sum_accepts_what_was_downloaded(world, tmp_path):
    world.publish(world.build("v1.2.3", "us"))
    for version in ("v1.2.3", "latest"):
        for suffix in ("", ".sha256"):
            name = f"echopost-{version}{suffix}"
            (tmp_path / name).write_bytes(world.read(f"echopost/darwin/arm64/{name}"))
        subprocess.run(["sha256sum", "--strict", "-c", f"echopost-{version}.sha256"], cwd=tmp_path, check=True)


def test_latest_is_touched_after_everything_else(world):
    world.publish(world.build("v1.2.3", "us"))
    writes = [key.removeprefix("echopost/") for key in world.gate.writes]
    is_latest = ["echopost-latest" in key for key in writes]
    assert is_latest == sorted(is_latest)
    assert is_latest.count(True) == 8
    committed = writes.index("releases/v1.2.3.json")
    assert all(key.startswith("staging/") for key in writes[:committed])


def test_a_snapshot_leaves_latest_alone(world):
    release, snapshot = world.build("v1.2.3", "us"), world.build("v1.2.4", "us", "-snapshot")
    world.publish(release)
    status, said = world.publish(snapshot, "snapshot")
    assert (status, said) == (0, "published v1.2.4-snapshot for linux/amd64, linux/arm64, darwin/amd64, darwin/arm64\n")
    assert world.visible() == (
        world.whole(release, "v1.2.3") | world.latest(release) | world.whole(snapshot, "v1.2.4-snapshot"))
    # Nor does a later release take it for one.
    later = world.build("v1.2.5", "us")
    assert world.publish(later)[0] == 0
    assert world.latest(later).items() <= world.visible().items()


def test_a_snapshot_may_be_named(world):
    build = world.build("v1.2.3", "us", "-try-2")
    assert world.publish(build, "snapshot", "--suffix", "try-2")[0] == 0
    assert world.visible() == world.whole(build, "v1.2.3-try-2")


def test_a_version_is_published_once(world):
    ours, theirs = world.build("v1.2.3", "us"), world.build("v1.2.3", "them")
    world.publish(ours)
    before = world.objects()
    status, said = world.publish(theirs)
    assert (status, said) == (
        3, "publish: v1.2.3 is published already, with other bytes, and was not changed: raise the number in VERSION\n")
    assert world.objects() == before
    status, said = world.publish(ours)
    assert status == 0, said
    assert world.objects() == before


def test_a_snapshot_is_published_once(world):
    world.publish(world.build("v1.2.3", "us", "-snapshot"), "snapshot")
    before = world.objects()
    status, said = world.publish(world.build("v1.2.3", "them", "-snapshot"), "snapshot")
    assert status == 3 and "choose another --suffix" in said
    assert world.objects() == before


def test_killed_at_every_step_it_goes_on_where_it_stopped(world):
    """Each run is killed after one write that changed something, from the first to the last."""
    old, new = world.build("v1.2.3", "us"), world.build("v1.2.4", "us")
    world.publish(old)
    before, after = world.latest(old), world.latest(new)
    complete = world.whole(old, "v1.2.3") | world.whole(new, "v1.2.4")
    kills = 0
    while True:
        publisher = None
        world.gate.kill_after(1, lambda: publisher.pid())
        publisher = world.start(new)
        status = publisher.end()
        world.gate.on_write = lambda: None
        if status == 0:
            break
        assert status == -9, publisher.err
        kills += 1
        objects = world.objects()
        visible = programs(objects)
        moved = [key for key in after if visible[key] == after[key]]
        if "echopost/releases/v1.2.4.json" not in objects:
            assert visible == world.whole(old, "v1.2.3") | before
        elif not moved:
            # What was visible stays, and what is new is right from its first moment.
            assert (world.whole(old, "v1.2.3") | before).items() <= visible.items()
            assert {k: v for k, v in visible.items() if k not in before}.items() <= complete.items()
        else:
            assert complete.items() <= visible.items()
            assert all(visible[key] in (before[key], after[key]) for key in after)
        if kills in (5, 6, 20):
            assert world.check()[0] == (0 if kills == 5 else 1)
    # Four files and their provenance, the decision, three files for each platform, and latest with its checksum.
    assert kills == 4 + 1 + 1 + 12 + 8
    assert world.visible() == complete | after
    assert world.check()[0] == 0


@pytest.mark.parametrize("writes", [1, 5])
def test_before_the_decision_an_interrupted_build_is_in_nobodys_way(world, writes):
    ours, theirs = world.build("v1.2.3", "us"), world.build("v1.2.3", "them")
    kill(world, ours, writes)
    assert world.visible() == {}
    status, said = world.publish(theirs)
    assert status == 0, said
    assert world.visible() == world.whole(theirs, "v1.2.3") | world.latest(theirs)


@pytest.mark.parametrize("writes", [6, 12, 19])
def test_after_the_decision_whoever_comes_next_completes_it(world, writes):
    ours, theirs = world.build("v1.2.3", "us"), world.build("v1.2.3", "them")
    kill(world, ours, writes)
    status, said = world.publish(theirs)
    assert status == 3, said
    assert world.visible() == world.whole(ours, "v1.2.3") | world.latest(ours)


def test_the_next_release_completes_latest(world):
    one, two = world.build("v1.2.3", "us"), world.build("v1.2.4", "us")
    kill(world, one, 20)
    assert world.publish(two)[0] == 0
    assert world.visible() == world.whole(one, "v1.2.3") | world.whole(two, "v1.2.4") | world.latest(two)


def kill(world, build, writes):
    publisher = None
    world.gate.kill_after(writes, lambda: publisher.pid())
    publisher = world.start(build)
    assert publisher.end() == -9, publisher.err
    world.gate.on_write = lambda: None


@pytest.mark.parametrize("attempt", range(2))
def test_of_two_at_once_one_wins_whole(world, attempt):
    builds = [world.build("v1.2.3", by) for by in ("us", "them", "others")]
    publishers = [world.start(build) for build in builds]
    statuses = [publisher.end() for publisher in publishers]
    assert sorted(statuses) == [0, 3, 3], [p.err for p in publishers]
    winner = builds[statuses.index(0)]
    assert world.visible() == world.whole(winner, "v1.2.3") | world.latest(winner)


def test_of_two_versions_at_once_the_higher_is_latest(world):
    builds = [world.build(version, "us") for version in ("v1.10.0", "v1.9.0", "v1.9.10")]
    publishers = [world.start(build) for build in builds]
    assert [publisher.end() for publisher in publishers] == [0, 0, 0], [p.err for p in publishers]
    assert world.latest(builds[0]).items() <= world.visible().items()
    assert world.check() == (0, "3 releases are complete, latest is v1.10.0\n")


def test_a_lower_version_does_not_become_latest(world):
    new, old = world.build("v2.0.0", "us"), world.build("v1.9.9", "us")
    world.publish(new)
    status, said = world.publish(old)
    assert (status, said.splitlines()[-1]) == (0, "latest is v2.0.0")
    assert world.visible() == world.whole(new, "v2.0.0") | world.whole(old, "v1.9.9") | world.latest(new)


def test_what_is_there_already_is_not_overwritten(world):
    """Somebody's file under the name, put there by hand."""
    name = "echopost/darwin/amd64/echopost-v1.2.3"
    world.s3.put_object(Bucket=world.bucket, Key=name, Body=b"somebody's")
    status, said = world.publish(world.build("v1.2.3", "us"))
    assert status == 1 and f"{name}: holds other bytes" in said
    assert world.read(name) == b"somebody's"
    assert not any("latest" in key for key in world.visible())


def test_check_names_what_is_not_whole(world):
    world.publish(world.build("v1.2.3", "us"))
    world.s3.put_object(Bucket=world.bucket, Key="echopost/linux/amd64/echopost-latest", Body=b"damaged")
    world.s3.delete_object(Bucket=world.bucket, Key="echopost/linux/arm64/echopost-v1.2.3.sha256")
    status, said = world.check()
    assert status == 1
    assert said.splitlines()[1:] == [
        "  echopost/linux/arm64/echopost-v1.2.3.sha256: is missing", "  echopost/linux/amd64/echopost-latest: is not v1.2.3"]


def spoil_nothing(root):
    pass


def remove_a_platform(root):
    (root / "dist" / "darwin-arm64" / "echopost").unlink()


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
    [(remove_a_platform, "darwin-arm64/echopost: No such file"), (change_a_byte, "does not match its .sha256"),
     (attest_before_a_rebuild, "provenance.json does not name the file for linux/arm64"), (another_version, "is not EchoPost v1.2.4"),
     (no_version, "which is not of the form v1.2.3"), (no_provenance, "is not a Sigstore bundle"),
     (one_file_twice, "two platforms have the same file")])
def test_what_is_not_fit_is_not_published(world, spoil, complaint):
    build = world.build("v1.2.3", "us")
    spoil(build)
    status, said = world.publish(build)
    assert status == 2 and complaint in said
    assert world.objects() == {}


@pytest.mark.parametrize("suffix", ["", "a.sha256", "../x", "a--b", "-a"])
def test_a_suffix_makes_a_name_of_its_own(world, suffix):
    status, said = world.publish(world.build("v1.2.3", "us"), "snapshot", f"--suffix={suffix}")
    assert status == 2 and "letters, digits and single hyphens" in said
    assert world.objects() == {}


def test_a_store_that_does_not_answer_is_no_success(world):
    world.environment["AWS_ENDPOINT_URL_S3"] = "http://127.0.0.1:1"
    status, said = world.publish(world.build("v1.2.3", "us"))
    assert status == 1 and "Could not connect" in said


def test_the_command_itself(world):
    """As the workflow calls it."""
    missing = subprocess.run([sys.executable, SCRIPT, "snapshot", world.directory / "none"], capture_output=True, text=True,
                             env={**os.environ, **world.environment})
    assert missing.returncode == 2 and "all of linux/amd64, linux/arm64, darwin/amd64, darwin/arm64" in missing.stderr
    checked = subprocess.run([SCRIPT, "check"], capture_output=True, text=True, env={
        **os.environ, **world.environment, "PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"})
    assert (checked.returncode, checked.stdout) == (0, "0 releases are complete, latest is none\n"), checked.stderr
