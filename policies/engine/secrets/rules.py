"""The rules of secrets, for the reference page: one entry per kind and name reported."""

from __future__ import annotations

from policies.engine.rules import Rule
from policies.engine.secrets.providers import SHAPES

_JWT = "https://www.rfc-editor.org/rfc/rfc7519"
_PEM = "https://www.rfc-editor.org/rfc/rfc7468"
_USERINFO = "https://www.rfc-editor.org/rfc/rfc3986#section-3.2.1"
_BASIC = "https://www.rfc-editor.org/rfc/rfc7617"
_BEARER = "https://www.rfc-editor.org/rfc/rfc6750"
_HARD_CODED = "https://cwe.mitre.org/data/definitions/798.html"
_AWS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html"

_SHAPES = {
    (shape.kind, shape.rule): Rule(
        kind=f"secret.{shape.kind}",
        name=shape.rule,
        finds=f"A credential in the shape that {shape.issuer} issues.",
    )
    for shape in SHAPES
}

RULES: tuple[Rule, ...] = (
    *_SHAPES.values(),
    Rule(
        kind="secret.private_key",
        name="key.pem",
        finds="A private key in PEM, OpenSSH or PGP form, cut off or whole.",
        reference=_PEM,
    ),
    Rule(
        kind="secret.private_key",
        name="key.putty",
        finds="The private part of a PuTTY key file.",
        reference="https://the.earth.li/~sgtatham/putty/latest/htmldoc/AppendixC.html",
    ),
    Rule(
        kind="secret.private_key",
        name="key.base64",
        finds="A private key in base64, as kubeconfig files hold it.",
        reference=_PEM,
    ),
    Rule(
        kind="secret.jwt",
        name="jwt.signed",
        finds="A signed JSON web token; the one of the introductory pages passes.",
        reference=_JWT,
    ),
    Rule(
        kind="secret.connection_string",
        name="url.password",
        finds="The password in the address of a database, broker or directory.",
        reference=_USERINFO,
    ),
    Rule(
        kind="secret.url_password",
        name="url.password",
        finds="A password in the user information of a URL.",
        reference=_USERINFO,
    ),
    Rule(
        kind="secret.basic_auth",
        name="header.basic",
        finds="A user name and password in base64: a header, or the `auth` of a configuration.",
        reference=_BASIC,
    ),
    Rule(
        kind="secret.bearer_token",
        name="header.bearer",
        finds="A bearer token.",
        reference=_BEARER,
    ),
    Rule(
        kind="secret.bearer_token",
        name="header.authorization",
        finds="A token in an Authorization header of another scheme.",
        reference="https://www.rfc-editor.org/rfc/rfc9110#section-11.6.2",
    ),
    Rule(
        kind="secret.azure_sas",
        name="url.signature",
        finds="The signature of a shared access URL of Azure storage.",
        reference="https://learn.microsoft.com/azure/storage/common/storage-sas-overview",
    ),
    Rule(
        kind="secret.password_assignment",
        name="file.pgpass",
        finds="The password in a line of a PostgreSQL password file.",
        reference="https://www.postgresql.org/docs/current/libpq-pgpass.html",
    ),
    Rule(
        kind="secret.password_assignment",
        name="file.netrc",
        finds="The password in an entry of a .netrc file.",
        reference="https://www.gnu.org/software/inetutils/manual/html_node/The-_002enetrc-file.html",
    ),
    Rule(
        kind="secret.password_assignment",
        name="assignment.password",
        finds="A value given to what is called a password, in code, configuration, JSON, XML, a "
        "URL, a flag or a column; words, references, hashes and placeholders pass.",
        reference=_HARD_CODED,
    ),
    Rule(
        kind="secret.aws_secret_key",
        name="assignment.named",
        finds="An AWS secret access key, by its name and randomness.",
        reference=_AWS,
    ),
    Rule(
        kind="secret.azure_storage_key",
        name="assignment.named",
        finds="The key of an Azure storage account or namespace, by its name and randomness.",
        reference="https://learn.microsoft.com/azure/storage/common/storage-account-keys-manage",
    ),
    Rule(
        kind="secret.generic_api_key",
        name="assignment.token",
        finds="A random value given to what is called a key, token or secret.",
        reference=_HARD_CODED,
    ),
    Rule(
        kind="secret.password_assignment",
        name="sentence",
        finds="A value with the looks of a password that a sentence calls one.",
    ),
    Rule(
        kind="secret.generic_api_key",
        name="sentence",
        finds="A random value that a sentence calls a secret, token or key.",
    ),
    Rule(
        kind="secret.password_assignment",
        name="command.password",
        finds="A password where a command takes it: `mysql -p`, `sshpass -p`, `curl -u`.",
        reference="https://cwe.mitre.org/data/definitions/214.html",
    ),
    Rule(
        kind="secret.password_assignment",
        name="sql.password",
        finds="The password in SQL that creates or changes a user.",
        reference=_HARD_CODED,
    ),
    Rule(
        kind="secret.password_assignment",
        name="code.call",
        finds="The password that a call for a connection or a sign-in takes as its last string.",
        reference=_HARD_CODED,
    ),
    Rule(
        kind="secret.aws_secret_key",
        name="aws.pair",
        finds="The secret that stands beside an AWS access key.",
        reference=_AWS,
    ),
    Rule(
        kind="secret.twilio_token",
        name="twilio.pair",
        finds="The token that stands beside the identifier of a Twilio account.",
        reference="https://www.twilio.com/docs/iam/api/authtoken",
    ),
)
