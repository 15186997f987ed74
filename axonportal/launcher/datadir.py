"""The data directory: one portal at a time, its generated secrets, its address book."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import pwd
import secrets
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from axonportal.launcher.faults import Fault, unwritable

# What Django's documentation asks of a secret key is 50 characters; this gives 67.
SECRET_BYTES = 50


def prepare(folder: Path) -> None:
    """Make the data directory, readable by its owner only.

    Raises:
        Fault: it cannot be written, or belongs to somebody else.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Whoever made the secrets owns the portal; root would leave files that the owner
        # cannot replace.
        marker = folder / "secret-key"
        owner = (marker if marker.exists() else folder).stat().st_uid
        if owner != os.geteuid() and (marker.exists() or not os.access(folder, os.W_OK | os.X_OK)):
            raise _foreign(folder, owner)
        probe = folder / f".probe-{os.getpid()}"
        probe.write_bytes(b"x")
        probe.unlink()
    except FileExistsError:
        raise Fault(f"The data directory {folder} is not a folder.") from None
    except PermissionError as error:
        with contextlib.suppress(OSError):
            if (owner := folder.stat().st_uid) != os.geteuid():
                raise _foreign(folder, owner) from None
        raise unwritable(folder, error) from None
    except OSError as error:
        raise unwritable(folder, error) from None


def _foreign(folder: Path, owner: int) -> Fault:
    try:
        name = pwd.getpwuid(owner).pw_name
    except KeyError:
        name = f"number {owner}"
    return Fault(
        f"The data directory {folder} belongs to user {name}; start the portal as that user, "
        "or set AXON_DATA_DIR to another folder."
    )


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """Hold the data directory; the kernel lets go of it however this process ends.

    Yields whether the portal before this one was killed, so that its processes may still be
    ending.

    Raises:
        Fault: another portal holds it.
    """
    with (folder / "lock").open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in {errno.EWOULDBLOCK, errno.EACCES}:
                raise
            file.seek(0)
            raise Fault(
                f"A portal is already running on {folder} (process {file.read().strip()}); "
                "stop it, or set AXON_DATA_DIR to another folder."
            ) from None
        file.seek(0)
        killed = bool(file.read())
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield killed
        finally:
            file.truncate(0)


def secret_file(folder: Path, name: str) -> Path:
    """The file of a generated secret, made at the first call."""
    path = folder / name
    if not path.exists():
        write_private(path, secrets.token_urlsafe(SECRET_BYTES) + "\n")
    return path


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads; it is there whole or not at all."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)


def write_environment(folder: Path, variables: Mapping[str, str]) -> Path:
    """Write the variables that `manage.py` needs to reach this portal, for a shell to source."""
    path = folder / "portal.env"
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in sorted(variables.items())]
    write_private(path, "".join(lines))
    return path


def fingerprint(sources: Iterable[Path], environment: Mapping[str, str], cluster: str) -> str:
    """A digest of code, settings and database; if equal, preparing it once is enough.

    Values that could be guessed from their digest are left out.
    """
    digest = hashlib.sha256(cluster.encode())
    for path in sorted(sources):
        digest.update(bytes(path) + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    for name, value in sorted(environment.items()):
        if name.startswith("AXON_") and not name.endswith(("_KEY", "_PASSWORD")):
            digest.update(f"{name}={value}\0".encode())
    return digest.hexdigest()
