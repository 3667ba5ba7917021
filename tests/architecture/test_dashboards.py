"""Every query of dashboards and alerts is PromQL, names only metrics that exist with labels that they have, and every metric is watched."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from cli.reference import declared
from deploy.grafana.__main__ import FOLDER, rendered_boards
from tests.support.promql import parse_query
from tests.support.repository import PROJECT

DASHBOARDS = sorted((PROJECT / "deploy/grafana/dashboards").glob("*.json"))
PROMETHEUS = PROJECT / "deploy/prometheus"
FOREIGN = {"up": set[str](), "process_resident_memory_bytes": set[str](), "process_cpu_seconds_total": set[str]()}
"""What Prometheus and its client library export by themselves."""
SCRAPED = {"job", "instance", "le"}
"""Labels that scraping adds, and the buckets of histograms."""


def dashboard(path: Any) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def board_panels() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in DASHBOARDS:
        yield from ((path.stem, panel) for panel in dashboard(path)["panels"] if panel["type"] != "row")


def panels() -> Iterator[dict[str, Any]]:
    return (panel for _, panel in board_panels())


def rules() -> list[dict[str, Any]]:
    files = [yaml.safe_load((PROMETHEUS / name).read_text(encoding="utf-8")) for name in ("recording.yml", "alerts.yml")]
    return [rule for loaded in files for group in loaded["groups"] for rule in group["rules"]]


def queries() -> dict[str, str]:
    """Queries by dashboard and panel, alert or recorded name."""
    shown = {
        f"{board} {panel['title']} {target['refId']}": target["expr"] for board, panel in board_panels() for target in panel["targets"]
    }
    return shown | {rule.get("alert") or rule["record"]: rule["expr"] for rule in rules()}


RECORDED = {rule["record"]: set(rule["record"].split(":")[0].split("_")) for rule in rules() if "record" in rule}
"""Names of recording rules and the labels that their level names."""
SERIES = {series: metric for metric in declared.declared_metrics() for series in metric.series_names}
QUERIES = queries()


@pytest.mark.parametrize("where", QUERIES)
def test_a_query_names_metrics_and_labels_that_exist(where: str) -> None:
    found = parse_query(QUERIES[where])
    assert found.labels, "no metric at all"
    for name, labels in found.labels.items():
        known = set(SERIES[name].labels) if name in SERIES else {**FOREIGN, **RECORDED}[name]
        assert labels <= known | SCRAPED, f"{name} has no such label"
        cumulative = name.endswith(("_total", "_bucket", "_count", "_sum"))
        assert cumulative == (name in found.rated_series), f"{name}: a rate is for what only grows, and for all of that"


def test_every_metric_is_on_a_dashboard_or_in_an_alert() -> None:
    watched = {SERIES[name].name for query in QUERIES.values() for name in parse_query(query).labels if name in SERIES}
    assert sorted({metric.name for metric in declared.declared_metrics()} - watched) == []


def test_dashboards_are_as_the_code_writes_them() -> None:
    assert {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")} == rendered_boards(), "run make dashboards"


def test_a_query_with_a_fault_is_found() -> None:
    for fault in ("sum(rate(jiesu_records_total[5m])", "rate(jiesu_records_total)", "sum by (jiesu_records_total"):
        with pytest.raises(ValueError, match=r".+"):
            parse_query(fault)
    assert parse_query("sum by (job) (rate(x_total{a='b'}[5m])) / y").labels == {"x_total": {"a", "job"}, "y": set()}


def test_every_metric_has_a_unique_prefixed_name_and_a_help_text() -> None:
    names = [metric.name for metric in declared.declared_metrics()]
    assert [name for name in names if not name.startswith("jiesu_")] == []
    assert len(names) == len(set(names))
    assert [metric.name for metric in declared.declared_metrics() if not metric.help] == []


def test_label_names_cannot_hold_personal_data() -> None:
    allowed = {"topic", "outcome", "result", "via", "reason", "procedure", "channel", "class", "department", "event", "action", "clock"}
    allowed |= {"provider"}  # ids of the providers file
    allowed |= {"role", "hours", "duty", "count", "sender", "measurement"}  # senders are the sources and keys of the organisation file
    allowed |= {"merged"}  # digest or duplicate
    allowed |= {"basis", "label"}  # what decided a route, and which of a model's labels (subject, department, …): no value of a case
    allowed |= {"mailbox"}  # ids of the file of mailboxes
    allowed |= {"route", "method", "status"}  # templates of paths, closed lists
    allowed |= {"pool", "queue", "loop"}  # parts of a process
    allowed |= {"age", "within"}  # closed lists of times
    allowed |= {"ground", "waits_for"}  # why data were erased, and what the erasure lacks: closed lists
    allowed |= {"query"}  # the kinds of queries of the desk: a closed list
    allowed |= {"service"}  # the five services, whose heartbeats are awaited
    assert {label for metric in declared.declared_metrics() for label in metric.labels} <= allowed


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.name)
def test_panels_have_ids_of_their_own_and_do_not_overlap(path: Any) -> None:
    drawn = dashboard(path)["panels"]
    assert len({panel["id"] for panel in drawn}) == len(drawn)
    taken: set[tuple[int, int]] = set()
    for place in (panel["gridPos"] for panel in drawn):
        squares = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert max(x for x, _ in squares) < 24
        assert not squares & taken
        taken |= squares


def test_every_panel_explains_itself_and_reads_the_provisioned_source() -> None:
    sources = yaml.safe_load((PROJECT / "deploy/grafana/provisioning/datasources/prometheus.yml").read_text(encoding="utf-8"))
    uids = {source["uid"] for source in sources["datasources"]}
    for panel in panels():
        assert panel["description"].endswith("."), panel["title"]
        assert {panel["datasource"]["uid"], *(target["datasource"]["uid"] for target in panel["targets"])} <= uids
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


def test_every_alert_has_a_severity_and_a_summary() -> None:
    listed = [rule for rule in rules() if "alert" in rule]
    assert len({rule["alert"] for rule in listed}) == len(listed) > 0
    for rule in listed:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"]


def test_every_alert_has_its_runbook_and_its_dashboard() -> None:
    boards = {dashboard(path)["uid"] for path in DASHBOARDS}
    for rule in rules():
        if "alert" not in rule:
            continue
        name = re.sub(r"(?<!^)(?=[A-Z])", "-", rule["alert"]).lower()
        assert rule["annotations"]["runbook"] == f"docs/runbooks/{name}.md"
        page = (PROJECT / rule["annotations"]["runbook"]).read_text(encoding="utf-8")
        assert f"`{rule['alert']}`" in page
        assert f"(`{rule['annotations']['dashboard']}`)" in page
        for part in ("**Meaning.**", "**Impact.**", "**First look.**", "**Remedies.**", "**Over**"):
            assert part in page, f"{name}: {part}"
        assert rule["annotations"]["dashboard"] in boards


def test_links_of_panels_lead_to_runbooks_that_exist() -> None:
    links = {link["url"] for panel in panels() for link in (*panel.get("links", ()), *panel["fieldConfig"]["defaults"].get("links", ()))}
    assert links
    missing = [link for link in links if not (PROJECT / "docs/runbooks" / link.removeprefix("${runbooks}/")).is_file()]
    assert missing == []


def test_filters_of_a_dashboard_are_variables_that_it_has() -> None:
    for path in DASHBOARDS:
        variables = {variable["name"] for variable in dashboard(path)["templating"]["list"]} | {"__rate_interval"}
        used = {name for panel in dashboard(path)["panels"] for name in re.findall(r"\$\{?(\w+)", json.dumps(panel))}
        assert used <= variables, path.name
        assert variables - used <= {"__rate_interval"}, f"{path.name}: a list that changes nothing"
