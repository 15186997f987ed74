"""Rules about files, directories, disks and permissions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.engine.language import word_set
from policies.engine.shell.call import Call
from policies.engine.shell.hits import (
    Hit,
    breadth,
    flags,
    has,
    is_credential,
    is_device,
    operands,
    written_place,
)
from policies.engine.shell.model import UNKNOWN, Word, join
from policies.engine.shell.output import stdin_of
from policies.engine.shell.subcommands import option


def remove(call: Call) -> Iterator[Hit]:
    """rm, rmdir, unlink: recursive deletes of what is broad."""
    letters, longs = flags(call)
    recursive = bool(letters & set("rR")) or bool(longs & {"--recursive", "--recurs", "--recursi"})
    recursive |= call.name == "rimraf"
    if has(call.arguments, "--no-preserve-root"):
        yield Hit(rule="delete_broad", reason="Deletes with the protection of / switched off.")
        return
    targets = operands(call)
    for word in targets:
        why = breadth(word, call.command.cwd)
        if not why:
            continue
        bare = word.text in ("*", "./*", ".*") or (word.text.startswith("/") and word.glob)
        if (
            recursive
            or is_device(word.text)
            or (bare and "f" in letters and why != "an absolute path")
        ):
            yield Hit(
                rule="delete_broad",
                reason=f"Deletes recursively {why}." if recursive else f"Deletes {why}.",
            )
            return
    if call.open and "find" in call.wrappers and not recursive and _starts_broad(call):
        yield Hit(rule="delete_broad", reason="Deletes what it finds below a broad path.")
    if recursive and call.open and not _bounded_input(call):
        yield Hit(
            rule="delete_broad", reason="Deletes recursively whatever paths come from elsewhere."
        )


def _starts_broad(call: Call) -> bool:
    """Whether a find starts at the root or a home, or at the whole of a system directory."""
    for word in call.command.words[1:]:
        if word.text.startswith(("-", "(", "!")):
            return False
        if breadth(word, call.command.cwd) in ("the whole home directory", "the whole file system"):
            return True
    return False


def _bounded_input(call: Call) -> bool:
    """Whether the paths that xargs or find hand on are known and narrow."""
    command = call.command
    if "xargs" in call.wrappers:
        if any(word.text.startswith(("-a", "--arg-file")) for word in command.words):
            return False
        made = stdin_of(command, "", 0)
        if made is not None:
            names = made.decode("utf-8", "replace").split()
            return all(not breadth(Word(name, 0, 0), command.cwd) for name in names if name != "--")
        feeding = next((source for source in reversed(command.source) if source.words), None)
        if feeding is not None and feeding.words[0].text in (
            "find",
            "fd",
            "git",
            "ls",
            "rg",
            "grep",
        ):
            return _narrow_find([word.text for word in feeding.words])
        return False
    if "find" in call.wrappers or "fd" in call.wrappers:
        return _narrow_find([word.text for word in command.words])
    return False


def _narrow_find(words: list[str]) -> bool:
    """Whether a find looks for named things below the working directory."""
    starts = [word for word in words[1:3] if not word.startswith("-")]
    broad = any(
        breadth(Word(word, 0, 0), "") not in ("", "the whole working directory") for word in starts
    )
    named = any(
        word in ("-name", "-iname", "-path", "-regex", "-wholename") and not _all(following)
        for word, following in zip(words, [*words[1:], ""], strict=False)
    )
    aged = has(words, "-mtime", "-mmin", "-atime", "-empty", "-size", "-newer", "-ctime")
    in_tmp = bool(starts) and starts[0].startswith(("/tmp/", "/var/tmp/"))  # noqa: S108
    in_tmp |= bool(starts) and starts[0] in ("/tmp", "/var/tmp") and (named or aged)  # noqa: S108
    return in_tmp or ((named or aged) and not broad)


def _all(pattern: str) -> bool:
    return pattern in ("*", "*.*", "**", ".*", "") or pattern.startswith("-")


def find(call: Call) -> Iterator[Hit]:
    """find -delete without a name, or where it is broad."""
    words = [word.text for word in call.words]
    if not has(words, "-delete"):
        return
    at = words.index("-delete")
    if at and words[at - 1] in ("-name", "-iname", "-path", "-regex", "-exec", "echo"):
        return
    starts = []
    for word in call.words[1:]:
        if word.text.startswith(("-", "(", "!")):
            break
        starts.append(word)
    in_tmp = bool(starts) and all(
        join(call.command.cwd, word.text).startswith(("/tmp/", "/var/tmp/"))  # noqa: S108
        for word in starts
    )
    if not _narrow_find(words[:at]) and not in_tmp:
        yield Hit(rule="delete_broad", reason="find deletes everything below its starting point.")


_WIPES = {
    "nvme": r"(?:format|sanitize|delete-ns|secure-erase)\b",
    "hdparm": r".*--(?:security-erase|trim-sector|write-sector|make-bad-sector)",
    "cryptsetup": r"(?:.* )?(?:luksFormat|luksErase|erase|luksKillSlot|luksRemoveKey|reencrypt)\b",
    "mdadm": r"(?:.* )?(?:--zero-superblock|--stop|-S|--remove|--fail|--create|-C)\b",
    "pvremove": r"",
    "tune2fs": r".*-(?:O|U|L|j)\b",
    "e2fsck": r"(?!)",
    "debugfs": r".*-w\b",
    "flashrom": r".*(?:-w|-E|--write|--erase)\b",
}


def volumes(call: Call) -> Iterator[Hit]:
    """Logical volumes removed or cut short."""
    if not has(call.arguments, "--help", "-t", "--test") and operands(call):
        yield Hit(rule="storage_delete", reason=f"Deletes a volume with its data ({call.name}).")


def windows_disk(call: Call) -> Iterator[Hit]:
    """format, diskpart, cipher of Windows."""
    text = " ".join(call.arguments).lower()
    if re.match(r"[a-z]:", text) or (
        call.name in ("diskpart", "cipher") and re.match(r"/[sw]", text)
    ):
        yield Hit(rule="disk_overwrite", reason="Destroys what a disk holds.")


def _shred(call: Call) -> Iterator[Hit]:
    if has(call.arguments, "--help", "--version"):
        return
    for word in operands(call):
        if is_device(word.text) or breadth(word, call.command.cwd) or "u" in flags(call)[0]:
            yield Hit(
                rule="disk_overwrite",
                reason="Overwrites the data so that it cannot be restored.",
            )
            return


def overwrite(call: Call) -> Iterator[Hit]:
    """dd, shred, wipefs, mkfs and friends."""
    name = call.name
    if name in _WIPES:
        if not has(call.arguments, "--help", "--version", "--dry-run") and re.match(
            _WIPES[name], " ".join(call.arguments)[:1000]
        ):
            yield Hit(rule="disk_overwrite", reason=f"{name} destroys what a disk holds.")
        return
    if name == "dd":
        for argument in call.arguments:
            target = argument.partition("=")[2]
            if argument.startswith("of=") and (rule := written_place(target)[0]):
                reason = "dd writes straight onto a disk or a system file."
                yield Hit(rule="disk_overwrite" if is_device(target) else rule, reason=reason)
        return
    if name in ("shred", "srm"):
        yield from _shred(call)
        return
    if has(call.arguments, "--help", "-h", "--version", "-V", "--no-act", "--list") or (
        # For the ext file systems -n only tells; for others it gives a name.
        has(call.arguments, "-n") and name in ("mkfs.ext2", "mkfs.ext3", "mkfs.ext4", "mke2fs")
    ):
        return
    if (
        name == "wipefs"
        and not flags(call)[0] & set("a")
        and not has(call.arguments, "--all", "--offset", "-o")
    ):
        return
    if any(word.text.startswith(("/dev/", UNKNOWN)) or name == "wipefs" for word in operands(call)):
        yield Hit(rule="disk_overwrite", reason=f"{name} destroys what a disk or partition holds.")


_PARTITION_WRITES = word_set(
    "mklabel mkpart rm resizepart mktable mkpartfs erasedisk erasevolume partitiondisk "
    "zerodisk secureerase reformat deletecontainer apfs randomdisk deletevolume mkfs"
)


def partition(call: Call) -> Iterator[Hit]:
    """parted, fdisk, diskutil and sgdisk when they change something."""
    if call.name in ("fdisk", "cfdisk", "gdisk", "sfdisk"):
        scripted = call.command.source or any(
            redirect.operator in ("<", "<<", "<<-", "<<<") for redirect in call.command.redirects
        )
        if scripted and not has(call.arguments, "-l", "--list", "-d", "--dump"):
            yield Hit(rule="disk_overwrite", reason="Changes the partitions of a disk.")
            return
        if call.name == "sfdisk" and has(call.arguments, "--delete", "--wipe", "-f", "--force"):
            yield Hit(rule="disk_overwrite", reason="Changes the partitions of a disk.")
            return
    words = {argument.lower() for argument in call.arguments}
    if words & _PARTITION_WRITES and not words & {"list"}:
        yield Hit(rule="disk_overwrite", reason="Changes the partitions of a disk.")
    elif call.name == "sgdisk" and words & {"-z", "--zap-all", "-o", "--clear", "--zap"}:
        yield Hit(rule="disk_overwrite", reason="Wipes the partition table of a disk.")


def permissions(call: Call) -> Iterator[Hit]:
    """chmod, chown, chgrp, setfacl, chattr: recursively on what is broad, or to everybody."""
    letters, longs = flags(call)
    recursive = "R" in letters or "--recursive" in longs
    words = operands(call)
    mode = words[0].text if words else ""
    targets = words[1:]
    everybody = re.fullmatch(r"0?777|a[+=]rwx|[ugo]*o[+=]\w*w\w*|\+rwx|[4267]777", mode) is not None
    if call.name == "chmod" and re.fullmatch(r"[ugoa]*\+[rwx]*s|0?[4267][0-7]{3}", mode):
        yield Hit(rule="privilege_change", reason="Sets the set-user-id bit of a program.")
        return
    for word in targets:
        why = breadth(word, call.command.cwd)
        if why and recursive and (why != "the whole working directory" or everybody):
            yield Hit(
                rule="permission_broad", reason=f"Changes owner or rights recursively of {why}."
            )
            return
        if everybody and why and word.text.startswith("/"):
            yield Hit(rule="permission_broad", reason="Lets everybody write a system path.")
            return
        if call.name in ("chmod", "chown") and re.match(
            r"/etc/(?:shadow|sudoers|passwd)", word.text
        ):
            yield Hit(rule="privilege_change", reason="Changes the rights of an account file.")
            return


def _loses(words: list[Word]) -> bool:
    whole = ("the whole file system", "the whole home directory", "the history of the repository")
    return words[-1].text == "/dev/null" or breadth(words[0], "") in whole


def truncate(call: Call) -> Iterator[Hit]:
    """truncate, tee, cp, mv, install, ln, sed -i on places that matter."""
    name = call.name
    words = operands(call)
    if name == "truncate" and any(
        re.search(r"(?:^|/)[\w.-]+\.(?:sqlite3?|db|mdb|dump|bak|vmdk|qcow2)$", word.text)
        for word in words
    ):
        yield Hit(rule="delete_broad", reason="Empties a database or backup.", confidence=0.7)
        return
    if name == "mv" and len(words) >= 2 and _loses(words):
        yield Hit(rule="delete_broad", reason="Moves files to where they are lost.")
        return
    if name in ("cp", "mv", "install", "ln", "rsync", "scp"):
        sources, words = words[:-1], words[-1:] if len(words) > 1 else []
        if name == "mv" and any(_PROGRAM.match(word.text) for word in sources):
            yield Hit(rule="system_write", reason="Takes a program of the system away.")
            return
    elif name == "touch":
        words = []
    elif name == "sed":
        if not any(re.match(r"-[nErsz]*i|--in-place", argument) for argument in call.arguments):
            return
        words = words[1:]
    for word in words:
        rule, reason = written_place(join(call.command.cwd, word.text))
        if rule and not (
            name == "ln" and rule == "system_write" and word.text.startswith("/usr/local")
        ):
            if (
                rule == "system_write"
                and name in ("cp", "install", "ln", "mv")
                and not _overwrites(word)
            ):
                continue
            yield Hit(rule=rule, reason=reason)
            return


_PROGRAM = re.compile(r"/(?:usr/)?(?:s?bin|lib(?:64)?)/[\w.-]+$|/etc/\w+$|/boot/")
_INSTALL_PLACES = re.compile(
    r"^/(?:usr/(?:local|share|lib|bin)|etc/(?:apt|nginx|apache2|httpd|yum|pki|ssl|docker|X11|udev|modprobe))"
)


def _overwrites(word: Word) -> bool:
    return not _INSTALL_PLACES.match(word.text) and not word.text.endswith("/")


def redirects(call: Call) -> Iterator[Hit]:
    """`> file` onto a disk, a system file, keys, or the agent's own settings."""
    for redirect in call.command.redirects:
        if redirect.operator not in (">", ">>", ">|", "&>", "&>>", "<>") or redirect.target is None:
            continue
        path = join(call.command.cwd, redirect.target.text)
        if path.startswith("/dev/") and not is_device(path):
            continue
        rule, reason = written_place(path)
        if rule:
            yield Hit(rule=rule, reason=reason)


def reads(call: Call) -> Iterator[Hit]:
    """`$(< file)`: credentials read by the shell itself."""
    for redirect in call.command.redirects:
        if (
            redirect.operator == "<"
            and redirect.target is not None
            and is_credential(join(call.command.cwd, redirect.target.text))
        ):
            yield Hit(rule="credential_read", reason="Reads a file of credentials.")
            return


def rsync(call: Call) -> Iterator[Hit]:
    """rsync --delete into a place that is broad."""
    letters, longs = flags(call)
    if any(option.startswith("--delete") or option == "--del" for option in longs):
        words = operands(call)
        target = words[-1] if len(words) > 1 else None
        if "--dry-run" in longs or "n" in letters or target is None or ":" in target.text:
            return
        if breadth(target, call.command.cwd):
            yield Hit(rule="delete_broad", reason="rsync deletes what the source does not have.")
            return
    yield from truncate(call)


def archive(call: Call) -> Iterator[Hit]:
    """tar and zip with an option that runs a program, overwrites the root or deletes originals."""
    place = option(call, "-C", "--directory", "-d") if call.name != "zip" else None
    if place in ("/", "/etc", "/usr", "/bin", "/root", "~") and not (
        call.name in ("tar", "bsdtar") and re.match(r"-?-?\w*c", (call.arguments or [""])[0])
    ):
        yield Hit(rule="system_write", reason="Unpacks over the root or home of the system.")
        return
    for argument in call.arguments:
        runs = argument.startswith(
            ("--checkpoint-action=exec", "--to-command", "--use-compress-program=")
        )
        if runs and not re.search(r"=(?:gzip|pigz|zstd|xz|bzip2|lz4|pbzip2)\b", argument):
            yield Hit(rule="hidden_execute", reason="An option of the archiver runs a program.")
            return
    if has(call.arguments, "--remove-files") and any(
        breadth(word, call.command.cwd) for word in operands(call)[1:]
    ):
        yield Hit(rule="delete_broad", reason="The archiver deletes the originals of a broad path.")
