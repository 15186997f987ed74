"""Typed readers of the environment, and the errors a person can act on."""

from __future__ import annotations

import os
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}


def text(name: str, default: str = "") -> str:
    """The variable, without surrounding blanks."""
    return os.environ.get(name, default).strip()


def flag(name: str, *, default: bool) -> bool:
    """A yes or no.

    Raises:
        ImproperlyConfigured: neither; a misspelt "tru" must not mean off in silence.
    """
    value = text(name).lower()
    if name not in os.environ:
        return default
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise ImproperlyConfigured(f"{name}={value!r} is neither yes nor no; write 1 or 0.")


def number(name: str, default: int, *, least: int = 0, most: int = 2**31) -> int:
    """A whole number within its bounds."""
    value = text(name)
    if not value:
        return default
    try:
        result = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name}={value!r} is not a whole number.") from None
    if not least <= result <= most:
        raise ImproperlyConfigured(f"{name}={result} is not between {least} and {most}.")
    return result


def choice(name: str, choices: tuple[str, ...], default: str) -> str:
    """One of `choices`, in any case."""
    value = text(name).lower() or default
    if value not in choices and value:
        raise ImproperlyConfigured(f"{name}={value!r} is none of: {', '.join(choices)}.")
    return value


def words(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """A comma-separated list."""
    value = text(name)
    return [word.strip() for word in value.split(",") if word.strip()] if value else list(default)


def secret(name: str) -> str:
    """A secret from `NAME`, or from the file that `NAME_FILE` names; empty if neither is set."""
    if path := text(f"{name}_FILE"):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE: {error.strerror}: {path}") from None
    return text(name)


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """A list of networks, each as `10.0.0.0/8` or a single address.

    Raises:
        ImproperlyConfigured: one of them is none.
    """
    try:
        return [ip_network(word) for word in words(name)]
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}.") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where mail is handed in; no host: nowhere."""

    host: str = ""
    port: int = 25
    user: str = ""
    password: str = ""
    starttls: bool = False
    tls: bool = False


def mail_server(url: str) -> MailServer:
    """From `smtp://user:password@host:port`.

    `smtps://` is TLS from the start (port 465), `smtp+tls://` begins with STARTTLS (587), `smtp://`
    is in the clear (25). An empty text is no server.

    Raises:
        ImproperlyConfigured: another scheme, no host, or no such port.
    """
    if not url:
        return MailServer()
    ports = {"smtp": 25, "smtp+tls": 587, "smtps": 465}
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        raise ImproperlyConfigured("AXON_EMAIL_URL has a port that is none.") from None
    if parts.scheme not in ports or not parts.hostname:
        raise ImproperlyConfigured(
            "AXON_EMAIL_URL must be smtp://, smtp+tls:// or smtps:// and a host."
        )
    return MailServer(
        host=parts.hostname,
        port=port or ports[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        starttls=parts.scheme == "smtp+tls",
        tls=parts.scheme == "smtps",
    )


def database(url: str) -> dict[str, Any]:
    """Django's database settings from `postgresql://user:password@host:port/name?option=value`.

    A socket directory stands in `?host=`, as libpq has it.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured(
            f"AXON_DATABASE_URL begins with {parts.scheme or 'nothing'}://; it must be a "
            "postgresql:// address."
        )
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or options.pop("user", "")),
        "PASSWORD": unquote(parts.password or options.pop("password", "")),
        "HOST": options.pop("host", "") or parts.hostname or "",
        "PORT": str(parts.port or options.pop("port", "")),
        "OPTIONS": options,
    }
