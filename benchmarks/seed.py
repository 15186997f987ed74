"""Fill a benchmark's database: `python -m benchmarks.seed POLICIES`; prints the secret.

A process of its own, so that the benchmark itself stays free of Django.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Migrate, and make a tenant with its policies, a client and a credential."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
    os.environ["AXON_RECORDER"] = "inline"
    import django

    django.setup()
    from django.contrib.auth.models import Group
    from django.core.management import call_command

    from audit import partitions
    from axonportal.accounts.models import Client, Membership, Scope, Tenant, User
    from axonportal.accounts.services import issue_credential
    from axonportal.common import changes
    from benchmarks import workload
    from policies.active import TOPIC
    from policies.models import Policy
    from policies.services import add_builtin_policies, create_policy

    call_command("migrate", interactive=False, verbosity=0, skip_checks=True)
    partitions.make()
    tenant, _ = Tenant.objects.get_or_create(slug="bench", defaults={"name": "Benchmark"})
    add_builtin_policies(tenant)
    person, _ = User.objects.get_or_create(username=workload.APPROVER)
    Membership.objects.get_or_create(user=person, tenant=tenant)
    person.groups.add(Group.objects.get_or_create(name=workload.APPROVERS)[0])
    create_policy(tenant, workload.APPROVAL, actor="benchmark")
    # Straight into the table: the admission of each pattern has its own child process.
    Policy.objects.bulk_create(
        [Policy(tenant=tenant, **values) for values in workload.policies(int(sys.argv[1]))],
        batch_size=1000,
    )
    changes.publish(f"{TOPIC}{tenant.pk}")
    client, _ = Client.objects.get_or_create(tenant=tenant, client_id=workload.CLIENT)
    issued = issue_credential(client, name="benchmark", actor="benchmark", scopes=Scope.values)
    print(issued.secret)


if __name__ == "__main__":
    main()
