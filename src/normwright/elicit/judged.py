"""Rows about two answers, in the forms that data sets of preferences come in.

A row says what was asked, what the two answers were, and what one or several people preferred.
The forms differ in the names of their columns, in whether the prompt is a text, a transcript or a
list of turns, and in whether it stands by itself or at the head of both answers.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from normwright.records import Digest, IntegrityFault, JudgedPair, Message
from normwright.records.scenes import Role
from normwright.scenes.transcript import (
    alternates,
    has_turn_mark,
    parse_conversation,
    parse_transcript,
)

Side: TypeAlias = Literal["first", "second", "tie"]
SIDES: Final[tuple[Side, ...]] = ("first", "second", "tie")


@dataclass(frozen=True)
class JudgedPairs:
    """Judged pairs, checked, with what was found on the way."""

    pairs: tuple[JudgedPair, ...]
    faults: tuple[IntegrityFault, ...]
    """The integrity report: what was left out or assumed, and why."""
    sources: Mapping[str, Digest]
    """Digest of every file read, by path relative to the project."""

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages of the pairs, sorted; `und` where nobody knows."""
        return tuple(sorted({p.lang for p in self.pairs}))


class Odd(Exception):
    """A row that is left out, and the check it did not pass, a key of `ODDITIES`."""


ODDITIES: Final[Mapping[str, str]] = {
    "odd-turns": "left out; user and assistant do not speak in turns",
    "unreadable-transcripts": "left out; the transcript has no open turn, or one without words",
    "empty-answers": "left out; an answer without text",
    "answers-that-go-on": "left out; an answer goes on with further turns",
    "identical-answers": "left out; the two answers are the same",
    "prompts-that-differ": "left out; the two answers are to different prompts",
    "blank-judgements": "left out; nobody's preference is given, which is not a tie",
}
"""Check -> what is done about a row that does not pass it."""


class Pair(NamedTuple):
    """What was asked, and the two answers."""

    prompt: tuple[Message, ...]
    first: str
    second: str


@dataclass(frozen=True)
class Columns:
    """Which column of a file holds what, by the names the file uses."""

    prompt: tuple[str, ...]
    """Joined by an empty line where there are several; none: the head of both answers."""
    first: str
    second: str
    preferred: tuple[str, ...]
    """One column a judge; none: `first` was preferred, as in files of chosen and rejected."""
    judge: str | None = None
    lang: str | None = None
    licence: str | None = None
    source: str | None = None
    id: str | None = None


ROLES: Final = ("prompt", "input", "first", "second", "preferred", "judge", "language")
"""What `columns` in a mapping file may name."""

_STEMS = (
    "completion", "response", "answer", "output", "reply", "candidate", "text", "conversation",
    "message", "option", "resposta", "texto", "opcao", "opção", "",
)  # fmt: skip
_ENDS = (("a", "b"), ("1", "2"), ("first", "second"), ("left", "right"), ("0", "1"))
_PROMPTS = (
    "prompt", "instruction", "question", "query", "context", "input", "request", "pergunta",
    "pedido", "instrucao", "instrução",
)  # fmt: skip
_PREFERRED = (
    "preferred", "preference", "winner", "label", "choice", "better", "best", "human_preference",
    "preferida", "preferido", "preferencia", "preferência", "escolha", "melhor",
)  # fmt: skip
_JUDGES = (
    "evaluator", "annotator", "judge", "rater", "worker", "evaluator_id", "annotator_id",
    "judge_id", "rater_id", "worker_id", "user_id", "participant", "avaliador", "participante",
)  # fmt: skip
_LANGS = ("lang", "language", "idioma", "lingua", "língua")
_IDS = ("id", "pair_id", "idx", "index", "comparison_id", "question_id")
_SEVERAL = re.compile(r"(?:annotator|judge|rater|label|preference)_?\d+")

_WORDS: Mapping[str, Side] = {
    **dict.fromkeys(
        ("first", "a", "left", "1", "model_a", "primeira", "primeiro", "esquerda"), "first"
    ),
    **dict.fromkeys(
        ("second", "b", "right", "2", "model_b", "segunda", "segundo", "direita"), "second"
    ),
    **dict.fromkeys(
        ("tie", "both", "neither", "equal", "same", "draw", "tie (bothbad)", "bothbad", "empate",
         "igual", "iguais", "ambas", "nenhuma"), "tie",
    ),
}  # fmt: skip
_NUMBERS: Mapping[str, Side] = {"1": "first", "2": "second", "0": "tie"}
_BETTER = re.compile(r"(a|b)[ _-]is[ _-](?:slightly[ _-]|much[ _-]|clearly[ _-])?better")
_TURN_ROLES: Mapping[str, Role] = {
    "system": "system", "user": "user", "human": "user", "prompter": "user",
    "assistant": "assistant", "gpt": "assistant", "bot": "assistant", "model": "assistant",
}  # fmt: skip


def plain(name: str) -> str:
    """Return a column's name as names are compared: lower case, words joined by underscores."""
    return re.sub(r"[\s-]+", "_", name.strip().lower())


def find_columns(names: Sequence[str], chosen: Mapping[str, str]) -> Columns | None:
    """Return which columns hold what, or None where two answers and a preference cannot be told.

    Args:
        names: the columns of the file, as written.
        chosen: what people decided: a role of `ROLES` -> a column.
    """
    by_name = {plain(n): n for n in names}

    def one(role: str, known: Collection[str]) -> str | None:
        if role in chosen:
            return chosen[role]
        return next((by_name[k] for k in known if k in by_name), None)

    prompt = one("prompt", _PROMPTS)
    more = chosen.get("input") or (
        by_name.get("input") if prompt == by_name.get("instruction", "") else None
    )
    shared: dict[str, Any] = {
        "prompt": tuple(dict.fromkeys(p for p in (prompt, more) if p)),
        "judge": one("judge", _JUDGES),
        "lang": one("language", _LANGS),
        "licence": one("licence", ("licence", "license")),
        "source": one("source", ("source", "dataset")),
        "id": one("id", _IDS),
    }
    if {"chosen", "rejected"} <= by_name.keys() and "first" not in chosen:
        return Columns(first=by_name["chosen"], second=by_name["rejected"], preferred=(), **shared)
    answers = _answers(by_name, chosen)
    several = tuple(n for k, n in by_name.items() if _SEVERAL.fullmatch(k))
    single = one("preferred", _PREFERRED)
    preferred = (
        (single,) if single and "preferred" in chosen else several or ((single,) if single else ())
    )
    if answers is None or not preferred:
        return None
    return Columns(first=answers[0], second=answers[1], preferred=preferred, **shared)


def _answers(by_name: Mapping[str, str], chosen: Mapping[str, str]) -> tuple[str, str] | None:
    if "first" in chosen and "second" in chosen:
        return chosen["first"], chosen["second"]
    for stem in _STEMS:
        for end in _ENDS:
            for joint in ("_", "") if stem else ("",):
                pair = tuple(f"{stem}{joint}{e}" for e in end)
                # A bare 1 and 2 are as likely to be anything else.
                if all(p in by_name and not p.isdigit() for p in pair):
                    return by_name[pair[0]], by_name[pair[1]]
    return None


def sides_of(
    values: Iterable[str], columns: Columns, decided: Mapping[str, str]
) -> tuple[dict[str, Side], tuple[str, ...]]:
    """Return what each value of a preference means, and those whose meaning nobody knows.

    With 1 and 2 in a file, 0 is a tie. A 0 without a 2 may mean the first answer or a tie, so it,
    and the 1 beside it, are unknown.

    Args:
        values: every value that occurs, blanks left out.
        columns: an answer's column name is a value too.
        decided: what people decided: a value -> a side.
    """
    seen = sorted(set(values))
    numbers = {v for v in seen if re.fullmatch(r"-?\d+(\.0)?", v)}
    whole = {v.removesuffix(".0") for v in numbers}
    numbered = whole <= {"0", "1", "2"} and not ("0" in whole and "2" not in whole)
    meaning: dict[str, Side] = {}
    unknown: list[str] = []
    for value in seen:
        side = _decided(value, decided) or (
            _by_word(value, columns)
            if value not in numbers
            else _NUMBERS[value.removesuffix(".0")]
            if numbered
            else None
        )
        if side is None:
            unknown.append(value)
        else:
            meaning[value] = side
    return meaning, tuple(unknown)


def _decided(value: str, decided: Mapping[str, str]) -> Side | None:
    said = decided.get(value)
    return next((s for s in SIDES if s == said), None)


def _by_word(value: str, columns: Columns) -> Side | None:
    word = value.strip().lower()
    if better := _BETTER.fullmatch(word):
        return "first" if better[1] == "a" else "second"
    if plain(value) == plain(columns.first):
        return "first"
    if plain(value) == plain(columns.second):
        return "second"
    return _WORDS.get(word)


def pair_of(row: Mapping[str, Any], columns: Columns) -> Pair:
    """Return what was asked and the two answers of one row.

    Raises:
        Odd: if the row is to be left out, with the reason.
        ValueError: if a column does not hold what it should, saying which and what it holds.
    """
    asked = _asked(row, columns)
    heads, answers = zip(
        *(_answer(row, name, asked) for name in (columns.first, columns.second)), strict=True
    )
    if heads[0] != heads[1]:
        raise Odd("prompts-that-differ")
    prompt: tuple[Message, ...] = heads[0] or asked
    if not prompt:
        raise ValueError("a prompt, in a column or at the head of both answers|none")
    spoken = prompt[1:] if prompt[0].role == "system" else prompt
    if not spoken or not alternates(spoken) or spoken[-1].role != "user":
        raise Odd("odd-turns")
    if not all(answers):
        raise Odd("empty-answers")
    if any(has_turn_mark(a) for a in answers):
        raise Odd("answers-that-go-on")
    if answers[0] == answers[1]:
        raise Odd("identical-answers")
    return Pair(prompt, *answers)


def _asked(row: Mapping[str, Any], columns: Columns) -> tuple[Message, ...]:
    """The prompt as it stands in columns of its own."""
    texts: list[str] = []
    for name in columns.prompt:
        value = row.get(name)
        if isinstance(value, list):
            return _turns(value, name)
        if value is None:
            continue
        if not isinstance(value, str):
            raise ValueError(f"text or a list of turns in `{name}`|a {type(value).__name__}")
        texts.append(value)
    if len(texts) == 1 and has_turn_mark(texts[0]):
        return _transcript(texts[0])
    said = "\n\n".join(t.strip() for t in texts if t.strip())
    return (Message(role="user", content=said),) if said else ()


def _answer(
    row: Mapping[str, Any], name: str, asked: tuple[Message, ...]
) -> tuple[tuple[Message, ...], str]:
    """The turns before the answer, if they stand with it, and the answer."""
    value = row.get(name)
    if isinstance(value, list):
        turns = _turns(value, name)
        if not turns or turns[-1].role != "assistant":
            raise Odd("odd-turns")
        return turns[:-1], turns[-1].content
    if not isinstance(value, str):
        seen = f"a {type(value).__name__}" if name in row else "no such field"
        raise ValueError(f"text or a list of turns in `{name}`|{seen}")
    if not asked and has_turn_mark(value):
        try:
            turns = parse_conversation(value)
        except ValueError:
            raise Odd("unreadable-transcripts") from None
        return turns[:-1], turns[-1].content
    return (), value.strip()


def _transcript(text: str) -> tuple[Message, ...]:
    try:
        return parse_transcript(text)
    except ValueError:
        raise Odd("unreadable-transcripts") from None


def _turns(value: list[Any], name: str) -> tuple[Message, ...]:
    """Turns as a list: `role` and `content`, or `from` and `value`."""
    made = []
    for turn in value:
        role = turn.get("role", turn.get("from")) if isinstance(turn, dict) else None
        content = turn.get("content", turn.get("value")) if isinstance(turn, dict) else None
        if not isinstance(role, str) or role not in _TURN_ROLES or not isinstance(content, str):
            raise ValueError(f"turns with a role and a content in `{name}`|{_kind(turn)}")
        made.append(Message(role=_TURN_ROLES[role], content=content.strip()))
    return tuple(made)


def _kind(turn: Any) -> str:
    if isinstance(turn, dict):
        return f"fields {', '.join(map(str, list(turn)[:5]))}"
    return f"a {type(turn).__name__}"


def cluster_of(prompt: Sequence[Message]) -> str:
    """Return the unit of independence: the first thing the user said, whatever its spacing."""
    first = next(m.content for m in prompt if m.role == "user")
    words = " ".join(first.lower().split())
    return "turn:" + hashlib.sha256(words.encode()).hexdigest()[:16]
