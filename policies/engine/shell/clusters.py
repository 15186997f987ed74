"""Rules about clusters, containers, infrastructure as code and fleets of machines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.engine.shell.call import Call
from policies.engine.shell.clouds import cloud
from policies.engine.shell.hits import Hit, flags, has
from policies.engine.shell.subcommands import flag, option, rehearses, starts, verbs


def kubernetes(call: Call) -> Iterator[Hit]:
    """kubectl and oc: deletes, drains, zero replicas, wide rights, doors to the node."""
    if rehearses(call):
        return
    words = verbs(call)
    text = " ".join(call.arguments)
    verb = next((word for word in words[:3] if word in _KUBERNETES), "")
    rest = words[words.index(verb) + 1 :] if verb else []
    if verb == "delete" or (verb == "patch" and re.search(r"finalizers\W{1,6}(?:null|\[\])", text)):
        yield Hit(rule="cloud_delete", reason="Deletes objects of a cluster (kubectl delete).")
    elif (
        verb in ("drain", "cordon", "taint")
        or (verb == "replace" and flag(call, "--force"))
        or (verb == "apply" and flag(call, "--prune"))
        or (verb == "rollout" and rest[:1] == ["undo"])
        or (verb == "adm" and rest[:1] in (["drain"], ["prune"]))
    ):
        yield Hit(
            rule="cloud_delete",
            reason=f"Takes running work away from a cluster (kubectl {verb}).",
            confidence=0.8,
        )
    elif verb == "config" and rest and rest[0].startswith(("delete-", "unset")):
        yield Hit(rule="cloud_delete", reason="Deletes a configured cluster.", confidence=0.7)
    elif verb == "scale" and option(call, "--replicas") == "0":
        yield Hit(
            rule="cloud_delete", reason="Stops every replica (kubectl scale to 0).", confidence=0.8
        )
    elif verb == "create" and re.search(r"cluster-?role-?binding.*cluster-admin|token\b", text):
        yield Hit(rule="privilege_change", reason="Hands out rights over the whole cluster.")
    elif re.search(
        r"[\"']?(?:privileged|hostPID|hostNetwork|hostIPC)[\"']?\s*[:=]\s*true|hostPath", text
    ):
        yield Hit(rule="container_escape", reason="Runs with every right on the node.")
    elif verb == "get" and rest[:1] and re.match(r"secrets?\b", rest[0]):
        wide = flag(call, "-A", "--all-namespaces") or len(rest) == 1
        if wide and option(call, "-o", "--output") not in (None, "name", "wide"):
            yield Hit(rule="credential_read", reason="Prints every secret of a cluster.")
    elif verb == "debug" and re.search(r"\bnodes?/", text):
        yield Hit(rule="container_escape", reason="Opens a shell on the node itself.")


_KUBERNETES = frozenset(
    [
        "delete",
        "drain",
        "cordon",
        "taint",
        "replace",
        "apply",
        "rollout",
        "adm",
        "config",
        "scale",
        "create",
        "run",
        "get",
        "debug",
        "patch",
        "exec",
        "logs",
        "describe",
        "edit",
        "label",
        "annotate",
        "cp",
        "port-forward",
        "attach",
        "set",
        "expose",
        "autoscale",
        "top",
        "auth",
        "explain",
        "wait",
        "kustomize",
        "certificate",
        "plugin",
        "diff",
        "version",
    ]
)


def terraform(call: Call) -> Iterator[Hit]:
    """terraform and its relatives: destroyed infrastructure, resources taken out of the state."""
    words = verbs(call)
    if rehearses(call) or words[:1] in (["plan"], ["validate"], ["fmt"]):
        return
    text = " ".join(words[:4])
    if re.search(r"(?:^| )destroy(?: |$)", text) or (
        re.search(r"(?:^| )apply(?: |$)", text) and flag(call, "-destroy", "--destroy")
    ):
        yield Hit(
            rule="cloud_delete", reason="Destroys the infrastructure that the code describes."
        )
    elif starts(words, "state rm", "state push", "workspace delete", "state replace-provider"):
        yield Hit(rule="cloud_delete", reason="Takes resources out of the recorded state.")
    elif starts(words, "taint", "force-unlock") or (
        words[:1] == ["apply"] and option(call, "-replace", "--replace")
    ):
        yield Hit(
            rule="cloud_delete", reason="Has a resource destroyed at the next run.", confidence=0.8
        )


def fleet(call: Call) -> Iterator[Hit]:
    """ansible and salt: modules that delete or stop machines (their commands are read as such)."""
    text = " ".join(call.arguments)
    if flag(call, "-C", "--check") or has(call.arguments, "--syntax-check", "--list-hosts"):
        return
    if (
        re.search(r"\bstate=(?:absent|stopped)\b", text)
        or option(call, "-m")
        in (
            "reboot",
            "ansible.builtin.reboot",
            "community.general.shutdown",
        )
        or re.search(
            r"\b(?:system\.(?:reboot|shutdown|poweroff)|file\.remove|user\.delete)\b", text
        )
    ):
        yield Hit(rule="fleet_change", reason="Deletes or stops something on many machines.")


def container(call: Call) -> Iterator[Hit]:
    """docker and its relatives: volumes, prunes, and doors to the host."""
    letters, longs = flags(call)
    words = verbs(call)
    pair = words[:2]
    if rehearses(call) and not starts(words, "run", "exec", "create"):
        return
    if pair in (["volume", "rm"], ["volume", "remove"], ["volume", "prune"], ["system", "prune"]):
        if (
            pair == ["system", "prune"]
            and "a" not in letters
            and not longs & {"--volumes", "--all"}
        ):
            return
        yield Hit(
            rule="container_delete", reason="Deletes volumes or everything that is not in use."
        )
    elif starts(words, "system reset", "machine rm", "context rm", "swarm leave", "node rm"):
        yield Hit(rule="container_delete", reason="Deletes machines, volumes or images of all.")
    elif "down" in words[:4] and ("v" in letters or "--volumes" in longs):
        yield Hit(rule="container_delete", reason="Deletes the volumes of the composed services.")
    elif (
        starts(words, "rm", "rmi", "container rm", "image rm", "pod rm", "kill", "stop")
        and ("f" in letters or "--force" in longs or words[0] in ("kill",))
        and (any(not word.known for word in call.words) or "a" in letters or "--all" in longs)
    ):
        yield Hit(rule="container_delete", reason="Deletes every container or image.")
    elif starts(words, "stack rm", "service rm", "stack remove", "secret rm", "config rm"):
        yield Hit(rule="container_delete", reason="Removes services from the swarm.")
    elif starts(words, "rm", "compose rm", "container rm") and "v" in letters and "f" in letters:
        yield Hit(rule="container_delete", reason="Deletes containers with their volumes.")
    elif words[:1] in (["run"], ["create"], ["exec"]):
        yield from _escape(call)
    if call.name in ("crictl", "ctr") and has(words, "rmp", "rm", "rmi", "delete"):
        yield from cloud(call)


def _escape(call: Call) -> Iterator[Hit]:
    arguments = call.arguments
    for word, following in zip(arguments, [*arguments[1:], ""], strict=False):
        mount = (
            following
            if word in ("-v", "--volume")
            else word.removeprefix("--volume=").removeprefix("-v")
        )
        if re.match(r"/(?:etc|root|boot|proc|sys|var/run|run)?/?:", mount) or (
            (word == "--mount" or word.startswith("--mount="))
            and re.search(r"(?:source|src)=/(?:etc|root)?/?(?:,|$)", following + word)
        ):
            yield Hit(rule="container_escape", reason="Mounts the host's whole file system.")
            return
        if re.match(r"(?:/var)?/run/(?:docker|containerd/containerd|crio/crio)\.sock:", mount):
            yield Hit(
                rule="container_escape",
                reason="Hands the container engine of the host to a container.",
                confidence=0.7,
            )
            return
    if has(arguments, "--privileged", "--privileged=true") or any(
        re.match(r"--pid=host|--cap-add=(?:ALL|SYS_ADMIN|SYS_PTRACE|SYS_MODULE)", word)
        or (word == "--cap-add" and following in ("ALL", "SYS_ADMIN", "SYS_PTRACE", "SYS_MODULE"))
        or (word == "--pid" and following == "host")
        for word, following in zip(arguments, [*arguments[1:], ""], strict=False)
    ):
        yield Hit(
            rule="container_escape", reason="Runs with every right on the host.", confidence=0.8
        )


def namespaces(call: Call) -> Iterator[Hit]:
    """nsenter, chroot, capsh and others: a way into the host or to more rights."""
    text = " ".join(call.arguments)
    if call.name == "nsenter":
        if re.search(r"(?:-t|--target)[ =]?1\b|/proc/1/ns", text):
            yield Hit(rule="container_escape", reason="Enters the namespaces of the host.")
    elif call.name == "chroot":
        if re.match(r"/host\b|/mnt/host|/proc/1/root", text):
            yield Hit(rule="container_escape", reason="Enters the file system of the host.")
    elif call.name == "capsh":
        if re.search(r"--(?:gid|uid)=0\b|--caps=", text):
            yield Hit(rule="privilege_change", reason="Starts a shell with other rights.")
    elif call.name == "debugfs" and (flag(call, "-w") or "/dev/" in text):
        yield Hit(rule="disk_overwrite", reason="Reads or writes a file system past its rights.")
