"""Facts of clouds: provider, service, operation, account and region of their command lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from policies.engine.language import word_set
from policies.engine.shell.call import Call
from policies.engine.shell.facts.options import arguments_of, known, setting
from policies.engine.shell.model import UNKNOWN
from policies.engine.shell.subcommands import verbs

# Provider, and the service that the program itself stands for.
PROGRAMS: dict[str, tuple[str, str]] = {
    "aws": ("aws", ""), "awslocal": ("aws", ""), "eksctl": ("aws", "eks"),
    "s3cmd": ("aws", "s3"), "s5cmd": ("aws", "s3"),
    "gcloud": ("gcp", ""), "gsutil": ("gcp", "storage"), "bq": ("gcp", "bigquery"),
    "az": ("azure", ""), "azcopy": ("azure", "storage"),
    "doctl": ("digitalocean", ""), "oci": ("oracle", ""), "ibmcloud": ("ibm", ""),
    "hcloud": ("hetzner", ""), "linode-cli": ("linode", ""), "scw": ("scaleway", ""),
    "vultr-cli": ("vultr", ""), "civo": ("civo", ""), "openstack": ("openstack", ""),
    "yc": ("yandex", ""), "upctl": ("upcloud", ""), "exo": ("exoscale", ""),
    "aliyun": ("alibaba", ""), "tccli": ("tencent", ""), "flyctl": ("fly", ""),
    "fly": ("fly", ""), "heroku": ("heroku", ""),
}  # fmt: skip

_ACCOUNT = ("--profile", "--project", "--project-id", "--project_id", "--subscription", "--app")
_REGION = ("--region", "--zone", "--location")
_ACCOUNT_SET = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "CLOUDSDK_CORE_PROJECT")
_REGION_SET = ("AWS_REGION", "AWS_DEFAULT_REGION", "CLOUDSDK_COMPUTE_REGION")
_REHEARSES = word_set("--dry-run --dryrun --help -h --what-if --generate-cli-skeleton")

_VERB = re.compile(
    r"(?:abandon|activate|approve|attach|authorize|build|cancel|cat|check|clone|configure|"
    r"connect|convert|copy|cp|deallocate|del|deploy|deprovision|destroy|detach|diagnose|diff|"
    r"disable|disconnect|download|drain|du|empty|enable|evict|execute|expand|export|failover|"
    r"generate|grant|help|import|info|inspect|install|invoke|kill|launch|load|lock|login|logout|"
    r"logs?|ls|make|mb|migrate|mk|mv|patch|pause|promote|publish|pull|purge|push|query|rb|read|"
    r"reboot|rebuild|recover|redeploy|register|release|rename|renew|replace|resize|restart|"
    r"restore|resume|revoke|rewrite|rm|rollback|rotate|rsync|run|scale|scp|search|send|show|"
    r"shutdown|status|submit|suspend|swap|switch|sync|tail|terminate|test|transfer|truncate|"
    r"undelete|undeploy|unlock|unregister|unset|upgrade|upload|validate|verify|view|wait|wipe|"
    r"write|ssh"
    r"|(?:add|bulk|clear|create|delete|describe|get|list|move|perform|print|remove|reset|set|"
    r"simulate|start|stop|stream|update)(?:-[a-z0-9-]+)?)\Z"
)


def cloud(call: Call, variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What is told to which service of which provider, in whose name and where."""
    arguments = arguments_of(call)
    ends = arguments.index("--") if "--" in arguments else len(arguments)
    if not _REHEARSES.isdisjoint(arguments[:ends]) and "--no-dry-run" not in arguments:
        return
    words = known(verbs(call))
    if not words or words[-1] == "help":
        return
    program = call.name.lower()
    provider, service = PROGRAMS[program]
    found, operation = _READ.get(program, _by_verb)(words, call)
    yield "cloud.provider", provider
    if service or found:
        yield "cloud.service", service or found
    yield "cloud.operation", operation
    accounts = [*_values(arguments, _ACCOUNT), *setting(call, variables, *_ACCOUNT_SET)]
    if words[:3] == ["config", "set", "project"] or words[:2] == ["account", "set"]:
        accounts += [*words[3:4], *_values(arguments, ("-s", "-n", "--name"))]
    yield from (("cloud.account", account) for account in accounts)
    regions = [*_values(arguments, _REGION), *setting(call, variables, *_REGION_SET)]
    if program == "az":
        regions += _values(arguments, ("-l",))
    yield from (("cloud.region", region) for region in regions)


def _by_verb(words: Sequence[str], call: Call) -> tuple[str, str]:
    """`compute instances delete NAME`: the first verb is the operation."""
    at = next((at for at, word in enumerate(words) if _VERB.match(word)), len(words) - 1)
    return " ".join(words[:at]), words[at]


def _thing_first(words: Sequence[str], call: Call) -> tuple[str, str]:
    """The same where the first word is a thing, whatever it is called (`run services delete`)."""
    if len(words) == 1:
        return "", words[0]
    things = words[1:] if words[0] in ("alpha", "beta", "preview") else words
    if len(things) == 1:
        return "", things[0]
    service, operation = _by_verb(things[1:], call)
    return f"{things[0]} {service}".strip(), operation


def _service_first(words: Sequence[str], call: Call) -> tuple[str, str]:
    """`ec2 terminate-instances`."""
    return ("", words[0]) if len(words) == 1 else (words[0], words[1])


def _verb_last(words: Sequence[str], call: Call) -> tuple[str, str]:
    """`vm run-command invoke --name x`: the last word before the options of the command."""
    leading: list[str] = []
    for text in call.arguments:
        if text.startswith("-") and leading:
            break
        if len(leading) < len(words) and text == words[len(leading)]:
            leading.append(text)
    leading = leading or list(words)
    return " ".join(leading[:-1]), leading[-1]


def _colons(words: Sequence[str], call: Call) -> tuple[str, str]:
    """`apps:destroy`."""
    service, _, operation = words[0].rpartition(":")
    return service, operation


_READ: dict[str, Callable[[Sequence[str], Call], tuple[str, str]]] = {
    "aws": _service_first,
    "awslocal": _service_first,
    "aliyun": _service_first,
    "tccli": _service_first,
    "gcloud": _thing_first,
    "ibmcloud": _thing_first,
    "openstack": _thing_first,
    "scw": _thing_first,
    "oci": _thing_first,
    "az": _verb_last,
    "heroku": _colons,
}


def _values(arguments: Sequence[str], names: tuple[str, ...]) -> Iterator[str]:
    """The values of these options, joined to them or behind them."""
    for text, following in zip(arguments, [*arguments[1:], ""], strict=True):
        name, equals, value = text.partition("=")
        if name in names and (value := value if equals else following) and value != UNKNOWN:
            yield value
