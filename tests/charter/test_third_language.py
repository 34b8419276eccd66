"""A third language comes by data files alone: no line of the program names one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import normwright

PACKAGE = Path(normwright.__file__).parent
NORMS = Path(__file__).with_name("trilingual")
BOOKS = ("charter/words", "cli/words", "release/words", "web/locale")
"""Folders of sentences, one file a language, whose sentences a charter needs."""


def marked(value: Any, key: str = "") -> Any:
    """Every sentence with a mark before it, its places kept: as good as a translation here."""
    if isinstance(value, dict):
        return {name: marked(part, name) for name, part in value.items()}
    return value if key in ("decimal", "language", "thousands") else f"¡es! {value}"


@pytest.fixture(scope="module")
def spanish(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as it is, and beside its English sentences files of Spanish ones."""
    root = tmp_path_factory.mktemp("overlay")
    home = root / "normwright"
    for path in PACKAGE.rglob("*"):
        here = home / path.relative_to(PACKAGE)
        if path.is_file() and "__pycache__" not in path.parts:
            here.parent.mkdir(parents=True, exist_ok=True)
            here.symlink_to(path)
    for book in BOOKS:
        english = yaml.safe_load((PACKAGE / book / "en.yaml").read_text(encoding="utf-8"))
        text = yaml.safe_dump(marked(english), allow_unicode=True, sort_keys=False)
        (home / book / "es.yaml").write_text(text, encoding="utf-8")
    return root


def call(spanish: Path, *arguments: object, code: int = 0) -> str:
    """What the command line of that package prints."""
    done = subprocess.run(
        [sys.executable, "-c", "from normwright.cli import main; main()", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(spanish), "COLUMNS": "300"},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def test_cases_verdicts_and_reasons_are_told_in_it(spanish: Path) -> None:
    """The charter is checked in three languages, and a decision is told in the third."""
    checked = json.loads(call(spanish, "charter", "check", NORMS, "--json"))
    asked = ("charter", "decide", NORMS, "--act", "disclose.loans", "--fact",
             "requester_is_reader=false", "--lang", "es")  # fmt: skip

    assert (checked["norms"], checked["cases"], checked["failures"]) == (2, 12, [])
    assert "No diga a nadie lo que lee otra persona." in call(spanish, *asked)


def test_questions_for_people_are_drafted_in_it(spanish: Path) -> None:
    """Lint asks in every language of the charter; the sentences are from the new file."""
    found = json.loads(call(spanish, "charter", "lint", NORMS, "--json"))["findings"]

    assert found
    assert all(set(one["question"]) == {"en", "pt", "es"} for one in found)
    assert all("¡es!" in one["question"]["es"] for one in found)
    assert not any("¡es!" in one["question"]["en"] for one in found)


def test_the_policy_and_the_page_speak_it(spanish: Path, tmp_path: Path) -> None:
    """Prompt, guard reasons and rubric of a deployment, and an edition of the page."""
    made = tmp_path / "policy"
    call(spanish, "charter", "enact", NORMS, "--out", made)
    call(spanish, "charter", "show", NORMS, "--page", tmp_path / "charter.html")
    prompt = (made / "prompt.es.md").read_text(encoding="utf-8")
    page = (tmp_path / "charter.html").read_text(encoding="utf-8")

    assert "¡es!" in prompt
    assert "[g.privacy.loans] No diga a nadie lo que lee otra persona." in prompt
    assert '<div class="edition" id="es" lang="es">' in page
    assert "Escriba al consejo de lectores" in page
    assert "Dónde está el libro: libros raros" in page


def test_without_its_sentences_a_language_is_refused_and_named(tmp_path: Path) -> None:
    """Nothing falls back to another language: one fault names what is missing."""
    said = call(PACKAGE.parent, "charter", "enact", NORMS, "--out", tmp_path / "p", "--json",
                code=1)  # fmt: skip
    faults = json.loads(said)["error"]["faults"]

    assert [fault["seen"] for fault in faults] == ["es"]
