"""Rules about clouds and services: deletes at a distance, read by their verb.

One reading serves every command line with subcommands (`TOOL thing verb name`): the first verb
among its subcommands decides, and a rehearsal (`--dry-run`, `--help`) passes. What has verbs of
its own stands in a table behind it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from policies.engine.language import word_set
from policies.engine.shell.call import Call
from policies.engine.shell.hits import Hit
from policies.engine.shell.subcommands import flag, option, rehearses, starts, verbs

# The verb of a subcommand that takes something away: alone, or with what it takes away.
_DELETES = re.compile(
    r"(?:[a-z][\w-]*:)?(?:permanent-|permanently-|force-|batch-|bulk-|schedule-|hard-|mass-)?"
    r"(?:delete|destroy|terminate|remove|purge|drop|deregister|erase|wipe|nuke|teardown|rm|rb|del|rmp|"
    r"rmi|uninstall|unpublish|deprovision|flush|empty|decommission|undeploy|unregister|obliterate|"
    r"disable-key|key-deletion|revoke-security|shred|scratch|cleardata|truncate|rmr|rmdirs?|"
    r"leave-organization|cancel-subscription|factory-reset|[a-z-]{1,60}-(?:delete|destroy|purge|rm))"
    r"(?:$|[-:_](?!protection|marker|lock|policy$|old\b))"
)
# A verb that does not: what stands behind it is a name.
_KEEPS = re.compile(
    r"(?:help|list|ls|get|describe|show|status|logs?|tail|plan|diff|history|version|view|inspect|info|"
    r"create|new|add|apply|run|exec|ssh|cp|copy|sync|push|pull|deploy|build|start|login|logout|set|"
    r"update|upgrade|install|watch|wait|explain|query|search|put|edit|export|import|init|validate|"
    r"test|lint|check|restart|resume|open|port-forward|proxy|attach|top|completion|whoami|"
    r"template|download|upload|publish|clone|fork|checkout|comment|close|merge|annotate|invoke|"
    r"cat|head|stat|read|write|send|produce|consume|backup|restore|tag-resource)"
)
_KEEPS_JOINED = re.compile(_KEEPS.pattern + r"(?:-.*)?")
TOOLS = word_set(
    "aws awslocal gcloud gsutil az azcopy func helm helmfile eksctl doctl flyctl fly "
    "heroku linode-cli linode vultr-cli vultr oci ibmcloud openstack nova cinder swift glance "
    "neutron vault bao consul etcdctl nomad boundary waypoint gh glab tea hub bb firebase supabase "
    "vercel now netlify wrangler railway render argocd argo flux istioctl linkerd cilium velero "
    "kcadm.sh kcadm ccloud confluent rpk redpanda kaf pulsar-admin pulsarctl nats rabbitmqadmin "
    "snowsql snow bq cbt dbx databricks s3cmd s5cmd mc b2 scw hcloud civo aliyun tccli yc kops "
    "rancher k3d kind k0s k3s minikube juju dokku cf okteto turso neonctl neon pscale "
    "planetscale atlas mongocli auth0 okta stripe shopify twilio sendgrid lxc incus multipass qm "
    "pct pvesh virsh rosa eb copilot sam cdk serverless sls pulumi chalice zappa amplify up apex "
    "crossplane kafka-topics nats-top influx temporal tctl "
    "kopia duplicity ceph rados rbd radosgw-admin gluster knife salt-key puppet "
    "airflow prefect dagster mlflow wandb kaggle huggingface-cli hf jenkins-cli circleci "
    "buildkite drone tkn spin deta koyeb northflank zeabur porter qovery encore sst appwrite "
    "nhost hasura convex prisma-cloud ngrok cloudflared flarectl akamai fastly upctl exo "
    "ionosctl gridscale elastic ecctl ecs-cli ecs opensearch-cli curator_cli es2unix "
    "logcli mimirtool cortextool grafana-cli pagerduty pd op bw lpass doppler infisical chamber "
    "keybase vlt conjur akeyless teleport tsh tctl zpool zfs devspace skaffold tilt garden "
    "kustomize crane skopeo regctl oras harbor jfrog jf nexus"
)

_SPECIAL: dict[str, Callable[[Call, list[str]], Iterator[Hit]]] = {}


def _deletes(call: Call, verb: str, confidence: float = 0.95) -> Hit:
    return Hit(
        rule="cloud_delete",
        reason=f"Deletes resources at a distance ({call.name} {verb[:40]}).",
        confidence=confidence,
    )


def cloud(call: Call) -> Iterator[Hit]:
    """A subcommand that deletes, in any of the known command lines."""
    if rehearses(call):
        return
    words = verbs(call)
    special = _SPECIAL.get(call.name)
    if special is not None:
        hits = list(special(call, words))
        if hits:
            yield hits[0]
            return
    yield from _by_verb(call, words, 0.95)


def _by_verb(call: Call, words: list[str], confidence: float) -> Iterator[Hit]:
    """The first verb among the subcommands decides."""
    for index, word in enumerate(words):
        if "/" not in word and (_DELETES.match(word) or _CAMEL.match(word)):
            yield _deletes(call, word, confidence)
            return
        if not _keeps(call.name, words, index):
            continue
        # `backup delete`, `run delete`: what looks like a verb is the thing.
        following = words[index + 1] if index + 1 < len(words) else ""
        if _TAKES_AWAY.match(following) and (word not in _RUNNERS or not following.startswith("r")):
            yield _deletes(call, following, confidence)
        return


def _keeps(name: str, words: list[str], index: int) -> bool:
    """Whether a subcommand is a verb that deletes nothing."""
    if index == 0 and name in _THING_FIRST:
        return False  # it names a service, and some services are called like verbs
    pattern = _KEEPS_JOINED if name in _JOINED else _KEEPS
    return pattern.fullmatch(words[index]) is not None


_RUNNERS = frozenset(["run", "exec", "ssh", "start"])
_TAKES_AWAY = re.compile(r"(?:delete|destroy|purge|wipe|terminate|remove|rm)\Z")
_CAMEL = re.compile(r"(?:Delete|Remove|Terminate|Destroy|Release|Purge|Drop)[A-Z]\w+\Z")
# Command lines whose verbs stand before a dash: `describe-instances`.
_JOINED = word_set("aws awslocal oci")
_THING_FIRST = word_set("aws awslocal gcloud az oci ibmcloud gh glab openstack tccli aliyun scw")
# Programs of the own machine in whose subcommands these verbs are daily work.
_LOCAL = word_set(
    "git npm pnpm yarn bun pip pip3 pipx uv poetry pdm conda mamba brew apt apt-get dpkg yum dnf "
    "zypper "
    "pacman apk snap flatpak port gem bundle cargo go composer nuget dotnet code nvm fnm asdf "
    "mise pyenv rbenv rustup sdk volta ip nmcli networksetup bluetoothctl tmux screen zellij "
    "pass task todo todo.sh jrnl nb buku chezmoi stow docker podman ufw iptables nft ssh-add "
    "gpg tmutil adb fastboot make just npx jj hg svn fossil bzr dvc git-lfs echo printf man "
    "tldr grep rg find sed awk jq yq cat test [ xcrun simctl vagrant keyctl losetup "
    "update-alternatives "
    "virtualenvwrapper ipcrm tc bridge brctl wg zramctl nmap crontab at atrm lpadmin cupsctl "
    "python python3 node ruby perl php mysql psql sqlite3 mongo mongosh redis-cli ssh scp rsync "
    "type which command export local declare read for while if return exit cd ls mkdir history"
)
_PLAIN_DELETES = re.compile(
    r"(?:[a-z][\w-]*:)?(?:delete|destroy|purge|terminate|wipe|nuke|drop|teardown)"
    r"(?:-(?:all|db|database|cluster|table|index|bucket|project|instance|queue|topic|volume|stack))?$"
)


def unknown(call: Call) -> Iterator[Hit]:
    """A command line that nobody has described, told to delete or destroy something."""
    name = call.name
    if name in _LOCAL or name in TOOLS or len(call.words) < 2 or rehearses(call):
        return
    words = verbs(call, 3)
    for index, word in enumerate(words):
        if _PLAIN_DELETES.match(word):
            yield _deletes(call, word, 0.7)
            return
        if _keeps(name, words, index):
            return


def _aws(call: Call, words: list[str]) -> Iterator[Hit]:
    service, verb = (*words, "", "")[:2]
    text = " ".join(call.arguments)
    if service == "s3" and verb == "sync" and flag(call, "--delete"):
        yield _deletes(call, "s3 sync --delete")
    elif verb in _AWS_WORSE:
        yield Hit(rule="defence_off", reason=f"Weakens what guards the cloud (aws {verb}).")
    elif verb in _AWS_ZERO and (
        option(call, "--desired-count", "--desired-capacity", "--max-size") == "0"
    ):
        yield _deletes(call, f"{verb} to 0", 0.8)
    else:
        for verbs_, needed, rule, reason in _AWS:
            if re.match(verbs_, f"{service} {verb}") and re.search(needed, text):
                yield Hit(rule=rule, reason=reason, confidence=0.8)
                return


# What else needs a person: service and verb, what must stand in the arguments, rule, reason.
_AWS = (
    (
        (
            r"iam (?:(?:attach|put)-(?:user|role|group)-policy|create-(?:access-key|user"
            r"|login-profile|policy-version)|add-user-to-group|update-(?:assume-role-policy|login-profile)"
            r"|deactivate-mfa-device|set-default-policy-version)"
        ),
        r"",
        "privilege_change",
        "Hands out rights or keys in AWS.",
    ),
    (
        r"\w+ authorize-security-group-(?:ingress|egress)",
        r"0\.0\.0\.0/0|::/0",
        "exposure",
        "Opens a cloud network to everybody.",
    ),
    (
        r"\w+ put-(?:bucket-(?:acl|policy)|object-acl|public-access-block)",
        r"public-read|\"Principal\":\s*\"\*\"|=false",
        "exposure",
        "Makes stored objects public.",
    ),
    (
        r"\w+ (?:batch-)?get-(?:secret-value|password-data)",
        r"",
        "credential_read",
        "Prints a stored secret.",
    ),
    (r"ssm get-parameter", r"--with-decryption", "credential_read", "Prints a stored secret."),
    (
        r"\w+ modify-(?:snapshot|image|db-snapshot)-attribute",
        r"",
        "exposure",
        "Shares a snapshot or image with another account.",
    ),
    (
        r"\w+ put-bucket-lifecycle",
        r"Expiration",
        "cloud_delete",
        "Has stored objects deleted after a time.",
    ),
    (
        r"\w+ (?:stop-(?:instances|db-instance|db-cluster|task)|reboot-db-instance)",
        r"",
        "cloud_delete",
        "Stops machines or databases of a cloud.",
    ),
)
_AWS_ZERO = frozenset(["update-service", "update-auto-scaling-group", "modify-replication-group"])
_AWS_WORSE = word_set(
    "stop-logging delete-trail update-trail put-event-selectors "
    "stop-configuration-recorder delete-configuration-recorder delete-detector update-detector "
    "disable-alarm-actions delete-flow-logs disable-security-hub delete-web-acl "
    "disassociate-web-acl cancel-rotate-secret "
)


def _gcloud(call: Call, words: list[str]) -> Iterator[Hit]:
    text = " ".join(call.arguments)
    if "add-iam-policy-binding" in words or "set-iam-policy" in words:
        if re.search(
            r"allUsers|allAuthenticatedUsers|roles/(?:owner|editor)\b|Admin\b|\.admin\b", text
        ):
            yield Hit(rule="privilege_change", reason="Hands out wide rights in the cloud.")
    elif "keys" in words and "create" in words and "service-accounts" in words:
        yield Hit(rule="privilege_change", reason="Makes a key for a service account.")
    elif "firewall-rules" in words and re.search(r"0\.0\.0\.0/0", text):
        yield Hit(rule="exposure", reason="Opens a cloud network to everybody.")
    elif starts(words, "secrets versions access"):
        yield Hit(rule="credential_read", reason="Prints a stored secret.", confidence=0.8)
    elif starts(words, "logging sinks delete", "logging sinks update"):
        yield Hit(rule="defence_off", reason="Changes where the cloud's audit log goes.")


def _gsutil(call: Call, words: list[str]) -> Iterator[Hit]:
    if starts(words, "rsync") and flag(call, "-d"):
        yield _deletes(call, "rsync -d")
    elif starts(words, "iam ch", "acl ch", "acl set", "defacl set") and re.search(
        r"allUsers|AllUsers|public-read|allAuthenticated", " ".join(call.arguments)
    ):
        yield Hit(rule="exposure", reason="Makes stored objects public.")


def _az(call: Call, words: list[str]) -> Iterator[Hit]:
    if starts(words, "role assignment create", "ad sp create-for-rbac", "ad app credential reset"):
        yield Hit(rule="privilege_change", reason="Hands out rights or keys in the cloud.")
    elif starts(words, "keyvault secret show", "keyvault secret download"):
        yield Hit(rule="credential_read", reason="Prints a stored secret.", confidence=0.8)
    elif re.search(r" (?:deallocate|delete-batch|stop)(?: |$)", " " + " ".join(words[:4])):
        yield _deletes(call, " ".join(words[:3]), 0.7)
    elif starts(words, "network nsg rule create") and re.search(
        r"--source-address-prefixes? (?:\*|0\.0\.0\.0/0|Internet)", " ".join(call.arguments)
    ):
        yield Hit(rule="exposure", reason="Opens a cloud network to everybody.")


_GH_THINGS = word_set(
    "repo release secret variable run gist ssh-key gpg-key label cache codespace environment "
    "project issue ruleset"
)


def _forge(call: Call, words: list[str]) -> Iterator[Hit]:
    text = " ".join(call.arguments)
    if words[:1] == ["api"]:
        if re.search(r"(?:-X|--method|--request)[ =]?DELETE\b", text, re.IGNORECASE):
            yield _deletes(call, "api DELETE")
    elif starts(words, "repo edit", "repo archive", "repo rename", "repo transfer"):
        if words[1] != "edit" or "--visibility" in text:
            yield Hit(rule="exposure", reason="Changes who may see or use a repository.")
    elif starts(words, "pr merge", "mr merge") and flag(call, "--admin"):
        yield Hit(rule="guard_off", reason="Merges past the rules of the repository.")
    elif words[:1] and words[0] not in _GH_THINGS and call.name == "gh" and words[0] != "extension":
        return
    elif starts(words, "ssh-key add", "secret set") and call.name == "gh" and words[0] == "ssh-key":
        yield Hit(rule="privilege_change", reason="Adds a key to an account of the forge.")


def _heroku(call: Call, words: list[str]) -> Iterator[Hit]:
    for word in words[:2]:
        if re.search(r":(?:destroy|delete|reset|remove|unset|disable|wipe|kill|detach)$", word):
            yield _deletes(call, word)
            return
    if starts(words, "ps:scale") and any(word.endswith("=0") for word in call.arguments):
        yield _deletes(call, "ps:scale to 0", 0.7)


def _firebase(call: Call, words: list[str]) -> Iterator[Hit]:
    if any(re.search(r":(?:delete|disable|destroy|remove)$", word) for word in words[:1]):
        yield _deletes(call, words[0])


def _vault(call: Call, words: list[str]) -> Iterator[Hit]:
    if starts(words, "secrets disable", "auth disable", "audit disable", "operator seal") or starts(
        words, "token revoke", "lease revoke", "operator step-down", "operator rekey"
    ):
        yield _deletes(call, " ".join(words[:2]))
    elif starts(words, "kv rollback", "kv undelete"):
        return


def _consul(call: Call, words: list[str]) -> Iterator[Hit]:
    if starts(words, "leave", "force-leave", "acl bootstrap", "snapshot restore"):
        yield _deletes(call, words[0])


def _nomad(call: Call, words: list[str]) -> Iterator[Hit]:
    if starts(words, "job stop", "stop", "system gc", "node drain", "alloc stop"):
        yield _deletes(call, " ".join(words[:2]), 0.8)


def _undoes(*phrases: str) -> Callable[[Call, list[str]], Iterator[Hit]]:
    def check(call: Call, words: list[str]) -> Iterator[Hit]:
        if starts(words, *phrases):
            yield _deletes(call, " ".join(words[:2]))

    return check


def _storage(call: Call, words: list[str]) -> Iterator[Hit]:
    """File systems, pools and backups, whose verbs are their own."""
    if starts(words, "rollback", "labelclear", "forget", "prune", "cleanup", "gc", "split"):
        yield Hit(rule="storage_delete", reason=f"Deletes stored data ({call.name} {words[0]}).")
    elif any(_DELETES.match(word) for word in words[:3]) and not any(
        _KEEPS.match(word) for word in words[:1]
    ):
        yield Hit(rule="storage_delete", reason=f"Deletes stored data ({call.name}).")


def _rclone(call: Call, words: list[str]) -> Iterator[Hit]:
    if starts(words, "purge", "delete", "deletefile", "rmdirs", "rmdir", "cleanup", "sync", "move"):
        yield Hit(rule="storage_delete", reason=f"Deletes stored data (rclone {words[0]}).")


def storage(call: Call) -> Iterator[Hit]:
    """Backups, pools, volumes and object stores."""
    if rehearses(call) or (flag(call, "-n") and call.name in ("restic", "borg", "zfs", "rclone")):
        return
    words = verbs(call)
    if call.name == "rclone":
        yield from _rclone(call, words)
    else:
        yield from _storage(call, words)


_HERE = re.compile(r"(?i)(?:https?://)?(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])?(?::\d+)?/")
_ENGINES = re.compile(
    r"(?i):(?:9200|9300|5984|8500|2379|4646|15672|8001|6443|8983|7474|2375|8086|9090|8200|5601)(?:/|\Z)"
    r"|/_all\b|/_query\b|/v1/kv/|/containers/|/api/v1/namespaces"
)


def http(call: Call) -> Iterator[Hit]:
    """A DELETE sent by hand to another machine, or to a service that holds data."""
    texts = call.arguments
    sent = any(
        re.fullmatch(r"(?:-X|--request[= ]?|--method[= ]?)?DELETE", text)
        and (text != "DELETE" or index == 0 or texts[index - 1] in ("-X", "--request", "--method"))
        for index, text in enumerate(texts)
    )
    urls = [text for text in texts if re.match(r"(?i)https?://|:\d+/|[\w.-]+(?::\d+)?/", text)]
    posted = any(re.search(r"/_delete_by_query\b|/_truncate\b|/shutdown\b", url) for url in urls)
    if not (sent or posted):
        return
    for url in urls:
        if not _HERE.match(url) or _ENGINES.search(url) or posted:
            yield Hit(
                rule="cloud_delete",
                reason="Sends a DELETE to a service.",
                confidence=0.75,
            )
            return


_ELSEWHERE = _undoes(
    "system gc", "reset", "system reset", "app delete-resource", "down", "db reset", "gc",
    "cluster stop", "osd out", "osd down", "osd lost", "repo archive", "dags delete",
    "hosting:disable", "cluster destroy", "instance stop", "database reset", "fs rm", "rollback",
    "key delete", "config clear", "accounts archive",
)  # fmt: skip
_SPECIAL.update(
    {
        "aws": _aws,
        "awslocal": _aws,
        "gcloud": _gcloud,
        "gsutil": _gsutil,
        "az": _az,
        "gh": _forge,
        "glab": _forge,
        "heroku": _heroku,
        "firebase": _firebase,
        "vault": _vault,
        "bao": _vault,
        "consul": _consul,
        "nomad": _nomad,
        "netlify": _heroku,
        "railway": _ELSEWHERE,
        "supabase": _ELSEWHERE,
        "airflow": _ELSEWHERE,
        "mlflow": _ELSEWHERE,
        "ceph": _ELSEWHERE,
        "databricks": _ELSEWHERE,
        "helm": _undoes("rollback"),
    }
)
