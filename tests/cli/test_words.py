"""What screens say exists in every language there is a file for, and the right one is chosen."""

from __future__ import annotations

import string

import pytest

from normwright.cli.words import FALLBACK, choose, languages, words
from normwright.records import InputError


def holes(text: str) -> set[str]:
    """The names that are filled in."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("lang", languages())
def test_every_language_has_the_same_keys(lang: str) -> None:
    """No key is missing, none is too many, and each has the same holes to fill."""
    ours, theirs = words(lang), words(FALLBACK)

    assert set(ours) == set(theirs)
    assert {k: holes(v) for k, v in ours.items()} == {k: holes(v) for k, v in theirs.items()}
    assert all(ours.values())


@pytest.mark.parametrize(
    ("asked", "environment", "chosen"),
    [
        ("pt", {"LANG": "en_US.UTF-8"}, "pt"),
        (None, {"LANG": "pt_BR.UTF-8"}, "pt"),
        (None, {"LC_ALL": "pt", "LANG": "en_GB"}, "pt"),
        (None, {"LANG": "fi_FI.UTF-8"}, FALLBACK),
        (None, {"LANG": "C.UTF-8"}, FALLBACK),
        (None, {}, FALLBACK),
    ],
)
def test_language_is_chosen(asked: str | None, environment: dict[str, str], chosen: str) -> None:
    """The option wins, then the terminal's language if it exists, then the fallback."""
    assert choose(asked, environment) == chosen


def test_a_language_that_does_not_exist_is_refused() -> None:
    """Asking for a language without words is an error that lists those there are."""
    with pytest.raises(InputError, match="expected one of en, pt, saw 'fi'"):
        choose("fi", {})
