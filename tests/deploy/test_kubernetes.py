"""The Kubernetes manifests: valid by the published schemas, complete, and as closed as compose.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import kubernetes_validate
import pytest
import yaml

from project import embedded

FOLDER = embedded.BASE_DIR / "deploy" / "kubernetes"
VERSION = "1.31"
COMPOSE = yaml.safe_load((embedded.BASE_DIR / "compose.yaml").read_text())["services"]
PROCESSES = ("web", "drain", "worker", "bulk", "beat")


def documents() -> list[dict[str, Any]]:
    kustomization = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
    names = [*kustomization["resources"], "migrate.yaml"]
    assert sorted([*names, "kustomization.yaml"]) == sorted(path.name for path in FOLDER.iterdir())
    return [each for name in names for each in yaml.safe_load_all((FOLDER / name).read_text())]


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    for each in documents():
        if each["kind"] in ("Deployment", "Job"):
            yield each["metadata"]["labels"]["part"], each["spec"]["template"]["spec"]


@pytest.mark.parametrize("document", documents(), ids=lambda each: f"{each['kind']}-{each['metadata']['name']}")
def test_it_is_valid_by_its_schema(document: dict[str, Any]) -> None:
    kubernetes_validate.validate(document, VERSION, strict=True)


def test_a_wrong_manifest_would_be_noticed() -> None:
    wrong = {**documents()[0], "spec": {**documents()[0]["spec"], "replicaz": 2}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSION, strict=True)


def test_every_process_runs_the_command_of_compose() -> None:
    commands = {part: pod["containers"][0].get("command") for part, pod in pods()}
    assert sorted(commands) == sorted([*PROCESSES, "migrate"])
    assert commands.pop("web") is None, "the image's own"
    assert {part: " ".join(command) for part, command in commands.items() if command} == {
        part: COMPOSE[part]["command"] for part in commands
    }


def test_no_pod_is_root_writes_its_image_or_asks_the_cluster() -> None:
    for part, pod in pods():
        [container] = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"], part
        assert not pod["automountServiceAccountToken"], part
        closed = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
        assert container["securityContext"] == closed, part
        assert container["envFrom"] == [{"secretRef": {"name": "hromada"}}], part


def test_beat_is_never_two() -> None:
    [beat] = [each for each in documents() if each["metadata"]["name"] == "hromada-beat"]
    assert (beat["spec"]["replicas"], beat["spec"]["strategy"]) == (1, {"type": "Recreate"})
