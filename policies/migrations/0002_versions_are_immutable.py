from django.db import migrations

# A version is what a past decision refers to; changing it would change the past.
FORWARD = """
CREATE FUNCTION policies_version_is_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'policy versions are never changed or deleted'
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER policies_version_is_immutable BEFORE UPDATE OR DELETE ON policies_policyversion
    FOR EACH ROW EXECUTE FUNCTION policies_version_is_immutable();
"""
BACKWARD = """
DROP TRIGGER policies_version_is_immutable ON policies_policyversion;
DROP FUNCTION policies_version_is_immutable();
"""


class Migration(migrations.Migration):
    dependencies = [("policies", "0001_policies")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
