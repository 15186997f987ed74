"""Rules about databases, brokers, caches and registries: resets and deletes by their own verbs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.engine.shell.call import Call
from policies.engine.shell.hits import Hit

# Programs, and what their arguments begin with (or hold, after `.*`) when they delete data.
_RESETS = (
    ("rake rails", r"db:(?:drop|reset|purge|schema:load|truncate_all|migrate:reset|rollback)\b"),
    (
        "rails rake",
        r"(?:runner|r|console|c) .*(?:delete_all|destroy_all|drop_table|\.clear\b|truncate)",
    ),
    ("artisan", r"(?:db:wipe|migrate:(?:fresh|reset|refresh)|queue:(?:flush|clear))\b"),
    ("manage.py django-admin", r"(?:.* )?(?:flush|reset_db|truncate|sqlflush --execute)\b"),
    (
        "manage.py django-admin",
        r"shell .*(?:objects\.(?:all\(\)\.)?(?:filter\(\)\.)?delete\(|_raw_delete|DROP TABLE)",
    ),
    ("prisma", r"(?:migrate reset|db push .*--(?:force-reset|accept-data-loss))\b"),
    ("sequelize sequelize-cli", r"db:(?:drop|migrate:undo:all|seed:undo:all)\b"),
    ("typeorm", r"(?:schema:drop|schema:sync|migration:revert)\b"),
    ("mikro-orm", r"schema:(?:drop|fresh)\b"),
    ("mix", r"ecto\.(?:drop|reset|rollback)\b"),
    ("knex", r"migrate:rollback.*--all\b"),
    ("alembic flask", r"(?:.* )?(?:downgrade (?:base|-\d)|db downgrade base|db drop|drop-db)\b"),
    ("flyway", r"(?:.* )?clean\b"),
    ("liquibase", r"(?i:(?:.* )?(?:drop-?all|rollback-?count)\b)"),
    ("doctrine console bin/console", r"doctrine:(?:database:drop|schema:drop|fixtures:load)\b"),
    ("drizzle-kit", r"drop\b"),
    ("wp", r"(?:db (?:drop|reset|clean)|site (?:empty|delete)|post delete .*--force)\b"),
    ("drush", r"(?:sql-drop|sql:drop|site:install|si)\b"),
    ("dotnet dotnet-ef", r"(?:ef )?database drop\b"),
    ("goose", r"(?:.* )?(?:reset|down-to 0)\b"),
    ("dbmate", r"(?:.* )?drop\b"),
    ("migrate", r"(?:.* )?drop\b"),
    ("sqlx", r"database (?:drop|reset)\b"),
    ("diesel", r"database (?:reset|drop)\b"),
    ("hasura", r"(?:metadata clear|migrate .*--down-all)\b"),
    ("supabase", r"db reset\b"),
    ("bench", r"(?:.* )?(?:drop-site|reinstall)\b"),
    ("dbt", r"run-operation .*(?:drop|delete|truncate)|(?:run|build|seed) .*--full-refresh"),
    ("npm pnpm yarn", (r"(?:unpublish|deprecate)\b|owner (?:rm|add)\b|access (?:public|grant|set)"
     r"|team (?:destroy|rm)\b|token (?:revoke|create)|dist-tag rm\b|npm (?:unpublish|deprecate)")),
    ("cargo", r"(?:yank|owner --(?:add|remove))\b"),
    ("gem", r"(?:yank|owner)\b"),
    ("twine", r"remove\b"),
    ("dart pub flutter", r"(?:pub )?uploader (?:add|remove)\b"),
    ("dropdb dropuser pg_resetwal pg_dropcluster", r"(?!.*--help)"),
    ("pg_restore", r"(?:.* )?(?:-c|--clean)\b"),
    ("mongorestore", r"(?:.* )?--drop\b"),
    ("initdb", r""),
    ("mysqladmin mariadb-admin", r"(?:.* )?(?:drop|shutdown|flush-hosts|password)\b"),
    ("redis-cli valkey-cli keydb-cli",
     (r"(?i:(?:-\S+ (?:[^-\s]\S* )?)*(?:flushall|flushdb|shutdown|debug segfault|script flush"
     r"|config set (?:dir|dbfilename|requirepass|protected-mode|save)|slaveof|replicaof"
     r"|module load|cluster reset|acl (?:deluser|setuser)|unlink .*\*|del .*\*"
     r"|eval .*(?:keys|flush|scan).*(?:del|unlink))\b)")),
    (("kafka-topics kafka-consumer-groups kafka-acls kafka-configs kafka-delete-records "
     "kafka-streams-application-reset kafka-reassign-partitions"),
     r"(?:.* )?--(?:delete|remove|reset-offsets.*--execute|delete-config|offset-json-file)\b"),
    ("zookeeper-shell zkCli", r"(?:.* )?(?:deleteall|rmr|delete)\b"),
    ("rabbitmqctl rabbitmq-queues",
     (r"(?:.* )?(?:delete_\w+|purge_queue|reset|force_reset|stop_app|stop|shutdown|clear_\w+"
     r"|forget_cluster_node|change_password|set_permissions)\b")),
    ("rabbitmqadmin", r"(?:.* )?(?:delete|purge|close)\b"),
    ("etcdctl", (r"(?:.* )?(?:del|rm|rmdir|member remove|snapshot restore|user delete|role delete"
     r"|auth disable|defrag)\b")),
    ("celery", r"(?:.* )?(?:purge|amqp queue\.(?:delete|purge)|control shutdown)\b"),
    ("sidekiq-cli sidekiqctl resque", r"(?:.* )?(?:clear|quiet|remove)\b"),
    ("rq", r"(?:.* )?empty\b"),
    ("beanstalkd-cli beanstool", r"(?:.* )?(?:delete|kick|empty)\b"),
    ("nodetool", (r"(?:.* )?(?:decommission|removenode|clearsnapshot|assassinate|drain"
     r"|truncatehints)\b")),
    ("cockroach", r"(?:node (?:decommission|drain)|quit)\b"),
    ("clickhouse-keeper-client", r"(?:.* )?rmr?\b"),
    ("hdfs hadoop", r"(?:dfs|fs) .*-(?:rm|rmr|rmdir|expunge)\b|namenode -format"),
    ("hbase", r"(?:.* )?(?:drop|disable|truncate)\b"),
    ("ldapdelete", r""),
    ("ldapmodify", r""),
    ("sacctmgr", r"(?:.* )?delete\b"),
    ("scancel", r"(?:.* )?(?:-u|--user|--me)\b"),
    ("svn", r"(?:revert .*-R|revert -R|cleanup .*--remove|delete \w+://|rm \w+://)"),
    ("hg", (r"(?:(?:--\S+ )*(?:update|up|co|checkout) .*(?:-C|--clean)\b|strip\b|purge\b"
     r"|revert .*(?:-a|--all)\b|rollback\b)")),
    ("jj", r"(?:abandon|op(?:eration)? (?:restore|undo|abandon)|restore)\b"),
    ("fossil", r"(?:purge|scrub|revert)\b"),
    ("p4", r"(?:obliterate|revert .*\.\.\.|delete)\b"),
    ("vagrant", r"(?:.* )?(?:destroy|box remove .*--all)\b"),
    ("VBoxManage vboxmanage", (r"(?:unregistervm .*--delete|closemedium .*--delete"
     r"|natnetwork remove)")),
    ("virsh", (r"(?:.* )?(?:destroy|undefine|vol-delete|pool-(?:delete|destroy)|snapshot-delete"
     r"|vol-wipe)\b")),
    ("pip pip3", r"uninstall (?=.*-y)(?=.*(?:-r\b|/dev/fd))"),
    ("brew", r"(?:uninstall|remove|rm) .*\$?\ue000"),
)  # fmt: skip
_RESET: dict[str, list[re.Pattern[str]]] = {}
for _names, _pattern in _RESETS:
    for _name in _names.split():
        _RESET.setdefault(_name, []).append(re.compile(_pattern))

PROGRAMS = " ".join(_RESET)
_HARMLESS = frozenset(["--help", "--dry-run", "--pretend", "--list", "--describe", "--check"])
_SCRIPTS = ("artisan", "manage.py", "console", "rails", "rake")
MAX_TEXT = 2_000  # characters of the arguments that the patterns look at


def resets(call: Call) -> Iterator[Hit]:
    """Database resets of frameworks, deletes in brokers and caches, releases taken back."""
    name, arguments = call.name, call.arguments
    # -h is often the host, and --version that of the package; alone at the end they ask for help.
    if _HARMLESS.intersection(arguments) or arguments[-1:] in (["-h"], ["--version"]):
        return
    if name in ("php", "python", "python3", "ruby") and arguments:
        script = arguments[0].rpartition("/")[2]
        if script in _SCRIPTS:
            name, arguments = script, arguments[1:]
    patterns = _RESET.get(name.removesuffix(".sh"), ())
    text = " ".join(arguments)[:MAX_TEXT]
    if arguments and any(pattern.match(text) for pattern in patterns):
        yield Hit(rule="database_reset", reason=f"Deletes or resets data ({name}).")
    elif call.open and name in ("pip", "pip3") and arguments[:1] == ["uninstall"]:
        yield Hit(rule="database_reset", reason="Empties an environment of its packages.")
    elif (
        call.open
        and name in ("redis-cli", "valkey-cli")
        and any(text.lower() in ("del", "unlink") for text in arguments)
    ):
        yield Hit(rule="database_reset", reason="Deletes whatever keys come from elsewhere.")
