"""The compose file, the image and the scrape file: valid, complete, and no more allowed than needed. No container engine runs here."""

import json
import platform
import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from cli.reference import declared
from cli.reference.env_example import env_example
from cli.service_names import SERVICES as OURS
from shared.procedures.loading.loader import load_organisation, load_procedure
from tests.support.containers.compose_file import MissingVariable, interpolate, read_compose
from tests.support.containers.dockerfile import read_dockerfile
from tests.support.containers.production_settings import is_secret, production_variables
from tests.support.repository import PROJECT

COMPOSE_TEXT = (PROJECT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE_PATH = PROJECT / "deploy/docker/Dockerfile"
DOCKERFILE = read_dockerfile(DOCKERFILE_PATH.read_text(encoding="utf-8"))
MAY_BE_EMPTY = {"JIESU_SMTP_PASSWORD", "JIESU_DESK_CLIENT_SECRET"}
"""A mail server without a login, and a public client of the identity provider."""
NOT_OF_SERVICES = {"dashboards", "demo", "dev", "triage-train"}
"""Extras of the command line on a developer's or analyst's machine."""
WRITABLE = {"kafka"}
"""Its image writes its configuration at every start."""


def schema() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((PROJECT / "tests/support/compose-spec/compose-spec.json").read_text(encoding="utf-8"))
    return loaded


def test_the_compose_file_keeps_the_specification() -> None:
    assert not [error.message for error in jsonschema.Draft202012Validator(schema()).iter_errors(COMPOSE)]


@pytest.mark.parametrize("wrong", [{"services": {"a": {"imagee": "x"}}}, {"services": {"a": {"ports": {"8000": 1}}}}, {"service": {}}])
def test_the_schema_finds_faults(wrong: dict[str, Any]) -> None:
    assert list(jsonschema.Draft202012Validator(schema()).iter_errors(wrong))


def test_every_console_script_is_run_by_a_service() -> None:
    scripts = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    assert set(scripts) <= {service["command"][0] for service in SERVICES.values() if "command" in service}
    assert set(OURS) <= set(SERVICES)


def test_everything_that_the_compose_file_names_exists() -> None:
    for name, service in SERVICES.items():
        assert set(service.get("depends_on", {})) <= set(SERVICES), name
        assert set(service["networks"]) <= set(COMPOSE["networks"]), name
        for source in (volume.split(":")[0] for volume in service.get("volumes", [])):
            if source.startswith("."):
                assert (PROJECT / source).exists(), source
            elif not source.startswith("$"):
                assert source in COMPOSE["volumes"], source
        if "build" in service:
            assert service["build"]["target"] in DOCKERFILE.stages
        else:
            assert re.search(r":v?\d+(\.\d+)*$", service["image"]), f"{name}: the image's version is fixed"


def test_every_container_runs_with_least_privilege() -> None:
    for name, service in SERVICES.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service.get("read_only", False) is (name not in WRITABLE), name
        assert not {"privileged", "cap_add", "network_mode", "pid", "ipc", "devices"} & set(service), name
        assert service["mem_limit"], name
        assert "docker.sock" not in str(service.get("volumes")), name
        assert "healthcheck" in service, name


def test_the_outside_reaches_loopback_only_and_neither_broker_nor_database() -> None:
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    for name, service in SERVICES.items():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
    assert not [name for name in ("kafka", "postgres", "triage", "sinks", "retention") if "ports" in SERVICES[name]]
    # triage reads the keys of the identity provider.
    assert not [name for name in ("kafka", "postgres", "sinks", "retention") if "outside" in SERVICES[name]["networks"]]


def test_no_secret_is_in_the_file_or_has_a_default() -> None:
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if is_secret(variable):
                references = re.findall(r"\$\{[A-Z_]+(:\?[^}]*|:-)\}", str(value))
                assert references, f"{name}: {variable} stands in the file"
                assert variable in MAY_BE_EMPTY or all(r.startswith(":?") for r in references), f"{name}: {variable} has a default"


def test_a_secret_is_passed_only_to_services_that_use_it() -> None:
    def services_with(variable: str) -> set[str]:
        return {name for name, service in SERVICES.items() if variable in service.get("environment", {})}

    assert services_with("JIESU_SEALING_KEYS") == {"intake", "notify", "sla"}
    assert services_with("JIESU_PSEUDONYM_KEY") == {"intake", "sla"}
    assert services_with("JIESU_SMTP_PASSWORD") == {"notify"}
    assert services_with("JIESU_SMS_TOKEN") == services_with("JIESU_SMS_RECEIPT_SECRET") == {"notify", "sinks"}
    for name in OURS:
        assert f"://{name}:${{{name.upper()}_DATABASE_PASSWORD" in SERVICES[name]["environment"]["DATABASE_URL"]


@pytest.mark.parametrize("name", OURS)
def test_what_a_service_needs_in_production_is_passed(name: str) -> None:
    assert production_variables(name) <= set(SERVICES[name]["environment"])


def test_retention_runs_by_itself_only_and_with_a_role_of_its_own() -> None:
    retention = SERVICES["retention"]
    assert (retention["profiles"], retention["command"], retention["restart"]) == (["retention"], ["jiesu", "retention"], "no")
    assert "://keeper:${KEEPER_DATABASE_PASSWORD" in retention["environment"]["DATABASE_URL"]


def test_every_variable_of_the_file_is_in_the_example_and_every_needed_one_is_empty_there() -> None:
    example = dict(re.findall(r"^([A-Z][A-Z0-9_]+)=(.*)$", env_example(), re.MULTILINE))
    used = set(re.findall(r"\$\{([A-Z_]+)", COMPOSE_TEXT)) - {"JIESU_VERSION"}
    assert used == set(example)
    for needed in re.findall(r"\$\{([A-Z_]+):\?", COMPOSE_TEXT):
        assert example[needed] == "", needed


def test_every_variable_of_a_service_is_a_setting_of_it() -> None:
    known = {setting.variable: setting.owner for setting in declared.declared_settings()}
    for name in OURS:
        for variable in SERVICES[name]["environment"]:
            assert known[variable] == declared.ALL_SERVICES or name in known[variable].split(", "), f"{name}: {variable}"


def test_every_service_waits_for_its_topics_and_its_migrated_schema() -> None:
    for name in OURS:
        waits = {other: how["condition"] for other, how in SERVICES[name]["depends_on"].items()}
        assert waits == {"topics": "service_completed_successfully", f"migrate-{name}": "service_completed_successfully"}
        migration = SERVICES[f"migrate-{name}"]
        assert migration["command"] == ["jiesu", "migrate", name]
        assert migration["environment"]["DATABASE_URL"] == SERVICES[name]["environment"]["DATABASE_URL"]
        assert migration["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert SERVICES["topics"]["depends_on"] == {"kafka": {"condition": "service_healthy"}}


@pytest.mark.parametrize("stage", ["jiesu", "sinks"])
def test_the_images_run_as_an_unprivileged_user(stage: str) -> None:
    instructions = DOCKERFILE.stages[stage]
    assert [instruction.arguments for instruction in instructions.named("USER")] == ["10001:10001"]
    assert not [i.arguments for i in instructions.named("RUN") if re.search(r"\b(curl|wget|apt-get)\b", i.arguments)]


def test_tools_of_the_build_stay_out_of_the_images() -> None:
    parents = {name: stage.parent for name, stage in DOCKERFILE.stages.items()}
    assert parents["jiesu"] == parents["sinks"] == "base"
    copied = [i for name in ("jiesu", "sinks") for i in DOCKERFILE.stages[name].named("COPY")]
    assert {(i.flag("from")[0], *i.words) for i in copied} == {("build", "/opt/jiesu", "/opt/jiesu")}


def test_the_base_image_is_an_argument_with_one_default_and_no_digest_of_ours() -> None:
    default = DOCKERFILE.arguments["PYTHON"]
    assert {stage.parent for stage in DOCKERFILE.stages.values()} == {default, "base"}
    assert "@" not in default
    for service in read_compose(PROJECT / "docker-compose.yml", _filled_in()).values():
        if service.stage:
            assert service.document["build"]["args"] == {"PYTHON": default}
    other = read_compose(PROJECT / "docker-compose.yml", _filled_in() | {"JIESU_BASE_IMAGE": "mirror.example/python:3.11"})
    assert other["sla"].document["build"]["args"] == {"PYTHON": "mirror.example/python:3.11"}


def test_extras_of_the_image_are_those_of_the_project() -> None:
    [extras] = [i.words[0].partition("=")[2].split() for i in DOCKERFILE.stages["build"].named("ARG")]
    known = set(tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"])
    assert set(extras) == known - NOT_OF_SERVICES


def test_the_dockerfile_has_no_fault_that_hadolint_knows() -> None:
    program = Path(sys.executable).with_name("hadolint")
    assert program.exists() is (sys.platform == "linux" and platform.machine() == "x86_64")
    if program.exists():
        done = subprocess.run([program, "--no-color", DOCKERFILE_PATH], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "")
        wrong = subprocess.run([program, "-"], input="FROM python:latest\nRUN cd /x\n", capture_output=True, text=True, check=False)
        assert "DL3007" in wrong.stdout


def test_a_required_variable_without_a_value_stops_the_compose_file() -> None:
    for name in re.findall(r"\$\{(\w+):\?", COMPOSE_TEXT):
        with pytest.raises(MissingVariable, match=name):
            read_compose(PROJECT / "docker-compose.yml", _filled_in() | {name: ""})


@pytest.mark.parametrize(
    ("text", "replaced"), [("${A}", "1"), ("${A:-2}", "1"), ("${B:-2}", "2"), ("${B:-}", ""), ("${B}", ""), ("a${A}b${B-x}", "a1bx")]
)
def test_variables_of_the_compose_file_are_replaced_as_its_specification_says(text: str, replaced: str) -> None:
    assert interpolate({"key": [text]}, {"A": "1"}) == {"key": [replaced]}


def _filled_in() -> dict[str, str]:
    return dict.fromkeys(re.findall(r"\$\{(\w+):\?", COMPOSE_TEXT), "x")


def test_files_that_the_image_copies_exist_and_are_not_ignored() -> None:
    kept = [line[1:] for line in (PROJECT / ".dockerignore").read_text(encoding="utf-8").split() if line.startswith("!")]
    for instruction in (i for stage in DOCKERFILE.stages.values() for i in stage.named("COPY") if not i.flag("from")):
        for source in instruction.words[:-1]:
            assert (PROJECT / source).exists(), source
            assert any(fnmatch(source, rule) or source.startswith(f"{rule}/") for rule in kept), source
    assert not any(fnmatch(secret, rule) for rule in kept for secret in (".env", "settings.env", "var", ".git"))


def test_every_package_of_the_image_is_checked_by_its_hash() -> None:
    steps = [i.arguments for stage in DOCKERFILE.stages.values() for i in stage.named("RUN")]
    installs = [part for step in steps for part in step.split("&&") if "pip install" in part]
    assert len(installs) == 3
    assert all(re.search(r"--require-hashes|-constraints requirements\.lock", part) for part in installs)


def test_prometheus_scrapes_every_service() -> None:
    config = yaml.safe_load((PROJECT / "deploy/prometheus/prometheus.yml").read_text(encoding="utf-8"))
    assert all((PROJECT / "deploy/prometheus" / file).exists() for file in config["rule_files"])
    jobs = {job["job_name"]: job for job in config["scrape_configs"]}
    assert set(OURS) <= set(jobs)
    for name in OURS:
        [found] = jobs[name]["dns_sd_configs"]
        assert (found["names"], str(found["port"])) == ([name], SERVICES[name]["environment"]["JIESU_HTTP_PORT"])


def test_grafanas_paths_are_mounted() -> None:
    mounted = {volume.split(":")[1]: Path(volume.split(":")[0]) for volume in SERVICES["grafana"]["volumes"]}
    providers = yaml.safe_load((PROJECT / "deploy/grafana/provisioning/dashboards/jiesu.yml").read_text(encoding="utf-8"))["providers"]
    for provider in providers:
        assert list((PROJECT / mounted[provider["options"]["path"]]).glob("*.json"))
    home = Path(SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert (PROJECT / mounted[str(home.parent)] / home.name).exists()
    [source] = yaml.safe_load((PROJECT / "deploy/grafana/provisioning/datasources/prometheus.yml").read_text(encoding="utf-8"))[
        "datasources"
    ]
    assert source["url"] == "http://prometheus:9090"


def test_the_example_organisation_can_be_used() -> None:
    organisation = load_organisation(PROJECT / "deploy/compose/organisation.yaml")
    held = {role for person in organisation.people for role in person.roles}
    for source in organisation.sources:
        assert set(load_procedure(source.procedure).roles) <= held
