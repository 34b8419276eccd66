"""Reads the criteria of release from one YAML file, written before the evidence."""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from difflib import get_close_matches
from itertools import product
from pathlib import Path
from typing import Any, Literal, TypeGuard

import yaml

from normwright.records import (
    MODES,
    Criterion,
    Defence,
    Estimate,
    Fault,
    InputError,
    Judge,
    Text,
    utc,
)
from normwright.release import expressions
from normwright.release.criteria import kinds
from normwright.release.criteria.predicate import PREDICATES
from normwright.release.doubts import DEFEATERS
from normwright.release.evidence import CANDIDATE, ROLES, SUITES, part_text
from normwright.release.wording import (
    Number,
    Said,
    every_language,
    in_words,
    language_words,
    say,
    spoken,
)
from normwright.stats import proportion, zero_failures_n

SCHEMA = "release-criteria/v1"


@dataclass(frozen=True)
class Mode:
    """A release mode: which groups it requires and which model it would release."""

    name: str
    requires: tuple[str, ...]
    model: str = CANDIDATE


@dataclass(frozen=True)
class Control:
    """A model whose outcome is known beforehand, sent through the model-level groups."""

    name: str
    """Its measurements carry the role `control:<name>`."""
    expected: Literal["fail", "block", "pass"]
    """`fail`: it must not be released. `block`: a criterion must fail it, on evidence."""
    groups: tuple[str, ...]
    """Empty: those that there is evidence of it for."""
    criterion: str | None = None
    """Which criterion must fail it; None: any."""


@dataclass(frozen=True)
class GivenJudge:
    """A judge as the criteria file says what it is worth."""

    name: str
    record: Judge
    digest: str | None
    """What evidence calls it by, beside its name."""


@dataclass(frozen=True)
class Criteria:
    """What must hold for release, per mode, with the error that is allowed."""

    alpha: float
    candidates_tested: int
    modes: tuple[Mode, ...]
    criteria: tuple[Criterion, ...]
    controls: tuple[Control, ...]
    id: str = ""
    charter: str | None = None
    """Digest of the charter that the evidence has to be about."""
    registered_at: str | None = None
    """When the criteria were registered, in UTC; evidence is later."""
    model: str | None = None
    """Name of the candidate, where the file has it."""
    weights: str | None = None
    """Digest of the candidate's weights, where the file has it."""
    made_at: str | None = None
    """When the candidate was made, in UTC; evidence about it is later."""
    guard: str | None = None
    """Digest of the guard."""
    evalsets: Mapping[str, str] = field(default_factory=dict)
    """Metric -> digest of the items that are to be asked."""
    judges: tuple[GivenJudge, ...] = ()
    max_disagreement: float | None = None
    """Greatest share of items on which a second run may differ; None: no second run is asked."""
    fresh: bool = False
    """Whether the one released is confirmed on items that no other candidate saw."""
    require_signature: bool = False
    """Whether a mode beyond internal use needs these criteria signed."""
    languages: tuple[str, ...] = ()
    """The languages that are asked about."""
    defences: Mapping[str, Defence] = field(default_factory=dict)
    """Who answers for what could defeat the safety case, by its short name."""
    doubts: Mapping[str, Text] = field(default_factory=dict)
    """What else could defeat it, by the names of the file, in every language."""

    @property
    def tested(self) -> int:
        """By how many candidates the error is divided."""
        return 1 if self.fresh else self.candidates_tested

    def __iter__(self) -> Iterator[Criterion]:
        """Iterate over the criteria in file order, which is their order of importance."""
        return iter(self.criteria)

    def __len__(self) -> int:
        """Return the number of criteria."""
        return len(self.criteria)


_TOP = (
    "schema", "id", "charter", "registered_at", "alpha", "candidates_tested", "confirm",
    "languages", "model", "guard", "evalsets", "require_signature", "modes",
    "controls", "criteria", "judges", "defeaters",
)  # fmt: skip
_DEFEATER = ("owner", "status", "note", "text")
_STATUS = ("open", "answered", "accepted")
_MODE = ("requires", "model")
_CONTROL = ("name", "expected", "groups", "criterion")
_KNOWN = ("known_bad", "known_good", "aa_rerun")
_SHARED = (
    "id", "group", "kind", "suite", "metric", "model", "norm", "lang", "slices", "cluster", "judge",
    "on_fail", "statement",
)  # fmt: skip
_OWN: Mapping[str, tuple[str, ...]] = {
    "rate_upper": ("limit", "looks"),
    "rate_lower": ("limit",),
    "noninferiority": ("margin", "baseline", "better"),
    "superiority": ("limit", "baseline", "better"),
    "equivalence": ("margin", "contexts", "placebo"),
    "attack_budget": ("limit", "looks", "budget"),
    "sim_upper": ("limit", "looks", "env"),
    "elicitation_gap": ("margin", "noise_curve"),
    "predicate": ("predicate", "expr"),
    "parity": ("margin", "over", "groups"),
}
"""Kind -> the keys that it alone reads. A stranger's kind has a limit and perhaps a baseline."""
_STRANGER = ("limit", "baseline")
_CRITERION = tuple(dict.fromkeys([*_SHARED, *(key for keys in _OWN.values() for key in keys)]))
_BELOW = ("rate_upper", "attack_budget", "sim_upper")
"""Kinds whose limit is the greatest rate allowed."""
_ON_FAIL = ("block", "hold", "report")
_JUDGE = ("digest", "rubric", "languages", "labels")


def read_criteria(path: Path, *, languages: Sequence[str]) -> Criteria:
    """Return the criteria of a file, sliced criteria expanded to one per language.

    Args:
        path: a YAML file of schema `release-criteria/v1`, plain or `.gz`.
        languages: those that are asked about beside those that the file names: the charter's, or
            those of the evidence. A statement must exist in every one that reasons are given in.

    Raises:
        InputError: with every fault of the file.
    """
    return criteria_of(_load(path), where=str(path), languages=languages)


def criteria_in(text: str, *, where: str, languages: Sequence[str]) -> Criteria:
    """Return the criteria of a text, as `read_criteria` does those of a file.

    Raises:
        InputError: with every fault of the text.
    """
    return criteria_of(_yaml(text, where), where=where, languages=languages)


def criteria_of(raw: Any, *, where: str, languages: Sequence[str]) -> Criteria:
    """Return the criteria of what a file holds.

    Raises:
        InputError: with every fault of it.
    """
    reader = _Reader(where, tuple(languages))
    read = reader.read(raw)
    if reader.faults or read is None:
        raise InputError(reader.faults)
    return read


def criteria_text(path: Path) -> str:
    """Return the text of a file of criteria, unpacked.

    Raises:
        InputError: if it cannot be read.
    """
    try:
        data = path.read_bytes()
        return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
    except FileNotFoundError:
        do = "Copy one from the template `town` and set the limits."
        raise _refusal(path, "a file with release criteria", "no such file", do) from None
    except UnicodeDecodeError as error:
        seen = f"byte {error.start} is not UTF-8"
        raise _refusal(path, "UTF-8 text", seen, "Save as UTF-8.") from error
    except (OSError, EOFError, zlib.error) as error:
        seen = str(error) or type(error).__name__
        raise _refusal(path, "a readable file", seen) from error


def _load(path: Path) -> Any:
    return _yaml(criteria_text(path), str(path))


def _yaml(text: str, where: str) -> Any:
    try:
        return yaml.load(text, Loader=_Once)  # noqa: S506 - the safe loader, and stricter
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        seen = " ".join(str(error).split())[:300]
        raise _refusal(where, "YAML", seen, "Correct the line named.") from error


class _Once(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML in which a key comes once: of two limits the second would count in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return a mapping.

        Raises:
            ConstructorError: if a key comes twice.
        """
        seen: set[Any] = set()
        for key, _ in node.value:
            name = (key.tag, key.value if isinstance(key.value, str) else id(key))
            if name in seen and key.value != "<<":
                told = f"the key {key.value!r} comes twice"
                raise yaml.constructor.ConstructorError(None, None, told, key.start_mark)
            seen.add(name)
        return dict(super().construct_mapping(node, deep=deep))


def _refusal(where: object, expected: str, seen: str, do: str = "") -> InputError:
    return InputError([Fault(where=str(where), expected=expected, seen=seen, do=do)])


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
        fresh = self.confirm(top.get("confirm"))
        judges = self.judges(top.get("judges", {}))
        self.speak(top.get("languages", []), judges)
        entries = self.sequence("criteria", top.get("criteria"))
        if isinstance(top.get("criteria"), list) and not entries:
            self.fault("criteria", "at least one criterion", "none")
        error = alpha / (1 if fresh else candidates)
        names = tuple(judge.name for judge in judges)
        criteria = [c for i, e in enumerate(entries) for c in self.criterion(i, e, error, names)]
        self.unique([c.id for c in criteria])
        # A criterion with faults of its own still names its group.
        groups = tuple(
            dict.fromkeys(str(e["group"]) for e in entries if isinstance(e, dict) and "group" in e)
        )
        asked = tuple(str(e["id"]) for e in entries if isinstance(e, dict) and "id" in e)
        modes = self.modes(top.get("modes"), groups)
        self.demanding(modes, criteria)
        controls, disagreement = self.controls(top.get("controls", []), groups, asked)
        model, weights, made = self.candidate(top.get("model"))
        charter, guard = (self.digest(key, top.get(key)) for key in ("charter", "guard"))
        registered = self.moment("registered_at", top.get("registered_at"))
        evalsets = self.evalsets(top.get("evalsets", {}))
        defences, doubts = self.defeaters(top.get("defeaters", {}))
        signature = top.get("require_signature", False)
        if not isinstance(signature, bool):
            self.fault("require_signature", "true or false", signature)
        for key in ("id",):
            if key in top and not (isinstance(top[key], str) and top[key]):
                self.fault(key, "a short name", top[key])
        if self.faults:
            return None
        return Criteria(
            alpha, candidates, modes, tuple(criteria), controls,
            id=str(top.get("id", "")), charter=charter, registered_at=registered, model=model,
            weights=weights, made_at=made, guard=guard, evalsets=evalsets, judges=judges,
            max_disagreement=disagreement, fresh=fresh, require_signature=signature is True,
            languages=self.languages, defences=defences, doubts=doubts,
        )  # fmt: skip

    def defeaters(self, raw: Any) -> tuple[dict[str, Defence], dict[str, Text]]:
        """Who answers for what could defeat the case, and what else could, by short name."""
        defences: dict[str, Defence] = {}
        doubts: dict[str, Text] = {}
        if not isinstance(raw, Mapping):
            self.fault("defeaters", "a mapping of short names", _kind_of(raw))
            return defences, doubts
        for name, entry in raw.items():
            where = f"defeaters.{name}"
            body = self.mapping(where, entry, _DEFEATER)
            known = name in DEFEATERS
            if "text" in body:
                self.statement(f"{where}.text", body["text"])
                doubts[str(name)] = body["text"]
            elif not known:
                do = f"Give its `text`, or name one of {', '.join(DEFEATERS)}."
                self.fault(where, "what could defeat the case", f"`{name}`", do)
            if known and "text" in body:
                self.fault(f"{where}.text", "no text, for it has one", "one", "Take another name.")
            if "note" in body:
                self.statement(f"{where}.note", body["note"])
            status, owner = body.get("status", "open"), body.get("owner", "")
            if not isinstance(owner, str):
                self.fault(f"{where}.owner", "a name", owner)
            if status == "answered" and "note" not in body:
                do = "Say why it does not hold here."
                self.fault(f"{where}.note", "a reason in words", "nothing", do)
            if self.one_of(f"{where}.status", status, _STATUS) and not self.faults:
                defences[str(name)] = Defence(owner=owner, status=status, note=body.get("note", {}))
        return defences, doubts

    def demanding(self, modes: Sequence[Mode], criteria: Sequence[Criterion]) -> None:
        """Refuse a mode that would be released whatever was found."""
        asked = {c.group for c in criteria if c.on_fail != "report"}
        for mode in modes:
            if not self.faults and not asked & set(mode.requires):
                do = "Give one of its criteria `on_fail: hold` or `block`."
                expected = "a criterion that does more than report"
                self.fault(f"modes.{mode.name}.requires", expected, ", ".join(mode.requires), do)

    def confirm(self, value: Any) -> bool:
        if value is not None:
            self.one_of("confirm", value, ("fresh_set",))
        return bool(value == "fresh_set")

    def speak(self, value: Any, judges: Sequence[GivenJudge]) -> None:
        """Take up the languages that the file names, or its judges were checked in."""
        named = self.names("languages", value)
        checked = [lang for judge in judges for lang in judge.record.sensitivity]
        self.languages = tuple(dict.fromkeys([*self.languages, *named, *checked]))

    def names(self, where: str, value: Any) -> tuple[str, ...]:
        """A list of names, each once; numbers may stand for themselves."""
        found = self.sequence(where, value)
        for one in found:
            if not isinstance(one, str) or not one:
                self.fault(where, "a list of names", one)
        texts = [str(one) for one in found]
        if len(set(texts)) < len(texts):
            self.fault(where, "each name once", ", ".join(texts))
        return tuple(texts)

    def digest(self, where: str, value: Any) -> str | None:
        """A digest, or a mapping that holds it."""
        if isinstance(value, Mapping):
            value = self.mapping(where, value, ("id", "version", "digest")).get("digest")
        if value is not None and not (isinstance(value, str) and value):
            self.fault(where, "a digest, or a mapping with one", value)
            return None
        return value

    def moment(self, where: str, value: Any) -> str | None:
        if value is None:
            return None
        try:
            if isinstance(value, str):
                value = datetime.fromisoformat(value)
            if isinstance(value, date) and not isinstance(value, datetime):
                value = datetime(value.year, value.month, value.day, tzinfo=UTC)
            if isinstance(value, datetime):
                return utc(value)
        except (ValueError, OverflowError):
            pass
        self.fault(where, "a time, for example 2026-10-01T09:00:00Z", value)
        return None

    def candidate(self, value: Any) -> tuple[str | None, str | None, str | None]:
        """Name, digest and date of the model to be released, as far as the file has them."""
        if value is None or isinstance(value, str):
            return value or None, None, None
        body = self.mapping("model", value, ("name", "digest", "made_at"))
        name = body.get("name")
        if name is not None and not (isinstance(name, str) and name):
            self.fault("model.name", "the name of the candidate", name)
        digest = self.digest("model.digest", body.get("digest"))
        return name, digest, self.moment("model.made_at", body.get("made_at"))

    def evalsets(self, value: Any) -> dict[str, str]:
        found: dict[str, str] = {}
        if not isinstance(value, Mapping):
            self.fault("evalsets", "a mapping of metrics to digests", _kind_of(value))
            return found
        for name, one in value.items():
            if (digest := self.digest(f"evalsets.{name}", one)) is not None:
                found[str(name)] = digest
        return found

    def judges(self, value: Any) -> tuple[GivenJudge, ...]:
        if not isinstance(value, Mapping):
            self.fault("judges", "a mapping of names to judges", _kind_of(value))
            return ()
        return tuple(self.judge(str(name), one) for name, one in value.items())

    def judge(self, name: str, value: Any) -> GivenJudge:
        where = f"judges.{name}"
        body = self.mapping(where, value, _JUDGE)
        rates: dict[str, dict[str, Estimate]] = {"sens": {}, "spec": {}}
        by_lang = body.get("languages")
        if not isinstance(by_lang, Mapping) or not by_lang:
            self.fault(f"{where}.languages", "sens and spec as [k, n] by language", by_lang)
            by_lang = {}
        # Its errors are known by people's labels alone; another model's would be errors against it.
        self.one_of(f"{where}.labels", body.get("labels"), ("human", "model"))
        for lang, one in by_lang.items():
            measured = self.mapping(f"{where}.languages.{lang}", one, ("sens", "spec"))
            for key in rates if body.get("labels") != "model" else ():
                rates[key][str(lang)] = self.counted(f"{where}.{lang}.{key}", measured.get(key))
        digest = self.digest(f"{where}.digest", body.get("digest"))
        rubric = self.digest(f"{where}.rubric", body.get("rubric"))
        record = Judge(
            name=name, architecture="", trained_on="", sensitivity=rates["sens"],
            specificity=rates["spec"],
            files={k: v for k, v in (("judge", digest), ("rubric", rubric)) if v is not None},
        )  # fmt: skip
        return GivenJudge(name, record, digest)

    def counted(self, where: str, value: Any) -> Estimate:
        if isinstance(value, list) and len(value) == 2:
            k, n = value
            if _is_whole(k) and _is_whole(n) and 0 <= k <= n and 0 < n <= 10**9:
                return proportion(k, n, method="exact")
        self.fault(where, "[k, n]: right in k of n that people labelled", value)
        return proportion(0, 1, method="exact")

    def alpha(self, value: Any) -> float:
        if _is_number(value) and 0 < value < 0.5:
            return float(value)
        self.fault("alpha", "an error between 0 and 0.5, for example 0.05", value)
        return 0.05

    def candidates(self, value: Any) -> int:
        if _is_whole(value) and 1 <= value <= 10**9:
            return int(value)
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
            if requires == [] and "requires" in body:
                self.fault(f"{where}.requires", "at least one group", "none")
            for group in requires:
                self.one_of(f"{where}.requires", group, groups)
            if "model" in body:
                self.one_of(f"{where}.model", body["model"], ROLES)
            model = str(body.get("model", CANDIDATE))
            modes.append(Mode(name, tuple(map(str, requires)), model))
        return tuple(sorted(modes, key=lambda m: MODES.index(m.name)))

    def controls(
        self, raw: Any, groups: Sequence[str], asked: Sequence[str]
    ) -> tuple[tuple[Control, ...], float | None]:
        """The controls, and how much a second run may differ."""
        if isinstance(raw, Mapping):
            return self.known(raw, groups, asked)
        controls = [
            self.control(f"controls[{i}]", entry, groups, asked)
            for i, entry in enumerate(self.sequence("controls", raw))
        ]
        self.each_once(controls)
        return tuple(controls), None

    def each_once(self, controls: Sequence[Control]) -> None:
        names = [control.name for control in controls]
        for twice in sorted({name for name in names if names.count(name) > 1}):
            self.fault(f"controls ({twice})", "each control once", f"{names.count(twice)} times")

    def known(
        self, raw: Any, groups: Sequence[str], asked: Sequence[str]
    ) -> tuple[tuple[Control, ...], float | None]:
        """Controls by what is known of them: a name, or a mapping of name, groups and criterion."""
        body = self.mapping("controls", raw, _KNOWN)
        controls = []
        for key, expected in (("known_bad", "block"), ("known_good", "pass")):
            for i, entry in enumerate(self.sequence(f"controls.{key}", body.get(key, []))):
                given = {"name": entry} if isinstance(entry, str) else entry
                if isinstance(given, Mapping):
                    given = {"groups": [], "expected": expected, **given}
                where = f"controls.{key}[{i}]"
                found = self.control(where, given, groups, asked)
                if found.expected != expected:
                    self.fault(f"{where}.expected", expected, found.expected)
                controls.append(found)
        self.each_once(controls)
        if "aa_rerun" not in body:
            return tuple(controls), None
        rerun = self.mapping("controls.aa_rerun", body["aa_rerun"], ("max_disagreement",))
        most = rerun.get("max_disagreement")
        if not _is_number(most) or not 0 < most < 1:
            self.fault("controls.aa_rerun.max_disagreement", "a share between 0 and 1", most)
            most = 0.05
        return tuple(controls), float(most)

    def control(
        self, where: str, entry: Any, groups: Sequence[str], asked: Sequence[str]
    ) -> Control:
        body = self.mapping(where, entry, _CONTROL)
        name = body.get("name")
        if not isinstance(name, str) or not name:
            self.fault(f"{where}.name", "the name of a control", name)
        self.one_of(f"{where}.expected", body.get("expected"), ("fail", "block", "pass"))
        chosen = self.sequence(f"{where}.groups", body.get("groups"))
        for group in chosen:
            self.one_of(f"{where}.groups", group, groups)
        if "criterion" in body:
            self.one_of(f"{where}.criterion", body["criterion"], asked)
        word = body.get("expected")
        expected: Literal["fail", "block", "pass"] = (
            "pass" if word == "pass" else "block" if word == "block" else "fail"
        )
        criterion = body.get("criterion")
        return Control(
            str(name),
            expected,
            tuple(map(str, chosen)),
            None if criterion is None else str(criterion),
        )

    def criterion(
        self, index: int, raw: Any, error: float, judges: Sequence[str]
    ) -> list[Criterion]:
        before = len(self.faults)
        where = f"criteria[{index}]"
        body = self.mapping(where, raw, _CRITERION)
        if not body:
            return []
        if isinstance(body.get("id"), str) and body["id"]:
            where = f"{where} ({body['id']})"
        else:
            self.fault(f"{where}.id", "a short name", body.get("id"))
        if not isinstance(body.get("group"), str) or not body["group"]:
            self.fault(f"{where}.group", "the name of a group", body.get("group"))
        self.one_of(f"{where}.on_fail", body.get("on_fail", "hold"), _ON_FAIL)
        if self.one_of(f"{where}.kind", body.get("kind"), kinds()):
            self.by_kind(where, body, error)
        self.about(where, body, judges)
        parts = self.parts(f"{where}.slices", body.get("slices") or [])
        if "statement" in body or ("suite" in body and "predicate" not in body):
            self.statement(f"{where}.statement", body.get("statement"))
        if len(self.faults) > before:
            return []
        return self.sliced(body, parts)

    def about(self, where: str, body: Mapping[str, Any], judges: Sequence[str]) -> None:
        """What every criterion may say of the evidence it asks for."""
        for key in ("norm", "cluster"):
            if body.get(key) is not None and not (isinstance(body[key], str) and body[key]):
                self.fault(f"{where}.{key}", "a name", body[key])
        if body.get("judge") is not None:
            self.one_of(f"{where}.judge", body["judge"], judges)
        if body.get("lang") is not None:
            self.one_of(f"{where}.lang", body["lang"], self.languages)

    def parts(self, where: str, value: Any) -> dict[str, tuple[str, ...]]:
        """By what a criterion is sliced: `[lang]`, or keys with the values that each must have."""
        if value == ["lang"]:
            if not self.languages:
                do = "Name them: `languages: [en, pt]`; or give evidence with `slice: {lang: ...}`."
                self.fault(where, "the languages to slice by", "none", do)
            return {"lang": self.languages}
        if value == []:
            return {}
        if not isinstance(value, Mapping):
            self.fault(where, "`[lang]`, keys with their values, or leave it out", value)
            return {}
        found = {}
        for key, values in value.items():
            if not isinstance(values, list) or not values:
                self.fault(f"{where}.{key}", "a list of values", values)
            else:
                found[str(key)] = self.cells(f"{where}.{key}", values)
        return found

    def cells(self, where: str, values: Sequence[Any]) -> tuple[str, ...]:
        """Values of a key of a slice, in the one form in which they are compared."""
        found = tuple(part_text(one) for one in values)
        if any(isinstance(one, bool) or not isinstance(one, str | int | float) for one in values):
            self.fault(where, "names or numbers", values)
        elif len(set(found)) < len(found):
            self.fault(where, "each value once", ", ".join(found))
        return found

    def by_kind(self, where: str, body: Mapping[str, Any], error: float) -> None:
        kind = body["kind"]
        own = _OWN.get(kind, _STRANGER)
        self.unused(where, body, [k for k in _CRITERION if k not in (*_SHARED, *own)])
        if kind == "predicate":
            self.predicate(where, body)
            return
        self.source(where, body)
        if "limit" in own:
            self.least_or_most(where, body, kind, error)
        if "margin" in own:
            self.margin(f"{where}.margin", body.get("margin"))
        if "baseline" in own and (kind in _OWN or "baseline" in body):
            self.baseline(f"{where}.baseline", body)
        if "looks" in body and "looks" in own:
            self.one_of(f"{where}.looks", body["looks"], ("once", "any"))
        if "better" in body:
            self.one_of(f"{where}.better", body["better"], ("higher", "lower"))
        if kind == "equivalence":
            self.contexts(where, body)
        if kind == "attack_budget":
            self.budget(f"{where}.budget", body.get("budget"))
        if kind == "sim_upper":
            self.some(f"{where}.env", body.get("env"), least=1)
        if kind == "elicitation_gap" and not isinstance(body.get("noise_curve", False), bool):
            self.fault(f"{where}.noise_curve", "true or false", body["noise_curve"])
        if kind == "parity":
            if not isinstance(body.get("over"), str) or not body["over"]:
                self.fault(
                    f"{where}.over", "the key of the groups, for example lang", body.get("over")
                )
            if "groups" in body:
                self.some(f"{where}.groups", body["groups"], least=2)

    def predicate(self, where: str, body: Mapping[str, Any]) -> None:
        self.unused(where, body, ("suite", "metric", "slices", "judge", "cluster"))
        if "expr" in body and "predicate" not in body:
            try:
                if not isinstance(body["expr"], str):
                    raise expressions.Unreadable(f"a text, saw {body['expr']!r}")
                expressions.parse(body["expr"])
            except expressions.Unreadable as error:
                do = "For example: min_decision_level(global) >= 'L1' and withdrawn_share < 0.02"
                self.fault(f"{where}.expr", f"an expression: {error}", body["expr"], do)
            return
        if "expr" in body:
            self.fault(where, "`predicate` or `expr`, not both", "both")
        self.one_of(f"{where}.predicate", body.get("predicate"), tuple(PREDICATES))

    def source(self, where: str, body: Mapping[str, Any]) -> None:
        """Where the evidence comes from: a suite of ours, or a metric by its name alone."""
        metric = body.get("metric")
        if "suite" in body or metric is None:
            do_not_know = "suite" not in body
            if do_not_know:
                self.fault(
                    f"{where}.metric", "a metric that evidence is filed under, or a suite", metric
                )
            else:
                self.one_of(f"{where}.suite", body["suite"], tuple(SUITES))
        if metric is not None and not (isinstance(metric, str) and metric):
            self.fault(f"{where}.metric", "the name of a metric", metric)
        self.one_of(f"{where}.model", body.get("model", CANDIDATE), (CANDIDATE, *ROLES))

    def least_or_most(self, where: str, body: Mapping[str, Any], kind: str, error: float) -> None:
        if kind != "superiority":
            self.limit(f"{where}.limit", body.get("limit"), kind, error)
            return
        limit = body.get("limit", 0)
        if not _is_number(limit) or not 0 <= limit < 1:
            self.fault(f"{where}.limit", "a least gain from 0 to under 1", limit)

    def margin(self, where: str, margin: Any) -> None:
        if not _is_number(margin) or not 0 < margin < 1:
            do = "A margin of 0 asks for certainty that no n gives; 0.03 is three points."
            self.fault(where, "a margin between 0 and 1", margin, do)

    def baseline(self, where: str, body: Mapping[str, Any]) -> None:
        name = body.get("baseline")
        if "suite" in body or "metric" not in body:
            self.one_of(where, name, ROLES)
        elif not isinstance(name, str) or not name:
            self.fault(where, "the name of the model to compare with", name)

    def contexts(self, where: str, body: Mapping[str, Any]) -> None:
        named = self.some(f"{where}.contexts", body.get("contexts"), least=2)
        if len(named) > 2:
            self.fault(f"{where}.contexts", "two contexts", ", ".join(named))
        placebo = body.get("placebo")
        if placebo is not None and (
            not isinstance(placebo, str) or not placebo or placebo in named
        ):
            self.fault(f"{where}.placebo", "a third context", placebo)

    def some(self, where: str, value: Any, *, least: int) -> tuple[str, ...]:
        """A list of at least so many different names."""
        found = self.names(where, value)
        if isinstance(value, list) and len(found) < least:
            self.fault(where, f"at least {least}", f"{len(found)}")
        return found

    def budget(self, where: str, value: Any) -> None:
        keys = ("examples", "steps", "lr", "lrs")
        body = self.mapping(where, value, keys)
        if isinstance(value, Mapping) and (not body or {"lr", "lrs"} <= set(body)):
            self.fault(where, "examples, steps, and lr or lrs: what the attack may use", value)
        for key, one in body.items():
            for each in one if isinstance(one, list) else [one]:
                if _as_number(each) is None:
                    self.fault(f"{where}.{key}", "a number over 0, or a list of them", each)
            if one == []:
                self.fault(f"{where}.{key}", "at least one number", one)

    def limit(self, where: str, value: Any, kind: str, error: float) -> None:
        if _is_number(value) and 0 < value < 1:
            return
        if kind in _BELOW and value == 0:
            n = zero_failures_n(0.01, error)
            do = (
                "No number of observations can show a rate of exactly 0. "
                f"Write for example 0.01, which needs n = {n} units without a failure."
            )
        elif kind in _BELOW and value == 1:
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
        wanted = spoken(self.languages) or self.languages
        if not isinstance(value, Mapping):
            self.fault(where, f"a sentence in {', '.join(wanted)}", _kind_of(value))
            return
        for lang in wanted:
            if not isinstance(value.get(lang), str) or not value[lang].strip():
                self.fault(f"{where}.{lang}", f"the statement in `{lang}`", "nothing")

    def unique(self, ids: Sequence[str]) -> None:
        for twice in sorted({i for i in ids if ids.count(i) > 1}):
            self.fault(f"criteria ({twice})", "each id once", f"{ids.count(twice)} times")

    def sliced(
        self, body: Mapping[str, Any], parts: Mapping[str, tuple[str, ...]]
    ) -> list[Criterion]:
        """One criterion, or one for each part; one over all languages too where a suite has one."""
        one = self.one(body)
        if not parts:
            return [one]
        whole = [one] if "suite" in body else []
        return whole + [self.part(one, dict(zip(parts, values, strict=True)))
                        for values in product(*parts.values())]  # fmt: skip

    def one(self, body: Mapping[str, Any]) -> Criterion:
        value = body.get("margin", body.get("limit", 0.0))
        suite = body.get("suite") or body.get("metric") or body.get("predicate") or "predicate"
        own = _OWN.get(body["kind"], _STRANGER)
        options = {
            key: body[key]
            for key in own
            if key in body and key not in ("limit", "looks", "margin", "baseline", "predicate")
        }
        if "budget" in options:
            options["budget"] = _grid(options["budget"])
        given = body.get("statement")
        return Criterion(
            id=body["id"],
            group=body["group"],
            kind=body["kind"],
            suite=suite,
            metric=body.get("metric"),
            model=body.get("model", CANDIDATE),
            norm=body.get("norm"),
            lang=body.get("lang"),
            limit=float(value),
            baseline=body.get("baseline"),
            on_fail=body.get("on_fail", "hold"),
            statement={str(k): str(v).strip() for k, v in given.items()}
            if given
            else self.told(body),
            cluster=body.get("cluster"),
            judge=body.get("judge"),
            looks=body.get("looks", "once"),
            options=options,
        )

    def told(self, body: Mapping[str, Any]) -> dict[str, str]:
        """What a criterion asks, where the file leaves that to its kind."""
        limit = Number(float(body.get("limit", 0.0)))
        filled = {
            "metric": str(body.get("metric", "")),
            "limit": limit,
            "margin": Number(float(body.get("margin", 0.0))),
            "baseline": str(body.get("baseline", "")),
            "expr": str(body.get("expr", body.get("predicate", ""))),
            "env": ", ".join(map(str, body.get("env", []))),
            "contexts": ", ".join(map(str, body.get("contexts", []))),
            "over": str(body.get("over", "")),
        }
        said = Said(f"statement.{body['kind']}", filled, default="statement.other")
        return in_words((said,), every_language())

    def part(self, one: Criterion, part: Mapping[str, str]) -> Criterion:
        lang = part.get("lang", one.lang)
        rest = {key: value for key, value in part.items() if key != "lang"}
        named = {k: _in_slice(lang, k, v) if lang else v for k, v in one.statement.items()}
        if rest:
            listed = ", ".join(f"{key} {value}" for key, value in rest.items())
            named = {k: f"{v} ({listed})" for k, v in named.items()}
        return one.model_copy(
            update={
                "id": ".".join([one.id, *part.values()]),
                "of": one.id,
                "lang": lang,
                "slice": rest,
                "statement": named,
            }
        )


def _in_slice(lang: str, reader: str, statement: str) -> str:
    """A statement about one language, in the words of the reader's."""
    named = say(language_words(lang), reader) if spoken((reader,)) else lang
    return f"{named[:1].upper()}{named[1:]}: {statement}"


def _grid(budget: Mapping[str, Any]) -> dict[str, list[str]]:
    """A budget with every value that each key takes, as rows write them."""
    return {
        "lr" if key == "lrs" else key: [
            part_text(_as_number(each)) for each in (value if isinstance(value, list) else [value])
        ]
        for key, value in budget.items()
    }


def _as_number(value: Any) -> float | None:
    """A positive number; YAML reads 1e-5 as text, people do not."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if 0 < number < math.inf else None


def _is_whole(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


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
