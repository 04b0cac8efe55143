"""Checks the manifests, the property lists and the workflows with tools for their formats."""
import os
import plistlib
import re
import shutil
import signal
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

import hub
from main_job import MainServer, send

PROJECT = Path(__file__).parents[3]
MANIFEST = PROJECT / "packaging" / "kubernetes" / "sidecar.yaml"
HUB = MANIFEST.with_name("hub.yaml")
ACTIONLINT = PROJECT / "target" / "tools" / "bin" / "actionlint"
WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize("manifest", [MANIFEST, HUB], ids=lambda path: path.stem)
def test_kubernetes_accepts_the_manifest(manifest):
    # 1.29 is the first version with sidecars enabled by default.
    for version in ("1.29", kubernetes_validate.latest_version()):
        for document in yaml.safe_load_all(manifest.read_text()):
            kubernetes_validate.validate(document, version, strict=True)


@pytest.mark.parametrize("manifest, containers", [(MANIFEST, "initContainers"), (HUB, "containers")], ids=["sidecar", "hub"])
def test_a_mistake_in_the_manifest_is_rejected(manifest, containers):
    *_, workload = yaml.safe_load_all(manifest.read_text())
    workload["spec"]["template"]["spec"][containers][0]["lifecycle"]["preStop"]["exce"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(workload, kubernetes_validate.latest_version(), strict=True)


def test_the_service_of_the_hub_selects_its_pod_and_names_its_ports():
    service, workload = yaml.safe_load_all(HUB.read_text())
    pod = workload["spec"]["template"]
    assert service["spec"]["selector"] == workload["spec"]["selector"]["matchLabels"] == pod["metadata"]["labels"]
    assert service["metadata"]["name"] == workload["spec"]["serviceName"]
    (container,) = pod["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert {port["targetPort"]: port["port"] for port in service["spec"]["ports"]} == ports
    mounts = {mount["name"] for mount in container["volumeMounts"]}
    claims = {claim["metadata"]["name"] for claim in workload["spec"]["volumeClaimTemplates"]}
    assert mounts == claims | {volume["name"] for volume in pod["spec"]["volumes"]}


def sidecar(tmp_path, server):
    """The environment and scripts of the sidecar in the manifest, with the test's directory and the built program."""
    container = yaml.safe_load(MANIFEST.read_text())["spec"]["template"]["spec"]["initContainers"][0]
    scripts = [container["args"][0], container["lifecycle"]["preStop"]["exec"]["command"][2]]
    environment = {"PATH": os.environ["PATH"], "MAIN_SERVER": server.url, "ECHOPOST_RUNTIME_DIR": str(PROJECT / "target" / "unpacked")}
    return environment, [
        script.replace("/data/datanadhi/echopost", str(tmp_path / "d")).replace("/usr/local/bin/echopost", str(PROJECT / "target" / "echopost"))
        for script in scripts]


def leave_pending(tmp_path, server, environment, numbers):
    """Sends records to an agent and kills it together with its launcher, as when a container is killed."""
    agent = subprocess.Popen(
        [PROJECT / "target" / "echopost", "-datanadhi", tmp_path / "d", "-health-url", server.url], env=environment,
        stdout=subprocess.DEVNULL, start_new_session=True)
    send(tmp_path / "d" / "data-nadhi-agent.sock", numbers)
    os.killpg(agent.pid, signal.SIGKILL)
    agent.wait()


def test_the_sidecar_delivers_pending_records_when_the_pod_terminates(tmp_path):
    server = MainServer()
    environment, (loop, _) = sidecar(tmp_path, server)
    process = subprocess.Popen(["/bin/sh", "-c", loop], env=environment, stdout=subprocess.DEVNULL, start_new_session=True)
    leave_pending(tmp_path, server, environment, range(20))
    server.up = True
    assert server.records == []
    process.terminate()
    assert process.wait(60) == 0
    assert server.records == [{"n": n} for n in range(20)]


def test_the_pre_stop_hook_delivers_pending_records(tmp_path):
    server = MainServer()
    environment, (_, hook) = sidecar(tmp_path, server)
    assert subprocess.run(["/bin/sh", "-c", hook], env=environment).returncode == 0
    leave_pending(tmp_path, server, environment, range(20))
    server.up = True
    assert subprocess.run(["/bin/sh", "-c", hook], env=environment, stdout=subprocess.DEVNULL, timeout=60).returncode == 0
    assert server.records == [{"n": n} for n in range(20)]


# As in launchd.plist(5).
LAUNCHD_TYPES = {
    "Label": str, "ProgramArguments": list, "UserName": str, "Umask": int, "EnvironmentVariables": dict, "RunAtLoad": bool,
    "KeepAlive": dict, "ExitTimeOut": int, "ProcessType": str, "StandardErrorPath": str, "StandardOutPath": str}
LAUNCHD_LIMITS = {"SoftResourceLimits": dict, "HardResourceLimits": dict}


@pytest.mark.parametrize("name, types", [("echopost", LAUNCHD_TYPES), ("echopost-hub", LAUNCHD_TYPES | LAUNCHD_LIMITS)])
def test_the_property_list_has_the_types_that_launchd_requires(name, types):
    place = PROJECT / "packaging" / "launchd" / f"com.datanadhi.{name}.plist"
    job = plistlib.loads(place.read_bytes())
    assert {key: type(value) for key, value in job.items()} == types
    assert job["Label"] == place.stem
    assert job["Umask"] == 0o077
    assert job["ProgramArguments"][0] == f"/usr/local/bin/{name}"


def test_the_property_list_of_the_agent_restarts_it_only_after_a_crash():
    job = plistlib.loads((PROJECT / "packaging" / "launchd" / "com.datanadhi.echopost.plist").read_bytes())
    assert job["KeepAlive"] == {"Crashed": True}
    assert job["ProgramArguments"][1::2] == ["-datanadhi", "-health-url"]


@pytest.mark.skipif(not hub.PROGRAM.exists(), reason="needs target/echopost-hub")
def test_the_property_list_of_the_hub_starts_a_hub(tmp_path):
    job = plistlib.loads((PROJECT / "packaging" / "launchd" / "com.datanadhi.echopost-hub.plist").read_bytes())
    assert job["KeepAlive"] == {"SuccessfulExit": False}
    environment = {name: value.replace("/usr/local/var", str(tmp_path)) for name, value in job["EnvironmentVariables"].items()}
    process = subprocess.Popen(
        [hub.PROGRAM, *job["ProgramArguments"][1:]], umask=job["Umask"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**environment, "PATH": os.environ["PATH"], "HUB_LISTEN": "127.0.0.1:0", "HUB_GRPC_LISTEN": "127.0.0.1:0"})
    lines = []
    for line in process.stdout:
        lines.append(line)
        if '"event":"hub_ready"' in line:
            process.terminate()
    assert process.wait(60) == 0, lines
    assert Path(environment["HUB_DATA"], "log").is_dir() and Path(environment["ECHOPOST_RUNTIME_DIR"]).is_dir()


@pytest.mark.skipif(not ACTIONLINT.exists(), reason="needs actionlint: scripts/install-tools actionlint")
def test_actionlint_finds_nothing_in_the_workflows():
    assert len(WORKFLOWS) == 3
    linted = subprocess.run([ACTIONLINT, "-shellcheck=", "-pyflakes=", *WORKFLOWS], capture_output=True, text=True)
    assert (linted.returncode, linted.stdout, linted.stderr) == (0, "", "")


def test_every_action_is_pinned_by_commit_with_its_version_in_a_comment():
    uses = [line.strip() for workflow in WORKFLOWS for line in workflow.read_text().splitlines() if "uses:" in line]
    foreign = [line for line in uses if "uses: ./" not in line]
    assert len(foreign) == 6
    for line in foreign:
        assert re.search(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line


def test_only_the_publish_job_has_credentials_and_they_come_from_its_environment():
    release = yaml.safe_load((PROJECT / ".github" / "workflows" / "release.yml").read_text())
    assert release["permissions"] == {}
    build, publish = release["jobs"]["build"], release["jobs"]["publish"]
    assert build["permissions"] == {"contents": "read"} and "environment" not in build and "secrets." not in yaml.dump(build)
    assert publish["environment"] == "${{ inputs.channel }}" and publish["needs"] == "build"
    channels = [
        yaml.safe_load((PROJECT / ".github" / "workflows" / f"{channel}.yml").read_text())["jobs"]["release"]["with"]["channel"]
        for channel in ("production", "snapshot")]
    assert channels == ["production", "snapshot"]


def step(steps, name):
    (found,) = [step for step in steps if step.get("name") == name]
    return ["bash", "-e", "-c", found["run"]]


@pytest.mark.skipif(not shutil.which("shasum"), reason="needs shasum")
def test_both_programs_are_checked_uploaded_and_attested(tmp_path):
    jobs = yaml.safe_load((PROJECT / ".github" / "workflows" / "release.yml").read_text())["jobs"]
    build, publish = jobs["build"]["steps"], jobs["publish"]["steps"]
    programs = ("echopost", "echopost-hub")
    (tmp_path / "target").mkdir()
    (tmp_path / "VERSION").write_text("v1.2.3\n")
    for program in programs:
        (tmp_path / "target" / program).write_text(f"#!/bin/sh\necho {program} v1.2.3\n")
        (tmp_path / "target" / program).chmod(0o755)
    for name in ("Check the versions", "Write the checksums"):
        subprocess.run(step(build, name), cwd=tmp_path, check=True)
    (upload,) = [step["with"] for step in build if "upload-artifact" in step.get("uses", "")]
    assert {str(file.relative_to(tmp_path)) for file in tmp_path.glob("target/*")} == set(upload["path"].split())
    for platform in ("linux-amd64", "darwin-arm64"):
        shutil.copytree(tmp_path / "target", tmp_path / "dist" / platform)
    subprocess.run(step(publish, "Check that the downloaded files are those that were built"), cwd=tmp_path, check=True)
    (attest,) = [step["with"] for step in publish if step.get("id") == "attest"]
    attested = {file for pattern in attest["subject-path"].split() for file in tmp_path.glob(pattern)}
    assert attested == {file for program in programs for file in (tmp_path / "dist").glob(f"*/{program}")}
    for program in programs:
        spoiled = tmp_path / "dist" / "darwin-arm64" / program
        intact = spoiled.read_bytes()
        spoiled.write_bytes(intact + b"!")
        assert subprocess.run(step(publish, "Check that the downloaded files are those that were built"), cwd=tmp_path).returncode == 1
        spoiled.write_bytes(intact)
        (tmp_path / "target" / program).write_text(f"#!/bin/sh\necho {program} v1.2.2\n")
        assert subprocess.run(step(build, "Check the versions"), cwd=tmp_path).returncode == 1
        (tmp_path / "target" / program).write_bytes(intact)


def test_each_platform_is_built_on_a_runner_of_that_platform():
    matrix = yaml.safe_load((PROJECT / ".github" / "workflows" / "release.yml").read_text())["jobs"]["build"]["strategy"]["matrix"]
    assert {row["platform"]: (row["runner"], row["system"]) for row in matrix["include"]} == {
        "linux-amd64": ("ubuntu-24.04", "Linux x86_64"), "linux-arm64": ("ubuntu-24.04-arm", "Linux aarch64"),
        "darwin-amd64": ("macos-15-intel", "Darwin x86_64"), "darwin-arm64": ("macos-15", "Darwin arm64")}
