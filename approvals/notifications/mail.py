"""Notifications by e-mail: one mail, or one digest, over SMTP."""

from __future__ import annotations

import smtplib
from collections.abc import Sequence
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.message import BadHeaderError
from django.template.loader import render_to_string
from django.utils.translation import ngettext

from approvals import links
from approvals.notifications import wording
from approvals.notifications.errors import Never, NotNow
from approvals.notifications.models import Notification
from axonportal.common import display

BACKEND = "django.core.mail.backends.smtp.EmailBackend"
_QUOTE = "  | "  # before each line of an operation, so that it cannot pass for our own words
_PERMANENT = range(500, 600)  # RFC 5321, 4.2.1: the same again will fail again


def is_on() -> bool:
    """Has the deployment named an SMTP server?"""
    return bool(settings.EMAIL_HOST)


def send(rows: Sequence[Notification]) -> None:
    """Send what was claimed together, as one mail to one address.

    Raises:
        Never: the server knows no such recipient, or it cannot be a mail.
        NotNow: anything else; a server that is down or set up wrongly is mended some time.
    """
    if not is_on():
        raise NotNow("Mail is off: AXON_EMAIL_URL is not set.")
    try:
        message(rows).send()
    except smtplib.SMTPRecipientsRefused as error:
        codes = {code for code, _said in error.recipients.values()}
        said = "; ".join(_said(code, text) for code, text in error.recipients.values())
        failure = Never if codes <= set(_PERMANENT) else NotNow
        raise failure(f"The mail server refuses the recipient: {said}") from None
    except smtplib.SMTPResponseException as error:
        said = _said(error.smtp_code, error.smtp_error)
        raise NotNow(f"The mail server answers {said}") from None
    except (smtplib.SMTPException, OSError) as error:
        raise NotNow(f"The mail server could not be used: {error}") from None
    except (BadHeaderError, UnicodeError) as error:
        raise Never(f"It cannot be written as a mail: {error}") from None


def message(rows: Sequence[Notification]) -> EmailMultiAlternatives:
    """The mail of these rows, all to one person; its id is that of the batch."""
    said = [wording.say(row) for row in rows]
    user = rows[0].user
    domain = _domain()
    name = "digest" if len(rows) > 1 else "single"
    context = {
        "said": said,
        "one": said[0],
        "subject": _subject(said),
        "portal": settings.AXON_PUBLIC_URL,
        "life_days": links.LIFE.days,
    }
    mail = EmailMultiAlternatives(
        subject=_subject(said),
        body=render_to_string(f"approvals/mail/{name}.txt", context | _plain(said)),
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[user.email if user is not None else ""],
        headers={
            "Message-ID": f"<{rows[0].batch}@{domain}>",
            "References": " ".join(dict.fromkeys(f"<{row.request_id}@{domain}>" for row in rows)),
            "Auto-Submitted": "auto-generated",  # RFC 3834: nobody's absence answers it
            "X-Auto-Response-Suppress": "All",
        },
        connection=get_connection(BACKEND, timeout=settings.EMAIL_TIMEOUT),
    )
    mail.attach_alternative(render_to_string(f"approvals/mail/{name}.html", context), "text/html")
    return mail


def _subject(said: Sequence[wording.Said]) -> str:
    if len(said) == 1:
        return said[0].headline
    questions = sum(one.is_question for one in said)
    others = len(said) - questions
    parts = []
    if questions:
        parts.append(
            ngettext("%(n)d request needs an answer", "%(n)d requests need an answer", questions)
            % {"n": questions}
        )
    if others:
        parts.append(ngettext("%(n)d outcome", "%(n)d outcomes", others) % {"n": others})
    return ", ".join(parts)


def _plain(said: Sequence[wording.Said]) -> dict[str, object]:
    """What the text part shows of one operation, spelled out and set off."""
    one = said[0]
    lines = display.spelled(one.text).split("\n")
    return {
        "quoted": "\n".join(_QUOTE + line for line in lines),
        "facts": [(label, _indented(value)) for label, value in one.facts],
        "reasons": [(_indented(policy), _indented(why)) for policy, why in one.reasons],
    }


def _indented(value: str) -> str:
    return ("\n" + _QUOTE).join(display.spelled(value).split("\n"))


def _domain() -> str:
    return urlsplit(settings.AXON_PUBLIC_URL).hostname or "localhost"


def _said(code: int, text: bytes | str) -> str:
    return f"{code} {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}"
