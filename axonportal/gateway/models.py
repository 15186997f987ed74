"""What the gateway remembers of a session between its calls."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from audit.models import NAME_LENGTH


class SessionFile(models.Model):
    """A file that an agent wrote in a session, and that would do something if it were run.

    A note of the gateway's, not a record: what was written stands in the trail. A file whose new
    content does nothing worth a finding has no row.
    """

    tenant_id = models.BigIntegerField(_("tenant number"))
    client_id = models.CharField(_("client"), max_length=NAME_LENGTH)
    session_id = models.CharField(_("session"), max_length=NAME_LENGTH)
    path = models.TextField(_("path"), help_text=_("Without what must not be stored."))
    # By which it is found: PostgreSQL's index entries end at 2,704 bytes, and paths do not.
    path_digest = models.BinaryField(_("path digest"))
    does = models.JSONField(_("what running it does"))
    written_at = models.DateTimeField(_("written"))

    class Meta:
        verbose_name = _("session file")
        verbose_name_plural = _("session files")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "client_id", "session_id", "path_digest"],
                name="session_file_of_one_session_and_path",
            ),
        ]
        indexes = [models.Index(fields=["written_at"], name="session_file_written")]

    def __str__(self) -> str:
        return self.path
