"""Facts of Kubernetes: what is done to which objects, in which namespace of which cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice, product

from policies.engine.findings import MAX_FACT_VALUES
from policies.engine.language import word_set
from policies.engine.shell.call import Call
from policies.engine.shell.facts.options import Line, arguments_of, known, read

MAX_TYPES = 20  # types of objects in one operand
ALL = "*"

CLIENTS = word_set("kubectl oc kubectl.exe kubecolor microk8s.kubectl")
LAUNCHERS = word_set("k3s microk8s minikube rke2 k0s")  # `k3s kubectl delete ...`
SWITCHERS = {"kubectx": "context", "kubens": "namespace"}

_VALUED = word_set(
    "-n --namespace --context --cluster --user --kubeconfig -s --server --token --as --as-group "
    "--as-uid --cache-dir --certificate-authority --client-certificate --client-key "
    "--request-timeout --tls-server-name --username --password -v --v --vmodule --profile "
    "--profile-output -f --filename -k --kustomize -l --selector -o --output -c --container "
    "--field-selector --grace-period --timeout --type -p --patch --patch-file --replicas "
    "--current-replicas --resource-version --image --env --labels --overrides --port "
    "--target-port --to-revision --revision --for --since --since-time --tail --max --min "
    "--cpu-percent --from-literal --from-file --from-env-file --field-manager --sort-by "
    "--template --raw --subresource --pod-selector --duration --role --clusterrole "
    "--serviceaccount --group --verb --resource --resource-name --pod-running-timeout "
    "--limit-containers --kube-context --kube-apiserver --kube-token"
)
_POD_SWITCHES = frozenset(["-f", "-p"])  # of `logs`: follow, previous
_GROUPS = word_set(
    "rollout config auth set certificate top adm policy cluster-info plugin alpha image"
)
_NO_GROUPS = frozenset(["top", "cluster-info"])  # whose second word is the object
_OF_PODS = word_set("exec logs attach port-forward debug rsh rsync")
_OF_NODES = word_set("drain cordon uncordon")
_OF_OBJECTS = word_set(
    "get describe delete scale label annotate patch edit expose autoscale wait taint replace "
    "top idle tag"
)
_SUBTYPED = word_set("secret service configmap secrets services svc quota")
_SUBTYPES = word_set("generic tls docker-registry clusterip nodeport loadbalancer externalname")
_TYPES = {
    "po": "pod", "deploy": "deployment", "svc": "service", "ns": "namespace", "no": "node",
    "cm": "configmap", "sts": "statefulset", "ds": "daemonset", "rs": "replicaset",
    "rc": "replicationcontroller", "ing": "ingress", "sa": "serviceaccount", "ep": "endpoints",
    "pvc": "persistentvolumeclaim", "pv": "persistentvolume", "sc": "storageclass",
    "cj": "cronjob", "crd": "customresourcedefinition", "crds": "customresourcedefinition",
    "netpol": "networkpolicy", "networkpolicies": "networkpolicy", "hpa":
    "horizontalpodautoscaler", "pdb": "poddisruptionbudget", "quota": "resourcequota",
    "limits": "limitrange", "ev": "event", "cs": "componentstatus", "csr":
    "certificatesigningrequest", "pc": "priorityclass", "storageclasses": "storageclass",
    "priorityclasses": "priorityclass", "ingressclasses": "ingressclass", "ingresses": "ingress",
    "endpoints": "endpoints",
}  # fmt: skip


def kubernetes(call: Call, variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Operation, objects, namespace and cluster of kubectl, oc and what starts them."""
    arguments = arguments_of(call)
    program = call.name.lower()
    if program in LAUNCHERS:
        if "kubectl" not in arguments[:MAX_TYPES]:
            return
        arguments = arguments[arguments.index("kubectl") + 1 :]
        arguments = arguments[1:] if arguments[:1] == ["--"] else arguments
    if program in SWITCHERS:
        line = read(arguments, frozenset())
        for name in line.operands[:1]:
            yield "kubernetes.operation", f"config use-{SWITCHERS[program]}"
            yield f"kubernetes.{SWITCHERS[program]}", name
        return
    line, words = _read(arguments)
    if not words or _rehearses(line):
        return
    verb, rest = words[0], words[1:]
    if verb in _GROUPS and rest and verb not in _NO_GROUPS:
        verb, rest = f"{verb} {rest[0]}", rest[1:]
    yield "kubernetes.operation", verb
    yield from _place(line)
    if verb in ("config use-context", "config delete-context", "config delete-cluster"):
        yield from (("kubernetes.context", name) for name in rest[:1])
    elif verb == "project":  # of oc
        yield from (("kubernetes.namespace", name) for name in rest[:1])
    for kind, name in _objects(verb, rest):
        yield "kubernetes.resource", f"{kind}/{name}" if name else kind
        if kind in ("namespace", "project") and name:
            yield "kubernetes.namespace", name


def _read(arguments: list[str]) -> tuple[Line, list[str]]:
    """The command line and its operands; options mean something else behind some verbs."""
    line = read(arguments, _VALUED)
    words = known(line.operands)
    verb = words[0] if words else ""
    if verb == "logs":
        line = read(arguments, _VALUED - _POD_SWITCHES)
    elif verb in ("exec", "run", "debug", "rsh"):
        line = read(arguments, _VALUED, ends=True)
    return line, known(line.operands)


def _rehearses(line: Line) -> bool:
    return line.has("--dry-run", "--help", "-h")


def _place(line: Line) -> Iterator[tuple[str, str]]:
    for name in line.values("-n", "--namespace"):
        yield "kubernetes.namespace", name
    if line.has("-A", "--all-namespaces"):
        yield "kubernetes.namespace", ALL
    for name in line.values("--context", "--kube-context", "--cluster"):
        yield "kubernetes.context", name


def _objects(verb: str, words: list[str]) -> Iterator[tuple[str, str]]:
    """Types and names; a blank name where only the type is given."""
    if not words:
        return
    if verb in _OF_PODS or verb == "run":
        kind, slash, name = words[0].partition("/")
        yield (_type(kind), name) if slash else ("pod", kind)
    elif verb in _OF_NODES:
        yield from (("node", name.removeprefix("node/")) for name in words)
    elif verb == "create":
        names = words[1:]
        if words[0] in _SUBTYPED and names and names[0] in _SUBTYPES:
            names = names[1:]
        yield _type(words[0]), names[0] if names else ""
    elif verb in _OF_OBJECTS or verb.startswith(("rollout ", "set ")):
        # `label pod web env=x old-`: what is set or taken away.
        words = [words[0], *(word for word in words[1:] if "=" not in word and word[-1:] != "-")]
        yield from _named(words)


def _named(words: list[str]) -> Iterator[tuple[str, str]]:
    if "/" in words[0]:
        for word in words:
            kind, slash, name = word.partition("/")
            if slash:
                yield _type(kind), name
        return
    types = [_type(kind) for kind in words[0].split(",")[:MAX_TYPES]]
    yield from islice(product(types, words[1:] or [""]), MAX_FACT_VALUES + 1)


def _type(name: str) -> str:
    """A type of objects in its singular, without its group: `deployments.apps` is `deployment`."""
    name = name.lower().partition(".")[0]
    if name in _TYPES:
        return _TYPES[name]
    return name[:-1] if name.endswith("s") and not name.endswith("ss") else name


_HELM_VALUED = word_set(
    "-n --namespace --kube-context --kubeconfig -f --values --set --set-string --set-file "
    "--set-json --version --timeout --repo --kube-apiserver --kube-token --kube-as-user "
    "--kube-as-group --kube-ca-file --registry-config --repository-cache --repository-config "
    "--username --password --description --post-renderer --history-max --cascade -o --output "
    "--keyring --burst-limit --max --revision -l --selector"
)
_HELM_GROUPS = word_set("repo plugin dependency dep get show registry search")
_HELM_NAMES = {"delete": "uninstall", "del": "uninstall", "un": "uninstall", "dep": "dependency"}
_OF_RELEASES = word_set("install upgrade uninstall rollback status history test")


def helm(call: Call, variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Operation, releases, namespace and cluster of helm."""
    line = read(arguments_of(call), _HELM_VALUED)
    words = known(line.operands)
    if not words or _rehearses(line):
        return
    verb, rest = _HELM_NAMES.get(words[0], words[0]), words[1:]
    if words[0] in _HELM_GROUPS and rest:
        verb, rest = f"{verb} {rest[0]}", rest[1:]
    yield "kubernetes.operation", verb
    yield from _place(line)
    if verb in _OF_RELEASES or verb.startswith("get "):
        one = verb in ("install", "upgrade", "rollback")  # the chart or revision follows
        yield from (("kubernetes.resource", f"release/{name}") for name in rest[: one or None])
