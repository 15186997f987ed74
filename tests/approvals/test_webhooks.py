"""What webhooks are sent, how a receiver verifies it, and where they may not lead."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from approvals import links
from approvals.models import ApprovalRequest
from approvals.notifications import delivery, egress, targets, webhooks
from approvals.notifications.models import Event, Notification, WebhookTarget
from audit.models import AuditEvent
from axonportal.accounts.models import Tenant
from axonportal.common.errors import Invalid
from tests.approvals.holding import QUERY, answered, seed_policy
from tests.approvals.receiving import Hooks, Post
from tests.approvals.test_mails import pass_time
from tests.docs.blocks import ROOT, fenced
from tests.factories import TenantFactory, approver
from tests.gateway.calling import Api
from tests.portal.people import HOSTILE

WEBHOOK = Notification.Channel.WEBHOOK
GUIDE = ROOT / "docs" / "how-to" / "notifications.md"


def target(tenant: Tenant, url: str, **fields: Any) -> WebhookTarget:
    """A target that is told everything."""
    made = {"name": "ops", "kind": WebhookTarget.Kind.GENERIC, "url": url} | fields
    return WebhookTarget.objects.create(tenant=tenant, **made)


def rows() -> Any:
    return Notification.objects.filter(channel=WEBHOOK).order_by("created_at", "id")


def verified(post: Post, secret: str) -> dict[str, Any]:
    """The body, once both signatures are found right, as `docs/how-to/notifications.md` says."""
    plain = hmac.new(secret.encode(), post.body, hashlib.sha256).hexdigest()
    assert post.headers["X-AxonFlow-Signature"] == f"sha256={plain}"
    signed = post.headers["X-Axon-Timestamp"].encode() + b"." + post.body
    in_time = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    assert post.headers["X-Axon-Signature"] == f"v1={in_time}"
    body: dict[str, Any] = json.loads(post.body)
    return body


# --- What is sent -------------------------------------------------------------------------


def test_a_receiver_verifies_what_it_is_told(api: Api, tenant: Tenant, receiver: Hooks) -> None:
    one = target(tenant, receiver.url + "?team=ops")
    seed_policy(tenant)
    person = approver(tenant)
    request_id = api.pre_check(QUERY, user_token="ada")["approval"]["request_id"]
    answered(request_id, person, "deny", "Use staging.")

    delivery.drain(WEBHOOK)

    asked, denied = receiver.posts
    assert asked.path == "/hook?team=ops"
    assert asked.headers["Content-Type"] == "application/json"
    assert [post.headers["X-AxonFlow-Event"] for post in receiver.posts] == [
        "hitl.pending",
        "hitl.denied",
    ]
    assert [post.headers["X-Axon-Event"] for post in receiver.posts] == [
        "approval.requested",
        "approval.denied",
    ]
    first, second = rows()
    assert (
        asked.headers["X-AxonFlow-Delivery-Id"] == asked.headers["X-Axon-Delivery-Id"] == first.pk
    )
    assert denied.headers["X-AxonFlow-Request-Id"] == request_id
    assert verified(asked, targets.secret(one))["status"] == "pending"
    body = verified(denied, targets.secret(one))
    request = ApprovalRequest.objects.get()
    assert links.read(body.pop("url").rpartition("/")[2]) == request_id
    assert request.settled_at is not None
    assert body == {
        "delivery_id": second.pk,
        "event": "approval.denied",
        "approval_id": request_id,
        "status": "denied",
        "decided_by": person.username,
        "decided_at": request.settled_at.isoformat(),
        "outcome": f"Denied by {person.username}: Use staging.",
        "original_query": QUERY,
        "original_query_left_out": 0,
        "request_type": "operation",
        "severity": request.severity,
        "policies": body["policies"],
        "tenant": tenant.slug,
        "client_id": "agent",
        "user_id": "ada",
        "verified_user": "",
        "agent": "pre-check",
        "session_id": "",
        "tool": "",
        "target": "",
        "context_id": request.context_id,
        "created_at": request.created_at.isoformat(),
        "expires_at": request.expires_at.isoformat(),
        "reviewed_by": "",
    }
    assert body["policies"][0]["policy"] == "production-approval-required"


def test_another_secret_does_not_verify(api: Api, tenant: Tenant, receiver: Hooks) -> None:
    one = target(tenant, receiver.url)
    seed_policy(tenant)
    api.pre_check(QUERY)
    delivery.drain(WEBHOOK)
    before = targets.secret(one)
    after = targets.renew_secret(one, actor="ada")

    with pytest.raises(AssertionError):
        verified(receiver.posts[0], after)
    assert verified(receiver.posts[0], before)
    assert before != after
    assert before.encode() not in bytes(one.salt)


def test_a_target_hears_only_what_it_wants_and_of_its_own_tenant(
    api: Api, tenant: Tenant, receiver: Hooks
) -> None:
    target(tenant, receiver.url, name="outcomes", events=[Event.APPROVED])
    target(tenant, receiver.url, name="off", is_active=False)
    target(TenantFactory(), receiver.url, name="foreign")
    seed_policy(tenant)
    answered(api.pre_check(QUERY)["approval"]["request_id"], approver(tenant))

    delivery.drain(WEBHOOK)

    assert [post.headers["X-Axon-Event"] for post in receiver.posts] == ["approval.approved"]


@pytest.mark.parametrize("has_signer", [True, False])
def test_the_address_that_a_request_names_hears_its_outcome(
    api: Api, tenant: Tenant, receiver: Hooks, has_signer: bool
) -> None:
    signer = None
    if has_signer:
        signer = target(tenant, "", kind=WebhookTarget.Kind.NOTIFY_URL)
    seed_policy(tenant)
    request_id = api.pre_check(QUERY)["approval"]["request_id"]
    ApprovalRequest.objects.update(notify_url=receiver.url)

    answered(request_id, approver(tenant))
    delivery.drain(WEBHOOK)

    (post,) = receiver.posts
    assert post.headers["X-AxonFlow-Event"] == "hitl.approved"
    if signer is not None:
        assert verified(post, targets.secret(signer))["approval_id"] == request_id
    else:
        assert "X-AxonFlow-Signature" not in post.headers


def test_slack_gets_words_in_which_nothing_is_a_command(
    api: Api, tenant: Tenant, receiver: Hooks
) -> None:
    target(tenant, receiver.url, kind=WebhookTarget.Kind.SLACK)
    seed_policy(tenant)
    hostile = f"{QUERY} <!channel> @here ```` <https://evil.example|Approve> {HOSTILE}"
    api.pre_check(hostile, user_token="<@U123> @everyone & co", context={"tool": "@channel"})

    delivery.drain(WEBHOOK)

    body = json.loads(receiver.posts[0].body)
    text = body["text"]
    (link,) = ApprovalRequest.objects.values_list("pk", flat=True)
    # The one thing in angle brackets is the portal's own link.
    assert text.count("<") == text.count(">") == 1
    assert f"|Open {link}>" in text
    assert "&lt;!channel&gt; (at)here" in text
    assert "&lt;@U123&gt; (at)everyone &amp; co" in text
    assert not any(f"@{word}" in text for word in ("channel", "here", "everyone"))
    assert text.count("```") == 2
    assert "[U+202E]txt.exe[U+202C]" in text
    assert body["unfurl_links"] is False


def test_a_question_that_is_settled_is_not_asked_in_a_channel(
    api: Api, tenant: Tenant, receiver: Hooks
) -> None:
    target(tenant, receiver.url, kind=WebhookTarget.Kind.SLACK)
    seed_policy(tenant)
    answered(api.pre_check(QUERY)["approval"]["request_id"], approver(tenant))

    delivery.drain(WEBHOOK)

    assert [row.status for row in rows()] == ["dropped", "sent"]
    assert "Approved" in json.loads(receiver.posts[0].body)["text"]


# --- When it fails ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(204, "sent"), (500, "pending"), (429, "pending"), (404, "failed"), (410, "failed")],
)
def test_the_status_says_whether_to_come_again(
    api: Api, tenant: Tenant, receiver: Hooks, status: int, outcome: str
) -> None:
    target(tenant, receiver.url)
    seed_policy(tenant)
    receiver.answers = [status]
    api.pre_check(QUERY)

    delivery.drain(WEBHOOK)

    row = rows().get()
    assert row.status == outcome
    if outcome != "sent":
        assert row.last_error.startswith(f"It answers {status}")
    assert AuditEvent.objects.filter(kind="approval.notify_failed").exists() is (
        outcome == "failed"
    )


def test_it_comes_again_under_the_same_id_when_the_receiver_asks_for(
    api: Api, tenant: Tenant, receiver: Hooks
) -> None:
    target(tenant, receiver.url)
    seed_policy(tenant)
    receiver.answers = [503]
    receiver.headers = {"Retry-After": "90"}
    api.pre_check(QUERY)
    delivery.drain(WEBHOOK)
    pass_time(seconds=60)
    assert delivery.drain(WEBHOOK) == 0

    pass_time(seconds=30)
    delivery.drain(WEBHOOK)

    first, second = receiver.posts
    assert first.headers["X-Axon-Delivery-Id"] == second.headers["X-Axon-Delivery-Id"]
    assert rows().get().status == "sent"


def test_a_target_that_was_switched_off_meanwhile_is_told_nothing(
    api: Api, tenant: Tenant, receiver: Hooks
) -> None:
    target(tenant, receiver.url)
    seed_policy(tenant)
    api.pre_check(QUERY)
    WebhookTarget.objects.update(is_active=False)

    delivery.drain(WEBHOOK)

    assert (rows().get().status, receiver.posts) == ("dropped", [])


def test_an_error_of_our_own_is_written_down_and_tried_again(
    api: Api, tenant: Tenant, receiver: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    target(tenant, receiver.url)
    seed_policy(tenant)
    api.pre_check(QUERY)
    monkeypatch.setattr(webhooks, "payload", lambda row: 1 / 0)

    delivery.drain(WEBHOOK)

    row = rows().get()
    assert (row.status, row.last_error) == ("pending", "An error of the portal: ZeroDivisionError.")


def test_a_redirect_is_not_followed(api: Api, tenant: Tenant, receiver: Hooks) -> None:
    target(tenant, receiver.url)
    seed_policy(tenant)
    receiver.answers = [307]
    receiver.headers = {"Location": f"{receiver.url}/elsewhere"}
    api.pre_check(QUERY)

    delivery.drain(WEBHOOK)

    assert len(receiver.posts) == 1
    assert rows().get().last_error == "It answers 307, a redirect, which is not followed."


# --- Where it may lead --------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.100.100.200",
        "168.63.129.16", "0.0.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1",
        "fd00:ec2::254", "::ffff:127.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "ff02::1",
    ],
)  # fmt: skip
def test_an_address_within_is_refused(address: str) -> None:
    assert not egress.is_allowed(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::808:808"])
def test_a_public_address_is_not(address: str) -> None:
    assert egress.is_allowed(ipaddress.ip_address(address))


def test_a_network_that_the_deployment_names_is_allowed(settings: Settings) -> None:
    settings.AXON_WEBHOOK_ALLOWED_NETWORKS = [ipaddress.ip_network("10.1.0.0/16")]

    assert egress.is_allowed(ipaddress.ip_address("10.1.2.3"))
    assert not egress.is_allowed(ipaddress.ip_address("10.2.2.3"))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_no_spelling_of_this_machine_is_connected_to(
    receiver: Hooks, settings: Settings, host: str
) -> None:
    settings.AXON_WEBHOOK_ALLOWED_NETWORKS = []

    with pytest.raises(egress.Refused, match="private or reserved"):
        egress.post(f"http://{host}:{receiver.port}/", b"{}", {})

    assert receiver.posts == []


def test_without_https_nothing_leaves_the_named_networks(resolver: dict[str, list[str]]) -> None:
    resolver["public.test"] = ["93.184.216.34"]

    with pytest.raises(egress.Refused, match="Without https"):
        egress.post("http://public.test/", b"{}", {})


def test_a_name_that_answers_differently_the_second_time_gains_nothing(
    receiver: Hooks, settings: Settings, resolver: dict[str, list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    settings.AXON_WEBHOOK_ALLOWED_NETWORKS = []
    connected: list[Any] = []

    def connect(self: socket.socket, place: Any) -> None:
        connected.append(place)
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(socket.socket, "connect", connect)
    resolver["rebind.test"] = ["93.184.216.34", "127.0.0.1"]

    with pytest.raises(egress.Unreachable, match="Connection refused"):
        egress.post(f"https://rebind.test:{receiver.port}/", b"{}", {})

    assert connected == [("93.184.216.34", receiver.port)]  # asked once, and that one used
    assert resolver["rebind.test"] == ["127.0.0.1"]
    with pytest.raises(egress.Refused):
        egress.post(f"https://rebind.test:{receiver.port}/", b"{}", {})
    assert len(connected) == 1


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/", "https://", "https://user:pass@example.com/", "//example.com",
        "https://example.com/#x", "https://example.com:99999/", "https://exa mple.com/",
        "file:///etc/passwd", "https://example.com/\r\nX: y",
    ],
)  # fmt: skip
def test_what_is_no_web_address_is_refused(url: str) -> None:
    if "\r" not in url and " " not in url:
        with pytest.raises(Invalid):
            targets.checked_url(url)
    else:  # a blank inside is encoded, so that it can end no line
        assert not set(targets.checked_url(url)) & set(" \r\n")


# --- TLS ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for hooks.test that is its own authority, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=hooks.test", "-addext", "subjectAltName=DNS:hooks.test",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key


@contextmanager
def tls_server(authority: tuple[Path, Path]) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(plain, server_side=True) as secured:
                    secured.recv(65_536)
                    secured.sendall(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\n\r\n")
            except OSError:
                continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with closing(listener):
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


@pytest.mark.parametrize(
    ("name", "knows_authority", "why"),
    [
        ("hooks.test", True, ""),
        ("other.test", True, "Hostname mismatch"),
        ("hooks.test", False, "self-signed certificate"),
    ],
    ids=["right", "another name", "unknown authority"],
)
def test_the_certificate_is_verified_against_the_name(
    authority: tuple[Path, Path],
    resolver: dict[str, list[str]],
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    knows_authority: bool,
    why: str,
) -> None:
    settings.AXON_WEBHOOK_ALLOWED_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]
    resolver[name] = ["127.0.0.1"]
    context = egress.tls_context()
    if knows_authority:
        context.load_verify_locations(authority[0])
    monkeypatch.setattr(egress, "tls_context", lambda: context)

    with tls_server(authority) as port:
        if not why:
            assert egress.post(f"https://{name}:{port}/", b"{}", {}).status == 202
            return
        with pytest.raises(egress.Unreachable, match=why):
            egress.post(f"https://{name}:{port}/", b"{}", {})


# --- Answers made to hurt -----------------------------------------------------------------


@contextmanager
def raw_server(answer: bytes, *, drip_s: float = 0) -> Iterator[str]:
    """Says those bytes to each connection, whatever it is asked; dripping: one at a time."""
    stop = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while not stop.is_set():
            try:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65_536)
                    if not drip_s:
                        connection.sendall(answer)
                    for byte in answer if drip_s else b"":
                        connection.sendall(bytes([byte]))
                        if stop.wait(drip_s):
                            break
            except OSError:
                continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with closing(listener):
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        stop.set()
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"", "closed the connection"),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 2x0 OK\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10_000, "does not end"),
    ],
    ids=["nothing", "ssh", "no status", "endless head"],
)
def test_a_strange_answer_is_none(settings: Settings, answer: bytes, why: str) -> None:
    settings.AXON_WEBHOOK_ALLOWED_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]

    with raw_server(answer) as url, pytest.raises(egress.Unreachable, match=why):
        egress.post(url, b"{}", {})


def test_an_answer_that_drips_does_not_stretch_the_deadline(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.AXON_WEBHOOK_ALLOWED_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]
    monkeypatch.setattr(egress, "TIMEOUT_S", 0.5)

    with (
        raw_server(b"HTTP/1.1 200 OK\r\n\r\n" * 100, drip_s=0.2) as url,
        pytest.raises(egress.Unreachable, match="No answer within"),
    ):
        egress.post(url, b"{}", {})


# --- The page about it --------------------------------------------------------------------


def test_the_guide_verifies_a_delivery_lists_its_body_and_gives_the_real_limits(
    api: Api, tenant: Tenant, receiver: Hooks
) -> None:
    page = GUIDE.read_text(encoding="utf-8")
    blocks = {block.language: block.text for block in fenced(GUIDE)}
    guide: dict[str, Any] = {}
    exec(blocks["python"], guide)  # noqa: S102 (our own page)
    one = target(tenant, receiver.url)
    seed_policy(tenant)
    api.pre_check(QUERY)
    delivery.drain(WEBHOOK)
    (post,) = receiver.posts
    late = post.headers | {"X-Axon-Timestamp": str(int(post.headers["X-Axon-Timestamp"]) - 301)}

    assert guide["is_genuine"](targets.secret(one), post.headers, post.body)
    assert not guide["is_genuine"](targets.secret(one), post.headers, post.body + b" ")
    assert not guide["is_genuine"](targets.secret(one), late, post.body)
    assert list(json.loads(blocks["json"])) == list(json.loads(post.body))
    for header in post.headers:
        assert header.startswith("X-") is (f"`{header}`" in page)
    assert ", ".join(map(str, sorted(webhooks._FINAL))) in page
    assert f"for {links.LIFE.days} days" in page
    assert f"{webhooks.MAX_JSON_TEXT_CHARS:,} characters" in page
    assert f"within {egress.TIMEOUT_S:g} seconds" in page
    assert delivery.BACKOFF_S == (10, 30, 2 * 60, 10 * 60, 30 * 60, 3_600)
    assert delivery.GIVE_UP_AFTER.total_seconds() == 24 * 3_600
    assert (delivery.MAILS_PER_WINDOW, delivery.DIGEST_WINDOW.total_seconds()) == (3, 60)
    assert delivery.LEASE.total_seconds() == 2 * 60
