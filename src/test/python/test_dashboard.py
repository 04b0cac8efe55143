"""Checks the dashboard of the hub: its form, that the document has each metric, and that each query finds data of a real hub."""
import gzip
import importlib
import json
import re
import subprocess
from collections import Counter

import pytest
import requests
import yaml
from prometheus_client.parser import text_string_to_metric_families as parse_text

from hub import PROGRAM, PROJECT, Hub

DASHBOARD = json.loads((PROJECT / "packaging" / "grafana" / "hub.json").read_text())
PROMTOOL = PROJECT / "target" / "tools" / "bin" / "promtool"
COLUMNS = 24
# The members of a hub's answer that depend on the type of the metric.
SUFFIXES = {"gauge": {""}, "counter": {""}, "histogram": {"_bucket", "_count", "_sum"}}

needs_promtool = pytest.mark.skipif(not PROMTOOL.exists(), reason="needs promtool: scripts/install-tools promtool")


def panels():
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def targets():
    return [target for panel in panels() for target in panel["targets"]]


def documented():
    """Each name that a hub can answer with, with the type and the labels that METRICS.md has."""
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*?) \|", (PROJECT / "docs" / "hub" / "METRICS.md").read_text(), re.MULTILINE)
    return {name + suffix: (kind, set(re.findall(r"`(\w+)`", labels)) | ({"le"} if suffix == "_bucket" else set()))
            for name, kind, labels in rows for suffix in SUFFIXES[kind]}


def query(expression):
    """The expression as Grafana sends it."""
    return expression.replace("$__rate_interval", "5m").replace("$instance", "hub")


def selected(expression):
    """The metrics of an expression: each has a selector of the hub that is shown."""
    return re.findall(r'(\w+)\{instance="\$instance"\}', expression)


def test_the_panels_have_all_that_grafana_needs_and_do_not_overlap():
    ids = Counter(panel["id"] for panel in DASHBOARD["panels"])
    assert set(ids.values()) == {1}
    cells = Counter()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= COLUMNS, panel["title"]
        cells.update((x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"]))
    assert set(cells.values()) == {1}
    source = {"type": "prometheus", "uid": "${datasource}"}
    for panel in panels():
        assert panel["title"] and panel["description"] and panel["fieldConfig"]["defaults"]["unit"]
        assert all(part["datasource"] == source for part in (panel, *panel["targets"]))
        references = [target["refId"] for target in panel["targets"]]
        assert references and len(references) == len(set(references))
    variables = {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}
    assert {name: variable["type"] for name, variable in variables.items()} == {"datasource": "datasource", "instance": "query"}
    (asked,) = re.findall(r"^label_values\((\w+), instance\)$", variables["instance"]["query"]["query"])
    assert asked in documented()


def test_the_model_of_grafanas_own_library_has_each_member():
    """What it does not know is missing when it writes what it has read."""
    dashboard = pytest.importorskip("grafana_foundation_sdk.models.dashboard")
    plugins = importlib.import_module("grafana_foundation_sdk.cog.plugins")
    encoder = importlib.import_module("grafana_foundation_sdk.cog.encoder")
    plugins.register_default_plugins()
    written = json.loads(encoder.JSONEncoder(sort_keys=False).encode(dashboard.Dashboard.from_json(DASHBOARD)))
    assert common(DASHBOARD, written) == DASHBOARD


def common(read, written):
    """`written` without the members that `read` does not have."""
    if isinstance(read, dict) and isinstance(written, dict):
        return {name: common(value, written[name]) for name, value in read.items() if name in written}
    if isinstance(read, list) and isinstance(written, list) and len(read) == len(written):
        return [common(*pair) for pair in zip(read, written)]
    return written


def test_each_query_uses_metrics_that_the_document_has_as_their_types_require():
    metrics = documented()
    for target in targets():
        expression, shown = target["expr"], selected(target["expr"])
        assert shown, expression
        # No name is without a selector.
        assert set(re.findall(r"\b(?:hub|process|wal|applier|archive|snapshot)_\w+", expression)) == set(shown)
        for name in shown:
            kind, _ = metrics[name]
            is_rate = f'rate({name}{{instance="$instance"}}[$__rate_interval])' in expression
            assert is_rate == (kind != "gauge"), expression
        labels = set.intersection(*(metrics[name][1] for name in shown))
        assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= labels, target
        for grouping in re.findall(r"by \(([\w, ]+)\)", expression):
            assert set(grouping.split(", ")) <= labels, expression


def test_it_shows_ingest_lag_archive_proof_refusals_and_conservation():
    shown = {name for target in targets() for name in selected(target["expr"])}
    assert shown >= {
        "hub_appended_transactions_total", "hub_append_seconds_bucket", "applier_lag_seconds", "archive_lag_events",
        "hub_archived_records_total", "snapshot_age_hours", "hub_drill_last_success_timestamp_seconds", "hub_proven_seq",
        "hub_refused_transactions_total", "hub_conservation_difference"}


@needs_promtool
@pytest.mark.skipif(not PROGRAM.exists(), reason="needs target/echopost-hub")
def test_each_query_finds_data_of_a_real_hub(tmp_path):
    with Hub(tmp_path) as hub:
        # The second upload has a key that is known with another payload, so its other line is refused.
        for n, status in ((1, 200), (2, 422)):
            lines = '{"pipelines":[],"log_data":%d}\n' % n * n
            keys = ", ".join(f'"k-{key}"' for key in range(n))
            sent = requests.post(hub.url + "/upload", data=gzip.compress(lines.encode()), headers={
                **hub.headers, "Content-Type": "application/octet-stream", "Content-Encoding": "gzip", "Idempotency-Key": keys})
            assert sent.status_code == status, sent.text
        samples = [sample for family in parse_text(requests.get(hub.url + "/metrics").text) for sample in family.samples]
    series = []
    for sample in samples:
        labels = ", ".join(f"{name}={json.dumps(value)}" for name, value in {**sample.labels, "instance": "hub"}.items())
        series.append({"series": f"{sample.name}{{{labels}}}", "values": f"{sample.value:.0f}+1x30"})
    expected = [{"labels": "{}", "value": 1}]
    tests = [
        {"expr": f"count({query(target['expr'])}) > bool 0", "eval_time": "20m", "exp_samples": expected} for target in targets()]
    group = {"interval": "1m", "input_series": series, "promql_expr_test": tests}
    (tmp_path / "tests.yml").write_text(yaml.safe_dump({"rule_files": [], "evaluation_interval": "1m", "tests": [group]}))
    tested = subprocess.run([PROMTOOL, "test", "rules", tmp_path / "tests.yml"], capture_output=True, text=True)
    assert (tested.returncode, "SUCCESS" in tested.stdout) == (0, True), tested.stdout + tested.stderr


@needs_promtool
def test_promtool_accepts_each_query(tmp_path):
    rules = [{"record": f"panel:{n}", "expr": query(target["expr"])} for n, target in enumerate(targets())]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    checked = subprocess.run([PROMTOOL, "check", "rules", tmp_path / "rules.yml"], capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, ""), checked.stdout + checked.stderr
    assert f"{len(rules)} rules found" in checked.stdout
