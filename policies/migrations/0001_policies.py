import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_accounts'),
    ]

    operations = [
        migrations.CreateModel(
            name='Policy',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('builtin', models.CharField(blank=True, editable=False, help_text="The name under which the portal ships it; empty for the tenant's own.", max_length=100, verbose_name='built-in')),
                ('name', models.CharField(max_length=100, validators=[django.core.validators.RegexValidator('^[^\\x00-\\x1f\\x7f]{3,100}\\Z', '3 to 100 characters, no line breaks or control characters.')], verbose_name='name')),
                ('description', models.CharField(blank=True, max_length=500, verbose_name='description')),
                ('type', models.CharField(default='content', max_length=20, verbose_name='type')),
                ('category', models.CharField(blank=True, max_length=50, verbose_name='category')),
                ('severity', models.CharField(choices=[('critical', 'Critical'), ('high', 'High'), ('medium', 'Medium'), ('low', 'Low')], default='medium', max_length=10, verbose_name='severity')),
                ('priority', models.PositiveSmallIntegerField(default=100, help_text='Orders the matches; it never lets one policy hide another.', validators=[django.core.validators.MaxValueValidator(1000)], verbose_name='priority')),
                ('enabled', models.BooleanField(default=True, verbose_name='enabled')),
                ('mode', models.CharField(choices=[('enforce', 'Enforce'), ('observe', 'Observe: match and record, change nothing')], default='enforce', max_length=10, verbose_name='mode')),
                ('rollout_percent', models.PositiveSmallIntegerField(default=100, help_text='The share of subjects it is enforced for; for the others it observes.', validators=[django.core.validators.MaxValueValidator(100)], verbose_name='rollout (%)')),
                ('applies_to', models.JSONField(blank=True, default=dict, verbose_name='applies to')),
                ('conditions', models.JSONField(verbose_name='conditions')),
                ('actions', models.JSONField(verbose_name='actions')),
                ('tags', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=50), blank=True, default=list, size=None, verbose_name='tags')),
                ('version', models.PositiveIntegerField(default=1, editable=False, verbose_name='version')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created')),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='changed')),
                ('deleted_at', models.DateTimeField(editable=False, null=True, verbose_name='deleted')),
                ('tenant', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='policies', to='accounts.tenant')),
            ],
            options={
                'verbose_name': 'policy',
                'verbose_name_plural': 'policies',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='PolicyVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField(verbose_name='version')),
                ('snapshot', models.JSONField(verbose_name='policy')),
                ('change', models.CharField(choices=[('created', 'Created'), ('updated', 'Changed'), ('deleted', 'Deleted')], max_length=10, verbose_name='change')),
                ('note', models.CharField(blank=True, max_length=500, verbose_name='note')),
                ('author', models.CharField(max_length=200, verbose_name='author')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='saved')),
                ('policy', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='policies.policy')),
                ('tenant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.tenant')),
            ],
            options={
                'verbose_name': 'policy version',
                'verbose_name_plural': 'policy versions',
                'ordering': ['-version'],
            },
        ),
        migrations.AddConstraint(
            model_name='policy',
            constraint=models.UniqueConstraint(condition=models.Q(('deleted_at', None)), fields=('tenant', 'name'), name='policy_name_once_per_tenant', violation_error_message='There is a policy of this name.'),
        ),
        migrations.AddConstraint(
            model_name='policy',
            constraint=models.UniqueConstraint(condition=models.Q(('builtin', ''), _negated=True), fields=('tenant', 'builtin'), name='policy_builtin_once_per_tenant'),
        ),
        migrations.AddConstraint(
            model_name='policy',
            constraint=models.CheckConstraint(condition=models.Q(('rollout_percent__lte', 100)), name='policy_rollout_is_a_percentage'),
        ),
        migrations.AddConstraint(
            model_name='policyversion',
            constraint=models.UniqueConstraint(fields=('policy', 'version'), name='policy_version_once'),
        ),
    ]
