"""What the family must find, and what it must leave alone: checked by the tests, row by row.

All values are made up. `¦` is taken out on loading: it keeps scanners of repositories from taking
the samples for leaks.
"""

from __future__ import annotations

from dataclasses import dataclass

_BREAK = "¦"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A text, and the (kind, value) pairs to find in it, in order."""

    name: str
    text: str
    found: tuple[tuple[str, str], ...] = ()


def _hit(name: str, text: str, *found: str) -> Sample:
    pairs = (one.replace(_BREAK, "").partition("=") for one in found)
    return Sample(
        name=name,
        text=text.replace(_BREAK, ""),
        found=tuple((f"secret.{kind}", value) for kind, _, value in pairs),
    )


def _miss(name: str, text: str) -> Sample:
    return Sample(name=name, text=text.replace(_BREAK, ""))


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
    _miss("the portal's own example", "curl -u claude-code:your-secret http://localhost:8080/"),
    _miss(
        "placeholders", "password=changeme\nAPI_TOKEN=<token>\nSECRET=${SECRET}\npassword: xxxxxxxx"
    ),
    _miss("documented keys", "AK¦IAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    _miss("test and public keys", f"sk¦_test_{_RANDOM} pk¦_live_{_RANDOM}"),
    _miss(
        "references",
        "token = os.environ['TOKEN']\npassword = get_password()\nsecret = self.secret2",
    ),
    _miss("variables", 'curl -u "$USER:$PASS" -H "Authorization: Bearer $TOKEN" x'),
    _miss("declarations", "password: str = Field(...)\ntoken: string\nprivate String password;"),
    _miss("validation", "'password' => 'required|min:8|confirmed'"),
    _miss("labels", '"password": "Passwort vergessen?", "token": "Zeichen"'),
    _miss("paths", "--password-file /run/secrets/db1\nsecret_path=/etc/app/key1"),
    _miss("names of secrets", "secret_name: app-credentials-v2x\ntoken_url=https://x.test/t0ken"),
    _miss("counts", "max_tokens=4096 next_page_token=q7Zp2LmX9vRt4KwB8sNd"),
    _miss("hashes of passwords", "password_hash = '$2b$12$q7Zp2LmX9vRt4KwB8sNd3HyC'"),
    _miss("digests", f"sha256:{_HEX}{_HEX} commit {_HEX}\nchecksum = '{_HEX}'"),
    _miss(
        "lock file", '"integrity": "sha512-kP9+vLq2XsR7/tWm4ZyB8nHd3JcF6gUa1EoTi5Keq7Zp2LmX9vRt=="'
    ),
    _miss("uuid", "token: 123e4567-e89b-42d3-a456-426614174000"),
    _miss("public key", "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7Zp2LmX9vRt4KwB8sNd3HyC"),
    _miss("key without a body", "-----BEGIN PRI¦VATE KEY-----\n...\n-----END PRI¦VATE KEY-----"),
    _miss(
        "certificate",
        "-----BEGIN CERTIFICATE-----\nMIIDq7Zp2LmX9vRt4KwB8sNd3HyCa6FuJ5eG1oTi\n-----END",
    ),
    _miss("everyday database", "postgres://postgres:postgres@localhost:5432/app"),
    _miss("port and path", "http://localhost:8080/a?mail=x@y.test"),
    _miss("published ports", "docker run -p 8080:80 -p 6379:6379 redis"),
    _miss("mysql asks", "mysql -u root -p shop"),
    _miss("redacted", "password=[SECRET:password_assignment] token: '[REDACTED]'"),
    _miss(
        "prose", "The secret token handling was rewritten; pass 2 of 3, basic authentication works"
    ),
    _miss("data url", 'src="data:image/png;base64,q7Zp2LmX9vRt4KwB8sNd3HyCa6FuJ5eG1oTi"'),
)
