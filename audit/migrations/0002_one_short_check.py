"""One short check on each decision: PostgreSQL reads a check's expression anew for each INSERT."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_records")]

    operations = [
        migrations.RemoveConstraint("gatewaycontext", "gateway_context_approved_iff_allow"),
        migrations.RemoveConstraint("gatewaycontext", "gateway_context_phase"),
        migrations.AddConstraint(
            "gatewaycontext",
            models.CheckConstraint(
                name="gateway_context_approved_iff_allow",
                condition=models.Q(approved=models.Q(verdict="allow")),
            ),
        ),
    ]
