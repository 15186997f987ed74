"""What the family must find, and what it must leave alone: checked by the tests, row by row.

All values are made up. `¦` is taken out on loading: it keeps scanners of repositories from taking
the samples for leaks.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from policies.engine.secrets.providers import SHAPES
from policies.engine.secrets.shape import Shape
from policies.engine.secrets.tokens import made_up, masked

_BREAK = "¦"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A text, and the (kind, value) pairs to find in it, in order.

    `twin` names the rule that a text without findings is the harmless twin of.
    """

    name: str
    text: str
    found: tuple[tuple[str, str], ...] = ()
    twin: str = ""


def _hit(name: str, text: str, *found: str) -> Sample:
    pairs = (one.replace(_BREAK, "").partition("=") for one in found)
    return Sample(
        name=name,
        text=text.replace(_BREAK, ""),
        found=tuple((f"secret.{kind}", value) for kind, _, value in pairs),
    )


def _miss(name: str, *, twin: str, text: str) -> Sample:
    return Sample(name=name, text=text.replace(_BREAK, ""), twin=twin)


def _shape_hit(number: int, shape: Shape) -> Sample:
    token = made_up(shape.example)
    return Sample(
        name=f"shape {number}",
        text=f'value: "{token}"\n',
        found=((f"secret.{shape.kind}", token),),
    )


def _shape_miss(number: int, shape: Shape) -> Sample:
    return Sample(
        name=f"mask of shape {number}", text=f"value: {masked(shape.example)}\n", twin=shape.rule
    )


_GITHUB = "gh¦p_q7Zp2LmX9vRt4KwB8sNd3HyCa6FuJ5eG1oTi"
_AWS = "AK¦IAQ3EGRCVTXW5JZP2N"
_AWS_SECRET = "kP9+vLq2XsR7/tWm4ZyB8nHd3JcF6gUa1EoTi5Ke"  # noqa: S105
_RANDOM = "q7Zp2LmX9vRt4KwB8sNd3HyC"
_HEX = "9f4c2b7e1a8d3f605b9ce7d2410a8f36"
_PASSWORD = "Tr0ub4dor&3x"  # noqa: S105
_JWT = (
    "ey¦JhbGciOiJIUzI1NiJ9.ey¦JzdWIiOiI0NzExIiwicm9sZSI6ImFkbWluIn0."
    "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
)
_KEY = (
    "-----BEGIN RSA PRI¦VATE KEY-----\n"
    "MIIEowIBAAKCAQEAq7Zp2LmX9vRt4KwB8sNd3HyCa6FuJ5eG1oTi\n"
    "kP9vLq2XsR7tWm4ZyB8nHd3JcF6gUa1EoTi5Ke\n"
    "-----END RSA PRI¦VATE KEY-----"
)
_ENCODED_KEY = base64.b64encode(_KEY.replace(_BREAK, "").encode()).decode()
_INTRODUCTORY_JWT = ".".join(
    base64.urlsafe_b64encode(part.encode()).decode().rstrip("=")
    for part in ('{"alg":"HS256"}', '{"sub":"1234567890","name":"Jo Roe"}', "q7Zp2LmX9vRt4KwB")
)

SAMPLES = (
    # What the issuers made recognisable
    _hit("github", f"curl -H 'Authorization: Bearer {_GITHUB}' x", f"github_token={_GITHUB}"),
    _hit("github in a URL", f"https://{_GITHUB}@github.com/o/r", f"github_token={_GITHUB}"),
    _hit("github escaped", f'"out\\n{_GITHUB}"', f"github_token={_GITHUB}"),
    _hit("aws key", f"aws_access_key_id = {_AWS}", f"aws_access_key={_AWS}"),
    _hit(
        "aws pair",
        f"{_AWS},{_AWS_SECRET}",
        f"aws_access_key={_AWS}",
        f"aws_secret_key={_AWS_SECRET}",
    ),
    _hit("aws secret", f"AWS_SECRET_ACCESS_KEY={_AWS_SECRET}", f"aws_secret_key={_AWS_SECRET}"),
    _hit(
        "aws configure",
        f"aws configure set aws_secret_access_key {_AWS_SECRET}",
        f"aws_secret_key={_AWS_SECRET}",
    ),
    _hit(
        "slack",
        "xox¦b-270914385562-q7Zp2LmX9vRt4KwB",
        "slack_token=xox¦b-270914385562-q7Zp2LmX9vRt4KwB",
    ),
    _hit("stripe", f"sk¦_live_{_RANDOM}", f"stripe_key=sk¦_live_{_RANDOM}"),
    _hit("gitlab", "gl¦pat-q7Zp2LmX9vRt4KwB8sNd", "gitlab_token=gl¦pat-q7Zp2LmX9vRt4KwB8sNd"),
    _hit(
        "npm",
        f"//r.example/:_authToken=np¦m_{_RANDOM}a6FuJ5eG1oTi",
        f"npm_token=np¦m_{_RANDOM}a6FuJ5eG1oTi",
    ),
    # Structure
    _hit("jwt", f"Cookie: session={_JWT}", f"jwt={_JWT}"),
    _hit("private key", f"key:\n{_KEY}\n", f"private_key={_KEY}"),
    _hit("connection string", "postgres://svc:hX7kq2vb@db/x", "connection_string=hX7kq2vb"),
    _hit(
        "connection string, @ inside", "redis://:p@ssw0rd9k@cache/0", "connection_string=p@ssw0rd9k"
    ),
    _hit("url", "git clone https://ci:hX7kq2vb@git.corp.com/r", "url_password=hX7kq2vb"),
    _hit("basic", "Authorization: Basic YWRtaW46aFg3a3EydmI=", "basic_auth=YWRtaW46aFg3a3EydmI="),
    _hit("bearer", f"Authorization: Bearer {_RANDOM}", f"bearer_token={_RANDOM}"),
    # Names
    _hit("env", f"REDIS_PASSWORD={_PASSWORD}", f"password_assignment={_PASSWORD}"),
    _hit("json", f'{{"password": "{_PASSWORD}"}}', f"password_assignment={_PASSWORD}"),
    _hit(
        "json in json", f'{{\\"password\\": \\"{_PASSWORD}\\"}}', f"password_assignment={_PASSWORD}"
    ),
    _hit("yaml", "password: harbor-quartz-23", "password_assignment=harbor-quartz-23"),
    _hit("xml", "<password>hX7kq2vb</password>", "password_assignment=hX7kq2vb"),
    _hit("ado", f"Server=db;Password={_PASSWORD};Encrypt=true", f"password_assignment={_PASSWORD}"),
    _hit("typed constant", f'const apiKey: string = "{_RANDOM}";', f"generic_api_key={_RANDOM}"),
    _hit("hexadecimal key", f"apiKey: '{_HEX}',", f"generic_api_key={_HEX}"),
    _hit("query", f"https://x.test/cb?access_token={_RANDOM}&x=1", f"generic_api_key={_RANDOM}"),
    _hit("azure", f"AccountKey={_AWS_SECRET};", f"azure_storage_key={_AWS_SECRET}"),
    _hit("column", f"id | api_token\n1 | {_RANDOM}", f"generic_api_key={_RANDOM}"),
    _hit(
        "insert",
        "INSERT INTO u (n, password) VALUES ('bob', 'hX7kq2vb')",
        "password_assignment=hX7kq2vb",
    ),
    _hit("sentence", "The password is hX7kq2vb", "password_assignment=hX7kq2vb"),
    # Commands and statements
    _hit("flag", "tool --password hX7kq2vb -v", "password_assignment=hX7kq2vb"),
    _hit("mysql", "mysql -u root -phX7kq2vb -h db", "password_assignment=hX7kq2vb"),
    _hit("curl", "curl -u admin:hX7kq2vb http://x", "password_assignment=hX7kq2vb"),
    _hit("sshpass", "sshpass -p hX7kq2vb ssh x", "password_assignment=hX7kq2vb"),
    _hit("docker", "docker login -u x -p hX7kq2vb r.io", "password_assignment=hX7kq2vb"),
    _hit("chpasswd", "echo 'root:hX7kq2vb' | chpasswd", "password_assignment=hX7kq2vb"),
    _hit("role", "ALTER ROLE bob WITH PASSWORD 'hX7kq2vb'", "password_assignment=hX7kq2vb"),
    _hit("user", "CREATE USER 'a'@'%' IDENTIFIED BY 'hX7kq2vb'", "password_assignment=hX7kq2vb"),
    _hit(
        "every one", f"password='{_PASSWORD}'\n" * 150, *[f"password_assignment={_PASSWORD}"] * 150
    ),
    # What only looks like it
    _miss(
        "the portal's own example",
        twin="command.password",
        text="curl -u claude-code:your-secret http://localhost:8080/",
    ),
    _miss(
        "placeholders",
        twin="assignment.token",
        text="password=changeme\nAPI_TOKEN=<token>\nSECRET=${SECRET}\npassword: xxxxxxxx",
    ),
    _miss(
        "documented keys",
        twin="shape.aws_access_key",
        text="AK¦IAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    ),
    _miss(
        "test and public keys",
        twin="shape.stripe_key",
        text=f"sk¦_test_{_RANDOM} pk¦_live_{_RANDOM}",
    ),
    _miss(
        "references",
        twin="assignment.password",
        text="token = os.environ['TOKEN']\npassword = get_password()\nsecret = self.secret2",
    ),
    _miss(
        "variables",
        twin="header.bearer",
        text='curl -u "$USER:$PASS" -H "Authorization: Bearer $TOKEN" x',
    ),
    _miss(
        "declarations",
        twin="assignment.password",
        text="password: str = Field(...)\ntoken: string\nprivate String password;",
    ),
    _miss(
        "validation", twin="assignment.password", text="'password' => 'required|min:8|confirmed'"
    ),
    _miss(
        "labels",
        twin="assignment.password",
        text='"password": "Passwort vergessen?", "token": "Zeichen"',
    ),
    _miss(
        "paths",
        twin="assignment.password",
        text="--password-file /run/secrets/db1\nsecret_path=/etc/app/key1",
    ),
    _miss(
        "names of secrets",
        twin="assignment.token",
        text="secret_name: app-credentials-v2x\ntoken_url=https://x.test/t0ken",
    ),
    _miss(
        "counts",
        twin="assignment.token",
        text="max_tokens=4096 next_page_token=q7Zp2LmX9vRt4KwB8sNd",
    ),
    _miss(
        "hashes of passwords",
        twin="assignment.password",
        text="password_hash = '$2b$12$q7Zp2LmX9vRt4KwB8sNd3HyC'",
    ),
    _miss(
        "digests",
        twin="assignment.token",
        text=f"sha256:{_HEX}{_HEX} commit {_HEX}\nchecksum = '{_HEX}'",
    ),
    _miss(
        "lock file",
        twin="assignment.token",
        text='"integrity": "sha512-kP9+vLq2XsR7/tWm4ZyB8nHd3JcF6gUa1EoTi5Keq7Zp2LmX9vRt=="',
    ),
    _miss("uuid", twin="assignment.token", text="token: 123e4567-e89b-42d3-a456-426614174000"),
    _miss(
        "public key",
        twin="key.pem",
        text="ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7Zp2LmX9vRt4KwB8sNd3HyC",
    ),
    _miss(
        "key without a body",
        twin="key.pem",
        text="-----BEGIN PRI¦VATE KEY-----\n...\n-----END PRI¦VATE KEY-----",
    ),
    _miss(
        "certificate",
        twin="key.pem",
        text="-----BEGIN CERTIFICATE-----\nMIIDq7Zp2LmX9vRt4KwB8sNd3HyCa6FuJ5eG1oTi\n-----END",
    ),
    _miss(
        "everyday database",
        twin="url.password",
        text="postgres://postgres:postgres@localhost:5432/app",
    ),
    _miss("port and path", twin="url.password", text="http://localhost:8080/a?mail=x@y.test"),
    _miss(
        "published ports", twin="command.password", text="docker run -p 8080:80 -p 6379:6379 redis"
    ),
    _miss("mysql asks", twin="command.password", text="mysql -u root -p shop"),
    _miss(
        "redacted",
        twin="assignment.password",
        text="password=[SECRET:password_assignment] token: '[REDACTED]'",
    ),
    _miss(
        "prose",
        twin="sentence",
        text="The secret token handling was rewritten; pass 2 of 3, basic authentication works",
    ),
    _miss(
        "data url",
        twin="assignment.token",
        text='src="data:image/png;base64,q7Zp2LmX9vRt4KwB8sNd3HyCa6FuJ5eG1oTi"',
    ),
    # By their place: further languages, files, commands, calls
    _hit(
        "passphrase",
        "password: 'harbor-quartz-lantern42'",
        "password_assignment=harbor-quartz-lantern42",
    ),
    _hit("properties", "spring.datasource.password=hX7kq2vb", "password_assignment=hX7kq2vb"),
    _hit("Rust", 'let password: &str = "hX7kq2vb";', "password_assignment=hX7kq2vb"),
    _hit(
        "PHP constant", f"define('DB_PASSWORD', '{_PASSWORD}');", f"password_assignment={_PASSWORD}"
    ),
    _hit(
        "Terraform",
        'variable "db_password" {\n  default = "hX7kq2vb"\n}',
        "password_assignment=hX7kq2vb",
    ),
    _hit("Kubernetes", "- name: DB_PASSWORD\n  value: hX7kq2vb\n", "password_assignment=hX7kq2vb"),
    _hit("Dockerfile", "ENV ADMIN_PASSWORD hX7kq2vb", "password_assignment=hX7kq2vb"),
    _hit("redis.conf", "requirepass hX7kq2vb", "password_assignment=hX7kq2vb"),
    _hit("wireless", 'psk="hX7kq2vb"', "password_assignment=hX7kq2vb"),
    _hit("German", "Das Passwort lautet hX7kq2vb", "password_assignment=hX7kq2vb"),
    _hit("Spanish", "contraseña: hX7kq2vb", "password_assignment=hX7kq2vb"),
    _hit("Russian", "пароль: hX7kq2vb", "password_assignment=hX7kq2vb"),
    _hit(
        "German column",
        "| Name | Kennwort |\n|--|--|\n| bob | hX7kq2vb |",
        "password_assignment=hX7kq2vb",
    ),
    _hit(
        "in a sentence",
        f"use the passphrase {_PASSWORD} to unlock it",
        f"password_assignment={_PASSWORD}",
    ),
    _hit(
        "further on", f"the password for the vpn: {_PASSWORD}", f"password_assignment={_PASSWORD}"
    ),
    _hit("secret in a sentence", f"webhook secret {_HEX}", f"generic_api_key={_HEX}"),
    _hit("key of two words", f"API key: {_RANDOM}", f"generic_api_key={_RANDOM}"),
    _hit("key of an issuer", f"DD_APP_KEY={_HEX}a8f3605b", f"generic_api_key={_HEX}a8f3605b"),
    _hit(
        "uuid of an issuer",
        "HEROKU_API_KEY=8f3a61c2-5d4e-4b70-9c1f-2e6d7a90b4c3",
        "generic_api_key=8f3a61c2-5d4e-4b70-9c1f-2e6d7a90b4c3",
    ),
    _hit("query with more behind", f"token={_RANDOM}&hint=refresh", f"generic_api_key={_RANDOM}"),
    _hit("scheme of its own", f"Authorization: SSWS {_RANDOM}", f"bearer_token={_RANDOM}"),
    _hit(
        "npm's auth",
        "//npm.corp.com/:_auth=YWRtaW46aFg3a3EydmI=",
        "basic_auth=YWRtaW46aFg3a3EydmI=",
    ),
    _hit("Twilio pair", f'Client("AC{_HEX}", "{_HEX[::-1]}")', f"twilio_token={_HEX[::-1]}"),
    _hit("PuTTY", f"Private-Lines: 1\n{_RANDOM}{_RANDOM}\n", f"private_key={_RANDOM}{_RANDOM}\n"),
    _hit("kubeconfig", f"client-key-data: {_ENCODED_KEY}", f"private_key={_ENCODED_KEY}"),
    _hit(
        "shared access",
        f"https://a.blob.core/x?sv=2023-01-03&se=2026-01-01&sig={_RANDOM}{_RANDOM}%3D",
        f"azure_sas={_RANDOM}{_RANDOM}%3D",
    ),
    _hit("pgpass", "db.corp.com:5432:prod:app:hX7kq2vb", "password_assignment=hX7kq2vb"),
    _hit(
        "netrc", "machine git.corp.com login bot password hX7kq2vb", "password_assignment=hX7kq2vb"
    ),
    _hit("sign-in", 'smtp.login("bot", "hX7kq2vb")', "password_assignment=hX7kq2vb"),
    _hit(
        "connection in Java",
        'DriverManager.getConnection(url, "app", "hX7kq2vb")',
        "password_assignment=hX7kq2vb",
    ),
    _hit("archive", "7z a -phX7kq2vb out.7z f", "password_assignment=hX7kq2vb"),
    _hit("openssl", "openssl enc -aes-256-cbc -k hX7kq2vb -in f", "password_assignment=hX7kq2vb"),
    _hit(
        "openssl, named", "openssl rsa -passin pass:hX7kq2vb -in f", "password_assignment=hX7kq2vb"
    ),
    _hit(
        "piped",
        "echo hX7kq2vb | docker login -u x --password-stdin r.io",
        "password_assignment=hX7kq2vb",
    ),
    _hit("SMB", "smbclient //srv/share -U bob%hX7kq2vb", "password_assignment=hX7kq2vb"),
    _hit(
        "function of MySQL",
        "SET PASSWORD FOR 'bob'@'%' = PASSWORD('hX7kq2vb');",
        "password_assignment=hX7kq2vb",
    ),
    _miss("version of a package", twin="assignment.password", text='"minipass": "^7.1.3"'),
    _miss("numbered variable", twin="assignment.password", text="password = input2 or other"),
    _miss("name of a resource", twin="assignment.token", text="existingSecret: postgres-auth-2026"),
    _miss("a type", twin="assignment.token", text="private_key: ed25519.Ed25519PrivateKey, x"),
    _miss(
        "a constant of its name", twin="assignment.token", text="SOCKS5_NO_AUTH = SOCKS5_NO_AUTH;"
    ),
    _miss("table of names", twin="assignment.password", text='Moved("HTTPPasswordMgr", "urllib2")'),
    _miss(
        "key of a cache", twin="assignment.token", text=f"cache_key = '{_HEX}' primary_key={_HEX}"
    ),
    _miss(
        "key of an account, public",
        twin="assignment.named",
        text=f"access_key_id=x aws_secret_name={_RANDOM}",
    ),
    _miss("advice", twin="sentence", text="password at least 12 characters; secret sauce no 42"),
    _miss("PuTTY, public", twin="key.putty", text=f"Public-Lines: 1\n{_RANDOM}{_RANDOM}\n"),
    _miss(
        "certificate in base64",
        twin="key.base64",
        text="LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUJ2YWxpZGF0ZWQ=",
    ),
    _miss("introductory web token", twin="jwt.signed", text=_INTRODUCTORY_JWT),
    _miss(
        "no user", twin="header.basic", text="Authorization: Basic <credentials>, basic plans2024"
    ),
    _miss(
        "scheme with a variable",
        twin="header.authorization",
        text="Authorization: Token ${API_TOKEN}",
    ),
    _miss(
        "signature of something else",
        twin="url.signature",
        text=f"https://x.test/?sig={_RANDOM}{_RANDOM}",
    ),
    _miss("pgpass without a password", twin="file.pgpass", text="localhost:5432:app:app:password"),
    _miss(
        "netrc without a password",
        twin="file.netrc",
        text="machine x.test login bot password <password>",
    ),
    _miss("parameter", twin="sql.password", text="ALTER ROLE bob PASSWORD '<password>'; BY ':pw'"),
    _miss(
        "call with names",
        twin="code.call",
        text='smtp.login("user", "password"); getConnection(u, "a", "${PW}")',
    ),
    _miss("key without its secret", twin="aws.pair", text="AK¦IAIOSFODNN7EXAMPLE then nothing"),
    _miss("account without its token", twin="twilio.pair", text=f"AC{_HEX} then nothing"),
    _hit("French", "mot de passe : hX7kq2vb", "password_assignment=hX7kq2vb"),
    _hit("letters only", "sshpass -pKtElzNjiCegAp ssh x", "password_assignment=KtElzNjiCegAp"),
    _hit("share", r"net use z: \\h\s /user:ann hX7kq2vb", "password_assignment=hX7kq2vb"),
    _hit("here-string", "kinit bob <<< hX7kq2vb", "password_assignment=hX7kq2vb"),
    _hit(
        "stored secret",
        f"gh secret set TOKEN --body {_RANDOM}",
        f"password_assignment={_RANDOM}",
    ),
    _hit(
        "PowerShell",
        "ConvertTo-SecureString 'hX7kq2vb' -AsPlainText -Force",
        "password_assignment=hX7kq2vb",
    ),
    _hit("as people write it", "login: ann / hX7kq2vb9", "password_assignment=hX7kq2vb9"),
    _hit("key like a path", f"AccountKey=/{_AWS_SECRET}==", f"azure_storage_key=/{_AWS_SECRET}=="),
    _miss(
        "a page", twin="sentence", text="login page / signup2Page, credentials: src/Foo2Bar.java"
    ),
    _miss("share, asking", twin="command.password", text=r"net use z: \\h\s /user:ann *"),
    _miss("name of a field", twin="assignment.password", text='passwordId: "resetPasswordToken2"'),
    *(_shape_hit(number, shape) for number, shape in enumerate(SHAPES)),
    *(_shape_miss(number, shape) for number, shape in enumerate(SHAPES)),
)
