"""Reads the criteria of release from one YAML file, written before the evidence."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, TypeGuard

import yaml

from normwright.records import MODES, Criterion, Fault, InputError
from normwright.release.criteria import kinds
from normwright.release.criteria.predicate import PREDICATES
from normwright.release.evidence import CANDIDATE, ROLES, SUITES
from normwright.release.wording import language_words, say, spoken
from normwright.stats import zero_failures_n

SCHEMA = "release-criteria/v1"


@dataclass(frozen=True)
class Mode:
    """A release mode: which groups it requires and which model it would release."""

    name: str
    requires: tuple[str, ...]
    model: str


@dataclass(frozen=True)
class Control:
    """A model whose outcome is known beforehand, sent through the model-level groups."""

    name: str
    """Its measurements carry the role `control:<name>`."""
    expected: Literal["fail", "pass"]
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Criteria:
    """What must hold for release, per mode, with the error that is allowed."""

    alpha: float
    candidates_tested: int
    modes: tuple[Mode, ...]
    criteria: tuple[Criterion, ...]
    controls: tuple[Control, ...]

    def __iter__(self) -> Iterator[Criterion]:
        """Iterate over the criteria in file order, which is their order of importance."""
        return iter(self.criteria)

    def __len__(self) -> int:
        """Return the number of criteria."""
        return len(self.criteria)


_TOP = ("schema", "alpha", "candidates_tested", "modes", "controls", "criteria")
_MODE = ("requires", "model")
_CONTROL = ("name", "expected", "groups")
_CRITERION = (
    "id", "group", "kind", "suite", "metric", "predicate", "model", "norm", "lang", "slices",
    "limit", "margin", "baseline", "on_fail", "statement", "looks",
)  # fmt: skip
_ON_FAIL = ("block", "hold", "report")


def read_criteria(path: Path, *, languages: Sequence[str]) -> Criteria:
    """Return the criteria of a file, sliced criteria expanded to one per language.

    Args:
        path: a YAML file of schema `release-criteria/v1`, plain or `.gz`.
        languages: the languages of the charter; every statement must exist in each.

    Raises:
        InputError: with every fault of the file.
    """
    reader = _Reader(str(path), tuple(languages))
    read = reader.read(_load(path))
    if reader.faults or read is None:
        raise InputError(reader.faults)
    return read


def _load(path: Path) -> Any:
    def refuse(expected: str, seen: str, do: str) -> InputError:
        return InputError([Fault(where=str(path), expected=expected, seen=seen, do=do)])

    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
        return yaml.safe_load(text)
    except FileNotFoundError:
        do = "Copy one from the template `town` and set the limits."
        raise refuse("a file with release criteria", "no such file", do) from None
    except OSError as error:
        raise refuse("a readable file", str(error), "") from error
    except UnicodeDecodeError as error:
        raise refuse("UTF-8 text", f"byte {error.start} is not UTF-8", "Save as UTF-8.") from error
    except yaml.YAMLError as error:
        raise refuse("YAML", " ".join(str(error).split()), "Correct the line named.") from error


class _Reader:
    """Walks one file and collects every fault on the way."""

    def __init__(self, path: str, languages: tuple[str, ...]) -> None:
        self.path = path
        self.languages = languages
        self.faults: list[Fault] = []

    def fault(self, where: str, expected: str, seen: Any, do: str = "") -> None:
        seen = seen if isinstance(seen, str) else repr(seen)
        self.faults.append(
            Fault(where=f"{self.path}: {where}", expected=expected, seen=seen, do=do)
        )

    def one_of(self, where: str, value: Any, known: Sequence[str]) -> bool:
        if isinstance(value, str) and value in known:
            return True
        near = get_close_matches(str(value), known, n=1)
        self.fault(
            where,
            f"one of {', '.join(known)}",
            repr(value),
            f"Did you mean `{near[0]}`?" if near else "",
        )
        return False

    def mapping(self, where: str, value: Any, keys: Sequence[str]) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            self.fault(where, f"a mapping with the keys {', '.join(keys)}", _kind_of(value))
            return {}
        for key in value:
            if key not in keys:
                near = get_close_matches(str(key), keys, n=1)
                do = f"Did you mean `{near[0]}`?" if near else f"Known keys: {', '.join(keys)}."
                self.fault(f"{where}.{key}", "a known key", f"`{key}`", do)
        return {str(k): v for k, v in value.items()}

    def sequence(self, where: str, value: Any) -> list[Any]:
        if isinstance(value, list):
            return value
        self.fault(where, "a list", _kind_of(value))
        return []

    def read(self, raw: Any) -> Criteria | None:
        top = self.mapping("the file", raw, _TOP)
        if not top:
            return None
        self.one_of("schema", top.get("schema"), (SCHEMA,))
        alpha = self.alpha(top.get("alpha"))
        candidates = self.candidates(top.get("candidates_tested", 1))
        entries = self.sequence("criteria", top.get("criteria"))
        if isinstance(top.get("criteria"), list) and not entries:
            self.fault("criteria", "at least one criterion", "none")
        error = alpha / candidates
        criteria = [c for i, e in enumerate(entries) for c in self.criterion(i, e, error)]
        self.unique([c.id for c in criteria])
        # A criterion with faults of its own still names its group.
        groups = tuple(
            dict.fromkeys(str(e["group"]) for e in entries if isinstance(e, dict) and "group" in e)
        )
        modes = self.modes(top.get("modes"), groups)
        controls = self.controls(top.get("controls", []), groups)
        if self.faults:
            return None
        return Criteria(alpha, candidates, modes, tuple(criteria), controls)

    def alpha(self, value: Any) -> float:
        if _is_number(value) and 0 < value < 0.5:
            return float(value)
        self.fault("alpha", "an error between 0 and 0.5, for example 0.05", value)
        return 0.05

    def candidates(self, value: Any) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
            return value
        do = "Count every model that was tried on this evidence, the chosen one included."
        self.fault("candidates_tested", "a whole number from 1", value, do)
        return 1

    def modes(self, raw: Any, groups: Sequence[str]) -> tuple[Mode, ...]:
        if not isinstance(raw, Mapping) or not raw:
            self.fault("modes", f"at least one of {', '.join(MODES)}", _kind_of(raw))
            return ()
        modes = []
        for name, entry in raw.items():
            where = f"modes.{name}"
            if not self.one_of(where, name, MODES):
                continue
            body = self.mapping(where, entry, _MODE)
            requires = self.sequence(f"{where}.requires", body.get("requires"))
            for group in requires:
                self.one_of(f"{where}.requires", group, groups)
            self.one_of(f"{where}.model", body.get("model"), ROLES)
            modes.append(Mode(name, tuple(map(str, requires)), str(body.get("model"))))
        return tuple(sorted(modes, key=lambda m: MODES.index(m.name)))

    def controls(self, raw: Any, groups: Sequence[str]) -> tuple[Control, ...]:
        controls = []
        for i, entry in enumerate(self.sequence("controls", raw)):
            where = f"controls[{i}]"
            body = self.mapping(where, entry, _CONTROL)
            name = body.get("name")
            if not isinstance(name, str) or not name:
                self.fault(f"{where}.name", "the name of a control", name)
            self.one_of(f"{where}.expected", body.get("expected"), ("fail", "pass"))
            chosen = self.sequence(f"{where}.groups", body.get("groups"))
            for group in chosen:
                self.one_of(f"{where}.groups", group, groups)
            expected: Literal["fail", "pass"] = "pass" if body.get("expected") == "pass" else "fail"
            controls.append(Control(str(name), expected, tuple(map(str, chosen))))
        return tuple(controls)

    def criterion(self, index: int, raw: Any, error: float) -> list[Criterion]:
        before = len(self.faults)
        where = f"criteria[{index}]"
        body = self.mapping(where, raw, _CRITERION)
        if not body:
            return []
        if isinstance(body.get("id"), str) and body["id"]:
            where = f"{where} ({body['id']})"
        else:
            self.fault(f"{where}.id", "a short name", body.get("id"))
        if not isinstance(body.get("group"), str):
            self.fault(f"{where}.group", "the name of a group", body.get("group"))
        self.one_of(f"{where}.on_fail", body.get("on_fail", "hold"), _ON_FAIL)
        self.statement(f"{where}.statement", body.get("statement"))
        if self.one_of(f"{where}.kind", body.get("kind"), kinds()):
            self.by_kind(where, body, error)
        if body.get("lang") is not None:
            self.one_of(f"{where}.lang", body["lang"], self.languages)
        if body.get("slices", []) not in ([], ["lang"]):
            self.fault(f"{where}.slices", "`[lang]`, or leave it out", body["slices"])
        if len(self.faults) > before:
            return []
        return self.sliced(body)

    def by_kind(self, where: str, body: Mapping[str, Any], error: float) -> None:
        kind = body["kind"]
        if kind == "predicate":
            self.one_of(f"{where}.predicate", body.get("predicate"), tuple(PREDICATES))
            self.unused(
                where, body, ("suite", "metric", "limit", "margin", "baseline", "slices", "looks")
            )
            return
        self.one_of(f"{where}.suite", body.get("suite"), tuple(SUITES))
        self.one_of(f"{where}.model", body.get("model", CANDIDATE), (CANDIDATE, *ROLES))
        self.unused(where, body, ("predicate",))
        if kind != "rate_upper":
            self.unused(where, body, ("looks",))
        else:
            self.one_of(f"{where}.looks", body.get("looks", "once"), ("once", "any"))
        if kind in ("rate_upper", "rate_lower"):
            self.limit(f"{where}.limit", body.get("limit"), kind, error)
            self.unused(where, body, ("margin", "baseline"))
            return
        if kind not in ("noninferiority", "superiority"):
            # A stranger's kind compares one number with a limit, beside a baseline if it likes.
            self.limit(f"{where}.limit", body.get("limit"), kind, error)
            if "baseline" in body:
                self.one_of(f"{where}.baseline", body["baseline"], ROLES)
            self.unused(where, body, ("margin",))
            return
        self.one_of(f"{where}.baseline", body.get("baseline"), ROLES)
        if kind == "noninferiority":
            margin = body.get("margin")
            if not _is_number(margin) or not 0 < margin < 1:
                do = "A margin of 0 asks for certainty that no n gives; 0.03 is three points."
                self.fault(f"{where}.margin", "a margin between 0 and 1", margin, do)
            self.unused(where, body, ("limit",))
        else:
            limit = body.get("limit", 0)
            if not _is_number(limit) or not 0 <= limit < 1:
                self.fault(f"{where}.limit", "a least gain from 0 to under 1", limit)
            self.unused(where, body, ("margin",))

    def limit(self, where: str, value: Any, kind: str, error: float) -> None:
        if _is_number(value) and 0 < value < 1:
            return
        if kind == "rate_upper" and value == 0:
            n = zero_failures_n(0.01, error)
            do = (
                "No number of observations can show a rate of exactly 0. "
                f"Write for example 0.01, which needs n = {n} units without a failure."
            )
        elif kind == "rate_upper" and value == 1:
            do = "A limit of 1 is met by every model and asks nothing. Write for example 0.01."
        elif kind == "rate_lower" and value == 1:
            n = zero_failures_n(0.01, error)
            do = (
                "No number of observations can show a rate of exactly 1. "
                f"Write for example 0.99, which needs n = {n} units without a miss."
            )
        elif kind == "rate_lower" and value == 0:
            do = "A limit of 0 is met by every model and asks nothing. Write for example 0.7."
        else:
            do = "A limit is a share: 0.01 is one in a hundred."
        self.fault(where, "a limit between 0 and 1, both excluded", value, do)

    def unused(self, where: str, body: Mapping[str, Any], keys: Sequence[str]) -> None:
        for key in keys:
            if key in body:
                self.fault(f"{where}.{key}", f"no `{key}` for kind {body['kind']}", body[key])

    def statement(self, where: str, value: Any) -> None:
        if not isinstance(value, Mapping):
            self.fault(where, f"a sentence in {', '.join(self.languages)}", _kind_of(value))
            return
        for lang in self.languages:
            if not isinstance(value.get(lang), str) or not value[lang].strip():
                self.fault(f"{where}.{lang}", f"the statement in `{lang}`", "nothing")

    def unique(self, ids: Sequence[str]) -> None:
        for twice in sorted({i for i in ids if ids.count(i) > 1}):
            self.fault(f"criteria ({twice})", "each id once", f"{ids.count(twice)} times")

    def sliced(self, body: Mapping[str, Any]) -> list[Criterion]:
        """One criterion, or one over all languages and one for each."""
        predicate = body["kind"] == "predicate"
        value = body.get("margin", body.get("limit", 0.0))
        one = Criterion(
            id=body["id"],
            group=body["group"],
            kind=body["kind"],
            suite=body["predicate"] if predicate else body["suite"],
            metric=body.get("metric"),
            model=body.get("model", CANDIDATE),
            norm=body.get("norm"),
            lang=body.get("lang"),
            limit=float(value),
            baseline=body.get("baseline"),
            on_fail=body.get("on_fail", "hold"),
            statement={str(k): str(v).strip() for k, v in body["statement"].items()},
            looks=body.get("looks", "once"),
        )
        if "slices" not in body or not body["slices"]:
            return [one]
        return [one] + [
            one.model_copy(
                update={
                    "id": f"{one.id}.{lang}",
                    "lang": lang,
                    "statement": {k: _in_slice(lang, k, v) for k, v in one.statement.items()},
                }
            )
            for lang in self.languages
        ]


def _in_slice(lang: str, reader: str, statement: str) -> str:
    """A statement about one language, in the words of the reader's."""
    named = say(language_words(lang), reader) if spoken((reader,)) else lang
    return f"{named[:1].upper()}{named[1:]}: {statement}"


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _kind_of(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case _:
            return repr(value)
