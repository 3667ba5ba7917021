"""The Kubernetes manifests: built by kustomize, valid by Kubernetes' schemas, and true to the code. No cluster runs here."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import kubernetes_validate
import pytest
import yaml

from cli.reference import declared
from cli.service_names import SERVICES as OURS
from shared.contracts.operations.access import CLUSTER, AccessNames, AccessRule, access_rules
from shared.contracts.topics import PARTITIONS, TOPICS
from shared.procedures.loading.loader import load_organisation
from shared.runtime.http.probes import probe_router
from shared.runtime.process.health import Health
from shared.runtime.process.settings import RuntimeSettings
from tests.support.containers.dockerfile import read_dockerfile
from tests.support.containers.production_settings import is_secret, production_variables, service_settings
from tests.support.kustomize import MODULE, build_manifests, kustomize_command
from tests.support.repository import PROJECT

FOLDER = PROJECT / "deploy/kubernetes"
OVERLAYS = ("small", "production")
FOLDERS = [f"overlays/{overlay}{jobs}" for overlay in OVERLAYS for jobs in ("", "/jobs")]
KUBERNETES = ("1.32", kubernetes_validate.latest_version())
"""The oldest release with `preStop.sleep` and `matchLabelKeys` switched on, and the newest with a schema."""
FOREIGN_KINDS = ("keda.sh/", "kafka.strimzi.io/", "postgresql.cnpg.io/")
SEALING = "k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
DUMMIES = {"DATABASE_URL": "postgresql+asyncpg://role:password@jiesu-rw.postgres/jiesu", "JIESU_SEALING_KEYS": SEALING}
JIESU = read_dockerfile((PROJECT / "deploy/docker/Dockerfile").read_text(encoding="utf-8")).stages["jiesu"]

pytestmark = [
    pytest.mark.skipif(
        not kustomize_command(), reason=f"neither kustomize, kubectl nor Go is at hand (go install {MODULE}): manifests are not built"
    ),
    pytest.mark.timeout(300),
]


@cache
def manifests(folder: str) -> tuple[dict[str, Any], ...]:
    return tuple(document for document in yaml.safe_load_all(build_manifests(FOLDER / folder)) if document)


def of_kind(folder: str, kind: str) -> dict[str, dict[str, Any]]:
    return {document["metadata"]["name"]: document for document in manifests(folder) if document["kind"] == kind}


def workloads(folder: str) -> dict[str, dict[str, Any]]:
    return of_kind(folder, "Deployment") | of_kind(folder, "Job")


def jobs_by_the_clock(folder: str) -> dict[str, dict[str, Any]]:
    return {name: job["spec"]["jobTemplate"] for name, job in of_kind(folder, "CronJob").items()}


def pods(folder: str) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Name of the workload, its pod's specification and its one container."""
    for name, workload in (workloads(folder) | jobs_by_the_clock(folder)).items():
        specification = workload["spec"]["template"]["spec"]
        [container] = specification["containers"]
        yield name, specification, container


def services(overlay: str) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """The pods of an overlay that run until they are stopped."""
    return (pod for pod in pods(f"overlays/{overlay}") if pod[0] in OURS)


def variables(folder: str, container: dict[str, Any]) -> dict[str, str]:
    """What the container's process reads; secrets are replaced by values of the right form."""
    found: dict[str, str] = {}
    for source in container["envFrom"]:
        found |= of_kind(folder, "ConfigMap")[source["configMapRef"]["name"]]["data"]
    for entry in container.get("env", []):
        found[entry["name"]] = entry["value"] if "value" in entry else DUMMIES.get(entry["name"], "x" * 40)
    return found


def owner(workload: str) -> str:
    """Service whose settings a workload reads; empty for the command line alone."""
    name = workload.removeprefix("migrate-")
    return name if name in OURS else ""


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("folder", FOLDERS)
def test_every_object_is_valid_by_the_schemas_of_kubernetes(folder: str, version: str) -> None:
    assert manifests(folder)
    for document in manifests(folder):
        kubernetes_validate.validate(document, version, strict=True)


def test_the_schemas_find_faults() -> None:
    document = next(document for document in manifests("overlays/small") if document["kind"] == "Deployment")
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**document, "spec": {**document["spec"], "replica": 1}}, KUBERNETES[0], strict=True)


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_variable_is_a_setting_of_its_service(folder: str) -> None:
    known = {setting.variable: setting.owner for setting in declared.declared_settings()}
    for name, _, container in pods(folder):
        for variable in variables(folder, container):
            owners = known[variable].split(", ")
            if owner(name) and variable != "JIESU_ORGANISATION":
                assert declared.ALL_SERVICES in owners or owner(name) in owners, f"{name}: {variable}"


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("service", OURS)
def test_a_service_accepts_its_variables(service: str, overlay: str, monkeypatch: pytest.MonkeyPatch) -> None:
    [container] = [container for name, _, container in pods(f"overlays/{overlay}") if name == service]
    given = variables(f"overlays/{overlay}", container)
    for variable, value in given.items():
        monkeypatch.setenv(variable, value)
    settings = service_settings(service)()
    assert production_variables(service) <= set(given)
    assert settings.environment == "production"
    [port] = container["ports"]
    assert settings.http_port == port["containerPort"] == int(JIESU.named("EXPOSE")[0].arguments)
    assert settings.http_host == "0.0.0.0"
    if overlay == "production":
        assert (settings.kafka_security_protocol, settings.kafka_username) == ("SASL_SSL", f"jiesu-{service}")


@pytest.mark.parametrize("folder", FOLDERS)
def test_secrets_come_by_reference_and_only_to_those_who_use_them(folder: str) -> None:
    for name, _, container in pods(folder):
        for variable in (variable for document in of_kind(folder, "ConfigMap").values() for variable in document["data"]):
            assert not is_secret(variable), variable
        for entry in container.get("env", []):
            if is_secret(entry["name"]):
                assert entry["valueFrom"]["secretKeyRef"]["name"].endswith(f"-{owner(name) or name}"), f"{name}: {entry['name']}"
    assert not of_kind(folder, "Secret")


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_pod_runs_with_least_privilege(folder: str) -> None:
    user, group = JIESU.named("USER")[0].arguments.split(":")
    for name, specification, container in pods(folder):
        assert specification["securityContext"] == {
            "runAsNonRoot": True,
            "runAsUser": int(user),
            "runAsGroup": int(group),
            "seccompProfile": {"type": "RuntimeDefault"},
        }, name
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, name
        assert specification["automountServiceAccountToken"] is False
        assert container["resources"]["limits"]["memory"]
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(specification)


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_mount_exists_and_every_path_of_a_setting_is_mounted(folder: str) -> None:
    for name, specification, container in pods(folder):
        volumes = {volume["name"]: volume for volume in specification["volumes"]}
        mounts = {mount["mountPath"]: volumes[mount["name"]] for mount in container["volumeMounts"]}
        assert set(volumes) == {mount["name"] for mount in container["volumeMounts"]}
        for value in (value for value in variables(folder, container).values() if value.startswith("/")):
            path, _, file = value.rpartition("/")
            volume = mounts[path]
            if "configMap" in volume:
                assert file in of_kind(folder, "ConfigMap")[volume["configMap"]["name"]]["data"], f"{name}: {value}"
            else:
                assert volume["secret"]["secretName"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_probes_call_paths_that_every_service_has(overlay: str) -> None:
    served = {getattr(route, "path", "") for route in probe_router(Health()).routes}
    for name, _, container in services(overlay):
        probes = {probe: container[probe]["httpGet"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
        assert probes == {
            "startupProbe": {"path": "/startup", "port": "http"},
            "livenessProbe": {"path": "/live", "port": "http"},
            "readinessProbe": {"path": "/ready", "port": "http"},
        }, name
        assert {probe["path"] for probe in probes.values()} <= served


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_pod_has_time_to_end_in_order(overlay: str) -> None:
    for name, specification, container in services(overlay):
        pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert specification["terminationGracePeriodSeconds"] >= pause + RuntimeSettings.model_fields["stop_timeout"].default + 5, name


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_service_has_a_deployment_a_service_and_a_disruption_budget(overlay: str) -> None:
    folder = f"overlays/{overlay}"
    assert set(of_kind(folder, "Deployment")) == set(of_kind(folder, "Service")) == set(of_kind(folder, "PodDisruptionBudget")) == set(OURS)
    for name in OURS:
        labels = of_kind(folder, "Deployment")[name]["spec"]["template"]["metadata"]["labels"]
        for selector in (
            of_kind(folder, "Service")[name]["spec"]["selector"],
            of_kind(folder, "PodDisruptionBudget")[name]["spec"]["selector"]["matchLabels"],
            of_kind(folder, "Deployment")[name]["spec"]["selector"]["matchLabels"],
        ):
            assert selector.items() <= labels.items()
            # Jobs and other services have the label of the application too.
            assert selector == {"app.kubernetes.io/component": name}
        [container] = [container for pod, _, container in pods(folder) if pod == name]
        assert container["command"] == [f"jiesu-{name}"]
        assert of_kind(folder, "Service")[name]["spec"]["ports"][0]["targetPort"] == container["ports"][0]["name"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_jobs_migrate_every_schema_with_the_role_of_its_service(overlay: str) -> None:
    commands = {name: container["command"] for name, _, container in pods(f"overlays/{overlay}/jobs")}
    assert commands == {"topics": ["jiesu", "topics", "apply"], **{f"migrate-{name}": ["jiesu", "migrate", name] for name in OURS}}
    urls = {
        name: next(entry["valueFrom"] for entry in container["env"] if entry["name"] == "DATABASE_URL")
        for folder in (f"overlays/{overlay}", f"overlays/{overlay}/jobs")
        for name, _, container in pods(folder)
        if name != "topics"
    }
    assert all(urls[f"migrate-{name}"] == urls[name] for name in OURS)
    images = {container["image"] for folder in (f"overlays/{overlay}", f"overlays/{overlay}/jobs") for _, _, container in pods(folder)}
    assert len(images) == 1, "jobs and services are of one version"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_retention_runs_daily_one_at_a_time_with_a_role_of_its_own(overlay: str) -> None:
    [job] = of_kind(f"overlays/{overlay}", "CronJob").values()
    minute, hour, *days = job["spec"]["schedule"].split()
    assert (minute.isdigit(), hour.isdigit(), days) == (True, True, ["*", "*", "*"])
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    [container] = [container for name, _, container in pods(f"overlays/{overlay}") if name == job["metadata"]["name"]]
    assert container["command"] == ["jiesu", "retention"]
    [url] = [entry["valueFrom"]["secretKeyRef"]["name"] for entry in container["env"] if entry["name"] == "DATABASE_URL"]
    assert url == "jiesu-retention"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_network_policies_deny_what_they_do_not_list(overlay: str) -> None:
    policies = {name: policy["spec"] for name, policy in of_kind(f"overlays/{overlay}", "NetworkPolicy").items()}
    assert policies["deny-by-default"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    [rule] = policies["http-from-proxy-and-prometheus"]["ingress"]
    assert rule["ports"] == [{"protocol": "TCP", "port": "http"}]
    [broker] = [document["data"]["KAFKA_BOOTSTRAP_SERVERS"] for name, document in configmaps(overlay) if name.startswith("jiesu-settings")]
    host, port = broker.rsplit(":", 1)
    allowed = {
        peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]: {entry["port"] for entry in rule["ports"]}
        for rule in policies["names-broker-database"]["egress"]
        for peer in rule["to"]
    }
    assert int(port) in allowed[host.split(".")[1]]
    assert allowed["kube-system"] == {53}


def configmaps(overlay: str) -> list[tuple[str, dict[str, Any]]]:
    return list(of_kind(f"overlays/{overlay}", "ConfigMap").items())


def test_production_has_several_processes_and_no_more_than_partitions() -> None:
    scalers = of_kind("overlays/production", "HorizontalPodAutoscaler")
    assert set(scalers) == set(OURS)
    for name, scaler in scalers.items():
        assert scaler["spec"]["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
        assert 2 <= scaler["spec"]["minReplicas"] <= scaler["spec"]["maxReplicas"] <= PARTITIONS
        assert "replicas" not in of_kind("overlays/production", "Deployment")[name]["spec"], "the autoscaler's number would be undone"


def test_reading_a_workbook_fits_into_the_memory_beside_the_service() -> None:
    [container] = [container for name, _, container in pods("overlays/small") if name == "intake"]
    limit = int(container["resources"]["limits"]["memory"].removesuffix("Mi")) * 2**20
    assert int(variables("overlays/small", container)["JIESU_IMPORT_MEMORY_BYTES"]) + 192 * 2**20 <= limit
    service = yaml.safe_load((PROJECT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]["intake"]
    assert service["mem_limit"] == container["resources"]["limits"]["memory"].lower().removesuffix("i")
    assert service["environment"]["JIESU_IMPORT_MEMORY_BYTES"] == variables("overlays/small", container)["JIESU_IMPORT_MEMORY_BYTES"]


def test_the_example_organisation_is_that_of_the_compose_file() -> None:
    path = FOLDER / "base/settings/organisation.yaml"
    assert path.read_text(encoding="utf-8") == (PROJECT / "deploy/compose/organisation.yaml").read_text(encoding="utf-8")
    assert load_organisation(path).id == "example"


def example(name: str) -> list[dict[str, Any]]:
    [file] = [path for path in (FOLDER / "examples" / name).glob("*.yaml") if path.name != "kustomization.yaml"]
    text = file.read_text(encoding="utf-8")
    assert text.startswith("# Written by the field names of "), "an example of an operator says how it was written"
    return [document for document in yaml.safe_load_all(text) if document]


def test_only_examples_hold_objects_of_operators() -> None:
    assert not [
        document["kind"] for folder in FOLDERS for document in manifests(folder) if document["apiVersion"].startswith(FOREIGN_KINDS)
    ]
    for name in ("keda", "strimzi", "cloudnativepg"):
        assert all(document["apiVersion"].startswith(FOREIGN_KINDS) for document in example(name))


def test_keda_watches_every_input_of_every_service_and_replaces_the_autoscaler(tmp_path: Any) -> None:
    for document in (document for document in example("keda") if document["kind"] == "ScaledObject"):
        name = document["metadata"]["name"]
        triggers = [trigger["metadata"] for trigger in document["spec"]["triggers"]]
        assert {trigger["consumerGroup"] for trigger in triggers} == {name}
        assert {trigger["topic"] for trigger in triggers} == {topic.name for topic in TOPICS.values() if name in topic.consumers}
        assert document["spec"]["maxReplicaCount"] <= PARTITIONS
    # A folder beside the overlay: kustomize loads components by relative paths.
    production = FOLDER / "overlays/production"
    text = (production / "kustomization.yaml").read_text(encoding="utf-8")
    [with_keda] = re.findall(r"^# (components: .*keda\])$", text, re.MULTILINE)
    copy = tmp_path / "kubernetes"
    for path in FOLDER.rglob("*.yaml"):
        target = copy / path.relative_to(FOLDER)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    changed = re.sub(r"^components: .*$", with_keda, text, count=1, flags=re.MULTILINE)
    (copy / "overlays/production/kustomization.yaml").write_text(changed, encoding="utf-8")
    kinds = [document["kind"] for document in yaml.safe_load_all(build_manifests(copy / "overlays/production"))]
    assert kinds.count("ScaledObject") == len(OURS)
    assert "HorizontalPodAutoscaler" not in kinds


def test_the_users_of_the_example_have_the_rules_of_the_contracts() -> None:
    found = {
        AccessRule(
            user["metadata"]["name"],
            rule["resource"]["type"],
            rule["resource"].get("name", CLUSTER),
            operation,
            rule["resource"].get("patternType") == "prefix",
        )
        for user in example("strimzi")
        if user["kind"] == "KafkaUser"
        for rule in user["spec"]["authorization"]["acls"]
        for operation in rule["operations"]
    }
    assert found == set(access_rules(AccessNames(departments=("repairs",), sources=("hotline",))))
