"""Facts of Terraform and its relatives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from policies.engine.language import word_set
from policies.engine.shell.call import Call
from policies.engine.shell.facts.options import Line, arguments_of, known, read, setting

PROGRAMS = word_set("terraform tofu terragrunt")

_VALUED = word_set(
    "--target --replace --exclude --var --var-file --state --state-out --backup --lock-timeout "
    "--parallelism --out --from-module --generate-config-out --filter --test-directory "
    "--terragrunt-config --terragrunt-working-dir --working-dir --config"
)
_GROUPS = frozenset(["state", "workspace", "providers", "metadata"])
_RUNNERS = frozenset(["run-all", "run", "all"])  # of terragrunt, before the verb
_TARGETED = frozenset(["state rm", "state mv", "state show", "taint", "untaint", "import"])


def terraform(call: Call, variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Operation, workspace, targets, and whether it goes ahead without asking."""
    arguments = arguments_of(call)
    if call.name.lower() == "terragrunt":
        arguments = [text for text in arguments if text != "--"]  # `run --all -- destroy`
    line = read(arguments, _VALUED, long_dash=True)
    words = known(line.operands)
    if call.name.lower() == "terragrunt":
        while words and words[0] in _RUNNERS:
            words = words[1:]
    if not words or line.has("--help", "--h"):
        return
    verb, rest = words[0], words[1:]
    if verb in _GROUPS and rest:
        verb, rest = f"{verb} {rest[0]}", rest[1:]
    yield "terraform.operation", verb
    if verb == "apply" and line.has("--destroy"):
        yield "terraform.operation", "destroy"
    workspaces = setting(call, variables, "TF_WORKSPACE")
    if verb.startswith("workspace "):
        workspaces = [*workspaces, *rest[:1]]
    yield from (("terraform.workspace", name) for name in workspaces)
    targets = line.values("--target", "--replace")
    if verb in _TARGETED:
        targets += rest[:1] if verb == "import" else rest
    yield from (("terraform.target", target) for target in targets)
    if _never_asks(call, line, variables, verb):
        yield "terraform.auto_approve", "true"


def _never_asks(call: Call, line: Line, variables: Mapping[str, str], verb: str) -> bool:
    if line.has("--auto-approve", "--terragrunt-non-interactive", "--non-interactive"):
        return True
    always = setting(call, variables, "TF_CLI_ARGS", f"TF_CLI_ARGS_{verb}")
    return any("-auto-approve" in value for value in always)
