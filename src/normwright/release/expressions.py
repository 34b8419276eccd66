"""Expressions of predicates: comparisons of named facts, joined by `and`, `or`, `not`.

    min_decision_level(global) >= 'L1' and withdrawn_share < 0.02

    either     = both { "or" both }
    both       = one { "and" one }
    one        = "not" one | "(" either ")" | value [ comparison value ]
    comparison = "<" | "<=" | ">" | ">=" | "==" | "!="
    value      = number | 'text' | name [ "(" word { "," word } ")" ]

Nothing is executed: an expression is read by this grammar or refused. What is not known makes a
comparison unknown, in Kleene's three-valued logic, so that nothing unknown is ever taken to hold.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Value: TypeAlias = float | str
"""A number, a text, or (as 1.0 and 0.0) whether something holds."""
Truth: TypeAlias = bool | None
"""None: it is not known."""

LONGEST: Final = 1000
"""Characters of an expression."""

DEEPEST: Final = 30
"""Brackets and `not` inside one another."""

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d{1,3})?)"
    r"|(?P<text>'[^'\\\n]*'|\"[^\"\\\n]*\")"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_.-]*)"
    r"|(?P<sign><=|>=|==|!=|<|>|\(|\)|,))"
)
_COMPARE: Final[Mapping[str, Callable[[Value, Value], bool]]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
_WORDS: Final = ("and", "or", "not")


class Unreadable(ValueError):
    """An expression that the grammar does not have."""


@dataclass(frozen=True)
class Fact:
    """A name, with what it is asked about: `min_decision_level(global)`."""

    name: str
    about: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return it as it is written."""
        return f"{self.name}({', '.join(self.about)})" if self.about else self.name


@dataclass(frozen=True)
class Comparison:
    """Two values and how they are to stand; a fact alone is to hold."""

    left: Value | Fact
    sign: str = "=="
    right: Value | Fact = 1.0

    def __str__(self) -> str:
        """Return it as it could be written."""
        return f"{_written(self.left)} {self.sign} {_written(self.right)}"


@dataclass(frozen=True)
class Joined:
    """Expressions joined by one word."""

    word: Literal["and", "or", "not"]
    parts: tuple[Expression, ...]


Expression: TypeAlias = Comparison | Joined


def parse(text: str) -> Expression:
    """Return an expression as it is read.

    Raises:
        Unreadable: if it is none, and where that shows.
    """
    if len(text) > LONGEST:
        raise Unreadable(f"at most {LONGEST} characters")
    parser = _Parser(_tokens(text))
    found = parser.either(0)
    if parser.at < len(parser.tokens):
        raise Unreadable(f"nothing after the end, saw {parser.tokens[parser.at][1]!r}")
    return found


def facts(expression: Expression) -> tuple[Fact, ...]:
    """Return every fact an expression asks for, in order, once each."""
    match expression:
        case Comparison(left, _, right):
            found = [one for one in (left, right) if isinstance(one, Fact)]
        case Joined(_, parts):
            found = [one for part in parts for one in facts(part)]
    return tuple(dict.fromkeys(found))


def holds(expression: Expression, known: Callable[[Fact], Value | None]) -> Truth:
    """Return whether an expression holds.

    Args:
        expression: what is asked.
        known: the value of a fact, None where it is not known.
    """
    match expression:
        case Comparison(left, sign, right):
            a, b = (known(one) if isinstance(one, Fact) else one for one in (left, right))
            if a is None or b is None or isinstance(a, str) != isinstance(b, str):
                return None  # a text and a number cannot be compared, so nobody knows
            return _COMPARE[sign](a, b)
        case Joined("not", (part,)):
            inner = holds(part, known)
            return None if inner is None else not inner
        case Joined(word, parts):
            truths = [holds(part, known) for part in parts]
            decided = word == "or"  # one true decides an `or`, one false an `and`
            if decided in truths:
                return decided
            return None if None in truths else not decided


def failing(
    expression: Expression, known: Callable[[Fact], Value | None]
) -> tuple[Comparison, ...]:
    """Return the comparisons that do not hold, or of which nobody knows."""
    match expression:
        case Comparison():
            return () if holds(expression, known) else (expression,)
        case Joined(_, parts):
            return tuple(one for part in parts for one in failing(part, known))


class _Parser:
    """Reads tokens by recursive descent."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.tokens = tokens
        self.at = 0

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "the end")

    def take(self, kind: str, text: str | None = None) -> str | None:
        found = self.peek()
        if found[0] == kind and text in (None, found[1]):
            self.at += 1
            return found[1]
        return None

    def either(self, depth: int) -> Expression:
        return self.joined("or", self.both, depth)

    def both(self, depth: int) -> Expression:
        return self.joined("and", self.one, depth)

    def joined(
        self, word: Literal["and", "or"], inner: Callable[[int], Expression], depth: int
    ) -> Expression:
        parts = [inner(depth)]
        while self.take("word", word):
            parts.append(inner(depth))
        return parts[0] if len(parts) == 1 else Joined(word, tuple(parts))

    def one(self, depth: int) -> Expression:
        if depth > DEEPEST:
            raise Unreadable(f"at most {DEEPEST} brackets inside one another")
        if self.take("word", "not"):
            return Joined("not", (self.one(depth + 1),))
        if self.take("sign", "("):
            found = self.either(depth + 1)
            if not self.take("sign", ")"):
                raise Unreadable(f"a closing bracket, saw {self.peek()[1]!r}")
            return found
        left = self.value()
        if self.peek()[0] == "sign" and self.peek()[1] in _COMPARE:
            sign = self.take("sign")
            assert sign is not None
            right = self.value()
            if not isinstance(left, Fact) and not isinstance(right, Fact):
                raise Unreadable(f"a name on one side, saw {_written(left)} {sign} {right!r}")
            return Comparison(left, sign, right)
        if not isinstance(left, Fact):
            raise Unreadable(f"a comparison after {left!r}, saw {self.peek()[1]!r}")
        return Comparison(left)

    def value(self) -> Value | Fact:
        if (number := self.take("number")) is not None:
            if not math.isfinite(float(number)):
                raise Unreadable(f"a number that is not too large, saw {number}")
            return float(number)
        if (text := self.take("text")) is not None:
            return text[1:-1]
        if self.peek()[1] in _WORDS or (name := self.take("word")) is None:
            raise Unreadable(f"a name, a number or a text, saw {self.peek()[1]!r}")
        about: list[str] = []
        if self.take("sign", "("):
            while True:
                word = self.take("word")
                if word is None:
                    word = (self.take("text") or "''")[1:-1]
                if not word:
                    raise Unreadable(f"a word in the brackets of {name}, saw {self.peek()[1]!r}")
                about.append(word)
                if not self.take("sign", ","):
                    break
            if not self.take("sign", ")"):
                raise Unreadable(f"a closing bracket, saw {self.peek()[1]!r}")
        return Fact(name, tuple(about))


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at, text = [], 0, text.rstrip()
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise Unreadable(f"an expression, saw {text[at : at + 20]!r}")
        assert token.lastgroup is not None
        found.append((token.lastgroup, token.group(token.lastgroup)))
        at = token.end()
    return found


def _written(value: Value | Fact) -> str:
    match value:
        case str():
            return f"'{value}'"
        case float():
            return f"{value:g}"
        case _:
            return str(value)
