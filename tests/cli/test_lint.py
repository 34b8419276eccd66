"""`charter lint`: one JSON value, a screen in each language, exit 0 whatever is found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from normwright.cli import main
from normwright.records import Situation

PLANTED = Path(__file__).parents[1] / "charter" / "linting" / "planted"


def ran(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["charter", "lint", *arguments])
    return int(ended.value.code or 0), *capsys.readouterr()


def test_json_has_the_findings_and_the_coverage(capsys: pytest.CaptureFixture[str]) -> None:
    """Class, norms, witness and question of each finding; a witness is a situation again."""
    code, out, err = ran(capsys, str(PLANTED), "--json")
    body = json.loads(out)

    assert (code, err) == (0, "")
    assert body["norms"] == 44
    assert {"class", "norms", "witness", "question"} <= set(body["findings"][0])
    assert all(Situation.model_validate(one["witness"]) for one in body["findings"]
               if one["witness"])  # fmt: skip
    assert {"concern": "oversight", "layer": "polity"} in body["coverage"]["holes"]
    assert body["open"] == []


@pytest.mark.parametrize(
    ("lang", "heading", "question"),
    [("en", "Errors: 2", "Should this be allowed"), ("pt", "Erros: 2", "Deve ser permitido")],
)
def test_the_screen_groups_by_severity(
    capsys: pytest.CaptureFixture[str], lang: str, heading: str, question: str
) -> None:
    """Gravest first, each with its question, in the language asked for."""
    chosen = ("--class", "unresolved", "--class", "DEAD", "--class", "NARROWED")
    code, out, _ = ran(capsys, str(PLANTED), "--lang", lang, *chosen)
    told = " ".join(out.split())

    assert code == 0
    assert heading in told
    assert question in told
    assert told.index("UNRESOLVED") < told.index("NARROWED")
    assert "GAP" not in told


def test_a_class_that_does_not_exist_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A mistyped class is a usage error that lists those there are."""
    code, _, err = ran(capsys, str(PLANTED), "--class", "TRAPS")

    assert code == 2
    assert "TRAPS: expected some of" in err
    assert "UNRESOLVED" in err
