"""Who gets which mail, what stands in it, and what becomes of it when things fail."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from pytest_django import Settings

from approvals import links, services
from approvals.models import ApprovalRequest
from approvals.notifications import delivery, wording
from approvals.notifications.errors import CannotResend
from approvals.notifications.models import Notification
from audit.models import AuditEvent
from axonportal.accounts.models import Scope, Tenant, User
from axonportal.common import changes
from tests.approvals.holding import QUERY, answered, seed_policy
from tests.approvals.receiving import Mailbox, mailbox, text_of
from tests.factories import ClientFactory, MembershipFactory, approver, issued
from tests.gateway.calling import Api
from tests.portal.people import HOSTILE

MAIL = Notification.Channel.MAIL


def only_approver(tenant: Tenant, **values: Any) -> User:
    """The tenant's one approver."""
    User.objects.all().delete()
    return approver(tenant, **values)


def mail_rows() -> Any:
    return Notification.objects.filter(channel=MAIL).order_by("created_at")


def pass_time(**by: float) -> None:
    """Let all that waits, and all that was sent, be so much older."""
    ago = timedelta(**by)
    for name in ("since", "next_try_at", "leased_until", "claimed_at", "sent_at"):
        rows = Notification.objects.filter(**{f"{name}__isnull": False})
        for row in rows:
            Notification.objects.filter(pk=row.pk).update(**{name: getattr(row, name) - ago})


# --- Who hears what -----------------------------------------------------------------------


def test_each_approver_gets_a_mail_whose_link_names_the_request(
    api: Api, tenant: Tenant, box: Mailbox
) -> None:
    person = only_approver(tenant)
    seed_policy(tenant)
    request_id = api.pre_check(QUERY)["approval"]["request_id"]

    assert delivery.drain(MAIL) == 1

    (mail,) = box.mails
    assert box.recipients == [person.email]
    assert mail["Subject"].startswith("Approval needed (")
    assert mail["From"] == "Axon Portal <portal@example.com>"
    assert mail["Auto-Submitted"] == "auto-generated"
    for kind in ("plain", "html"):
        found = re.search(r"http://localhost:8080/approvals/([\w:-]+)", text_of(mail, kind))
        assert found is not None
        assert links.read(found[1]) == request_id
        assert "production-approval-required" in text_of(mail, kind)
    row = mail_rows().get()
    assert (row.status, row.attempts, row.last_error) == ("sent", 1, "")
    assert mail["Message-ID"] == f"<{row.pk}@localhost>"


def test_without_a_mail_server_there_are_no_mails_and_the_portal_tells(
    api: Api, tenant: Tenant
) -> None:
    person = only_approver(tenant)
    seed_policy(tenant)

    api.pre_check(QUERY)

    assert not mail_rows().exists()
    note = Notification.objects.for_user(person).unread().get()
    assert (note.event, note.status) == ("requested", "sent")
    assert Notification.objects.for_user(person).mark_read() == 1
    assert not Notification.objects.for_user(person).unread().exists()


def test_a_question_that_is_settled_is_nobodys_unread_note(api: Api, tenant: Tenant) -> None:
    person = only_approver(tenant)
    seed_policy(tenant)

    answered(api.pre_check(QUERY)["approval"]["request_id"], person)

    assert not Notification.objects.for_user(person).unread().exists()


def test_who_left_the_tenant_sees_no_note_of_it(api: Api, tenant: Tenant) -> None:
    person = only_approver(tenant)
    seed_policy(tenant)
    api.pre_check(QUERY)
    person.memberships.all().delete()

    assert not Notification.objects.for_user(person).exists()


@pytest.mark.parametrize("known_by", ["credential", "user name", "address"])
def test_the_requester_hears_who_decided_when_and_why(
    tenant: Tenant, box: Mailbox, known_by: str
) -> None:
    person = only_approver(tenant)
    asker = MembershipFactory(tenant=tenant).user
    bound = {"user": asker} if known_by == "credential" else {}
    client = ClientFactory(tenant=tenant)
    calls = Api({"Authorization": f"Bearer {issued(client, scopes=Scope.values, **bound).secret}"})
    claimed = {"user name": asker.username, "address": asker.email.upper()}.get(known_by, "x")
    seed_policy(tenant)

    answered(
        calls.pre_check(QUERY, user_token=claimed)["approval"]["request_id"],
        person,
        "deny",
        "Use staging.",
    )
    delivery.drain(MAIL)

    told = [mail for mail in box.mails if mail["To"] == asker.email]
    assert [mail["Subject"][:7] for mail in told] == ["Denied:"]
    said = text_of(told[0])
    assert f"Outcome: Denied by {person.username}: Use staging." in said
    assert f"Decided by: {person.username}" in said
    assert re.search(r"Decided: \d{4}-\d\d-\d\d \d\d:\d\d UTC", said)


def test_a_stranger_whose_name_the_call_claims_is_told_nothing(
    api: Api, tenant: Tenant, box: Mailbox
) -> None:
    person = only_approver(tenant)
    stranger = MembershipFactory().user  # of another tenant
    seed_policy(tenant)
    held = api.pre_check(QUERY, user_token=stranger.username)

    answered(held["approval"]["request_id"], person)

    assert not Notification.objects.filter(user=stranger).exists()


def test_a_broken_glass_alarms_every_approver_and_the_breaker_hears_of_the_review(
    api: Api, tenant: Tenant, box: Mailbox
) -> None:
    from guardian.shortcuts import assign_perm

    person = only_approver(tenant)
    breaker = MembershipFactory(tenant=tenant).user
    assign_perm("accounts.break_glass", breaker, tenant)
    seed_policy(tenant)
    request_id = api.pre_check(QUERY)["approval"]["request_id"]
    services.break_glass(
        request_id, tenant_ids=[tenant.pk], person=breaker, reason="The site is down."
    )
    services.review(request_id, tenant_ids=[tenant.pk], reviewer=person, note="Was right.")

    delivery.drain(MAIL)

    subjects = {mail["To"]: mail["Subject"] for mail in box.mails}
    assert subjects[person.email].startswith("ALARM, glass broken: ")
    assert subjects[breaker.email].startswith("Reviewed after the glass was broken: ")
    alarm = next(mail for mail in box.mails if mail["To"] == person.email)
    assert "The site is down." in text_of(alarm)
    assert f"Glass broken by: {breaker.username}" in text_of(alarm)


# --- When things fail ---------------------------------------------------------------------


def test_nothing_is_lost_while_the_mail_server_is_down(
    api: Api, tenant: Tenant, box: Mailbox, settings: Settings
) -> None:
    only_approver(tenant)
    seed_policy(tenant)
    with mailbox() as gone:
        settings.EMAIL_PORT = gone.port
    api.pre_check(QUERY)
    delivery.drain(MAIL)
    row = mail_rows().get()
    assert (row.status, row.attempts) == ("pending", 1)
    assert "could not be used" in row.last_error
    assert row in Notification.objects.undelivered()
    assert delivery.drain(MAIL) == 0  # not yet again

    pass_time(seconds=delivery.BACKOFF_S[0])
    with mailbox(gone.port) as back:
        delivery.drain(MAIL)

    assert len(back.mails) == 1
    assert mail_rows().get().status == "sent"
    assert not Notification.objects.undelivered().exists()


def test_after_a_day_it_is_given_up_on_record_and_can_be_sent_again(
    api: Api, tenant: Tenant, box: Mailbox
) -> None:
    person = only_approver(tenant)
    seed_policy(tenant, expires_in_s=7 * 86_400)
    api.pre_check(QUERY)
    box.refuse = "451 not now"
    delivery.drain(MAIL)
    pass_time(seconds=delivery.GIVE_UP_AFTER.total_seconds())
    delivery.drain(MAIL)
    row = mail_rows().get()
    assert row.status == "failed"
    assert row.last_error == "The mail server refuses the recipient: 451 not now"
    event = AuditEvent.objects.get(kind="approval.notify_failed")
    assert event.detail["recipient"] == person.username
    assert event.detail["reason"] == row.last_error

    box.refuse = ""
    delivery.resend([row.pk], tenant_ids=[tenant.pk], actor="ada")
    delivery.drain(MAIL)

    assert mail_rows().get().status == "sent"
    assert box.mails[0]["Message-ID"] == f"<{row.pk}@localhost>"
    assert AuditEvent.objects.get(kind="approval.resend").actor == "ada"
    with pytest.raises(CannotResend):
        delivery.resend([row.pk], tenant_ids=[tenant.pk], actor="ada")


def test_another_tenant_resends_nothing(api: Api, tenant: Tenant, box: Mailbox) -> None:
    only_approver(tenant)
    seed_policy(tenant)
    api.pre_check(QUERY)
    box.refuse = "550 no such user"
    delivery.drain(MAIL)

    with pytest.raises(CannotResend):
        delivery.resend(
            [mail_rows().get().pk], tenant_ids=[MembershipFactory().tenant_id], actor="eve"
        )


def test_a_recipient_that_the_server_does_not_know_is_given_up_at_once(
    api: Api, tenant: Tenant, box: Mailbox
) -> None:
    only_approver(tenant)
    seed_policy(tenant)
    api.pre_check(QUERY)
    box.refuse = "550 no such user"

    delivery.drain(MAIL)

    assert mail_rows().get().status == "failed"


@pytest.mark.parametrize("what", ["settled", "left the group", "left the tenant"])
def test_a_question_that_has_no_point_any_more_is_not_sent(
    api: Api, tenant: Tenant, box: Mailbox, what: str
) -> None:
    person, other = only_approver(tenant), approver(tenant)
    seed_policy(tenant)
    request_id = api.pre_check(QUERY)["approval"]["request_id"]
    if what == "settled":
        answered(request_id, other)
    elif what == "left the group":
        person.groups.clear()
    else:
        person.memberships.all().delete()

    delivery.drain(MAIL)

    row = mail_rows().get(user=person)
    assert row.status == "dropped"
    assert row.last_error != ""
    assert person.email not in box.recipients


def test_the_rows_stand_or_fall_with_what_happened(
    api: Api, tenant: Tenant, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = only_approver(tenant)
    seed_policy(tenant)
    request_id = api.pre_check(QUERY)["approval"]["request_id"]
    before = Notification.objects.count()
    monkeypatch.setattr(changes, "publish", lambda topic: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        answered(request_id, person)

    assert ApprovalRequest.objects.get().status == "pending"
    assert Notification.objects.count() == before


# --- Many at once -------------------------------------------------------------------------


def test_forty_requests_in_a_minute_are_a_few_mails(api: Api, tenant: Tenant, box: Mailbox) -> None:
    only_approver(tenant)
    seed_policy(tenant)
    for number in range(40):
        api.pre_check(f"{QUERY} {number}")
        delivery.drain(MAIL)
        pass_time(seconds=1.4)
    pass_time(seconds=60)
    delivery.drain(MAIL)

    assert len(box.mails) == delivery.MAILS_PER_WINDOW + 1
    assert [mail["Subject"][:15] for mail in box.mails[:3]] == ["Approval needed"] * 3
    assert box.mails[-1]["Subject"] == "37 requests need an answer"
    named = {
        links.read(token)
        for mail in box.mails
        for token in re.findall(r"/approvals/([\w:-]+)", text_of(mail))
    }
    assert len(named) == 40
    assert set(mail_rows().values_list("status", flat=True)) == {"sent"}


def test_forty_at_one_moment_are_one_mail(api: Api, tenant: Tenant, box: Mailbox) -> None:
    only_approver(tenant)
    seed_policy(tenant)
    for number in range(40):
        api.pre_check(f"{QUERY} {number}")

    delivery.drain(MAIL)

    assert [mail["Subject"] for mail in box.mails] == ["40 requests need an answer"]


def test_a_digest_that_failed_goes_out_again_as_it_was(
    api: Api, tenant: Tenant, box: Mailbox
) -> None:
    only_approver(tenant)
    seed_policy(tenant)
    for number in range(5):
        api.pre_check(f"{QUERY} {number}")
    box.refuse = "451 not now"
    delivery.drain(MAIL)
    box.refuse = ""
    api.pre_check(f"{QUERY} later")
    pass_time(seconds=delivery.BACKOFF_S[0])

    delivery.drain(MAIL)

    assert [mail["Subject"][:10] for mail in box.mails] == ["5 requests", "Approval n"]


def test_others_and_alarms_do_not_wait_for_somebodys_digest(
    api: Api, tenant: Tenant, box: Mailbox
) -> None:
    from guardian.shortcuts import assign_perm

    person = only_approver(tenant)
    assign_perm("accounts.break_glass", person, tenant)
    seed_policy(tenant)
    for number in range(4):
        request_id = api.pre_check(f"{QUERY} {number}")["approval"]["request_id"]
        delivery.drain(MAIL)
    late = approver(tenant)
    api.pre_check(f"{QUERY} again")
    services.break_glass(request_id, tenant_ids=[tenant.pk], person=person, reason="Now.")

    delivery.drain(MAIL)

    assert late.email in box.recipients
    assert [m["To"] for m in box.mails if m["Subject"].startswith("ALARM")][:1] == [person.email]


# --- What is in a mail --------------------------------------------------------------------


def test_hostile_text_is_shown_whole_and_harmless(api: Api, tenant: Tenant, box: Mailbox) -> None:
    only_approver(tenant)
    seed_policy(tenant)
    hostile = f"{QUERY} {HOSTILE}\r\nBcc: everybody@example.com"
    api.pre_check(
        hostile, user_token="ada\r\nBcc: all@example.com \u202e<b>", context={"tool": "T\nX: y"}
    )

    delivery.drain(MAIL)

    (mail,) = box.mails
    assert len(box.recipients) == 1
    assert mail["Bcc"] is None
    assert mail["X"] is None
    assert "\n" not in mail["Subject"]
    assert "[U+202E]" in mail["Subject"]
    plain, html = text_of(mail), text_of(mail, "html")
    stored = ApprovalRequest.objects.get().text
    assert len(stored) < wording.MAX_TEXT_CHARS
    for unseen in "\u202e\u202c\u200b\x1b\U000e0041\r":
        assert unseen not in plain.replace("\r\n", "\n")
        assert unseen not in html.replace("\r\n", "\n")
    assert "[U+202E]txt.exe[U+202C]" in plain
    assert 'title="right-to-left override">U+202E</span>txt.exe' in html
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "{{ 7|add:7 }}" in plain
    # What the operation says is set off, line by line, so it cannot pass for the portal's words.
    assert "\n  | second line" in plain


def test_a_very_long_operation_is_cut_and_the_mail_says_so(
    api: Api, tenant: Tenant, box: Mailbox
) -> None:
    only_approver(tenant)
    seed_policy(tenant)
    api.pre_check(QUERY + " -" + "x " * wording.MAX_TEXT_CHARS)
    left_out = len(ApprovalRequest.objects.get().text) - wording.MAX_TEXT_CHARS

    delivery.drain(MAIL)

    assert f"{left_out} more characters are on its page." in text_of(box.mails[0])


def test_neither_secrets_nor_personal_data_leave_by_mail(
    api: Api, tenant: Tenant, box: Mailbox
) -> None:
    only_approver(tenant)
    seed_policy(tenant)
    secret = "AKIAIOSFODNN7REALKEY"
    api.pre_check(f"{QUERY} with {secret} for jane.roe@customer-mail.com")

    delivery.drain(MAIL)

    whole = box.mails[0].as_string() + text_of(box.mails[0]) + text_of(box.mails[0], "html")
    assert secret not in whole
    assert "jane.roe" not in whole


# --- Held by a worker ---------------------------------------------------------------------


def test_what_a_worker_holds_nobody_else_takes_until_its_lease_ends(
    api: Api, tenant: Tenant, box: Mailbox
) -> None:
    only_approver(tenant)
    seed_policy(tenant)
    api.pre_check(QUERY)
    rows = delivery.claim(MAIL)
    assert delivery.claim(MAIL) == []

    pass_time(seconds=delivery.LEASE.total_seconds())
    again = delivery.claim(MAIL)
    delivery.deliver(again)
    delivery._put_off(rows, "The first worker comes back late.")

    assert again[0].batch == rows[0].batch
    assert mail_rows().get().status == "sent"
    assert mail_rows().filter(sent_at__lte=Now()).exists()
