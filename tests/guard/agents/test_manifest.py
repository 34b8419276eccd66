"""Manifests: what is read in a call, and what a server's own words are worth."""

from __future__ import annotations

from typing import Any

import pytest
from tests.guard.agents.office import call, manifest

from normwright.guard.agents import drafted, manifest_of, read_call
from normwright.guard.agents.manifest import found_at, named
from normwright.records import InputError


def test_a_servers_own_words_make_nothing_laxer() -> None:
    """A draft believes hints only where they are strict; and it is a manifest that can be read."""
    tools: list[dict[str, Any]] = [
        {"name": "peek", "inputSchema": {"properties": {"q": {}}},
         "annotations": {"readOnlyHint": True, "openWorldHint": False}},
        {"name": "wipe", "annotations": {"destructiveHint": False, "idempotentHint": True}},
        {"name": "silent"},
    ]  # fmt: skip
    found = manifest_of(drafted(tools), where="draft").tools

    assert found["peek"].effect == "reversible"
    assert found["peek"].arguments == ("q",)
    assert {found[name].effect for name in ("wipe", "silent")} == {"irreversible"}
    assert {found[name].sink for name in ("wipe", "silent")} == {"external"}
    assert {tool.reads.conf for tool in found.values()} == {"secret"}
    assert {tool.reads.integrity for tool in found.values()} == {"untrusted"}


@pytest.mark.parametrize(("kind", "value", "name"), [
    ("path", "/a/./b//c/../d", "path:/a/b/d"), ("path", "\\\\a\\b", "path:/a/b"),
    ("path", "../x", None), ("path", "a/../../x", None),
    ("email", "Bo@Office.ORG", "email:bo@office.org"),
    ("email", "Bo <bo@office.org>", None), ("email", "bo@office.org,x@else.org", None),
    ("email", '"bo@office.org"@else.org', None), ("email", "bo", None),
    ("url", "HTTPS://Else.org:443/a/../b?q=1#f", "url:else.org/b?q=1"),
    ("url", "https://office.org@else.org/", None), ("url", "https://else.org\\@office.org/", None),
    ("url", "else.org", "url:else.org/"), ("url", "https://\uff45lse.org/", "url:else.org/"),
    ("text", " Bo ", "text:Bo"), ("text", "", None), ("text", None, None), ("text", ["Bo"], None),
    ("text", "Bo*", None), ("text", 7, "text:7"), ("text", True, None),
])  # fmt: skip
def test_a_thing_has_one_name(kind: Any, value: object, name: str | None) -> None:
    """However it is written; and what could be read in two ways has none."""
    assert named(kind, value) == name


def test_pointers() -> None:
    """JSON pointers with their escapes; a star is every item, and one value where one is given."""
    given = {"to": [{"mail": "a"}, {"mail": "b"}], "a/b": {"~": 1}, "one": "x"}

    assert list(found_at(given, "/to/*/mail")) == ["a", "b"]
    assert list(found_at(given, "/a~1b/~0")) == [1]
    assert list(found_at(given, "/one/*")) == ["x"]
    assert list(found_at(given, "/to/1/mail")) == ["b"]
    assert list(found_at(given, "/none/*/x")) == []


def test_all_faults_of_a_manifest_are_told_at_once() -> None:
    """Two tools, three faults, one error."""
    with pytest.raises(InputError) as caught:
        manifest_of({"tools": {"a": {"act": "pay"}, "b": {"act": "pay", "effect": "none",
                    "units": {"money": {"fixed": 1, "count": "/x"}}}}}, where="m")  # fmt: skip

    assert len(caught.value.faults) == 3


def test_what_is_read_in_a_call() -> None:
    """Resources, amounts, where it goes: by the manifest and nothing else."""
    tool = manifest().tools["send_mail"]
    inside = read_call(call("send_mail", to=["bo@office.org", "BO@office.org"]), tool)
    outside = read_call(call("send_mail", to=["bo@office.org", "x@else.org"]), tool)

    assert inside.resources == ("email:bo@office.org",)
    assert inside.units == {"recipients": 2}
    assert (inside.sink, outside.sink) == ("internal", "external")
