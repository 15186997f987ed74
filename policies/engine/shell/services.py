"""Rules about clouds, clusters, containers, databases and registries: deletes at a distance."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.engine.language import word_set
from policies.engine.shell.calls import Call
from policies.engine.shell.hits import Hit, flags, has

# Verbs that begin a subcommand which deletes, in the command lines of clouds and services.
_DELETES = re.compile(
    r"^(?:delete|destroy|terminate|remove|purge|drop|deregister|erase|wipe|nuke|teardown|rm|rb|del|"
    r"uninstall|unpublish|deprovision|disable-key|schedule-key-deletion|force-delete|reset|flush|"
    r"empty|decommission|detach-role|revoke-security|batch-delete)(?:$|[-:_](?!protection|marker))"
)
TOOLS = word_set(
    "aws gcloud gsutil az kubectl oc helm eksctl doctl flyctl fly heroku linode-cli oci "
    "ibmcloud openstack vault consul etcdctl nomad gh glab firebase supabase vercel netlify "
    "wrangler railway argocd flux istioctl rabbitmqctl kcadm.sh ccloud confluent snowsql bq "
    "cbt s3cmd s5cmd mc rclone b2 scw hcloud civo aliyun tccli yc kops rancher k3d kind "
    "minikube juju render dokku cf okteto turso neonctl pscale planetscale atlas auth0 stripe "
    "lxc incus multipass virsh qm pct velero rosa eb copilot sam cdk serverless sls pulumi "
    "terraform tofu terragrunt cdktf crossplane kafka-topics.sh kafka-topics nats influx "
    "mongosh aerospike kcat kopia restic borg duplicity zpool zfs lvremove"
)
_HARMLESS = word_set("help list ls get describe show status logs plan diff history version")
_DRY = ("--dry-run", "--dryrun", "--dry-run=client", "--dry-run=server", "--help", "-h", "--plan",
        "--what-if", "--preview", "--noop")  # fmt: skip


def cloud(call: Call) -> Iterator[Hit]:
    """A subcommand that deletes, in any of the known command lines."""
    arguments = call.arguments
    if call.name not in TOOLS or has(arguments, *_DRY):
        return
    words = [word for word in arguments if not word.startswith("-")]
    if (
        words[:1]
        and words[0]
        in (
            "help",
            "completion",
            "explain",
            "config",
            "plugin",
            "repo",
            "run",
        )
        and call.name != "gh"
    ):
        return
    special = _SPECIAL.get(call.name)
    if special is not None:
        yield from special(call, words)
        return
    for word in words[:5]:
        if word in _HARMLESS and call.name not in ("az", "gcloud", "aws"):
            return
        if _DELETES.match(word) and "/" not in word:
            yield Hit(
                rule="cloud_delete", reason=f"Deletes resources at a distance ({call.name} {word})."
            )
            return


def _kubectl(call: Call, words: list[str]) -> Iterator[Hit]:
    verb = words[0] if words else ""
    if verb == "delete":
        yield Hit(rule="cloud_delete", reason="Deletes objects of a cluster (kubectl delete).")
    elif verb == "drain" or (verb == "replace" and has(call.arguments, "--force")):
        yield Hit(
            rule="cloud_delete", reason=f"Takes running work away from a cluster (kubectl {verb})."
        )
    elif verb == "scale" and any(re.fullmatch(r"--replicas=0", word) for word in call.arguments):
        yield Hit(
            rule="cloud_delete", reason="Stops every replica (kubectl scale to 0).", confidence=0.8
        )


def _terraform(call: Call, words: list[str]) -> Iterator[Hit]:
    verb = words[0] if words else ""
    if (verb in ("destroy", "run-all") and (verb == "destroy" or "destroy" in words)) or (
        verb == "apply" and has(call.arguments, "-destroy", "--destroy")
    ):
        yield Hit(
            rule="cloud_delete", reason="Destroys the infrastructure that the code describes."
        )
    elif words[:2] in (["state", "rm"], ["workspace", "delete"], ["state", "push"]):
        yield Hit(rule="cloud_delete", reason="Takes resources out of the recorded state.")
    elif verb in ("taint", "force-unlock"):
        yield Hit(
            rule="cloud_delete", reason="Has a resource destroyed at the next run.", confidence=0.8
        )


def _pulumi(call: Call, words: list[str]) -> Iterator[Hit]:
    if words[:1] == ["destroy"] or words[:2] in (["stack", "rm"], ["state", "delete"]):
        yield Hit(rule="cloud_delete", reason="Destroys the infrastructure of a stack.")


def _storage(call: Call, words: list[str]) -> Iterator[Hit]:
    """rclone, zfs, restic and others whose verbs are their own."""
    verb = words[0] if words else ""
    if verb in (
        "delete",
        "purge",
        "destroy",
        "rmdirs",
        "forget",
        "cleanup",
        "rollback",
        "prune",
        "rb",
        "rm",
        "del",
        "labelclear",
    ):
        yield Hit(rule="cloud_delete", reason=f"Deletes stored data ({call.name} {verb}).")
    elif verb == "sync" and call.name in ("rclone", "s5cmd") and has(call.arguments, "--delete"):
        yield Hit(rule="cloud_delete", reason="Deletes what the source does not have.")


def _aws(call: Call, words: list[str]) -> Iterator[Hit]:
    if words[:2] == ["s3", "sync"]:
        if has(call.arguments, "--delete"):
            yield Hit(rule="cloud_delete", reason="Deletes objects that the source does not have.")
        return
    if words[:2] == ["s3", "rm"] and not has(call.arguments, "--recursive") and call.words[-1].glob:
        return
    verb = words[1] if len(words) > 1 else ""
    if _DELETES.match(verb) or (
        verb in ("put-bucket-policy", "stop-logging", "cancel-key-deletion")
        and verb == "stop-logging"
    ):
        yield Hit(
            rule="cloud_delete", reason=f"Deletes or stops resources in AWS ({words[0]} {verb})."
        )
    elif words[:1] == ["iam"] and verb in (
        "attach-user-policy",
        "attach-role-policy",
        "create-access-key",
        "put-user-policy",
        "attach-group-policy",
        "create-login-profile",
    ):
        yield Hit(rule="privilege_change", reason="Hands out rights or keys in AWS.")
    elif words[:1] == ["cloudformation"] and verb == "delete-stack":
        yield Hit(rule="cloud_delete", reason="Deletes a stack with its resources.")


_GH_THINGS = word_set(
    "repo release secret variable run gist ssh-key gpg-key label cache codespace environment "
    "project"
)


def _gh(call: Call, words: list[str]) -> Iterator[Hit]:
    if words[:1] == ["api"]:
        method = " ".join(call.arguments)
        if re.search(r"(?:-X|--method)[ =]?DELETE", method):
            yield Hit(
                rule="cloud_delete", reason="Deletes something through the API (gh api -X DELETE)."
            )
        return
    if words[:1] and words[0] in _GH_THINGS and has(words[1:2], "delete", "remove", "archive"):
        yield Hit(rule="cloud_delete", reason=f"Deletes a {words[0]} of the forge.")


def _heroku(call: Call, words: list[str]) -> Iterator[Hit]:
    for word in words[:2]:
        if re.search(r"(?:^|:)(?:destroy|delete|reset|remove|unset)$", word):
            yield Hit(rule="cloud_delete", reason=f"Deletes resources of an application ({word}).")
            return


def _state(call: Call, words: list[str]) -> Iterator[Hit]:
    for word in words[:3]:
        if re.match(
            r"(?:delete|destroy|undefine|purge|remove|rm|kv-delete|stop_app|reset|force_reset|del)\b",
            word,
        ):
            yield Hit(
                rule="cloud_delete", reason=f"Deletes data of a service ({call.name} {word})."
            )
            return


_SPECIAL = {
    "kubectl": _kubectl,
    "oc": _kubectl,
    "terraform": _terraform,
    "tofu": _terraform,
    "terragrunt": _terraform,
    "pulumi": _pulumi,
    "rclone": _storage,
    "zpool": _storage,
    "zfs": _storage,
    "restic": _storage,
    "borg": _storage,
    "s3cmd": _storage,
    "s5cmd": _storage,
    "aws": _aws,
    "gh": _gh,
    "heroku": _heroku,
    "vault": _state,
    "consul": _state,
    "etcdctl": _state,
    "virsh": _state,
    "rabbitmqctl": _state,
}


def container(call: Call) -> Iterator[Hit]:
    """docker and its relatives: volumes, prunes, and doors to the host."""
    letters, longs = flags(call)
    words = [word for word in call.arguments if not word.startswith("-")]
    pair = words[:2]
    if has(call.arguments, "--help"):
        return
    if pair in (["volume", "rm"], ["volume", "remove"], ["volume", "prune"], ["system", "prune"]):
        if (
            pair == ["system", "prune"]
            and "--volumes" not in longs
            and "a" not in letters
            and "--all" not in longs
        ):
            return
        yield Hit(
            rule="container_delete", reason="Deletes volumes or everything that is not in use."
        )
    elif "down" in words[:4] and ("v" in letters or "--volumes" in longs):
        yield Hit(rule="container_delete", reason="Deletes the volumes of the composed services.")
    elif (
        words[:1] in (["rm"], ["rmi"])
        and ("f" in letters or "--force" in longs)
        and any(not word.known for word in call.words)
    ):
        yield Hit(rule="container_delete", reason="Deletes every container or image.")
    elif (
        words[:1] in (["stack"], ["service"], ["swarm"])
        and words[1:2]
        and words[1] in ("rm", "leave")
    ):
        yield Hit(rule="container_delete", reason="Removes services from the swarm.")
    elif words[:1] in (["run"], ["create"], ["exec"]):
        yield from _escape(call)


def _escape(call: Call) -> Iterator[Hit]:
    arguments = call.arguments
    for word, following in zip(arguments, [*arguments[1:], ""], strict=False):
        mount = (
            following
            if word in ("-v", "--volume")
            else word.removeprefix("--volume=").removeprefix("-v")
        )
        if mount.startswith("/:") or (
            word == "--mount" and re.search(r"(?:source|src)=/(?:,|$)", following)
        ):
            yield Hit(rule="container_escape", reason="Mounts the host's whole file system.")
            return
    if has(arguments, "--privileged") and any(word.startswith("--pid=host") for word in arguments):
        yield Hit(rule="container_escape", reason="Runs with every right on the host.")


# Programs, and what their arguments begin with (or hold) when they delete or reset data.
_FRAMEWORKS = (
    ("rake rails", r"db:(?:drop|reset|purge|schema:load|truncate_all|migrate:reset)\b"),
    ("artisan", r"(?:db:wipe|migrate:(?:fresh|reset|refresh))\b"),
    ("manage.py django-admin", r"(?:flush|reset_db|sqlflush|truncate)\b"),
    ("prisma", r"(?:migrate reset|db push .*--(?:force-reset|accept-data-loss))\b"),
    ("sequelize sequelize-cli", r"db:(?:drop|migrate:undo:all)\b"),
    ("typeorm", r"schema:drop\b"),
    ("mix", r"ecto\.(?:drop|reset)\b"),
    ("knex", r"migrate:rollback.*--all\b"),
    ("alembic", r"downgrade base\b"),
    ("flyway", r"(?:.* )?clean\b"),
    ("liquibase", r"(?i:(?:.* )?drop-?all\b)"),
    ("doctrine console bin/console", r"doctrine:(?:database:drop|schema:drop|fixtures:load)\b"),
    ("drizzle-kit", r"drop\b"),
    ("wp", r"(?:db (?:drop|reset|clean)|site empty)\b"),
    ("drush", r"(?:sql-drop|sql:drop)\b"),
    ("dotnet dotnet-ef", r"(?:ef )?database drop\b"),
    ("supabase", r"db reset\b"),
    ("bench", r"(?:.* )?(?:drop-site|reinstall)\b"),
    ("npm pnpm yarn", r"(?:unpublish|deprecate)\b"),
    ("cargo", r"yank\b"),
    ("gem", r"yank\b"),
    ("dropdb dropuser", r""),
    ("mysqladmin", r"(?:.* )?(?:drop|shutdown|flush-hosts)\b"),
    (
        "redis-cli valkey-cli",
        r"(?i:(?:-\S+ (?:[^-\s]\S* )?)*(?:flushall|flushdb|shutdown|config set dir)\b)",
    ),
    (
        "kafka-topics kafka-topics.sh kafka-delete-records kafka-delete-records.sh",
        r"(?:.* )?--delete\b",
    ),
    ("pg_resetwal pg_dropcluster", r""),
)
_FRAMEWORK = {name: re.compile(pattern) for names, pattern in _FRAMEWORKS for name in names.split()}


def framework(call: Call) -> Iterator[Hit]:
    """Database resets of frameworks, and what takes a release back."""
    name, arguments = call.name, call.arguments
    if has(arguments, "--help", "--dry-run", "--pretend", "--version"):
        return
    if name in ("php", "python", "python3", "ruby") and arguments:
        script = arguments[0].rpartition("/")[2]
        if script in ("artisan", "manage.py", "console", "rails"):
            name, arguments = script, arguments[1:]
    pattern = _FRAMEWORK.get(name)
    if pattern is not None and arguments and pattern.match(" ".join(arguments)):
        yield Hit(rule="database_reset", reason=f"Deletes or resets data ({name}).")
