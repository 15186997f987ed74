from __future__ import annotations

from tests.gateway.fixtures import (  # noqa: F401 (fixtures for the tests of this folder)
    api,
    credential_cache,
    demo,
    hook_api,
    tenant,
)
