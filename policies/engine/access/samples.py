"""Samples of the rules: what each must find, and a twin that it must leave alone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A path or address that a rule must find, and one close to it that nothing minds."""

    rule: str
    attack: str
    twin: str
    language: str
    kind: str = "access.sensitive"


def _pairs(language: str, rule: str, *pairs: tuple[str, str]) -> tuple[Sample, ...]:
    return tuple(
        Sample(rule=rule, attack=attack, twin=twin, language=language) for attack, twin in pairs
    )


SAMPLES: tuple[Sample, ...] = (
    *_pairs(
        "read_path",
        "credential_read",
        ("/home/kim/.ssh/id_ed25519", "/home/kim/.ssh/id_ed25519.pub"),
        ("~/.aws/credentials", "~/.aws/README.md"),
        ("/home/kim/shop/../.ssh/id_rsa", "/home/kim/shop/src/../id_list.py"),
        ("C:\\Users\\kim\\.ssh\\id_rsa", "C:\\Users\\kim\\shop\\readme.md"),
        ("/etc/shadow", "/etc/hostname"),
        ("/proc/self/environ", "/proc/cpuinfo"),
        ("/home/kim/.kube/config", "/home/kim/shop/kube/config.yaml"),
        ("/home/kim//.git-credentials", "/home/kim/shop/git-credentials.md"),
    ),
    *_pairs(
        "path",
        "credential_write",
        ("/home/kim/.netrc", "/home/kim/shop/netrc.py"),
        ("/home/kim/.docker/config.json", "/home/kim/shop/docker/config.json"),
    ),
    *_pairs(
        "path",
        "persistence",
        ("/home/kim/.ssh/authorized_keys", "/home/kim/shop/docs/authorized_keys.md"),
        ("/home/kim/.bashrc", "/home/kim/shop/bashrc.example"),
        ("/home/kim/shop/.git/hooks/pre-commit", "/home/kim/shop/.pre-commit-config.yaml"),
        (".git/config", ".gitignore"),
        ("/etc/cron.d/nightly", "deploy/cron.d/nightly"),
        ("/home/kim/.config/systemd/user/x.service", "deploy/systemd/x.service"),
        ("/home/kim/Library/LaunchAgents/x.plist", "macos/x.plist"),
    ),
    *_pairs(
        "path",
        "agent_settings",
        ("/home/kim/shop/.claude/settings.json", "/home/kim/shop/.claude/commands/tidy.md"),
        (".mcp.json", "mcp.md"),
        ("/home/kim/.codex/config.toml", "/home/kim/shop/config.toml"),
        (".cursor/hooks.json", ".cursor/rules/style.mdc"),
    ),
    *_pairs(
        "path",
        "system_write",
        ("/usr/bin/env", "/home/kim/usr/bin/env"),
        ("/etc/nginx/nginx.conf", "deploy/nginx/nginx.conf"),
        ("/tmp/../etc/motd", "/tmp/etc/motd"),  # noqa: S108 (a place that a tool names)
    ),
    *_pairs("path", "disk_overwrite", ("/dev/sda", "/dev/null")),
    *_pairs("path", "machine_stop", ("/proc/sysrq-trigger", "docs/sysrq-trigger.md")),
    *_pairs("path", "trace_delete", ("/home/kim/.bash_history", "docs/bash_history.md")),
    *_pairs(
        "url",
        "metadata_read",
        (
            "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
            "http://169.254.10.4/latest/",
        ),
        ("http://metadata.google.internal/computeMetadata/v1/", "https://metadata.shop.dev/v1/"),
    ),
    *_pairs(
        "url",
        "credential_read",
        ("file:///home/kim/.ssh/id_rsa", "file:///home/kim/shop/index.html"),
    ),
)
