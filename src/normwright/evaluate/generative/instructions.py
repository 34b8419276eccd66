"""Instructions whose following can be checked to the letter, in English and Portuguese.

An answer counts if every check of its prompt holds and it is no copy of the prompt; there is no
judge. The idea is that of IFEval (Zhou et al., arXiv 2311.07911); prompts and checks are this
project's own. A check sees form alone: an answer that holds it may still be nonsense.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

from normwright.evaluate.generative.prompts import Asking, Prompt, packaged
from normwright.evaluate.generative.reading import copies, folded, language_of
from normwright.evaluate.generative.scoring import CANNED, Generative, Reading, Unit
from normwright.evaluate.json_lines import Line, read
from normwright.records import Fault, InputError
from normwright.texts import words

Check: TypeAlias = Callable[[str, Any], bool]
"""Whether an answer holds to what is asked."""

_END: Final = re.compile(r"[.!?…]+(?=[\s\"'”»)]|$)")
_WORD: Final = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")


def _between(n: int, span: Mapping[str, int]) -> bool:
    return span.get("min", 0) <= n <= span.get("max", n)


def _tokens(text: str) -> list[str]:
    return _WORD.findall(text)


def _sentences(text: str) -> list[str]:
    return [p for p in _END.split(text) if any(map(str.isalnum, p))]


def _holds(text: str, phrase: str) -> int:
    """How often a phrase stands in a text as whole words."""
    said, asked = words(text), words(phrase)
    return sum(said[i : i + len(asked)] == asked for i in range(len(said) - len(asked) + 1))


def _case(text: str, kind: str) -> bool:
    letters = [c for c in text if c.isalpha()]
    match kind:
        case "upper":
            return bool(letters) and all(c == c.upper() for c in letters)
        case "lower":
            return bool(letters) and all(c == c.lower() for c in letters)
        case _:
            found = _tokens(text)
            return bool(found) and all(w[0].isupper() or w[0].isdigit() for w in found)


def _json(text: str, wanted: Mapping[str, Any]) -> bool:
    try:
        value = json.loads(text)
    except ValueError:
        return False
    if "keys" in wanted:
        return isinstance(value, dict) and set(value) == set(wanted["keys"])
    return (
        isinstance(value, list)
        and len(value) == wanted["items"]
        and all(isinstance(v, str) for v in value)
    )


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _numbered(text: str, n: int) -> bool:
    found = [line for line in _lines(text) if re.match(r"\d+[.)]\s*\S", line)]
    return len(found) == n and all(
        line.startswith(f"{i}.") for i, line in enumerate(found, start=1)
    )


def _split(text: str, wanted: Mapping[str, Any]) -> bool:
    parts = text.strip().rstrip(".").split(wanted["by"])
    return len(parts) == wanted["n"] and all(p.strip() for p in parts)


def _number(text: str, span: Mapping[str, int]) -> bool:
    found = re.findall(r"\d+", text)
    return len(found) == 1 and _between(int(found[0]), span)


CHECKS: Final[Mapping[str, Check]] = {
    "words": lambda a, span: _between(len(_tokens(a)), span),
    "sentences": lambda a, span: _between(len(_sentences(a)), span),
    "questions": lambda a, span: _between(a.count("?"), span),
    "include": lambda a, phrases: all(_holds(a, p) for p in phrases),
    "avoid": lambda a, phrases: not any(_holds(a, p) for p in phrases),
    "count": lambda a, want: _between(_holds(a, want["word"]), want),
    "letters": lambda a, want: want["avoid"] not in folded(a),
    "characters": lambda a, want: want["avoid"] not in a,
    "case": _case,
    "json": _json,
    "bullets": lambda a, span: _between(
        sum(bool(re.match(r"-\s*\S", line)) for line in _lines(a)), span
    ),
    "numbered": _numbered,
    "paragraphs": lambda a, span: _between(
        len([p for p in re.split(r"\n\s*\n", a.strip()) if p.strip()]), span
    ),
    "split": _split,
    "pattern": lambda a, pattern: re.search(pattern, a, re.DOTALL) is not None,
    "begins": lambda a, text: a.strip().startswith(text),
    "ends": lambda a, text: a.rstrip(" \n\"'”»").removesuffix(
        "." if text[-1].isalpha() else ""
    ).endswith(text),
    "language": lambda a, lang: language_of(a) == lang,
    "number": _number,
    "exactly": lambda a, text: folded(a).rstrip(".") == folded(text),
    "one_of": lambda a, texts: folded(a).rstrip(".!") in {folded(t) for t in texts},
}  # fmt: skip
"""What can be checked, by name, with what it is given in the file of prompts."""


def follows(answer: str, checks: Sequence[Mapping[str, Any]]) -> list[bool]:
    """Return, check by check, whether an answer holds to it; an empty answer holds to none."""
    if not answer.strip():
        return [False] * len(checks)
    return [CHECKS[name](answer, wanted) for one in checks for name, wanted in one.items()]


def instruction_prompts(lang: str, data: Path | None = None) -> Asking:
    """Return the prompts with their checks.

    Args:
        lang: en or pt.
        data: rows `id`, `text`, `checks`, perhaps `group`; None: those of the package.

    Raises:
        InputError: with every fault of the file.
    """
    if data is None:
        found = packaged("instructions")[lang]
        rows = [(f"{lang}-{i:03}", r["group"], r["text"], tuple(r["checks"]))
                for i, r in enumerate(found)]  # fmt: skip
        return Asking("instructions", lang, _prompts(lang, rows), "package", "CC-BY-4.0")
    made = read(data, _row)
    if not made:
        raise InputError([Fault(where=str(data), expected="prompts with checks", seen="none")])
    return Asking("instructions", lang, _prompts(lang, made), data.name, "as the file says")


def _row(line: Line) -> tuple[str, str, str, tuple[Mapping[str, Any], ...]] | None:
    checks = line.body.get("checks")
    known = ", ".join(CHECKS)
    if not isinstance(checks, list) or not checks:
        line.fault("a list of checks in `checks`", "none")
        return None
    for check in checks:
        if not isinstance(check, dict) or len(check) != 1 or next(iter(check)) not in CHECKS:
            line.fault(f"a check with one name of {known}", repr(check)[:60])
        else:
            _try(line, check)
    group = line.text("group", empty=True) if "group" in line.body else ""
    made = (line.text("id"), group, line.text("text"), tuple(checks))
    return None if line.faults else made


def _try(line: Line, check: Mapping[str, Any]) -> None:
    """See that a check can be made at all, so that it does not fail in the middle of a run."""
    try:
        follows("a b", [check])
    except Exception as error:  # noqa: BLE001 What a file may hold is open, and so is what is wrong with it.
        line.fault("a check that can be made", f"{next(iter(check))}: {type(error).__name__}")


def _prompts(
    lang: str, rows: Sequence[tuple[str, str, str, tuple[Mapping[str, Any], ...]]]
) -> tuple[Prompt, ...]:
    return tuple(
        Prompt(id=name, lang=lang, text=text, unit=name, cluster=name, group=group,
               about={"checks": [dict(c) for c in checks]})
        for name, group, text, checks in rows
    )  # fmt: skip


def score_instructions(prompts: Sequence[Prompt], answers: Sequence[str]) -> Reading:
    """Return for each prompt whether every check holds, and the share of them that do."""
    labels, units = [], []
    for prompt, answer in zip(prompts, answers, strict=True):
        held = follows(answer, prompt.about["checks"])
        copied = copies(answer, prompt.text)
        value = float(all(held) and not copied)
        share = 0.0 if copied else sum(held) / len(held)
        labels.append("copied" if copied else "followed" if value else "not-followed")
        units.append(Unit(prompt.unit, prompt.cluster, prompt.group, value, {"checks": share}))
    return Reading(tuple(labels), tuple(units))


def instruction_suite() -> Generative:
    """Return the suite of checked instructions."""
    return Generative(
        name="instructions",
        metric="followed",
        score=score_instructions,
        bounds=(0.0, 1.0),
        constants=CANNED,
        chance=None,
        lead=True,
        max_new_tokens=96,
    )
