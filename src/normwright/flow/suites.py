"""Every suite that `evaluate run` knows, in one table: what it asks, what it takes, who runs it.

A suite is an entry here. What it does not take is refused with the suites that do, so that no
option is ever without effect.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from normwright.flow.preference_pairs import measured_pairs
from normwright.flow.suite_asked import (
    SuiteAsked,
    Told,
    fresh_model,
    no_fresh,
    opened_model,
    remote_of,
)
from normwright.records import Fault, InputError

if TYPE_CHECKING:
    from normwright.evaluate import Examples, SuiteResult


class Ran(Protocol):
    """What a suite gives back."""

    def as_json(self) -> dict[str, Any]:
        """Return it as one JSON value."""
        ...


@dataclass(frozen=True)
class Suite:
    """One suite of `evaluate run`."""

    name: str
    asks: Literal["log-likelihoods", "scores", "answers"]
    takes: frozenset[str]
    """Names of the fields of `SuiteAsked` it heeds, beyond those that all do."""
    run: Callable[[SuiteAsked, Told | None], Ran]
    own_data: bool = False
    """Whether it asks what the package holds where no data is given."""


_ALWAYS: Final = frozenset({"suite", "model", "data", "seed", "threads", "lang", "guard"})


def run_suite(asked: SuiteAsked, *, told: Told | None = None) -> Ran:
    """Run one suite on one model.

    Raises:
        InputError: with every fault: an option the suite does not take, data, models.
        MissingExtra: if what it needs is not installed.
        RemoteError: if an endpoint does not answer as it should.
    """
    suite = next((s for s in SUITES if s.name == asked.suite), None)
    if suite is None:
        known = ", ".join(s.name for s in SUITES)
        raise InputError([Fault(where="--suite", expected=f"one of {known}", seen=asked.suite,
                                do="Suites of a project run with it: normwright run.")]
                         )  # fmt: skip
    faults = [
        Fault(where=f"--{f.name.replace('_', '-')}", seen=f"the suite {suite.name}",
              expected="a suite that takes it: "
              + ", ".join(s.name for s in SUITES if f.name in s.takes))
        for f in fields(asked)
        if f.name not in _ALWAYS | suite.takes and getattr(asked, f.name) not in (None, False)
    ]  # fmt: skip
    if asked.guard is not None and suite.asks != "answers":
        faults.append(Fault(
            where="--guard", expected="a suite of written answers",
            seen=f"{suite.name}, which compares {suite.asks} of given answers",
            do="A guard reads what a model writes; the likelihood of given texts passes it by, so "
            "that the numbers would be those without a guard. Leave it out."))  # fmt: skip
    if asked.data is None and not suite.own_data:
        faults.append(Fault(where="--data", expected=_wanted(asked), seen="none",
                            do=_how(asked)))  # fmt: skip
    if faults:
        raise InputError(faults)
    return suite.run(asked, told)


def _wanted(asked: SuiteAsked) -> str:
    from normwright.evaluate import SOURCES

    if asked.suite == "truthful-answers":
        return "TruthfulQA's questions with true and false reference answers, as JSON lines"
    hubs = [f"{s.lang}: {s.hub}" for s in SOURCES if s.suite == asked.suite]
    if not hubs:
        return "a file of judged pairs"
    return f"the suite's rows, as JSON lines (on the hub {'; '.join(hubs)})"


def _how(asked: SuiteAsked) -> str:
    from normwright.evaluate import SOURCES

    source = next((s for s in SOURCES if s.suite == asked.suite), None)
    if asked.suite == "truthful-answers":
        return "Give --data FILE: rows of id, question, correct_answers, incorrect_answers."
    if source is None:
        return "Give --data FILE."
    set_, *more = source.hub.split(";")[0].split(", ")
    name = f"'{set_}'" + (f", '{more[0]}'" if len(more) > 1 else "")
    return (
        'Give --data FILE, or a folder. With access to the hub: python -c "from datasets import '
        f"load_dataset as l; l({name}, split='{more[-1]}').to_json('rows.jsonl')\""
    )


# Judged pairs


def _pairs(asked: SuiteAsked, told: Told | None) -> Ran:
    assert asked.data is not None
    return measured_pairs(
        Path(asked.model), asked.data, reference=asked.reference, likelihood=asked.likelihood,
        train=asked.train, beta=0.1 if asked.beta is None else asked.beta, seed=asked.seed,
        threads=asked.threads, told=told,
    )  # fmt: skip


# Written answers


def _written(asked: SuiteAsked, told: Told | None) -> Ran:
    from normwright.flow.generative import run_generative

    return run_generative(asked, told)


# Benchmarks of lm-evaluation-harness


@dataclass(frozen=True)
class BenchmarkRan:
    """A benchmark's result, and where it was written."""

    result: SuiteResult
    files: tuple[Path, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return it as one JSON value."""
        return {**self.result.as_json(), "files": [str(file) for file in self.files]}


def _benchmark(asked: SuiteAsked, told: Told | None) -> BenchmarkRan:
    from normwright.evaluate import asking, read_benchmarks, suite_result
    from normwright.evaluate.harness import harness_version

    version = harness_version()
    tell = told or (lambda done, total, what: None)
    lang = _language(asked)
    assert asked.data is not None
    place = asked.data if asked.data.is_dir() else {f"{asked.suite}-{lang}": asked.data}
    if isinstance(place, Mapping) and not asked.data.is_file():
        raise InputError([Fault(where=str(asked.data), expected=_wanted(asked),
                                seen="no such file", do=_how(asked))])  # fmt: skip
    found = read_benchmarks(place, suites=[asked.suite], limit=asked.limit, seed=asked.seed)
    benchmark = next((b for b in found if b.lang == lang), None)
    if benchmark is None:
        raise InputError([Fault(where=str(asked.data), expected=f"a file of {asked.suite}-{lang}",
                                seen=f"{', '.join(b.lang for b in found)} alone")])  # fmt: skip
    examples = _examples(asked, lang, len(benchmark.items))
    model, digest, name = opened_model(asked)
    fresh = None if asked.no_controls else fresh_model(model, asked.seed)
    rounds = 1 + (fresh is not None)
    with tempfile.TemporaryDirectory(prefix="normwright-") as folder:
        ask = asking(benchmark, Path(folder), version=version,
                     scaffold=asked.scaffold or "language", examples=examples)  # fmt: skip
        tell(0, rounds, f"{ask.task.name}, {name}")
        scored = ask(model, role="model", digest=digest, seed=asked.seed)
        control: Any = no_fresh(asked)
        if fresh is not None:
            tell(1, rounds, f"{ask.task.name}, random-init")
            control = ask(fresh, role="control:random-init", digest=digest, seed=asked.seed)
        tell(rounds, rounds, "")
    seeds = {"items": asked.seed, "resampling": asked.seed, "random-init": asked.seed,
             "examples": examples.seed}  # fmt: skip
    result = suite_result(scored, model=name, seeds=seeds, random_init=control,
                          shortcut=not asked.no_controls)  # fmt: skip
    files: tuple[Path, ...] = () if asked.out is None else result.write(asked.out)
    if asked.inspect is not None:
        from normwright.flow.inspect_logs import write_inspect_log

        files += (write_inspect_log(result, asked.inspect),)
    return BenchmarkRan(result, files)


_PRIMED: Final = "The prompt of TruthfulQA has six examples of its own."
NO_SHOTS: Final = {
    "truthfulqa-mc1": _PRIMED,
    "truthfulqa-mc2": _PRIMED,
    "toxigen": "The stock task has no examples: its answers are numbers that it cannot write out.",
}


def _language(asked: SuiteAsked) -> str:
    """The language of the items: the one that is said, or the only one there can be."""
    from normwright.evaluate import languages, source_of
    from normwright.evaluate.json_lines import ENDINGS

    known = languages(asked.suite)
    if asked.lang is not None:
        if asked.lang not in known:
            raise InputError([Fault(where="--lang", expected=f"{' or '.join(known)}, in which "
                                    f"{asked.suite} is known", seen=asked.lang)])  # fmt: skip
        return asked.lang
    there = known
    if asked.data is not None and asked.data.is_dir():
        names = {lang: source_of(asked.suite, lang).name for lang in known}
        there = tuple(
            lang for lang, name in names.items()
            if any((asked.data / f"{name}{ending}").is_file() for ending in ENDINGS)
        ) or known  # fmt: skip
    if len(there) > 1:
        raise InputError([
            Fault(where="--lang", expected=f"one of {', '.join(there)}: the language of the items",
                  seen="none", do="One call measures one language; a file does not say which.")
        ])  # fmt: skip
    return there[0]


def _examples(asked: SuiteAsked, lang: str, n: int) -> Examples:
    from normwright.evaluate import Examples, examples_of
    from normwright.evaluate.harness import EXAMPLES_SEED

    assert asked.data is not None
    shots = asked.shots or 0
    seed = EXAMPLES_SEED if asked.examples_seed is None else asked.examples_seed
    if not shots:
        if asked.examples is not None or asked.examples_seed is not None:
            raise InputError([Fault(where="--examples", expected="--shots K with it",
                                    seen="no --shots")])  # fmt: skip
        return Examples(seed=seed)
    if asked.suite in NO_SHOTS:
        raise InputError([Fault(where="--shots", expected="none", seen=str(shots),
                                do=NO_SHOTS[asked.suite])])  # fmt: skip
    if asked.examples is not None and not asked.examples.is_file():
        raise InputError([Fault(where=str(asked.examples), expected="a file of examples",
                                seen="no such file")])  # fmt: skip
    own = examples_of(asked.data, asked.suite, lang, asked.examples)
    count = n - 1 if own is None else len(own[0])
    if count < shots:
        raise InputError([
            Fault(where="--shots", expected=f"at most {count}: so many examples there are",
                  seen=str(shots),
                  do="Give --examples FILE, rows of the suite's training part.")
        ])  # fmt: skip
    if own is None:
        return Examples(shots, None, "the questions asked, never the same one", seed)
    return Examples(shots, own[0], own[1].name, seed)


_HARNESS: Final = frozenset({
    "limit", "shots", "examples", "examples_seed", "scaffold", "no_controls", "served", "key_env",
    "out", "inspect", "html",
})  # fmt: skip

_WRITTEN: Final = frozenset({
    "limit", "no_controls", "served", "key_env", "judge", "judge_served", "out", "inspect", "html",
})  # fmt: skip

SUITES: Final[Sequence[Suite]] = (
    *(
        Suite(name, "log-likelihoods", _HARNESS, _benchmark)
        for name in ("arc-easy", "arc-challenge", "truthfulqa-mc1", "truthfulqa-mc2", "toxigen",
                     "bbq", "enem")
    ),
    *(
        Suite(name, "answers", _WRITTEN, _written, own_data=name != "truthful-answers")
        for name in ("generation-toxicity", "refusal", "truthful-answers", "sycophancy",
                     "instructions")
    ),
    Suite("preference-pairs", "scores",
          frozenset({"train", "reference", "likelihood", "beta"}), _pairs),
)  # fmt: skip
"""The suites of `evaluate run`; those of a project are in its file."""

__all__ = [
    "SUITES",
    "BenchmarkRan",
    "Ran",
    "Suite",
    "SuiteAsked",
    "fresh_model",
    "no_fresh",
    "opened_model",
    "remote_of",
    "run_suite",
]
