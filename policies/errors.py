"""Refusals about policies."""

from __future__ import annotations

from axonportal.common.errors import Conflict, Invalid, NotFound


class PolicyInvalid(Invalid):
    code = "policy-invalid"
    title = "The policy cannot be used as it is"


class PolicyNameTaken(Conflict):
    code = "policy-name-taken"
    title = "There is a policy of this name"


class PolicyNotFound(NotFound):
    code = "policy-not-found"
    title = "There is no such policy"


class BuiltinPolicyKept(Conflict):
    code = "builtin-policy-kept"
    title = "A built-in policy cannot be deleted"
