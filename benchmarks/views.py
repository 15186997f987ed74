"""What the pre-check is compared with: nothing at all, and the usual way to write it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from audit.models import RECORDS
from audit.recorder import GroupRecorder, recorder
from audit.rows import Row
from axonportal.accounts.authentication import Principal, authenticate
from axonportal.accounts.models import Scope
from axonportal.common.api import answer
from axonportal.gateway import operations, services
from axonportal.gateway.caller import Caller
from axonportal.gateway.services import Checked


@csrf_exempt
def empty(request: HttpRequest) -> HttpResponse:
    """The floor: what the same server and the same middleware take for nothing."""
    return HttpResponse(b"{}", headers={"Content-Type": "application/json", "Content-Length": "2"})


@csrf_exempt
def batches(request: HttpRequest) -> HttpResponse:
    """How many commits there were of which size, up to that power of two."""
    group = recorder()
    sizes = group.stats().batches if isinstance(group, GroupRecorder) else {}
    return answer({str(size): count for size, count in sizes.items()})


class NoRecorder:
    """Decides without keeping anything, to see what durability adds."""

    def record(self, table: str, row: Row) -> None:
        return None

    def record_all(self, together: Any) -> None:
        return None


class OrmRecorder(NoRecorder):
    """One `create` and one commit per decision, as the usual stack has it."""

    def record(self, table: str, row: Row) -> None:
        model: Any = RECORDS[table]
        model.objects.create(**row)


class _ClientAuthentication(BaseAuthentication):
    """The portal's own cached look-up: a password hash per call would drown everything else."""

    def authenticate(self, request: Request) -> tuple[Any, None]:
        return authenticate(request), None


class _MayDecide(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        principal: Any = request.user
        principal.require(Scope.DECIDE)
        return True


class _ContextSerializer(serializers.Serializer):
    tool = serializers.CharField(required=False, max_length=255)
    session_id = serializers.CharField(required=False, max_length=255)
    cwd = serializers.CharField(required=False, max_length=4096)


class _QuestionSerializer(serializers.Serializer):
    user_token = serializers.CharField(required=False, max_length=255)
    client_id = serializers.CharField(required=False, max_length=100)
    query = serializers.CharField(trim_whitespace=False)
    data_sources = serializers.ListField(child=serializers.CharField(), required=False)
    context = _ContextSerializer(required=False)  # type: ignore[assignment]


class _FindingSerializer(serializers.Serializer):
    kind = serializers.CharField()
    rule = serializers.CharField()
    start = serializers.IntegerField()
    end = serializers.IntegerField()
    reason = serializers.CharField()


class _MatchSerializer(serializers.Serializer):
    policy = serializers.CharField()
    policy_id = serializers.CharField()
    version = serializers.IntegerField()
    action = serializers.CharField()
    message = serializers.CharField()


class _AnswerSerializer(serializers.Serializer):
    context_id = serializers.CharField()
    approved = serializers.BooleanField()
    policies = serializers.ListField(child=serializers.CharField(), source="decision.policies")
    expires_at = serializers.DateTimeField()
    verdict = serializers.CharField(source="decision.verdict")
    policy_revision = serializers.IntegerField(source="decision.policy_revision")
    requires_redaction = serializers.BooleanField(source="decision.requires_redaction")
    block_reason = serializers.CharField(source="decision.reason")
    matches = _MatchSerializer(many=True, source="decision.matches")
    findings = _FindingSerializer(many=True, source="decision.analysis.findings")


class NaivePreCheckView(APIView):
    """The pre-check with serializers and REST framework's own parsing and rendering.

    The decision and what is kept of it are the portal's, so that only the way there differs.
    """

    authentication_classes = [_ClientAuthentication]
    permission_classes = [_MayDecide]

    def post(self, request: Request) -> Response:
        question = _QuestionSerializer(data=request.data)
        question.is_valid(raise_exception=True)
        checked = self._check(request, question.validated_data)
        return Response(_AnswerSerializer(checked).data)

    def _check(self, request: Request, values: dict[str, Any]) -> Checked:
        principal: Principal = request.user  # type: ignore[assignment]
        context = dict(values.get("context", {}))
        caller = Caller(
            principal=principal,
            agent="pre-check",
            user_id=values.get("user_token", ""),
            session_id=context.get("session_id", ""),
            context=context,
        )
        operation = operations.of_query(
            values["query"], tool=context.get("tool", ""), fields=caller.fields()
        )
        return services.check(caller, operation)
