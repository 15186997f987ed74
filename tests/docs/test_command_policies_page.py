"""docs/how-to/command-policies.md does what it says: its policies stop what they are for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policies.engine.decision import Verdict, decide
from policies.engine.operation import Language, Operation, Part
from policies.engine.policy import CompiledPolicy, PolicySpec
from policies.engine.policyset import PolicySet
from tests.docs.blocks import ROOT, fenced

PAGE = ROOT / "docs" / "how-to" / "command-policies.md"
# For each policy what it stops, and what it lets pass.
COMMANDS: dict[str, tuple[list[str], list[str]]] = {
    "no-forced-push-to-main": (
        [
            "cd infra && sudo git push -f origin HEAD:main",
            "git push --force",
            "git push origin +feature:main",
            "git push -f origin $BRANCH",
        ],
        ["git push origin main", "git push -f origin feature", "git commit -m 'push -f main'"],
    ),
    "hold-cloud-deletes": (
        [
            "aws --profile p s3 rb s3://backup",
            "aws ec2 --region r terminate-instances --instance-ids i-1",
            "gcloud compute instances delete vm-1",
            "az group delete -n rg",
        ],
        ["aws s3 ls", "az group list", "gcloud compute instances list", "echo aws s3 rb"],
    ),
    "no-deletes-in-production": (
        [
            "kubectl -n prod delete pod web",
            "kubectl get pods -n prod && kubectl delete pod web -n prod",
            "helm uninstall web --kube-context prod-east",
            "kubectl delete pod --all -A",
            "kubectl delete ns prod",
        ],
        ["kubectl get pods -n prod", "kubectl delete pod web -n dev", "helm list -n prod"],
    ),
    "terraform-asks-first": (
        ["terraform destroy", "terraform -chdir=x apply -auto-approve", "tofu apply -destroy"],
        ["terraform plan -destroy", "terraform apply"],
    ),
    "production-database": (
        ["psql -h prod-db shop", "PGHOST=prod-db psql", "mysql -hprod-db.internal shop"],
        ["psql -h replica shop", "psql prod-db"],
    ),
    "no-releases-by-agents": (
        ["npm publish", "cd pkg && CI=1 npm publish --access public", "sudo twine upload dist/x"],
        ["npm test", "echo npm publish", "twine check dist/x"],
    ),
}


def on_page() -> dict[str, Any]:
    definitions = [json.loads(block.text) for block in fenced(PAGE) if block.language == "json"]
    return {definition["name"]: definition for definition in definitions}


def verdict(definition: dict[str, Any], text: str) -> Verdict:
    spec = PolicySpec(id=definition["name"], **definition)
    part = Part(start=0, end=len(text), language=Language.SHELL)
    operation = Operation(text=text, tool="Bash", parts=(part,))
    return decide(operation, PolicySet([CompiledPolicy(spec)])).verdict


def test_every_policy_of_the_page_is_tried() -> None:
    assert sorted(on_page()) == sorted(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_policy_of_the_page_stops_what_it_is_for(name: str) -> None:
    definition = on_page()[name]
    stopped, passing = COMMANDS[name]

    assert {text for text in stopped if verdict(definition, text) == Verdict.ALLOW} == set()
    assert {text for text in passing if verdict(definition, text) != Verdict.ALLOW} == set()
