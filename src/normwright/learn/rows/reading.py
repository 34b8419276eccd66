"""Rows to learn from as JSON lines, packed or not. A column nobody would read is a fault.

| rows | columns; those in brackets may be left out |
|---|---|
| demonstrations | `prompt`, `completion`, [`weight`, `norms`, `lang`, `id`, `family`, `origin`, `licence`] |
| preferences | `prompt`, `chosen`, `rejected`, [`probability`, `votes`, `weight`, `group`, `norms`, `layer`, `process_kind`, and the same] |
| drawn cases | as `charter cases --as demonstrations` and `--as pairs` write them |
| labels | `prompt`, `completion`, `unsafe`, [the same] |
| scored answers | `prompt`, `candidates`, [`temperature`, `rule`, `group`, and the same] |

A prompt is text, or a list of messages with `role` and `content`. `probability` is the share of
people who prefer `chosen`, `unsafe` the share who find an answer unsafe; `votes` are the choices behind it, each with `participant`, `choice`
(`chosen`, `rejected` or `tie`) and perhaps `weight` and `group`; the share then follows from them. Candidates are mappings with `text` and `score`. Without it a row is one choice of one person, so the loss over many rows
is the likelihood of all those choices; a pair that was judged by several people should say so.
"""  # noqa: E501

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

from normwright.learn.rows.labelled import Labelled
from normwright.records import (
    LAYERS,
    Demonstration,
    Fault,
    InputError,
    Message,
    PairVote,
    PreferencePair,
    Prompt,
    ScoredAnswer,
    ScoredAnswers,
    TextOrigin,
    json_rows,
)

Row = TypeVar("Row", Demonstration, Labelled, PreferencePair, Prompt, ScoredAnswers)

ONE_CHOICE: Final = 1.0
"""Share of a row that is one choice of one person."""

_COMMON = ("id", "lang", "weight", "norms", "family", "origin", "licence")
DEMONSTRATION: Final = ("prompt", "completion", *_COMMON)
PREFERENCE: Final = (
    "prompt", "chosen", "rejected", "probability", "group", "votes", "layer", "process_kind",
    *_COMMON,
)  # fmt: skip
LABELLED: Final = ("prompt", "completion", "unsafe", *_COMMON)
SCORED: Final = ("prompt", "candidates", "temperature", "rule", "group", *_COMMON)
PROMPT: Final = ("prompt", "id", "lang", "norms", "group")
ORIGINS: Final[tuple[str, ...]] = get_args(TextOrigin)
KNOWN_ORIGINS: Final = tuple(one for one in ORIGINS if one != "unknown")
"""Of texts that somebody has to answer for."""
_KINDS = ("human", "simulated")
_ROLES = ("system", "user", "assistant")
_SHOWN = 20
"""Faults that are told; a file of another form has one on every line."""


def read_demonstrations(path: Path) -> list[Demonstration]:
    """Return the demonstrations of a file.

    Raises:
        InputError: with the faults of all lines, each at file, line and column; also for a column
            that would be ignored, and for a file without rows.
    """
    return _read(path, DEMONSTRATION, ("completion",), _demonstration)


def read_preferences(path: Path) -> list[PreferencePair]:
    """Return the preference pairs of a file.

    Raises:
        InputError: as `read_demonstrations`; also for two equal answers.
    """
    return _read(path, PREFERENCE, ("chosen", "rejected"), _pair)


def read_labelled(path: Path) -> list[Labelled]:
    """Return the answers of a file with the share of people who find each unsafe.

    Raises:
        InputError: as `read_demonstrations`; also for a row without its share.
    """
    return _read(path, LABELLED, ("completion",), _labelled)


def read_scored_answers(path: Path) -> list[ScoredAnswers]:
    """Return the prompts of a file with several scored answers each.

    Raises:
        InputError: as `read_demonstrations`; also for fewer than two answers, or one twice.
    """
    return _read(path, SCORED, (), _scored)


def read_prompts(path: Path) -> list[Prompt]:
    """Return the prompts of a file; nothing but `prompt` is needed of a row.

    Raises:
        InputError: as `read_demonstrations`.
    """
    return _read(path, PROMPT, (), _prompt)


def _read(
    path: Path,
    columns: tuple[str, ...],
    texts: tuple[str, ...],
    made: Callable[[Mapping[str, Any], tuple[Message, ...], str], Row],
) -> list[Row]:
    faults: list[Fault] = []
    rows: list[Row] = []
    for number, raw in json_rows(path, path.name, faults):
        row = drawn_case(raw) if raw.get("labelled_by") == "resolver" else raw
        where = f"{path.name}:{number}"
        found = list(_wrong(row, columns, texts))
        faults += [Fault(where=f"{where}: {at}", expected=e, seen=s, do=d) for at, e, s, d in found]
        if not found:
            rows.append(made(row, messages_of(row["prompt"]), f"{path.name}/{number}"))
    if not rows and not faults:
        faults.append(Fault(where=path.name, expected="at least one row", seen="none"))
    if len(faults) > _SHOWN:
        more = Fault(where=path.name, expected="rows without faults",
                     seen=f"{len(faults) - _SHOWN} more faults")  # fmt: skip
        faults = [*faults[:_SHOWN], more]
    if faults:
        raise InputError(faults)
    return rows


_BESIDE = ("split", "template", "unit", "verdict", "near_miss", "swap", "alteration", "charter")
"""What a drawn case says of how it was drawn; nothing of it is learned from."""
_RECORD = ("support", "votes", "made_by", "derived_from", "digest", "spec")
"""What a pair's record says of where it comes from."""


def drawn_case(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a case that the resolver labelled as a row of the contract.

    Its columns are closed as well: one that `charter cases` does not write stays, and is a fault.
    """
    pair = "p_chosen" in row
    names = {"p_chosen": "probability", "scene": "id"} if pair else {
        "instruction": "prompt", "response": "completion"}  # fmt: skip
    left = {*_BESIDE, "labelled_by", *(_RECORD if pair else ())}
    told = {names.get(name, name): value for name, value in row.items() if name not in left}
    if pair:
        told["id"] = row.get("id", f"{row.get('scene')}.{row.get('lang')}")
    return {name: value for name, value in told.items() if value is not None}


def _wrong(
    row: Mapping[str, Any], columns: tuple[str, ...], texts: tuple[str, ...]
) -> Iterator[tuple[str, str, str, str]]:
    """Yield what is wrong with a row: column, expected, seen, what to do."""
    for name in row:
        if name not in columns:
            known = ", ".join(columns)
            yield name, f"one of {known}", "a column that would be ignored", "Remove or rename it."
    if not is_prompt(row.get("prompt")):
        wanted = "text, or messages with role and content of which the last is the user's"
        yield "prompt", wanted, _kind(row, "prompt"), ""
    for name in texts:
        if not isinstance(row.get(name), str) or not row[name].strip():
            yield name, "text", _kind(row, name), ""
    if "chosen" in texts and row.get("chosen") == row.get("rejected"):
        yield "rejected", "another answer than chosen", "the same", ""
    if "votes" in columns and "votes" in row:
        yield from _wrong_votes(row)
    if "candidates" in columns:
        yield from _wrong_candidates(row)
    if not 0 <= _number(row.get("probability", 1.0)) <= 1:
        yield "probability", "a number from 0 to 1", _kind(row, "probability"), ""
    if "unsafe" in columns and not 0 <= _number(row.get("unsafe")) <= 1:
        yield "unsafe", "a number from 0 to 1", _kind(row, "unsafe"), ""
    if not 0 < _number(row.get("weight", 1.0)) < math.inf:
        yield "weight", "a number above 0", _kind(row, "weight"), ""
    for name in ("id", "lang", "family", "licence", "group", "rule"):
        if name in row and (not isinstance(row[name], str) or not row[name]):
            yield name, "text", _kind(row, name), ""
    if row.get("origin", "unknown") not in ORIGINS:
        yield "origin", f"one of {', '.join(ORIGINS)}", _kind(row, "origin"), ""
    if row.get("layer", "organisation") not in LAYERS:
        yield "layer", f"one of {', '.join(LAYERS)}", _kind(row, "layer"), ""
    if row.get("process_kind", "human") not in _KINDS:
        yield "process_kind", f"one of {', '.join(_KINDS)}", _kind(row, "process_kind"), ""
    norms = row.get("norms", [])
    if not isinstance(norms, list) or not all(isinstance(n, str) and n for n in norms):
        yield "norms", "a list of norm references", _kind(row, "norms"), ""


_VOTE = {"participant", "choice", "weight", "group"}
_CHOICES = {"chosen": 1.0, "tie": 0.5, "rejected": 0.0}


def _wrong_votes(row: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    found = row["votes"]
    if not isinstance(found, list) or not found:
        yield "votes", "a list of one or more votes", _kind(row, "votes"), "Leave it out."
        return
    if "probability" in row:
        yield "probability", "votes or a probability", "both", "The share follows from the votes."
    voters = set()
    for place, one in enumerate(found):
        at = f"votes[{place}]"
        if not isinstance(one, dict) or not {"participant", "choice"} <= set(one) <= _VOTE:
            seen = ", ".join(one) if isinstance(one, dict) else type(one).__name__
            yield at, "participant and choice, and perhaps weight and group", seen, ""
            continue
        for name in ("participant", "group"):
            if name in one and (not isinstance(one[name], str) or not one[name].strip()):
                yield f"{at}.{name}", "text", _kind(one, name), ""
        if one["participant"] in voters:
            yield f"{at}.participant", "one vote a person", "the same person again", ""
        elif isinstance(one["participant"], str):
            voters.add(one["participant"])
        if one["choice"] not in _CHOICES:
            yield f"{at}.choice", f"one of {', '.join(_CHOICES)}", _kind(one, "choice"), ""
        if not 0 < _number(one.get("weight", 1.0)) < math.inf:
            yield f"{at}.weight", "a number above 0", _kind(one, "weight"), ""


def _wrong_candidates(row: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    found = row.get("candidates")
    if not isinstance(found, list) or len(found) < 2:
        seen = f"{len(found)}" if isinstance(found, list) else _kind(row, "candidates")
        yield "candidates", "a list of two or more answers", seen, ""
        return
    texts = set()
    for place, one in enumerate(found):
        at = f"candidates[{place}]"
        if not isinstance(one, dict) or set(one) != {"text", "score"}:
            seen = ", ".join(one) if isinstance(one, dict) else type(one).__name__
            yield at, "text and score, and nothing else", seen, ""
            continue
        if not isinstance(one["text"], str) or not one["text"].strip():
            yield f"{at}.text", "text", _kind(one, "text"), ""
        elif one["text"].strip() in texts:
            yield f"{at}.text", "an answer that is not there yet", "the same again", ""
        else:
            texts.add(one["text"].strip())
        if not math.isfinite(_number(one["score"])):
            yield f"{at}.score", "a number", _kind(one, "score"), ""
    if not 0 < _number(row.get("temperature", 1.0)) < math.inf:
        yield "temperature", "a number above 0", _kind(row, "temperature"), ""


def _number(value: Any) -> float:
    """Return a number as it is, and anything else as one that fits nowhere."""
    right = isinstance(value, int | float) and not isinstance(value, bool)
    try:
        return float(value) if right else math.nan
    except OverflowError:
        return math.nan


def _kind(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if name not in row:
        return "nothing"
    if isinstance(value, str) and not value.strip():
        return "empty text"
    return repr(value) if isinstance(value, int | float) else type(value).__name__


def is_prompt(value: Any) -> bool:
    """Say whether a value is text, or messages of which the last is the user's."""
    if isinstance(value, str):
        return bool(value.strip())
    return (
        isinstance(value, list)
        and bool(value)
        and all(
            isinstance(m, dict)
            and set(m) == {"role", "content"}
            and m["role"] in _ROLES
            and isinstance(m["content"], str)
            for m in value
        )
        and value[-1]["role"] == "user"
    )


def messages_of(prompt: Any) -> tuple[Message, ...]:
    """Return the messages of a prompt that `is_prompt`; text is what a user says."""
    if isinstance(prompt, str):
        return (Message(role="user", content=prompt),)
    return tuple(Message(role=m["role"], content=m["content"]) for m in prompt)


def _common(row: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {
        "scene": row.get("id", name),
        "lang": row.get("lang", "und"),
        "weight": float(row.get("weight", 1.0)),
        "norms": tuple(row.get("norms", ())),
        "origin": row.get("origin", "unknown"),
        "licence": row.get("licence", "unknown"),
        "family": row.get("family", row.get("id", name)),
    }


def _demonstration(row: Mapping[str, Any], prompt: tuple[Message, ...], name: str) -> Demonstration:
    return Demonstration(prompt=prompt, completion=row["completion"], **_common(row, name))


def _pair(row: Mapping[str, Any], prompt: tuple[Message, ...], name: str) -> PreferencePair:
    return PreferencePair(
        prompt=prompt,
        chosen=row["chosen"],
        rejected=row["rejected"],
        p_chosen=share_of(row),
        votes=tuple(PairVote(**one) for one in row.get("votes", ())),
        group=row.get("group"),
        layer=row.get("layer", "organisation"),
        process_kind=row.get("process_kind", "human"),
        **_common(row, name),
    )


def _labelled(row: Mapping[str, Any], prompt: tuple[Message, ...], name: str) -> Labelled:
    common = _common(row, name)
    return Labelled(prompt, row["completion"], float(row["unsafe"]), common["weight"],
                    common["family"])  # fmt: skip


def _scored(row: Mapping[str, Any], prompt: tuple[Message, ...], name: str) -> ScoredAnswers:
    return ScoredAnswers(
        prompt=prompt,
        candidates=tuple(
            ScoredAnswer(text=one["text"], score=float(one["score"])) for one in row["candidates"]
        ),
        temperature=float(row.get("temperature", 1.0)),
        rule=row.get("rule", ""),
        group=row.get("group"),
        **_common(row, name),
    )


def _prompt(row: Mapping[str, Any], prompt: tuple[Message, ...], name: str) -> Prompt:
    return Prompt(
        scene=row.get("id", name),
        lang=row.get("lang", "und"),
        prompt=prompt,
        norms=tuple(row.get("norms", ())),
        group=row.get("group"),
    )


def share_of(row: Mapping[str, Any]) -> float:
    """Share of a row: as stated, or of its votes, of which a tie is half a vote."""
    votes = [(float(v.get("weight", 1.0)), _CHOICES[v["choice"]]) for v in row.get("votes", ())]
    if votes:
        return sum(w * side for w, side in votes) / sum(w for w, _ in votes)
    return float(row.get("probability", ONE_CHOICE))
