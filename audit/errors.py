"""Refusals of the trail."""

from __future__ import annotations

from axonportal.common.errors import NotFound, PortalError, Unavailable


class RecorderUnavailable(Unavailable):
    """What was to be recorded is not known to be durable, so nothing may be answered on it."""

    code = "recorder-unavailable"
    title = "The decision could not be recorded"


class RecordRefused(PortalError):
    """The database refuses this one row, whenever it is tried: a name too long, say."""

    status = 500
    code = "record-refused"
    title = "The record is not acceptable to the database"


class ContextNotFound(NotFound):
    code = "context-not-found"
    title = "There is no such gateway context"


class TooMuchToRead(Unavailable):
    code = "too-much-to-read"
    title = "The question takes too long to answer"
