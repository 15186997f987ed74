"""What a command is told to do, to what and where, is told by facts, however it is spelt."""

from __future__ import annotations

import pytest

from policies.engine.analysis import analyse
from policies.engine.decision import decide
from policies.engine.operation import Language, Operation, Part
from policies.engine.policy import CompiledPolicy, PolicySpec
from policies.engine.policyset import PolicySet
from policies.engine.shell.facts import MAX_VALUE
from policies.engine.shell.facts.line import LEFT_OUT, MAX_LINE, MAX_WORD
from policies.engine.shell.turns import MAX_TURNS

FAMILIES = ("git", "cloud", "kubernetes", "terraform", "database")


def operation(text: str) -> Operation:
    part = Part(start=0, end=len(text), language=Language.SHELL)
    return Operation(text=text, tool="Bash", parts=(part,))


def told(text: str) -> dict[str, str]:
    """The facts of the families that are tested here, their values joined by blanks."""
    return {
        name: " ".join(values)
        for name, values in analyse(operation(text)).facts.items()
        if name.partition(".")[0] in FAMILIES
    }


def git(operation: str, **more: str) -> dict[str, str]:
    return _facts("git", operation=operation, **more)


def aws(operation: str, service: str, **more: str) -> dict[str, str]:
    return _facts("cloud", provider="aws", service=service, operation=operation, **more)


def gcp(operation: str, service: str, **more: str) -> dict[str, str]:
    return _facts("cloud", provider="gcp", service=service, operation=operation, **more)


def azure(operation: str, service: str, **more: str) -> dict[str, str]:
    return _facts("cloud", provider="azure", service=service, operation=operation, **more)


def kubernetes(operation: str, **more: str) -> dict[str, str]:
    return _facts("kubernetes", operation=operation, **more)


def terraform(operation: str, **more: str) -> dict[str, str]:
    return _facts("terraform", operation=operation, **more)


def database(client: str, **more: str) -> dict[str, str]:
    return _facts("database", client=client, **more)


def _facts(family: str, **values: str) -> dict[str, str]:
    return {f"{family}.{name}": value for name, value in values.items()}


MAIN = {"remote": "origin", "branch": "main"}
FORCED = git("push", force="main", **MAIN)
PUSHES = {
    "git push origin main": git("push", **MAIN),
    "git push -u origin main": git("push", **MAIN),
    "git push --force origin main": FORCED,
    "git push origin main -f": FORCED,
    "git push -uf origin main": FORCED,
    "git -C /srv/app -c push.default=current push --force origin main": FORCED,
    "git --git-dir=/srv/app/.git push --force-with-lease origin main": FORCED,
    "git push --force-with-lease=main:abc origin HEAD:main": FORCED,
    "git push origin +main": FORCED,
    "git push origin +feature:refs/heads/main": FORCED,
    "git push -o ci.skip origin +main": FORCED,
    "git push --force -- origin main": FORCED,
    "GIT_SSH_COMMAND=ssh sudo -u dev env A=b timeout 5 git push -f origin main": FORCED,
    "ssh build 'cd app && git push -f origin main'": FORCED,
    "bash -c \"git push '--force' ori''gin main\"": FORCED,
    "B=main; git push -f origin $B": FORCED,
    "git submodule foreach 'git push -f origin main'": {
        "git.operation": "submodule foreach push",
        "git.remote": "origin",
        "git.branch": "main",
        "git.force": "main",
    },
    "git push": git("push", branch="HEAD"),
    "git push -f": git("push", branch="HEAD", force="HEAD"),
    "git push -f origin $BRANCH": git("push", remote="origin", branch="$?", force="$?"),
    "git push --mirror backup": git("push", remote="backup", branch="*", force="*"),
    "git push origin --all": git("push", remote="origin", branch="*"),
    "git push origin --tags": git("push", remote="origin"),
    "git push origin :main": git("push", delete="main", **MAIN),
    "git push --delete origin main": git("push", delete="main", **MAIN),
    "git push -d origin main": git("push", delete="main", **MAIN),
    "git push --force --dry-run origin main": {},
    "git push -nf origin main": {},
    "git push --help": {},
    "git commit -m 'git push --force origin main'": git("commit"),
    "echo git push --force origin main": {},
}
OTHER_GIT = {
    "git status -sb": git("status"),
    "git pull upstream main:local": git("pull", remote="upstream", branch="main"),
    "git fetch --depth 1 origin dev": git("fetch", remote="origin", branch="dev"),
    "git clone --depth 1 -b dev git@github.com:a/b.git": git(
        "clone", remote="git@github.com:a/b.git"
    ),
    "git remote add mirror https://x.example/r.git": git(
        "remote add", remote="mirror https://x.example/r.git"
    ),
    "git remote -v": git("remote"),
    "git stash drop": git("stash drop"),
    "git stash": git("stash"),
    "git branch -D old older": git("branch", delete="old older", branch="old older"),
    "git branch new main": git("branch", branch="new"),
    "git checkout -b new main": git("checkout", branch="new"),
    "git checkout main": git("checkout", branch="main"),
    "git checkout main -- a.py": git("checkout"),
    "git switch -c new": git("switch", branch="new"),
    "git merge --no-ff -m text feature": git("merge", branch="feature"),
    "git rebase --onto main topic": git("rebase", branch="main topic"),
    "git reset --hard HEAD~1": git("reset"),
    "git $FLAGS push origin main": git("push", **MAIN),
    "GIT push origin main": git("push", **MAIN),
    "xargs git branch -D": git("branch", delete="$?", branch="$?"),
}
CLOUDS = {
    "aws s3 rb s3://backup --force": aws("rb", "s3"),
    "aws --profile prod --region eu-west-1 ec2 terminate-instances --instance-ids i-1": aws(
        "terminate-instances", "ec2", account="prod", region="eu-west-1"
    ),
    "aws --no-paginate --output=json ec2 --region eu-west-1 terminate-instances": aws(
        "terminate-instances", "ec2", region="eu-west-1"
    ),
    "AWS_PROFILE=prod aws s3 rb s3://b": aws("rb", "s3", account="prod"),
    "export AWS_PROFILE=prod; aws s3 rb s3://b": aws("rb", "s3", account="prod"),
    "env AWS_PROFILE=prod AWS_REGION=r aws s3 rb s3://b": aws(
        "rb", "s3", account="prod", region="r"
    ),
    "aws-vault exec prod -- aws s3 rb s3://b": aws("rb", "s3"),
    "aws s3 ls": aws("ls", "s3"),
    "aws ec2 run-instances --dry-run --image-id x": {},
    "aws s3 rm s3://b/x --dryrun": {},
    "aws ec2 terminate-instances help": {},
    "eksctl delete cluster --name prod": aws("delete", "eks"),
    "gcloud compute instances delete vm-1 --zone z -q": gcp(
        "delete", "compute instances", region="z"
    ),
    "gcloud --project=prod beta compute instances delete list": gcp(
        "delete", "compute instances", account="prod"
    ),
    "gcloud projects delete prod": gcp("delete", "projects"),
    "gcloud run services delete web": gcp("delete", "run services"),
    "gcloud deploy releases list": gcp("list", "deploy releases"),
    "gcloud compute ssh vm -- ls --help": gcp("ssh", "compute"),
    "gcloud config set project prod": gcp("set", "config", account="prod"),
    "gcloud sql instances delete db --help": {},
    "gsutil -m rm -r gs://b": gcp("rm", "storage"),
    "bq rm -r -f -d sales": gcp("rm", "bigquery"),
    "az group delete -n rg --yes --subscription prod": azure("delete", "group", account="prod"),
    "az vm run-command invoke -g rg -n vm --scripts ls": azure("invoke", "vm run-command"),
    "az --only-show-errors vm delete --ids a b": azure("delete", "vm"),
    "az account set -s prod": azure("set", "account", account="prod"),
    "az deployment group create --what-if -g rg": {},
    "heroku apps:destroy --app shop": _facts(
        "cloud", provider="heroku", service="apps", operation="destroy", account="shop"
    ),
    "doctl compute droplet delete 1": _facts(
        "cloud", provider="digitalocean", service="compute droplet", operation="delete"
    ),
    "oci compute instance terminate --instance-id x": _facts(
        "cloud", provider="oracle", service="compute instance", operation="terminate"
    ),
    "grep -r 'aws s3 rb' docs": {},
}
POD = kubernetes("delete", resource="pod/web", namespace="prod")
CLUSTERS = {
    "kubectl delete pod web -n prod": POD,
    "kubectl -n prod delete pod web": POD,
    "kubectl --namespace=prod delete pods/web": POD,
    "kubectl -nprod delete po web --grace-period 0 --force": POD,
    "kubectl -n=prod delete pod -- web": POD,
    "k3s kubectl delete pod web -n prod": POD,
    "minikube kubectl -- delete pod web -n prod": POD,
    "sudo -E kubectl delete pod web -n prod": POD,
    "NS=prod; kubectl delete pod web -n $NS": POD,
    "kubectl $ARGS delete pod web -n prod": POD,
    "kubectl -n prod --context=east delete deploy,svc web": kubernetes(
        "delete", namespace="prod", context="east", resource="deployment/web service/web"
    ),
    "kubectl delete deployments.apps/web svc/web --context east": kubernetes(
        "delete", context="east", resource="deployment/web service/web"
    ),
    "kubectl delete pod --all -A": kubernetes("delete", namespace="*", resource="pod"),
    "kubectl delete -f app.yaml": kubernetes("delete"),
    "kubectl delete ns prod": kubernetes("delete", resource="namespace/prod", namespace="prod"),
    "kubectl get ingresses -o name": kubernetes("get", resource="ingress"),
    "kubectl logs -f web -p -n prod": kubernetes("logs", resource="pod/web", namespace="prod"),
    "kubectl exec -it deploy/web -n prod -- rm -n x": kubernetes(
        "exec", resource="deployment/web", namespace="prod"
    ),
    "kubectl drain n1 --ignore-daemonsets": kubernetes("drain", resource="node/n1"),
    "kubectl rollout undo deployment/web": kubernetes("rollout undo", resource="deployment/web"),
    "kubectl scale --replicas=0 deploy web": kubernetes("scale", resource="deployment/web"),
    "kubectl label pod web env=prod old-": kubernetes("label", resource="pod/web"),
    "kubectl create secret generic key --from-literal=a=b": kubernetes(
        "create", resource="secret/key"
    ),
    "kubectl config use-context prod": kubernetes("config use-context", context="prod"),
    "kubectx prod": kubernetes("config use-context", context="prod"),
    "oc project prod": kubernetes("project", namespace="prod"),
    "xargs kubectl delete pod": kubernetes("delete", resource="pod/$?"),
    "kubectl delete pod web --dry-run=client": {},
    "kubectl delete pod web --dry-run=none": kubernetes("delete", resource="pod/web"),
    "kubectl delete --help": {},
    "helm uninstall web -n prod --kube-context east": kubernetes(
        "uninstall", resource="release/web", namespace="prod", context="east"
    ),
    "helm --namespace prod del web": kubernetes(
        "uninstall", resource="release/web", namespace="prod"
    ),
    "helm upgrade -i web ./chart -f v.yaml": kubernetes("upgrade", resource="release/web"),
    "helm uninstall web --dry-run": {},
    "helm repo add x https://x.example": kubernetes("repo add"),
    "for n in dev prod; do kubectl delete ns $n; done": kubernetes(
        "delete", resource="namespace/dev namespace/prod", namespace="dev prod"
    ),
    'for n in dev prod; do sudo kubectl -n "${n}" delete pod w-$n-1; done': kubernetes(
        "delete", namespace="dev prod", resource="pod/w-dev-1 pod/w-prod-1"
    ),
    "for n in dev prod; do echo $n; done; kubectl delete ns dev": kubernetes(
        "delete", resource="namespace/dev", namespace="dev"
    ),
    "k3s server": {},
    "echo kubectl delete ns prod": {},
}
INFRASTRUCTURE = {
    "terraform destroy": terraform("destroy"),
    "terraform -chdir=infra destroy -target=a.b --target c.d": terraform(
        "destroy", target="a.b c.d"
    ),
    "terraform apply -auto-approve": terraform("apply", auto_approve="true"),
    "tofu apply --auto-approve=true -var x=y": terraform("apply", auto_approve="true"),
    "terraform apply -auto-approve=false": terraform("apply"),
    "TF_CLI_ARGS_apply=-auto-approve terraform apply": terraform("apply", auto_approve="true"),
    "terraform apply -destroy": terraform("apply destroy"),
    "terraform workspace select prod": terraform("workspace select", workspace="prod"),
    "TF_WORKSPACE=prod terraform plan": terraform("plan", workspace="prod"),
    "terraform state rm a.b c.d": terraform("state rm", target="a.b c.d"),
    "terragrunt run-all destroy --terragrunt-non-interactive": terraform(
        "destroy", auto_approve="true"
    ),
    "terragrunt run --all -- destroy": terraform("destroy"),
    "terraform destroy -help": {},
    "cat terraform destroy": {},
}
PROD = {"host": "prod-db", "name": "shop", "user": "ann"}
DATABASES = {
    "psql -h prod-db -U ann shop": database("psql", **PROD),
    "psql --host=prod-db --username ann --dbname=shop": database("psql", **PROD),
    "psql -hprod-db -Uann -XAtc 'select 1' -d shop": database("psql", **PROD),
    "psql postgresql://ann:x@prod-db:5432/shop?sslmode=require": database("psql", **PROD),
    "psql 'host=prod-db dbname=shop user=ann'": database("psql", **PROD),
    "psql -d 'postgres://prod-db/shop?user=ann'": database("psql", **PROD),
    "PGHOST=prod-db PGUSER=ann psql shop": database("psql", **PROD),
    "export PGHOST=prod-db; psql shop ann": database("psql", **PROD),
    "docker exec -i db psql -h prod-db -U ann -d shop": database("psql", **PROD),
    "psql shop": database("psql", name="shop"),
    "psql postgres://[::1]:5432/shop": database("psql", host="[::1]", name="shop"),
    "psql -h /var/run/postgresql shop": database("psql", host="/var/run/postgresql", name="shop"),
    "psql -h $HOST_OF_DB shop": database("psql", host="$?", name="shop"),
    "psql --help": {},
    "pg_dump -t users -h prod-db shop": database("pg_dump", host="prod-db", name="shop"),
    "pg_restore -h prod-db -d shop dump.bin": database("pg_restore", host="prod-db", name="shop"),
    "dropdb -h prod-db shop": database("dropdb", host="prod-db", name="shop"),
    "mysql -hprod-db -uann -p shop -e 'select 1'": database("mysql", **PROD),
    "mysqldump --all-databases -h prod-db": database("mysqldump", host="prod-db", name="*"),
    "mysqldump -h prod-db --databases a b": database("mysqldump", host="prod-db", name="a b"),
    "mongosh 'mongodb+srv://ann:x@prod-db/shop'": database("mongosh", **PROD),
    "mongosh prod-db:27017/shop": database("mongosh", host="prod-db", name="shop"),
    "mongodump --uri mongodb://a,b:1/shop": database("mongodump", host="a b", name="shop"),
    "mongosh clean.js": database("mongosh"),
    "redis-cli -h prod-db -n 2 flushdb": database("redis-cli", host="prod-db", name="2"),
    "sqlite3 -cmd '.mode csv' shop.db 'select 1'": database("sqlite3", name="shop.db"),
    "sqlcmd -S tcp:prod-db,1433 -d shop -U ann -Q 'select 1'": database("sqlcmd", **PROD),
    "sqlcmd -S 'prod-db\\sql1'": database("sqlcmd", host="prod-db"),
    "cqlsh prod-db 9042 -k shop": database("cqlsh", host="prod-db", name="shop"),
    "snowsql -a prod-db -d shop -u ann": database("snowsql", **PROD),
    "cat psql.log": {},
}


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        pytest.param(text, facts, id=text)
        for table in (PUSHES, OTHER_GIT, CLOUDS, CLUSTERS, INFRASTRUCTURE, DATABASES)
        for text, facts in table.items()
    ],
)
def test_what_a_command_is_told_to_do_is_told_by_facts(text: str, facts: dict[str, str]):
    assert told(text) == facts


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("git clone git@github.com:a/b.git", ("github.com",)),
        ("git push origin HEAD:main", ()),
        ("psql -h Prod-DB shop", ("prod-db",)),
        ("psql -h /tmp shop", ()),
        ("psql -h $H shop", ()),
        ("mysql -h 10.0.0.4 shop", ("10.0.0.4",)),
    ],
)
def test_what_a_client_connects_to_is_a_host(text: str, hosts: tuple[str, ...]):
    assert analyse(operation(text)).facts.get("host", ()) == hosts


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("git  push\t--force origin main", ["git push --force origin main"]),
        ("g'i't pu''sh \"--force\"", ["git push --force"]),
        ("F=--force; git push $F", ["git push --force"]),
        ("git push $F", ["git push $?"]),
        ("git commit -m 'push --force'", ["git commit -m 'push --force'"]),
        ("git commit -m \"it's a b\" ''", ["git commit -m 'it'\\''s a b' ''"]),
        ("sudo rm x && ls", ["sudo rm x", "rm x", "ls"]),
        ("bash -c 'rm x'", ["bash -c 'rm x'", "rm x"]),
        ("find . -name a -exec rm -f {} +", ["find . -name a -exec rm -f {} +", "rm -f $?"]),
        ("/usr/bin/git push", ["git push"]),
    ],
)
def test_each_command_is_told_with_its_arguments(text: str, lines: list[str]):
    assert list(analyse(operation(text)).facts["shell.arguments"]) == lines


def test_a_long_argument_is_left_out_whole():
    facts = analyse(operation(f"tool {'a' * (MAX_WORD + 1)} 'b c' {'d ' * 900}")).facts

    assert facts["shell.arguments"][0].startswith(f"tool {LEFT_OUT} 'b c' d d")


def test_a_long_line_ends_where_it_is_cut():
    value = analyse(operation("tool " + "abc'd e' " * MAX_LINE)).facts["shell.arguments"][0]

    assert len(value) <= MAX_LINE + len(f" {LEFT_OUT}")
    assert value.endswith(f"'abcd e' {LEFT_OUT}")


def test_a_long_value_is_left_out_whole():
    assert told(f"psql -h {'a' * (MAX_VALUE + 1)}")["database.host"] == LEFT_OUT


def test_of_a_long_loop_the_rest_is_not_told():
    values = [f"n{number}" for number in range(MAX_TURNS + 5)]

    facts = told(f"for n in {' '.join(values)}; do kubectl -n $n get pod; done")

    assert facts["kubernetes.namespace"].split() == [*values[:MAX_TURNS], "$?"]


def policy(*conditions: dict[str, object]) -> PolicySet:
    spec = PolicySpec(
        id="p", name="keep-off", conditions=list(conditions), actions=[{"type": "block"}]
    )
    return PolicySet([CompiledPolicy(spec)])


@pytest.mark.parametrize(
    ("conditions", "blocked", "passed"),
    [
        (
            [{"field": "git.force", "operator": "in", "value": ["main", "HEAD", "*", "$?"]}],
            "cd app && git push -f",
            "git push -f origin feature",
        ),
        (
            [
                {"field": "kubernetes.operation", "operator": "equals", "value": "delete"},
                {"field": "kubernetes.namespace", "operator": "matches", "value": "^prod|^\\*$"},
            ],
            "kubectl delete deploy web -n production",
            "kubectl delete deploy web -n staging",
        ),
        (
            [{"field": "git", "operator": "equals", "value": "push"}],
            "git push",
            "git pull",
        ),
        (
            [
                {
                    "field": "shell.arguments",
                    "operator": "matches",
                    "value": "(?-i)^terraform .*-auto-approve",
                }
            ],
            "terraform apply -auto-approve",
            "terraform apply && echo terraform -auto-approve",
        ),
    ],
)
def test_policies_ask_for_facts(conditions, blocked, passed):
    policies = policy(*conditions)

    assert decide(operation(blocked), policies).verdict == "deny"
    assert decide(operation(passed), policies).verdict == "allow"
