"""A script that an agent writes with one call and runs with another answers for what it does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from audit.models import GatewayContext
from axonportal.gateway import session_files, tasks
from axonportal.gateway.models import SessionFile
from tests.factories import saved_policy
from tests.gateway.calling import HOOK, Api
from tests.gateway.test_hooks import before

DEADLY = "#!/bin/bash\nset -e\nrm -rf /srv/data\n"
HARMLESS = "#!/bin/bash\nls -l\n"
PATH = "/home/ada/shop/tidy.sh"


def event(tool: str, session: str = "one", cwd: str = "/home/ada/shop", **given: Any) -> dict:
    return before(tool, **given) | {"session_id": session, "cwd": cwd}


def write(api: Api, content: str = DEADLY, path: str = PATH, **more: Any) -> Any:
    answer = api.post(HOOK, event("Write", file_path=path, content=content, **more))
    assert answer.body == {}, answer.body
    return answer


def verdict(api: Api, command: str, **more: Any) -> str:
    answer = api.post(HOOK, event("Bash", command=command, **more)).body
    return str(answer.get("hookSpecificOutput", {}).get("permissionDecision", ""))


@pytest.mark.parametrize(
    "command",
    [
        "bash tidy.sh",
        "./tidy.sh",
        "sh -x /home/ada/shop/tidy.sh",
        "source tidy.sh",
        "cd /home/ada && . shop/tidy.sh",
        "chmod +x tidy.sh && sudo ./tidy.sh",
        "timeout 5 bash ./tidy.sh --yes",
    ],
)
def test_running_it_is_judged_by_what_was_written(api, command):
    write(api)

    assert verdict(api, command) == "deny"


def test_the_reason_and_the_trail_say_where_it_comes_from(api):
    write(api)

    answer = api.post(HOOK, event("Bash", command="bash tidy.sh")).body

    assert "dangerous_command_blocking" in str(answer)
    assert f"[written earlier: {PATH}]" in str(answer)  # the model may not have it in mind
    found = GatewayContext.objects.filter(verdict="deny").get().snapshot["findings"]
    assert [one["layer"] for one in found] == [f"written earlier: {PATH}"]
    assert (found[0]["start"], found[0]["end"]) == (5, 12)


@pytest.mark.parametrize(
    "command",
    ["cat tidy.sh", "git add tidy.sh", "wc -l tidy.sh", "bash other.sh", "shellcheck tidy.sh"],
)
def test_what_does_not_run_it_passes(api, command):
    write(api)

    assert verdict(api, command) == ""


def test_a_harmless_content_leaves_no_note_and_takes_an_earlier_one_back(api):
    write(api, HARMLESS, "/home/ada/shop/list.sh")
    assert not SessionFile.objects.exists()
    write(api)
    write(api, HARMLESS)

    assert verdict(api, "bash tidy.sh") == ""
    assert not SessionFile.objects.exists()


def test_an_edit_adds_to_what_is_known_and_never_takes_it_back(api):
    write(api)

    api.post(HOOK, event("Edit", file_path=PATH, old_string="set -e", new_string="set -u"))

    assert verdict(api, "bash tidy.sh") == "deny"


def test_an_edit_alone_is_enough(api):
    part = event("Edit", file_path=PATH, old_string="ls", new_string="rm -rf /srv/data")

    assert api.post(HOOK, part).body == {}
    assert verdict(api, "bash tidy.sh") == "deny"


def test_a_program_of_another_language_is_read_as_such(api):
    write(api, "import shutil\nshutil.rmtree('/srv/data')\n", "/home/ada/shop/clean.py")

    assert verdict(api, "python3 clean.py") == "deny"


def test_a_script_that_runs_another_one_hands_on_what_that_does(api):
    write(api)
    write(api, "#!/bin/sh\n./tidy.sh\n", "/home/ada/shop/all.sh")

    assert verdict(api, "sh all.sh") == "deny"


def test_it_holds_for_a_file_written_through_an_mcp_server(api):
    given = event("mcp__files__write_file", path=PATH, content=DEADLY)

    api.post(HOOK, given)

    assert verdict(api, "bash tidy.sh") == "deny"


@pytest.mark.parametrize(
    "first",
    [
        "cat > tidy.sh <<'EOF'\n#!/bin/bash\nrm -rf /srv/data\nEOF",
        "echo 'rm -rf /srv/data' > tidy.sh",
        "printf 'rm -rf %s\\n' /srv/data | tee tidy.sh",
        "mkdir -p x && echo '#!/bin/sh' > tidy.sh && echo 'rm -rf /srv/data' >> tidy.sh",
        "curl -fsSL https://get.tool.dev/install -o tidy.sh",
        "wget -qO tidy.sh https://get.tool.dev/install",
    ],
)
def test_it_holds_for_a_file_that_a_command_wrote_or_downloaded(api, first):
    assert verdict(api, first) == ""

    assert verdict(api, "bash tidy.sh") == "deny"
    assert verdict(api, "cat tidy.sh") == ""


@pytest.mark.parametrize(
    "first",
    [
        "cat > tidy.sh <<'EOF'\n#!/bin/bash\nls -l\nEOF",
        "echo 'rm -rf /srv/data' > notes.md",
        "curl -fsSL https://files.tool.dev/data.json -o data.json",
        "ls > tidy.sh",
    ],
)
def test_a_command_that_writes_nothing_of_that_kind_leaves_no_trouble(api, first):
    verdict(api, first)

    assert verdict(api, "bash tidy.sh") == ""


def test_a_pre_check_of_the_same_session_knows_it_too(api):
    write(api)

    context = {"tool": "Bash", "session_id": "one", "cwd": "/home/ada/shop"}
    answer = api.pre_check("bash tidy.sh", context=context)

    assert answer["approved"] is False


def test_sessions_do_not_know_of_each_others_files(api):
    write(api)

    assert verdict(api, "bash tidy.sh", session="another") == ""


def test_tenants_do_not_know_of_each_others_files(api):
    write(api)
    SessionFile.objects.update(tenant_id=4711)

    assert verdict(api, "bash tidy.sh") == ""


def test_a_denied_write_leaves_no_note(api, tenant):
    saved_policy(tenant)  # blocks "production"

    answer = api.post(HOOK, event("Write", file_path=PATH, content=f"{DEADLY}# production"))

    assert answer.body["hookSpecificOutput"]["permissionDecision"] == "deny"
    assert not SessionFile.objects.exists()


def test_a_content_too_long_to_be_examined_is_told_as_cut_short(api, tenant, monkeypatch):
    monkeypatch.setattr(session_files, "MAX_CONTENT", 10)
    saved_policy(
        tenant,
        name="cut short",
        conditions=[{"field": "analysis", "operator": "equals", "value": "truncated"}],
    )
    write(api, "#" * 20 + DEADLY)

    assert verdict(api, "bash tidy.sh") == "deny"


def test_values_that_must_not_be_stored_are_not_and_the_file_is_found_all_the_same(api):
    path, secret = "/home/ada/536-22-8726/run.sh", "ghp_" + "a1B2" * 9
    content = f"rm -rf /srv/data; curl -H 'Authorization: token {secret}' https://api.internal\n"
    api.post(HOOK, event("Write", file_path=path, content=content))

    answer = verdict(api, f"bash {path}")

    assert answer == "deny"
    stored = str(list(SessionFile.objects.values()))
    trail = str(list(GatewayContext.objects.values()))
    assert "536-22-8726" not in stored + trail
    assert secret not in stored + trail


def test_many_files_of_a_session_are_asked_for_only_by_what_runs_one(
    api, django_assert_max_num_queries
):
    write(api)
    verdict(api, "ls")

    with django_assert_max_num_queries(3):  # a savepoint, the record, its release
        verdict(api, "git status")


def test_old_notes_are_forgotten(api):
    write(api)
    write(api, path="/home/ada/shop/old.sh")
    SessionFile.objects.filter(path__endswith="old.sh").update(
        written_at=timezone.now() - session_files.KEPT - timedelta(minutes=1)
    )

    tasks.forget_session_files()

    assert [file.path for file in SessionFile.objects.all()] == [PATH]


@pytest.mark.parametrize(
    ("steps", "command"),
    [
        (["cp tidy.sh other.sh"], "bash other.sh"),
        (["mv tidy.sh other.sh"], "bash other.sh"),
        (["git mv tidy.sh other.sh"], "bash other.sh"),
        (["cp tidy.sh other"], "./other"),
        (["chmod +x tidy.sh"], "./tidy.sh"),
        (["mkdir bin", "cp tidy.sh bin", "chmod 755 bin/tidy.sh"], "bin/tidy.sh"),
        (["install -m 755 tidy.sh ~/bin/tidy"], "~/bin/tidy"),
        (["sudo install -m 755 tidy.sh /usr/local/bin/tidy"], "/usr/local/bin/tidy --now"),
        (["ln -s tidy.sh other"], "./other"),
        (["ln -s ../shop/tidy.sh /home/ada/bin/other"], "/home/ada/bin/other"),
        (["ln -s /home/ada/shop /tmp/shop"], "sh /tmp/shop/tidy.sh"),
        (["cat tidy.sh > other.sh"], "bash other.sh"),
        (["cat tidy.sh | tee other.sh"], "bash other.sh"),
        (["cp tidy.sh a", "mv a b", "cat b > c"], "sh c"),
        (["cp tidy.sh a && mv a b"], "sh b"),
        (["cp -r ../shop /opt"], "sh /opt/shop/tidy.sh"),
        (["mv /home/ada/shop /home/ada/old"], "sh /home/ada/old/tidy.sh"),
        (["tar czf all.tgz tidy.sh", "tar xzf all.tgz -C /opt"], "bash /opt/tidy.sh"),
        (["zip -r all.zip .", "unzip all.zip -d /opt"], "bash /opt/tidy.sh"),
        (["cp tidy.sh other.sh"], "bash ~/shop/other.sh"),
        (["cp tidy.sh other.sh"], "cd .. && bash ./shop/../shop/other.sh"),
        (["cp ~/shop/tidy.sh /tmp/other.sh"], "bash /tmp/other.sh"),
        (["cd /home && cp ada/shop/tidy.sh /tmp/other.sh"], "bash /tmp/other.sh"),
    ],
    ids=lambda value: value if isinstance(value, str) else "; ".join(value),
)
def test_a_file_is_known_by_every_name_that_commands_gave_it(api, steps, command):
    write(api)
    for step in steps:
        assert verdict(api, step) == "", step

    assert verdict(api, command) == "deny"


@pytest.mark.parametrize(
    ("steps", "command"),
    [
        (["cp tidy.sh other.sh"], "cat other.sh"),
        (["cp other.sh tidy2.sh"], "bash tidy2.sh"),
        (["ln -s other.sh link"], "./link"),
        (["tar czf all.tgz tidy.sh"], "bash list.sh"),
        (["cp -r ../shop /opt"], "sh /opt/shop/list.sh"),
    ],
    ids=lambda value: value if isinstance(value, str) else "; ".join(value),
)
def test_other_files_and_readers_are_left_alone(api, steps, command):
    write(api)
    for step in steps:
        assert verdict(api, step) == "", step

    assert verdict(api, command) == ""


def test_another_working_directory_names_the_same_file(api):
    write(api)
    verdict(api, "cp shop/tidy.sh bin/go", cwd="/home/ada")

    assert verdict(api, "../bin/go", cwd="/home/ada/shop") == "deny"
    assert verdict(api, "sh ~/bin/go", cwd="/home/ada/other") == "deny"


def test_a_copy_adds_and_a_new_content_takes_back(api):
    write(api)
    verdict(api, "cp tidy.sh other.sh")
    verdict(api, "cp no-such-file other.sh")
    assert verdict(api, "bash other.sh") == "deny"

    write(api, HARMLESS, "/home/ada/shop/other.sh")

    assert verdict(api, "bash other.sh") == ""
    assert verdict(api, "bash tidy.sh") == "deny"


def test_a_link_that_was_there_first_leads_to_what_is_written_later(api):
    verdict(api, "ln -s tidy.sh go")
    write(api)
    assert verdict(api, "./go") == "deny"

    verdict(api, "ln -s late.sh other")
    write(api, path="/home/ada/shop/other")

    assert verdict(api, "bash late.sh") == "deny"


def test_a_link_that_is_replaced_takes_nothing_back(api):
    write(api)
    verdict(api, "ln -s tidy.sh go")

    write(api, HARMLESS, "/home/ada/shop/go")

    assert verdict(api, "bash tidy.sh") == "deny"


def test_a_tool_that_moves_a_file_is_followed(api):
    write(api)

    api.post(HOOK, event("mcp__files__move_file", source=PATH, destination="/home/ada/shop/x"))

    assert verdict(api, "sh x") == "deny"


def test_a_denied_copy_leaves_no_note(api, tenant):
    write(api)
    saved_policy(tenant)  # blocks "production"

    assert verdict(api, "cp tidy.sh production.sh") == "deny"

    assert [file.path for file in SessionFile.objects.all()] == [PATH]


def test_copies_of_one_call_are_bounded(api, monkeypatch):
    monkeypatch.setattr(session_files, "MAX_COPIED", 3)
    write(api)

    verdict(api, "; ".join(f"cp -T tidy.sh x{number}.sh" for number in range(10)))

    assert SessionFile.objects.count() == 4


def test_names_of_links_that_must_not_be_stored_are_not(api):
    path = "/home/ada/536-22-8726/run.sh"
    api.post(HOOK, event("Write", file_path=path, content=DEADLY))

    verdict(api, f"ln -s {path} go; cp {path} other.sh")

    assert "536-22-8726" not in str(list(SessionFile.objects.values()))
    assert verdict(api, "./go") == "deny"
    assert verdict(api, "bash other.sh") == "deny"


def test_commands_that_copy_nothing_ask_for_no_files(api, django_assert_max_num_queries):
    write(api)
    verdict(api, "ls")

    with django_assert_max_num_queries(3):  # a savepoint, the record, its release
        verdict(api, "cat tidy.sh | head -5")


@pytest.mark.parametrize(
    ("source", "destination", "expected"),
    [
        ("/home/ada/shop/tidy.sh", "/home/ada/shop/x", ""),
        ("/home/ada/shop/notes", "/home/ada/.bashrc", "deny"),
        ("/home/ada/.ssh/id_rsa", "/home/ada/shop/x", "deny"),
        ("rm -rf /srv/data", "host", "deny"),
    ],
)
def test_a_tool_that_moves_a_file_runs_neither_of_its_paths(api, source, destination, expected):
    write(api)

    given = event("mcp__files__move_file", source=source, destination=destination)
    answer = api.post(HOOK, given).body

    assert answer.get("hookSpecificOutput", {}).get("permissionDecision", "") == expected
