"""The one table that every process watches."""

from __future__ import annotations

from django.db import models


class Revision(models.Model):
    """How often a topic has changed; see `common.changes`."""

    topic = models.CharField(max_length=100, primary_key=True)
    number = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = "revision"

    def __str__(self) -> str:
        return f"{self.topic} {self.number}"
