"""The Helm chart: its values, what it makes of them where Helm or Go is there to render it, and what it refuses."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from headgate.dataplane.door import HEALTH, READINESS
from headgate.settings import SETTINGS
from headgate.tenancy.vault import MasterKey
from tests.deploy.places import CHART, ROOT

GO = shutil.which("go")
KEY = MasterKey(b"k" * 32).to_text()
SHARED = {"masterKey": KEY, "databaseUrl": "postgresql://db/headgate", "redisUrl": "redis://cache:6379"}
needs_a_renderer = pytest.mark.skipif(GO is None, reason="there is no Go on this machine to render the chart with")


def read(name: str) -> Any:
    return yaml.safe_load((CHART / name).read_text())


def values(**changes: dict[str, Any] | int) -> dict[str, Any]:
    """The chart's own, with these in them."""
    found: dict[str, Any] = read("values.yaml")
    for name, change in changes.items():
        found[name] = {**found[name], **change} if isinstance(change, dict) else change
    return found


def check(given: dict[str, Any]) -> None:
    jsonschema.Draft7Validator(json.loads((CHART / "values.schema.json").read_text())).validate(given)


def rendered(given: dict[str, Any]) -> "subprocess.CompletedProcess[str]":
    assert GO is not None
    check(given)
    chart = {name[0].upper() + name[1:]: value for name, value in read("Chart.yaml").items()}
    release = {"Name": "prod", "Namespace": "ai", "Service": "Helm"}
    handed = json.dumps({"Values": given, "Release": release, "Chart": chart})
    command: list[str | Path] = [GO, "run", Path(__file__).with_name("render.go"), CHART / "templates"]
    return subprocess.run(command, input=handed, capture_output=True, text=True, check=False)


def objects(given: dict[str, Any]) -> dict[str, Any]:
    """By kind and name."""
    ran = rendered(given)
    assert ran.returncode == 0, ran.stderr
    found = [each for each in yaml.safe_load_all(ran.stdout) if each and "kind" in each]
    return {f"{each['kind']}/{each['metadata']['name']}": each for each in found}


def test_the_chart_s_own_values_are_what_its_schema_takes() -> None:
    """And nothing else: a misspelt one is refused."""
    check(values())
    for wrong in (
        {"replicas": 3},
        {"settings": {"master_key": "x"}},
        {"settings": {"drain_timeout_s": 5}},
        {"secrets": {"masterKey": "short"}},
        {"persistence": {"size": "lots"}},
    ):
        with pytest.raises(jsonschema.ValidationError):
            check({**values(), **wrong})


def test_no_secret_can_be_given_as_a_setting() -> None:
    """Those are in the Secret only; the schema names them all."""
    schema = json.loads((CHART / "values.schema.json").read_text())
    kept_out = set(schema["properties"]["settings"]["propertyNames"]["not"]["enum"])
    assert {setting.name for setting in SETTINGS if setting.told.secret} - kept_out <= {"smtp_url"}


def test_versions_are_those_of_the_package() -> None:
    """Of the chart's application and of the image in the Compose file."""
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None
    assert read("Chart.yaml")["appVersion"] == version[1]


@needs_a_renderer
def test_each_pod_has_a_disk_probes_and_time_to_end() -> None:
    """The journal's disk outlives the pod; the probes are real routes; the time to end is longer than the drain."""
    found = objects(values(secrets=SHARED, settings={"max_body_bytes": 33_554_432, "heartbeat_s": 0.5}))
    spec = found["StatefulSet/prod-headgate"]["spec"]
    assert spec["replicas"] == 2
    assert spec["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}
    (claim,) = spec["volumeClaimTemplates"]
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    variables = {each["name"]: each.get("value") for each in container["env"]}
    (disk,) = [each["mountPath"] for each in container["volumeMounts"] if each["name"] == claim["metadata"]["name"]]
    assert variables["HEADGATE_DATA_DIR"].startswith(disk)
    assert {name for name in variables if name.startswith("HEADGATE_")} <= {setting.env for setting in SETTINGS}
    assert (variables["HEADGATE_MAX_BODY_BYTES"], variables["HEADGATE_HEARTBEAT_S"]) == ("33554432", "0.5")
    probes = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")}
    assert probes == {"startup": HEALTH, "liveness": HEALTH, "readiness": READINESS}
    before = int(container["lifecycle"]["preStop"]["exec"]["command"][-1])
    assert pod["terminationGracePeriodSeconds"] >= before + int(variables["HEADGATE_DRAIN_TIMEOUT_S"]) + 30
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


@needs_a_renderer
def test_secrets_are_in_the_secret_and_nowhere_else() -> None:
    """Pods take them from there; with one that exists, none is made."""
    found = objects(values(secrets=SHARED))
    secret = found.pop("Secret/prod-headgate")
    assert secret["stringData"] == {
        "master-key": KEY,
        "database-url": SHARED["databaseUrl"],
        "redis-url": SHARED["redisUrl"],
    }
    assert not [value for value in SHARED.values() if value in json.dumps(found)]
    mine = objects(values(secrets={"existingSecret": "mine"}))
    assert "Secret/prod-headgate" not in mine
    env = mine["StatefulSet/prod-headgate"]["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {each["valueFrom"]["secretKeyRef"]["name"] for each in env if "valueFrom" in each} == {"mine"}


@needs_a_renderer
def test_what_cannot_work_is_refused_with_the_reason() -> None:
    """No master key; several pods that share nothing; an ingress without a name."""
    without_key = rendered(values())
    assert "headgate keys new-master" in without_key.stderr
    alone = rendered(values(secrets={"masterKey": KEY}))
    assert "several pods share them" in alone.stderr
    nameless = rendered(values(secrets=SHARED, ingress={"enabled": True}))
    assert "ingress.host" in nameless.stderr
    assert all(ran.returncode == 1 for ran in (without_key, alone, nameless))


@needs_a_renderer
def test_scaling_and_the_way_in_are_made_where_they_are_asked_for() -> None:
    """With autoscaling the number of pods is the autoscaler's; an ingress does not buffer streams."""
    plain = objects(values(secrets={"masterKey": KEY}, replicaCount=1, podDisruptionBudget={"enabled": False}))
    assert {each.partition("/")[0] for each in plain} == {"Secret", "Service", "ServiceAccount", "StatefulSet"}
    ingress = {"enabled": True, "host": "ai.example.com", "tlsSecret": "certificate"}
    full = objects(values(secrets=SHARED, autoscaling={"enabled": True}, ingress=ingress))
    assert "replicas" not in full["StatefulSet/prod-headgate"]["spec"]
    scaled = full["HorizontalPodAutoscaler/prod-headgate"]["spec"]["scaleTargetRef"]
    assert (scaled["kind"], scaled["name"]) == ("StatefulSet", "prod-headgate")
    labels = full["StatefulSet/prod-headgate"]["spec"]["template"]["metadata"]["labels"]
    for each in ("Service/prod-headgate", "Service/prod-headgate-pods"):
        assert full[each]["spec"]["selector"].items() <= labels.items()
    assert full["PodDisruptionBudget/prod-headgate"]["spec"]["selector"]["matchLabels"].items() <= labels.items()
    told = full["Ingress/prod-headgate"]["metadata"]["annotations"]
    assert told["nginx.ingress.kubernetes.io/proxy-buffering"] == "off"
