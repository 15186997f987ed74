"""Who did something: a person, a client, or the portal itself."""

from __future__ import annotations

from dataclasses import dataclass

from audit.models import AuditEvent


@dataclass(frozen=True, slots=True)
class Actor:
    """The name that the trail shows, and what kind of actor bears it."""

    name: str
    kind: AuditEvent.ActorKind = AuditEvent.ActorKind.PERSON

    def __str__(self) -> str:
        return f"client {self.name}" if self.kind == AuditEvent.ActorKind.CLIENT else self.name


PORTAL = Actor("axonportal", AuditEvent.ActorKind.SYSTEM)


def client(client_id: str) -> Actor:
    """A client that acts by its credential alone, with no person bound to it."""
    return Actor(client_id, AuditEvent.ActorKind.CLIENT)


def of(actor: Actor | str) -> Actor:
    """A bare name is a person's."""
    return actor if isinstance(actor, Actor) else Actor(actor)
