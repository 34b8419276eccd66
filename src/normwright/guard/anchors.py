"""What a text must hold for a regular expression to match: one of a few literal words.

Looking for words is a hundred times as fast as trying expressions, and most texts hold none of
them. What is found here is necessary and never sufficient: where it cannot be told, it is None and
the expression is always tried.
"""

from __future__ import annotations

import re
from typing import Final

_LEAST: Final = 3
"""Letters of a word that is worth looking for."""
_QUANTIFIER: Final = re.compile(r"\*\??|\+\??|\?\??|\{(\d*)(?:,\d*)?\}\??")
_WORD: Final = re.compile(r"[a-z]{4,}")

Anchors = frozenset[str] | None


def anchors(source: str) -> Anchors:
    """Return words one of which stands in every text that the expression matches; None: unknown."""
    found, _ = _either(source, 0)
    return found


def stems(source: str) -> frozenset[str]:
    """Return the words an expression is made of, whole or in part."""
    return frozenset(_WORD.findall(re.sub(r"\\[a-zA-Z]", " ", source)))


def _either(source: str, at: int) -> tuple[Anchors, int]:
    """Read alternatives up to a closing bracket or the end; return their anchors and where."""
    parts: list[Anchors] = []
    while True:
        found, at = _row(source, at)
        parts.append(found)
        if at >= len(source) or source[at] == ")":
            break
        at += 1
    if any(p is None for p in parts):
        return None, at
    return frozenset().union(*(p for p in parts if p is not None)), at


def _row(source: str, at: int) -> tuple[Anchors, int]:
    """Read what stands in a row up to `|`, `)` or the end."""
    candidates: list[frozenset[str]] = []
    run = ""

    def close() -> None:
        nonlocal run
        if len(run) >= _LEAST:
            candidates.append(frozenset({run}))
        run = ""

    while at < len(source) and source[at] not in "|)":
        literal, inner, at = _atom(source, at)
        least, at = _quantified(source, at)
        if literal and least == 1:
            run += literal
            continue
        if literal and least is not None and least > 1:
            run += literal
        close()
        if inner is not None and least:
            candidates.append(inner)
    close()
    return max(candidates, key=_worth, default=None), at


def _worth(words: frozenset[str]) -> tuple[int, int]:
    """Rare words are long; few are soon looked for."""
    return min(4, min(map(len, words), default=0)), -len(words)


def _atom(source: str, at: int) -> tuple[str, Anchors, int]:
    """Read one atom: (its letter if it is one, the anchors of a group, where it ends)."""
    char = source[at]
    if char == "\\":
        follows = source[at + 1]
        return ("" if follows.isalnum() else _plain(follows)), None, at + 2
    if char == "[":
        return "", None, _class_end(source, at)
    if char != "(":
        return ("" if char in ".^$" else _plain(char)), None, at + 1
    head = re.compile(r"\(\?(?::|P<\w+>|=|!|<=|<!)").match(source, at)
    inner, end = _either(source, head.end() if head else at + 1)
    looks = head is not None and head.group()[2] in "=!<"
    return "", None if looks else inner, end + 1


def _plain(char: str) -> str:
    return char if char.isalnum() else ""


def _class_end(source: str, at: int) -> int:
    """Where a character class ends."""
    at += 2 if source[at + 1] == "^" else 1
    first = True
    while source[at] != "]" or first:
        at += 2 if source[at] == "\\" else 1
        first = False
    return at + 1


def _quantified(source: str, at: int) -> tuple[int | None, int]:
    """Read a quantifier: (how often at least; 1 without one, and above 1 where more may follow)."""
    match = _QUANTIFIER.match(source, at)
    if match is None:
        return 1, at
    sign = match.group()[0]
    if sign in "*?":
        return 0, match.end()
    least = int(match[1] or 0) if sign == "{" else 1
    return (2 if least else 0), match.end()
