"""What a run shows: lines in a log, a verdict, exit codes; and the way back as a tree."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from rich.console import Console

from normwright.cli.chat import side_by_side
from normwright.cli.progress import line_of, watching
from normwright.cli.project import exit_code
from normwright.cli.receipts import tree_of
from normwright.cli.words import languages, words
from normwright.flow import Event, StepDone, StepProgress, StepSkipped, StepStarted
from normwright.flow.conversation import Reply

EVENTS: tuple[Event, ...] = (
    StepStarted("elicit", 1, 2),
    StepProgress("elicit", 1, 4, "reading votes"),
    StepDone("elicit", 1, 2, 1.26, ("sha256:00",)),
    StepSkipped("aggregate", 2, 2, ("sha256:01",), ("out/charter.html",)),
)


def seen(*, terminal: bool, quiet: bool = False, lang: str = "en") -> str:
    """What a watched run leaves on stderr."""
    err = Console(file=io.StringIO(), force_terminal=terminal, width=100, color_system=None)
    with watching(err, lang, quiet=quiet) as watch:
        for event in EVENTS:
            watch(event)
    assert isinstance(err.file, io.StringIO)
    return err.file.getvalue()


def test_a_log_holds_plain_lines() -> None:
    """Without a terminal each step leaves its lines, and no control character."""
    assert seen(terminal=False).splitlines() == [
        "[1/2] elicit ...",
        "[1/2] elicit done in 1.3 s",
        "[2/2] aggregate skipped: unchanged (written again: out/charter.html)",
    ]


def test_a_terminal_shows_a_bar_and_keeps_the_lines() -> None:
    """On a terminal a bar is drawn while work lasts, and each finished step stays to be read."""
    text = seen(terminal=True)

    assert "\x1b[" in text
    assert "reading votes" in text
    assert "elicit done in 1.3 s" in text
    assert "aggregate skipped: unchanged" in text


def test_json_shows_nothing() -> None:
    """With `--json` a run is silent, on a terminal too."""
    assert seen(terminal=True, quiet=True) == ""


@pytest.mark.parametrize("lang", languages())
def test_every_language_says_every_event(lang: str) -> None:
    """Each event that leaves a line leaves one in each language, with the step's own name."""
    lines = [line_of(event, lang) for event in EVENTS]

    assert lines[1] is None
    assert all(line and event.name in line for event, line in zip(EVENTS, lines, strict=True)
               if not isinstance(event, StepProgress))  # fmt: skip


@pytest.mark.parametrize(
    ("verdicts", "asked", "code"),
    [
        ({}, ("internal",), 0),
        ({"internal": "RELEASE", "open_weights": "BLOCK"}, ("internal",), 0),
        ({"internal": "RELEASE", "open_weights": "BLOCK"}, ("internal", "open_weights"), 4),
        ({"internal": "HOLD", "api_guarded": "RELEASE"}, ("internal", "api_guarded"), 3),
        ({"internal": "INVALID", "open_weights": "BLOCK"}, ("internal", "open_weights"), 5),
        ({"internal": "RELEASE"}, ("internal", "api_guarded"), 5),
    ],
)
def test_exit_code_is_that_of_the_worst_mode_asked_for(
    verdicts: dict[str, str], asked: tuple[str, ...], code: int
) -> None:
    """Modes nobody asked for do not count; one that was asked for and is unknown never passes."""
    assert exit_code(verdicts, asked) == code


def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every node of a trace."""
    yield node
    for below in node.get("from", ()):
        yield from nodes(below)


def test_a_long_trace_says_what_it_leaves_out() -> None:
    """Of many records of one kind a few are shown, and the rest are counted, kind by kind."""
    below = [
        {"digest": f"sha256:{n:064x}", "kind": "Measurement", "via": "modes"} for n in range(9)
    ]
    below.append({"digest": "sha256:" + "f" * 64, "kind": "Policy", "via": "modes"})
    out = Console(file=io.StringIO(), width=100, color_system=None)

    out.print(tree_of({"digest": "sha256:" + "e" * 64, "kind": "Verdict", "from": below}))

    assert isinstance(out.file, io.StringIO)
    lines = out.file.getvalue().splitlines()
    assert sum("Measurement" in line for line in lines) == 5
    assert any("... and 5 more Measurement" in line for line in lines)
    assert any("Policy" in line for line in lines)


def test_a_trace_is_a_tree_to_the_ballots() -> None:
    """Every node is shown with its kind and a digest that `trace` takes back, deep ones too."""
    tree: dict[str, Any] = {"digest": "sha256:" + "0" * 64, "kind": "Consultation", "via": "x"}
    for depth in range(1, 6):
        digest = f"sha256:{depth}{'a' * 63}"
        tree = {"digest": digest, "kind": f"Kind{depth}", "via": "made of", "from": [tree, tree]}
        tree["from"][1] = {**tree["from"][1], "again": True, "from": []}
    tree["about"] = {"modes": {"internal": "HOLD"}, "rules": 7}
    out = Console(file=io.StringIO(), width=100, color_system=None)

    out.print(tree_of(tree))

    assert isinstance(out.file, io.StringIO)
    text = out.file.getvalue()
    assert len(text.splitlines()) == len(list(nodes(tree)))
    for node in nodes(tree):
        assert node["kind"] in text
        assert node["digest"].removeprefix("sha256:")[:12] in text
    assert "rules 7" in text


def test_chat_shows_models_side_by_side() -> None:
    """Each model has a column; a refusal cites its norms; silence is said, never left blank."""
    replies = (
        Reply("base", ""),
        Reply("tuned", "It opens at nine."),
        Reply("aligned", "It opens at nine."),
        Reply("guarded", "I cannot do that.", ("g.privacy@1", "p.minors@2")),
    )
    for lang in languages():
        out = Console(file=io.StringIO(), width=120, color_system=None)
        out.print(side_by_side(replies, lang))
        assert isinstance(out.file, io.StringIO)
        text = out.file.getvalue()

        say = words(lang)
        heading = text.splitlines()[1]
        assert [say[r.model] for r in replies] == [c.strip() for c in heading.split("│")[1:-1]]
        assert say["silent"] in text
        assert f"{say['guarded']}: {say['refused-by']} g.privacy@1, p.minors@2" in text
