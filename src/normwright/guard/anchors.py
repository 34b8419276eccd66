"""What a text must hold for a regular expression to match: one of a few literal words.

Looking for words is a hundred times as fast as trying expressions, and most texts hold none of
them. What is found here is necessary and never sufficient: where it cannot be told, nothing is
needed and the expression is always tried.
"""

from __future__ import annotations

import re
from typing import Final

_LEAST: Final = 3
"""Letters of a word that is worth looking for; one less where a word begins or ends."""
_QUANTIFIER: Final = re.compile(r"\*\??|\+\??|\?\??|\{(\d*)(?:,\d*)?\}\??")
_BEYOND: Final = re.compile(r"\(\?(?!:|P<|=|!|<=|<!)|\\[xuUN\d]")
"""What is not read here: flags, codes of characters, what refers back."""
_WHOLE: Final = re.compile(r"(\\b)?\(\?:(.*)\)(?:\\b)?", re.DOTALL)
_WORD: Final = re.compile(r"[a-z]{4,}")

Words = frozenset[str]
Branch = tuple[Words, ...]


def needs(source: str) -> tuple[Branch, ...]:
    """Return the ways in which an expression may match, each with the words that it needs.

    A text that it matches holds, for one of the ways, a word of each set. A space before or after
    a word says that no letter or digit stands there: the word begins or ends. A single sign is a
    word too.
    A way without a set needs nothing that is known.
    """
    if _BEYOND.search(source) is not None:
        return ((),)
    return tuple(_ways(source, edge=False))


def _ways(source: str, *, edge: bool) -> list[Branch]:
    """Return the ways of the alternatives at the top of an expression."""
    found: list[Branch] = []
    at = 0
    while True:
        start = at
        row, at = _row(source, at, edge=edge)
        whole = _WHOLE.fullmatch(source, start, at)
        if whole is not None and _end(source, whole.start(2)) == whole.end(2):
            # One group and nothing else: its alternatives are the expression's.
            found += _ways(whole[2], edge=edge or bool(whole[1]))
        else:
            found.append(tuple(dict.fromkeys(row)))
        if at >= len(source):
            return found
        at += 1


def _end(source: str, at: int) -> int:
    """Where a group ends whose first sign stands there."""
    while True:
        _, at = _row(source, at, edge=False)
        if at >= len(source) or source[at] == ")":
            return at
        at += 1


def stems(source: str) -> frozenset[str]:
    """Return the words an expression is made of, whole or in part."""
    return frozenset(_WORD.findall(re.sub(r"\\[a-zA-Z]", " ", source)))


def _either(source: str, at: int, *, edge: bool) -> tuple[list[Words], int]:
    """Read alternatives up to a closing bracket; return what they need, and where it ends.

    One alternative needs all that stands in it; of several, each is told by the rarest it needs.
    """
    parts: list[list[Words]] = []
    while True:
        found, at = _row(source, at, edge=edge)
        parts.append(found)
        if at >= len(source) or source[at] == ")":
            break
        at += 1
    if len(parts) == 1:
        return parts[0], at
    if not all(parts):
        return [], at
    return [frozenset().union(*(max(p, key=rarity) for p in parts))], at


def _row(source: str, at: int, *, edge: bool) -> tuple[list[Words], int]:
    """Read what stands in a row up to `|`, `)` or the end; return all that it needs.

    Args:
        source: the expression.
        at: where the row begins.
        edge: whether a word can only begin there, and not go on.
    """
    candidates: list[Words] = []
    run, begins = "", edge

    def close(ends: bool) -> None:
        nonlocal run
        if len(run) >= _LEAST - (begins or ends):
            candidates.append(frozenset({f"{' ' * begins}{run}{' ' * ends}"}))
        run = ""

    while at < len(source) and source[at] not in "|)":
        parts = source.startswith((r"\b", r"\s", " "), at)
        literal, inner, after = _atom(source, at, edge=begins and not run)
        sign = "" if literal.isalnum() else literal
        literal = literal if not sign else ""
        least, after = _quantified(source, after)
        parts = parts and bool(least)
        at = after
        if literal and least == 1:
            run += literal
            continue
        if literal and least is not None and least > 1:
            run += literal
        close(parts)
        begins = parts
        if least:
            candidates += inner
            candidates += [frozenset({sign})] * bool(sign)
    close(ends=False)
    return candidates, at


def rarity(words: Words) -> tuple[int, int]:
    """Return how seldom a text holds one of some words, to order by: long ones, and few."""
    return min(4, min(map(len, words), default=0)), -len(words)


def _atom(source: str, at: int, *, edge: bool) -> tuple[str, list[Words], int]:
    """Read one atom: (its letter or sign if it is one, what a group needs, where it ends)."""
    char = source[at]
    if char == "\\":
        follows = source[at + 1]
        return ("" if follows.isalnum() else follows), [], at + 2
    if char == "[":
        return "", [], _class_end(source, at)
    if char != "(":
        return ("" if char in ".^$ " else char), [], at + 1
    head = re.compile(r"\(\?(?::|P<\w+>|=|!|<=|<!)").match(source, at)
    inner, end = _either(source, head.end() if head else at + 1, edge=edge)
    looks = head is not None and head.group()[2] in "=!<"
    return "", [] if looks else inner, end + 1


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
