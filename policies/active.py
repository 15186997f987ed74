"""The compiled policies of each tenant in this process, and how they are kept current."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from django.conf import settings
from django.db import connection

from axonportal.common import changes
from axonportal.common.models import Revision
from policies.engine.policy import CompiledPolicy
from policies.engine.policyset import PolicySet
from policies.engine.prefilter import CompileRefusedError
from policies.models import Policy

logger = logging.getLogger(__name__)

# A rebuild takes a core for a second, in every process that follows the change. It waits until
# the first answers under the new policies are given, and a series of saves is over.
SETTLE_S = 0.25
MAX_PUT_OFF = 20  # times; then it is built for what there is
TOPIC = "policies:"  # of `common.changes`, followed by the tenant's id


@dataclass(slots=True)
class _Entry:
    policies: PolicySet | None = None
    compiled: dict[tuple[str, int], CompiledPolicy] = field(default_factory=dict)
    wanted: int = 1  # counts the times that something may have changed
    loaded: int = 0  # what `wanted` was when the set was read
    lock: threading.Lock = field(default_factory=threading.Lock)


class ActivePolicies:
    """Hands out the current set of a tenant; reloads it when its revision moved.

    A set is one immutable reference, swapped whole. What changed is in force with the reload;
    the prefilter over all patterns follows from a background thread.
    """

    def __init__(self) -> None:
        self._entries: dict[int, _Entry] = {}
        self._wake = threading.Event()
        self._pid = 0
        changes.subscribe(self._mark)

    def of(self, tenant_id: int) -> PolicySet:
        """The tenant's policies as of now."""
        self._ensure_running()
        changes.check()
        entry = self._entries.get(tenant_id)
        if entry is None:
            entry = self._entries.setdefault(tenant_id, _Entry())
        if entry.loaded != entry.wanted:
            self._refresh(tenant_id, entry)
        assert entry.policies is not None  # noqa: S101 (set by _refresh, or it raised)
        return entry.policies

    def _mark(self, topic: str) -> None:
        for tenant_id, entry in list(self._entries.items()):
            if topic in {"", f"{TOPIC}{tenant_id}"}:
                entry.wanted += 1
        self._wake.set()

    def _refresh(self, tenant_id: int, entry: _Entry) -> None:
        with entry.lock:
            wanted = entry.wanted  # before reading: what is saved meanwhile counts up again
            if entry.loaded == wanted:
                return  # another thread did it while this one waited
            revision = _revision(tenant_id)
            if entry.policies is None or entry.policies.revision != revision:
                self._load(tenant_id, entry, revision)
            entry.loaded = wanted
        self._wake.set()

    def _load(self, tenant_id: int, entry: _Entry, revision: int) -> None:
        ordered = Policy.objects.in_force(tenant_id).order_by("-priority", "name")
        keys = [(str(pk), version) for pk, version in ordered.values_list("pk", "version")]
        # Of thousands of policies a change touches one; only what is new is read and compiled.
        # What is saved between the two questions counts the revision up, and is read again.
        new = Policy.objects.in_bulk(
            [pk for pk, version in keys if (pk, version) not in entry.compiled]
        )
        made = {str(pk): CompiledPolicy.of(row.spec()) for pk, row in new.items()}
        compiled: dict[tuple[str, int], CompiledPolicy] = {}
        for key in keys:
            if policy := made.get(key[0]) or entry.compiled.get(key):
                compiled[key] = policy
        previous = entry.policies.prefilter if entry.policies else None
        entry.compiled = compiled
        entry.policies = PolicySet(compiled.values(), revision=revision, prefilter=previous)

    def _ensure_running(self) -> None:
        if self._pid == os.getpid() or settings.AXON_RECORDER != "group":
            return  # `inline`: one thread sees its own transaction, nobody works behind it
        self._pid = os.getpid()
        threading.Thread(target=self._work, name="policies", daemon=True).start()

    def _work(self) -> None:
        """Reload what became stale at once, and build prefilters when changes have settled."""
        put_off = 0
        while True:
            self._wake.wait()
            self._wake.clear()
            self._for_each(self._refresh_stale)
            connection.close()
            if put_off < MAX_PUT_OFF and self._wake.wait(SETTLE_S):
                put_off += 1
                continue
            put_off = 0
            self._for_each(self._complete)

    def _for_each(self, work: Callable[[int, _Entry], None]) -> None:
        for tenant_id, entry in list(self._entries.items()):
            try:
                work(tenant_id, entry)
            except CompileRefusedError:
                logger.warning("tenant %s: no prefilter; its patterns run one by one", tenant_id)
            except Exception:
                # The next call meets the same error and answers it as a denial.
                logger.exception("policies of tenant %s", tenant_id)

    def _refresh_stale(self, tenant_id: int, entry: _Entry) -> None:
        if entry.loaded != entry.wanted:
            self._refresh(tenant_id, entry)

    def _complete(self, tenant_id: int, entry: _Entry) -> None:
        current = entry.policies
        if current is None or current.is_complete:
            return
        complete = current.with_prefilter()
        with entry.lock:
            if entry.policies is current:
                entry.policies = complete
            else:
                self._wake.set()


def _revision(tenant_id: int) -> int:
    row = Revision.objects.filter(topic=f"{TOPIC}{tenant_id}").values_list("number").first()
    return int(row[0]) if row else 0


active = ActivePolicies()
