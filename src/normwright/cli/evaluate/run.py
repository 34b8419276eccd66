"""`normwright evaluate run`: one suite on one model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeAlias

import typer

from normwright.cli.evaluate.group import app
from normwright.cli.options import AsJson, KeyEnv, Served, Threads
from normwright.cli.progress import counting
from normwright.cli.screen import DONE, console, emit
from normwright.cli.words import choose, words

if TYPE_CHECKING:
    from normwright.flow.generative import GenerativeRan
    from normwright.flow.preference_pairs import PairsMeasured
    from normwright.flow.suites import BenchmarkRan

SUITES: Final = (
    "arc-easy", "arc-challenge", "truthfulqa-mc1", "truthfulqa-mc2", "toxigen", "bbq", "enem",
    "generation-toxicity", "refusal", "truthful-answers", "sycophancy", "instructions",
    "preference-pairs",
)  # fmt: skip
"""Suites that need no project; a test holds this list to the table of them."""

Scaffold: TypeAlias = Literal["language", "stock"]


@app.command(
    epilog="Example:  normwright evaluate run --suite arc-challenge --lang pt --model model "
    "--data arc_pt.jsonl --shots 25 --out results --json"
)
def run(
    suite: Annotated[
        str, typer.Option("--suite", metavar="NAME", help=f"What is measured: {', '.join(SUITES)}.")
    ],
    model: Annotated[
        str,
        typer.Option(
            "--model",
            metavar="DIR|URL",
            help="A language or reward model; or an address that speaks as OpenAI's does.",
        ),
    ],
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="FILE",
            help="The suite's rows, in the shared columns or the hub's; or a folder of them. For "
            "preference-pairs judged pairs: those of `learn prefer`, HH-RLHF, PandaLM.",
            show_default=False,
        ),
    ] = None,
    lang: Annotated[
        str | None,
        typer.Option(
            "--lang",
            metavar="TAG",
            help="Language of the items, where a suite has several; for preference-pairs that of "
            "what is shown.",
        ),
    ] = None,
    guard: Annotated[
        Path | None,
        typer.Option("--guard", metavar="DIR", help="A guard between, for suites of answers."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Items asked, at most, drawn by the seed.")
    ] = None,
    shots: Annotated[
        int | None,
        typer.Option(
            "--shots",
            min=0,
            help="Examples before each question; 25 for ARC as on the Open LLM Leaderboard.",
        ),
    ] = None,
    examples: Annotated[
        Path | None,
        typer.Option(
            "--examples",
            metavar="FILE",
            help="Rows that examples are drawn from; else the folder's, or the questions asked.",
        ),
    ] = None,
    examples_seed: Annotated[
        int | None,
        typer.Option("--examples-seed", help="Seed of that drawing; the harness's own, 1234."),
    ] = None,
    scaffold: Annotated[
        Scaffold | None,
        typer.Option(
            "--scaffold", help="Words around a Portuguese item: its language's, or English ones."
        ),
    ] = None,
    controls: Annotated[
        bool,
        typer.Option(
            "--controls/--no-controls",
            help="Ask random weights of the same shape everything as well, and fit a linear reader "
            "of the words; that takes twice as long.",
        ),
    ] = True,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Write the result, and each item, there."),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page with pictures.")
    ] = None,
    inspect: Annotated[
        Path | None, typer.Option("--inspect", metavar="FILE", help="Write a log for Inspect.")
    ] = None,
    served: Served = None,
    key_env: KeyEnv = None,
    judge: Annotated[
        str | None,
        typer.Option(
            "--judge",
            metavar="DIR|URL",
            help="A language model that judges written answers, in place of the shipped judge; "
            "never the model that is asked.",
        ),
    ] = None,
    judge_served: Annotated[
        str | None,
        typer.Option(
            "--judge-served",
            metavar="NAME",
            help="What an address calls the judge; its key is read from NORMWRIGHT_JUDGE_KEY.",
        ),
    ] = None,
    train: Annotated[
        Path | None,
        typer.Option(
            "--train",
            metavar="FILE",
            help="preference-pairs: the pairs it was trained on, for the baselines; else they are "
            "cross-validated.",
        ),
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option(
            "--reference",
            metavar="DIR",
            help="preference-pairs: score a language model by its implicit reward over this one.",
        ),
    ] = None,
    likelihood: Annotated[
        bool,
        typer.Option(
            "--likelihood", help="preference-pairs: score a language model by log-likelihood."
        ),
    ] = False,
    beta: Annotated[
        float | None,
        typer.Option(
            "--beta", min=0.0, help="preference-pairs: scale of the implicit reward; 0.1."
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option("--seed", help="Seed of the sample, of folds, resampling and controls.")
    ] = 0,
    threads: Threads = None,
    as_json: AsJson = False,
) -> int:
    """Measure a model on a suite, with intervals and beside what no understanding scores.

    Benchmarks are those of lm-evaluation-harness, in this process, on your own rows; a score that a
    constant answer could have made is marked as degenerate. Suites of written answers ask for text
    and read it by rules and by judges whose errors were counted. With preference-pairs a model is
    asked which of two answers it scores higher, where people chose between them.
    """
    from normwright.flow.generative import GenerativeRan
    from normwright.flow.preference_pairs import PairsMeasured
    from normwright.flow.suites import BenchmarkRan, SuiteAsked, run_suite

    if suite not in SUITES:
        raise typer.BadParameter(
            f"{suite!r} is none of {', '.join(SUITES)}; suites of a project run with it",
            param_hint="--suite",
        )
    pairs = suite == "preference-pairs"
    shown = choose(lang if pairs else None)
    if controls and not pairs and not as_json and not model.startswith("http"):
        console(stderr=True).print(words(shown)["suite-cost"], markup=False, soft_wrap=True)
    asked = SuiteAsked(
        suite=suite, model=model, data=data, lang=lang, guard=guard, limit=limit, shots=shots,
        examples=examples, examples_seed=examples_seed, scaffold=scaffold,
        no_controls=not controls, served=served, key_env=key_env, judge=judge,
        judge_served=judge_served, train=train,
        reference=reference, likelihood=likelihood, beta=beta, out=out, inspect=inspect, html=html,
        seed=seed, threads=threads,
    )  # fmt: skip
    working = words(shown)["pairs-working" if pairs else "suite-working"]
    with counting(working, quiet=as_json) as told:
        found = run_suite(asked, told=told)
    if html is not None and isinstance(found, BenchmarkRan):
        from normwright.flow.scores import ScoresCompared
        from normwright.web import write_scores_page

        write_scores_page(ScoresCompared((found.result.score(),), (), (), None, seed), html,
                          results=(found.result,))  # fmt: skip
    if html is not None and isinstance(found, GenerativeRan):
        from normwright.web import write_written_page

        write_written_page(found.result, html)
    if as_json:
        emit(found.as_json())
    elif isinstance(found, PairsMeasured):
        _show(found, shown)
    elif isinstance(found, BenchmarkRan):
        _show_benchmark(found, shown)
    elif isinstance(found, GenerativeRan):
        _show_written(found, shown)
    return DONE


def _show_benchmark(found: BenchmarkRan, lang: str) -> None:
    from rich.table import Table

    say, out, body = words(lang), console(), found.result.as_json()
    out.print(
        say["suite-measured"].format(
            suite=body["suite"], lang=body["lang"], model=body["model"], n=body["n"],
            harness=body["harness"], shots=body["shots"], scaffold=body["scaffold"],
        ),
        markup=False,
    )  # fmt: skip
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    table.add_column(body["metric"], justify="right")
    table.add_column(say["pairs-interval"], justify="right")
    for name, row in (
        (say["pairs-model"], body),
        *((c["control"], c) for c in body["controls"] if c["score"] is not None),
    ):
        table.add_row(name, _share(row["score"]), _ends(row["interval"]))
    table.add_row(say["suite-chance"], _share(body["chance"]), "")
    for one in body["constant"]:
        table.add_row(one["answer"], _share(one["score"]), "")
    if body["balanced"] is not None:
        table.add_row(say["suite-balanced"], _share(body["balanced"]), "")
    out.print(table)
    answers = ", ".join(f"{name} {count}" for name, count in body["distribution"].items())
    out.print(say["suite-answers"].format(answers=answers), markup=False)
    for reason, count in body["left_out"].items():
        out.print(say["pairs-left-out"].format(count=count, reason=reason), markup=False)
    key = "suite-degenerate" if body["degenerate"] else "suite-above"
    style = "yellow" if body["degenerate"] else "green"
    out.print(say[key].format(why=body["why"]), style=style, markup=False)
    for file in found.files:
        out.print(str(file), markup=False, soft_wrap=True)


def _show_written(found: GenerativeRan, lang: str) -> None:
    from rich.table import Table

    say, out, body = words(lang), console(), found.as_json()
    out.print(
        say["written-measured"].format(
            suite=body["suite"], lang=body["lang"], model=body["model"], n=body["n"],
            clusters=body["clusters"], cluster=body["cluster"],
        ),
        markup=False,
    )  # fmt: skip
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    table.add_column(body["metric"], justify="right")
    table.add_column(say["pairs-interval"], justify="right")
    table.add_row(say["pairs-model"], _share(body["score"]), _ends(body["interval"]))
    for name, one in body["metrics"].items():
        table.add_row(f"  {name}", _share(one["value"]), _ends(one["interval"]))
    for name, one in (body["corrected"] or {}).items():
        row = say["written-corrected"].format(name=name)
        table.add_row(f"  {row}", _share(one["value"]), _ends(one["interval"]))
    for one in (*body["constant"], *body["controls"]):
        if one["score"] is not None:
            name = one.get("answer") or one["control"]
            table.add_row(name, _share(one["score"]), _ends(one["interval"]))
    out.print(table)
    if body["judge"] is not None:
        out.print(_judged(body["judge"], body["lang"], say), markup=False)
    for part, labels in body["distribution"].items():
        answers = ", ".join(f"{name} {count}" for name, count in labels.items())
        out.print(say["suite-answers"].format(answers=f"{part}: {answers}"), markup=False)
    for reason, count in body["left_out"].items():
        out.print(say["pairs-left-out"].format(count=count, reason=reason), markup=False)
    key = "suite-degenerate" if body["degenerate"] else "suite-above"
    style = "yellow" if body["degenerate"] else "green"
    out.print(say[key].format(why=body["why"]), style=style, markup=False)
    for file in found.files:
        out.print(str(file), markup=False, soft_wrap=True)


def _judged(judge: Any, lang: str, say: Any) -> str:
    if not judge["measured"]:
        return str(say["written-unmeasured"].format(judge=judge["name"]))
    se, sp = judge["sensitivity"][lang], judge["specificity"][lang]
    return str(say["written-judge"].format(
        judge=judge["name"], se=_share(se["value"]), se_at=_ends(se["interval"]),
        sp=_share(sp["value"]), sp_at=_ends(sp["interval"]), n=se["n"], m=sp["n"],
    ))  # fmt: skip


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _ends(ends: list[float] | None) -> str:
    return "" if ends is None else f"[{ends[0]:.4f}, {ends[1]:.4f}]"


def _show(found: PairsMeasured, lang: str) -> None:
    from rich.table import Table

    say, out, scores = words(lang), console(), found.scores
    out.print(
        say["pairs-measured"].format(
            model=found.model.name, n=scores.n, pairs=scores.pairs, clusters=scores.accuracy.n,
            by=say[f"pairs-by-{scores.by}"],
        ),
        markup=False,
    )  # fmt: skip
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for name in ("pairs-accuracy", "pairs-interval", "pairs-lead", "pairs-interval"):
        table.add_column(say[name], justify="right")
    table.add_row(say["pairs-model"], *_figures(scores.accuracy), "", "")
    table.add_row(say["pairs-length-matched"], *_figures(scores.length_matched), "", "")
    for name, rule in scores.baselines.items():
        lead = _figures(rule.difference, signed=True)
        table.add_row(say[f"pairs-{name}"], *_figures(rule.accuracy), *lead)
    out.print(table)
    if scores.ece is not None:
        out.print(say["pairs-ece"].format(ece=f"{scores.ece:.3f}"), markup=False)
    for name, rule in scores.baselines.items():
        if rule.gain is not None:
            value, interval = _figures(rule.gain, signed=True)
            out.print(
                say["pairs-gain"].format(rule=say[f"pairs-{name}"], gain=value, interval=interval),
                markup=False,
            )
    if len(scores.parts.get("lang", {})) > 1:
        for lang_tag, (n, one) in scores.parts["lang"].items():
            out.print(f"{lang_tag}  n = {n}  {' '.join(_figures(one))}", markup=False)
    beaten = all(rule.beaten for rule in scores.baselines.values())
    style = "green" if beaten else "yellow"
    out.print(say["pairs-ahead" if beaten else "pairs-not-ahead"], style=style, markup=False)
    if found.cut:
        out.print(say["pairs-cut"].format(cut=found.cut), markup=False)
    for reason, count in found.left_out.items():
        out.print(say["pairs-left-out"].format(count=count, reason=reason), markup=False)


def _figures(estimate: Any, *, signed: bool = False) -> tuple[str, str]:
    form = "+.3f" if signed else ".3f"
    if estimate.value is None:
        return "", ""
    at = estimate.interval
    return (
        format(estimate.value, form),
        "" if at is None else f"[{at.low:{form}}, {at.high:{form}}]",
    )
