from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from audit import ids


def test_an_id_carries_its_time_to_the_millisecond():
    before = datetime.now(UTC) - timedelta(milliseconds=1)

    stamp = ids.stamp(ids.CONTEXT)

    assert before <= stamp.at <= datetime.now(UTC)
    assert ids.time_of(stamp.id) == stamp.at
    assert stamp.at.microsecond % 1000 == 0


def test_an_id_is_a_uuid_of_version_7_behind_its_prefix():
    value = uuid.UUID(ids.stamp(ids.CONTEXT).id.removeprefix("ctx_"))

    assert value.version == 7
    assert value.variant == uuid.RFC_4122


def test_ids_made_one_after_the_other_sort_so_and_differ():
    made = [ids.stamp(ids.CONTEXT).id for _ in range(2000)]

    # The fraction of a millisecond has 12 bits, a quarter of a microsecond each.
    assert len(set(made)) == 2000
    assert [each[:20] for each in made] == sorted(each[:20] for each in made)


def test_a_derived_id_is_the_same_for_the_same_digest_and_carries_the_given_time():
    at = datetime(2026, 1, 24, 10, 15, 30, 123_000, tzinfo=UTC)

    stamp = ids.derived(ids.LLM_CALL, at, b"x" * 32)

    assert stamp == ids.derived(ids.LLM_CALL, at, b"x" * 32)
    assert stamp != ids.derived(ids.LLM_CALL, at, b"y" * 32)
    assert ids.time_of(stamp.id) == stamp.at == at
    assert uuid.UUID(stamp.id.removeprefix("llm_")).version == 8


@pytest.mark.parametrize(
    "text",
    ["", "ctx_abc123", "ctx_" + "g" * 32, "f" * 32, "ctx_" + "f" * 32, "ctx_" + "0" * 33, "ctx_\n"],
    ids=["empty", "of the guide", "no digits", "no prefix", "year 10889", "too long", "line end"],
)
def test_a_text_that_is_no_id_has_no_time(text):
    assert ids.time_of(text) is None
