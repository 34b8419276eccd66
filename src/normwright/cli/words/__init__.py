"""The words a screen shows, one file a language; the files there are the languages there are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from importlib import resources

from normwright.records import Fault, InputError

FALLBACK = "en"
"""Shown where neither the option nor the terminal names a language that exists."""


@cache
def languages() -> tuple[str, ...]:
    """Return the languages screens exist in, sorted."""
    names = (entry.name for entry in resources.files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml")))


@cache
def words(lang: str) -> Mapping[str, str]:
    """Return the words of one language, by key."""
    import yaml

    text = (resources.files(__name__) / f"{lang}.yaml").read_text(encoding="utf-8")
    # The same safe loader; written in C where PyYAML was built with it, ten times as fast.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    return {str(key): str(value) for key, value in loader.get_single_data().items()}


def choose(asked: str | None, environment: Mapping[str, str] = os.environ) -> str:
    """Return the language asked for, else the terminal's if it exists, else `FALLBACK`.

    Raises:
        InputError: if a language was asked for that does not exist.
    """
    if asked is not None:
        if asked not in languages():
            raise InputError(
                [
                    Fault(
                        where="--lang",
                        expected=f"one of {', '.join(languages())}",
                        seen=repr(asked),
                        do="Leave it out to follow the terminal's language.",
                    )
                ]
            )
        return asked
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if environment.get(variable):
            spoken = environment[variable].replace("-", "_").split("_")[0].split(".")[0]
            return spoken if spoken in languages() else FALLBACK
    return FALLBACK
