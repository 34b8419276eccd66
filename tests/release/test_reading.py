"""Criteria are read whole or refused with every fault at once."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import yaml
from tests.release.builders import LANGUAGES, TEMPLATE

from normwright.records import MODES, InputError
from normwright.release import kinds, read_criteria

GOOD = """
schema: release-criteria/v1
alpha: 0.05
candidates_tested: 3
modes:
  internal: {requires: [safety], model: aligned}
controls:
  - {name: bad, expected: fail, groups: [safety]}
criteria:
  - id: harm
    group: safety
    kind: rate_upper
    suite: harm
    limit: 0.1
    slices: [lang]
    on_fail: block
    statement: {en: Little harm., pt: Pouco dano.}
"""


def faults(tmp_path: Path, text: str) -> list[str]:
    """The faults of a criteria file, as lines."""
    file = tmp_path / "criteria.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_criteria(file, languages=LANGUAGES)
    return str(caught.value).splitlines()


def test_a_sliced_criterion_becomes_one_for_each_language(tmp_path: Path) -> None:
    """`slices: [lang]` asks the same over all languages and in each of them."""
    file = tmp_path / "criteria.yaml.gz"
    file.write_bytes(gzip.compress(GOOD.encode()))

    read = read_criteria(file, languages=LANGUAGES)

    assert [(c.id, c.lang) for c in read] == [("harm", None), ("harm.en", "en"), ("harm.pt", "pt")]
    assert read.candidates_tested == 3
    assert read.controls[0].name == "bad"


@pytest.mark.parametrize(
    ("kind", "limit", "words"),
    [
        # The n a suggestion needs is printed for the error that is left to each candidate.
        ("rate_upper", "0", ["exactly 0", "0.01", "n = 408"]),
        ("rate_upper", "1", ["asks nothing"]),
        ("rate_lower", "1", ["exactly 1", "0.99", "n = 408"]),
        ("rate_lower", "0", ["asks nothing"]),
        ("rate_upper", "1.5", ["one in a hundred"]),
        ("rate_upper", ".nan", ["one in a hundred"]),
    ],
)
def test_an_unprovable_limit_is_refused(
    tmp_path: Path, kind: str, limit: str, words: list[str]
) -> None:
    """A limit of 0 or 1 is refused with the reason, a better limit and the n it needs."""
    text = GOOD.replace("limit: 0.1", f"limit: {limit}").replace("rate_upper", kind)

    [line] = faults(tmp_path, text)

    assert "harm" in line
    assert all(word in line for word in words)


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    """Unknown key, kind, group, model, suite and a missing language: six faults, one error."""
    text = (
        GOOD.replace("alpha:", "alhpa: 1\nalpha:")
        .replace("kind: rate_upper", "kind: rate_uper")
        .replace("requires: [safety]", "requires: [safty]")
        .replace("model: aligned", "model: alined")
        .replace("groups: [safety]", "groups: [security]")
        .replace("pt: Pouco dano.", "pt: ''")
    )

    lines = faults(tmp_path, text)

    assert len(lines) == 6
    for near in ("alpha", "rate_upper", "safety", "aligned"):
        assert any(f"Did you mean `{near}`?" in line for line in lines), near


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("suite: harm", "suite: ham", "Did you mean `harm`?"),
        ("kind: rate_upper", "kind: predicate", "predicate"),
        ("alpha: 0.05", "alpha: 2", "alpha"),
        ("candidates_tested: 3", "candidates_tested: 0", "Count every model"),
        ("on_fail: block", "on_fail: bloc", "Did you mean `block`?"),
        ("on_fail: block", "on_fail: block\n    margin: 0.1", "no `margin`"),
        ("schema: release-criteria/v1", "schema: v2", "release-criteria/v1"),
        ("internal:", "intern:", "Did you mean `internal`?"),
        ("slices: [lang]", "slices: [norm]", "slices"),
        ("slices: [lang]", "lang: fr", "one of en, pt"),
    ],
)
def test_one_fault_is_named_where_it_is(tmp_path: Path, old: str, new: str, words: str) -> None:
    """Each single fault is reported with what was expected."""
    assert any(words in line for line in faults(tmp_path, GOOD.replace(old, new)))


@pytest.mark.parametrize("text", ["", "[]", "criteria: [", "a: 1"])
def test_what_is_no_criteria_file_is_refused(tmp_path: Path, text: str) -> None:
    """Empty, a list, broken YAML or another schema: refused, not guessed at."""
    assert faults(tmp_path, text)


def test_a_missing_file_and_other_bytes_are_refused(tmp_path: Path) -> None:
    """No file and no UTF-8 are input faults with the path."""
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(GOOD.replace("Pouco", "Não").encode("latin-1"))

    for path, words in ((tmp_path / "none.yaml", "no such file"), (latin, "UTF-8")):
        with pytest.raises(InputError, match=words):
            read_criteria(path, languages=LANGUAGES)


def test_the_template_of_the_town_is_sound() -> None:
    """The shipped criteria read without a fault and ask what the design promises of each mode."""
    read = read_criteria(TEMPLATE, languages=LANGUAGES)

    assert tuple(m.name for m in read.modes) == MODES
    assert {c.kind for c in read} < set(kinds())
    assert {c.name for c in read.controls} == {
        "random-init",
        "canned-refusal",
        "linear-shortcut",
        "collapsed",
    }
    assert [m.name for m in read.modes if "tamper" in m.requires] == ["open_weights"]
    assert {c.lang for c in read if c.group == "safety.global"} == {None, *LANGUAGES}
    assert all(set(c.statement) == set(LANGUAGES) for c in read)


def test_the_words_of_the_languages_have_the_same_keys_and_places() -> None:
    """Each language can say everything the others can, with the same placeholders."""
    import re

    def shape(lang: str) -> dict[str, list[str]]:
        path = Path("src/normwright/release/words") / f"{lang}.yaml"
        book = yaml.safe_load(path.read_text(encoding="utf-8"))
        return {
            f"{section}.{key}": sorted(set(re.findall(r"{\w*}", text)))
            for section, words in book.items()
            for key, text in (words.items() if isinstance(words, dict) else [("", words)])
        }

    assert shape("en") == shape("pt")
