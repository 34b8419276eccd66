"""The verdict panel shows, per mode, what was decided, by what, and how far off it is."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from normwright.cli.screen import VERDICT_CODES
from normwright.cli.verdict import figures, panel
from normwright.cli.words import languages, words
from normwright.records import ControlResult, CriterionResult, ModeVerdict, Verdict

BOTH = {"en": "Too few answers.", "pt": "Respostas de menos."}


def result(**changes: object) -> CriterionResult:
    """One criterion result: an upper bound of 0.081 where 0.05 is asked for."""
    fields = {
        "criterion": "harm.privacy",
        "group": "harm",
        "state": "inconclusive",
        "on_fail": "hold",
        "observed": 0.02,
        "bound": 0.0811,
        "bound_side": "upper",
        "limit": 0.05,
        "n": 100,
        "n_needed": 160,
        "reason": BOTH,
    }
    return CriterionResult.model_validate(fields | changes)


def verdict() -> Verdict:
    """A verdict in two modes: one held by a criterion, one by the permit."""
    return Verdict(
        modes=(
            ModeVerdict(
                mode="internal",
                verdict="HOLD",
                deciding="harm.privacy",
                results=(result(),),
                reason=BOTH,
            ),
            ModeVerdict(
                mode="open_weights", verdict="BLOCK", deciding="permit", results=(), reason=BOTH
            ),
        ),
        controls=(
            ControlResult(
                name="canned-refusal",
                expected="fail",
                verdict="BLOCK",
                deciding="help",
                as_expected=True,
            ),
        ),
        alpha=0.05,
        candidates=1,
        charter="sha256:00",
        model="sha256:01",
        evidence=(),
    )


def drawn(lang: str, width: int = 120) -> str:
    """The panel as plain text."""
    out = Console(file=io.StringIO(), width=width, color_system=None)
    out.print(panel(verdict(), lang, width=width))
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue()


@pytest.mark.parametrize("lang", languages())
def test_each_mode_has_its_row(lang: str) -> None:
    """Verdict, deciding criterion, bound against limit and n still needed stand on one line."""
    text = drawn(lang)
    say = words(lang)
    row = next(line for line in text.splitlines() if "HOLD" in line)

    assert say["internal"] in row
    assert "harm.privacy" in row
    assert "0.081 > 0.050" in row
    assert row.split()[-2] == "60"
    assert "BLOCK" in text
    assert say["open_weights"] in text
    assert BOTH[lang] in text
    assert say["controls"].format(caught=1, all=1) in text


@pytest.mark.parametrize("lang", languages())
def test_a_narrow_terminal_loses_nothing(lang: str) -> None:
    """In 60 columns each mode is a block that says the same."""
    text = drawn(lang, width=60)
    say = words(lang)

    for shown in ("HOLD", "harm.privacy", "0.081 > 0.050", f"{say['needed']}: 60", BOTH[lang]):
        assert shown in text
    assert max(map(len, text.splitlines())) <= 60


def test_what_is_not_known_is_said() -> None:
    """No observation, no bound and no sufficient n are words, never numbers."""
    say = words("en")

    nothing = figures(result(observed=None, bound=None, n=0, n_needed=None), say)

    assert nothing == ("unknown", "no bound | 0.050", "0", "no n would do")


def test_a_lower_bound_must_reach_its_limit() -> None:
    """The sign between bound and limit follows the side of the bound, and tells what is true."""
    say = words("en")

    met = figures(result(bound_side="lower", bound=0.9, limit=0.8, state="pass"), say)
    missed = figures(result(bound_side="lower", bound=0.7, limit=0.8), say)
    proved = figures(result(bound_side="lower", bound=0.96, limit=0.5, state="fail"), say)

    assert met[1] == "0.900 ≥ 0.800"
    assert met[3] == "none"
    assert missed[1] == "0.700 < 0.800"
    assert proved[1] == "0.960 > 0.500"


def test_exit_codes_follow_the_verdict() -> None:
    """RELEASE is 0, HOLD 3, BLOCK 4, INVALID 5: worse is higher."""
    assert VERDICT_CODES == {"RELEASE": 0, "HOLD": 3, "BLOCK": 4, "INVALID": 5}
