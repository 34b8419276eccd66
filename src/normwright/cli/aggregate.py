"""`normwright aggregate`: from a file of ballots to outcomes, each with what it rests on."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from normwright.cli import counted, surveys
from normwright.cli.chosen import choice_screen
from normwright.cli.options import Answers, AsJson, Lang, answers_of
from normwright.cli.progress import counting
from normwright.cli.screen import DONE, FAILED, console, emit
from normwright.cli.words import choose, words

if TYPE_CHECKING:
    from rich.console import RenderableType

    from normwright.flow import Cast


app = typer.Typer(
    help="Turn ballots into rankings, slates and opinion groups, and audit them.",
    no_args_is_help=True,
)

Source: TypeAlias = Annotated[
    Path,
    typer.Argument(
        metavar="PATH",
        help="Ballots: PrefLib, Polis, paired comparisons, a table; a file, a folder or a zip.",
    ),
]
Format: TypeAlias = Annotated[
    str | None,
    typer.Option("--format", metavar="SLUG", help="The format; found out if left out."),
]
Authority: TypeAlias = Annotated[
    str | None,
    typer.Option("--authority", metavar="ID", help="Whose statements count, if several asked."),
]
UnrankedAs: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--unranked",
        metavar="last|apart",
        help="What an alternative that a ballot leaves out is: below all that it ranks (last), or "
        "not compared with anything (apart). As the format has it if left out.",
    ),
]
ApproveTop: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--approve-top", metavar="N", min=1, help="The first N places of an order approve."
    ),
]
Seed: TypeAlias = Annotated[
    int, typer.Option("--seed", metavar="N", min=0, help="Seed of everything random.")
]
Resamples: TypeAlias = Annotated[
    int,
    typer.Option(
        "--resamples", metavar="N", min=0, help="Draw the voters again N times, to say how sure."
    ),
]
Picture: TypeAlias = Annotated[
    Path | None,
    typer.Option("--picture", metavar="FILE.svg", help="Draw it, too."),
]


@app.callback()
def group() -> None:
    """Turn ballots into rankings, slates and opinion groups, and audit them."""


@app.command("rank", epilog="Example:  normwright aggregate rank ballots.toi --method schulze")
def rank(
    path: Source,
    *,
    method: Annotated[
        str,
        typer.Option(
            "--method",
            metavar="SLUG",
            help="A ranking method (see: normwright plugins methods), or all.",
        ),
    ] = "schulze",
    unranked: UnrankedAs = None,
    approve_top: ApproveTop = None,
    resamples: Resamples = 0,
    traits: Annotated[
        Path | None,
        typer.Option(
            "--traits",
            metavar="FILE",
            help="A table with a column participant and one a trait, to weight people by; with "
            "--margins.",
        ),
    ] = None,
    margins: Annotated[
        Path | None,
        typer.Option(
            "--margins",
            metavar="FILE",
            help="The population, as YAML: trait, value, share. The unweighted result stays.",
        ),
    ] = None,
    cap: Annotated[
        float, typer.Option("--cap", metavar="X", min=1, help="The largest weight; the mean is 1.")
    ] = 5.0,
    seed: Seed = 0,
    format: Format = None,
    answer: Answers = None,
    authority: Authority = None,
    picture: Picture = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Rank the alternatives; ties are kept, and what a method cannot tell is not made up."""
    from normwright import flow

    shown = choose(lang)
    counted.picture_place(picture)
    counted.weights_whole(traits, margins, method)
    cast = _read(path, format, answer, authority, unranked, approve_top)
    rounds = resamples or (200 if picture is not None and method != flow.ALL else 0)
    with counting(words(shown)["counting"], quiet=as_json) as progress:
        found = flow.ranked_by(cast, method, seed=seed, rounds=rounds, progress=progress)
    weighed = None
    if traits is not None and margins is not None:
        weighed = flow.weigh(cast, method=method, traits=traits, margins=margins, cap=cap)
    if picture is not None:
        from normwright.web import ranking_picture

        counted.write_picture(picture, ranking_picture(found, shown))
    if as_json:
        rows = [counted.ranked_json(one) for one in found]
        if weighed is not None:
            rows[0]["weighted"] = counted.weighed_json(weighed)
        emit({"rows": rows} if method == flow.ALL else rows[0])
        return DONE
    parts = counted.ranked_screen(found, shown)
    if weighed is not None:
        parts += counted.weighed_screen(weighed, shown)
    _show(parts, picture, shown)
    return DONE


@app.command(
    "slate", epilog="Example:  normwright aggregate slate my-polis --size 5 --method equal-shares"
)
def slate(
    path: Source,
    *,
    size: Annotated[
        int, typer.Option("--size", metavar="K", min=1, help="How many are chosen together.")
    ],
    method: Annotated[
        str,
        typer.Option(
            "--method", metavar="SLUG", help="A slate rule (see: normwright plugins slates)."
        ),
    ] = "equal-shares",
    influence: Annotated[
        bool,
        typer.Option("--influence", help="Try what any single voter can do to it; takes longer."),
    ] = False,
    unranked: UnrankedAs = None,
    approve_top: ApproveTop = None,
    seed: Seed = 0,
    format: Format = None,
    answer: Answers = None,
    authority: Authority = None,
    picture: Picture = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Choose a slate in proportion, and say who would be left without a voice in it.

    Justified representation (jr, ejr_plus) needs no groups: it looks for any set of people, large
    enough to be owed a place, who agree on something and have nothing in the slate.
    """
    from normwright import flow

    shown = choose(lang)
    counted.picture_place(picture)
    cast = _read(path, format, answer, authority, unranked, approve_top)
    found = flow.slate_of(cast, size=size, method=method, influence=influence, seed=seed)
    if picture is not None:
        from normwright.web import slate_picture

        counted.write_picture(picture, slate_picture(found, shown))
    if as_json:
        emit(counted.slate_json(found))
        return DONE
    _show(counted.slate_screen(found, shown), picture, shown)
    return DONE


@app.command("groups", epilog="Example:  normwright aggregate groups my-polis --picture map.svg")
def groups(
    path: Source,
    *,
    pipeline: Annotated[
        str,
        typer.Option(
            "--pipeline",
            metavar="SLUG",
            help="mixture (missing votes stay missing), or polis (the formulas of Polis).",
        ),
    ] = "mixture",
    resamples: Annotated[
        int,
        typer.Option(
            "--resamples", metavar="N", min=0, help="Subsamples of the people, to see what repeats."
        ),
    ] = 50,
    seed: Seed = 0,
    format: Format = None,
    answer: Answers = None,
    authority: Authority = None,
    picture: Picture = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Look for opinion groups, and say what they and everybody agree on; none is an answer, too.

    Groups count only where they are more than chance, come again when people are left out, and lie
    apart. Plain majorities stand beside the consensus of groups.
    """
    from normwright import flow

    shown = choose(lang)
    counted.picture_place(picture)
    cast = _read(path, format, answer, authority)
    with counting(words(shown)["counting"], quiet=as_json) as progress:
        found = flow.groups_of(
            path, cast, pipeline=pipeline, seed=seed, rounds=resamples, progress=progress
        )
    if picture is not None:
        from normwright.web import opinion_picture

        counted.write_picture(picture, opinion_picture(found, shown))
    if as_json:
        emit(found.as_json())
        return DONE
    _show(counted.groups_screen(found, shown), picture, shown)
    return DONE


@app.command("compare", epilog="Example:  normwright aggregate compare ballots.toi --resamples 100")
def compare(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH",
            help="Ballots; or theories with credences (YAML, JSON, or CSV with columns theory, "
            "credence and one an option).",
        ),
    ],
    *,
    unranked: UnrankedAs = None,
    approve_top: ApproveTop = None,
    resamples: Resamples = 100,
    seed: Seed = 0,
    format: Format = None,
    answer: Answers = None,
    authority: Authority = None,
    picture: Picture = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Ask every rule, and say how far they agree and whether the choice depends on the rule.

    On ballots these are the ranking methods; on theories, the rules for normative uncertainty. A
    rule that does not apply is told with its reason.
    """
    from normwright import flow

    shown = choose(lang)
    counted.picture_place(picture)
    theories = flow.read_theories(path)
    if theories is not None:
        found = flow.theories_agreement(theories)
    else:
        cast = _read(path, format, answer, authority, unranked, approve_top)
        with counting(words(shown)["counting"], quiet=as_json) as progress:
            found = flow.methods_agreement(cast, seed=seed, rounds=resamples, progress=progress)
    if picture is not None:
        from normwright.web import agreement_picture

        counted.write_picture(picture, agreement_picture(found, shown))
    if as_json:
        emit({**found.model_dump(mode="json"), "digest": found.digest})
        return DONE
    _show(counted.agreement_screen(found, shown), picture, shown)
    return DONE


@app.command(
    "choose", epilog="Example:  normwright aggregate choose theories.yaml --picture choice.svg"
)
def choose_among(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="Theories with credences, and what each holds of every option (YAML, JSON or CSV; "
            "see examples/theories.yaml).",
        ),
    ],
    *,
    seed: Seed = 0,
    picture: Picture = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Choose under normative uncertainty, and say whether the choice is one to act on.

    Variance voting chooses and the highest median may forbid it. It is acted on only if every rule
    that no hardly believed theory can lead agrees; else people have to decide, and why is told. For
    each theory: how far its credence may move before the choice turns.
    """
    from normwright import flow

    shown = choose(lang)
    counted.picture_place(picture)
    found = flow.theories_choice(path, seed=seed)
    if picture is not None:
        from normwright.web import choice_picture

        counted.write_picture(picture, choice_picture(found, shown))
    if as_json:
        emit({**found.model_dump(mode="json"), "digest": found.digest})
        return DONE
    _show(choice_screen(found, shown), picture, shown)
    return DONE


@app.command("audit", epilog="Example:  normwright aggregate audit ballots.toi --picture beats.svg")
def audit(
    path: Source,
    *,
    method: Annotated[
        list[str] | None,
        typer.Option(
            "--method", metavar="SLUG", help="A method to audit; repeat it. All if left out."
        ),
    ] = None,
    resamples: Resamples = 200,
    budget: Annotated[
        float,
        typer.Option(
            "--budget",
            metavar="SECONDS",
            min=1,
            max=1e6,
            help="About how long it may take; what it leaves no room for is told.",
        ),
    ] = 30.0,
    links: Annotated[
        Path | None,
        typer.Option(
            "--links",
            metavar="FILE.yaml",
            help="Links between statements, such as - {implies: [1, 2]}: can all verdicts stand?",
        ),
    ] = None,
    unranked: UnrankedAs = None,
    approve_top: ApproveTop = None,
    seed: Seed = 0,
    format: Format = None,
    answer: Answers = None,
    authority: Authority = None,
    picture: Picture = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Try on these very ballots what a hostile reader would try, and show what breaks.

    Cycles of majorities, how far the outcome hangs on the method, which pairs are ranked alike by
    every method in nearly every resample (the robust core), and for each axiom a witness: the
    ballots, what was changed, and both outcomes.
    """
    from normwright import flow

    shown = choose(lang)
    counted.picture_place(picture)
    cast = _read(path, format, answer, authority, unranked, approve_top)
    with counting(words(shown)["counting"], quiet=as_json) as progress:
        found = flow.audited(
            cast, methods=method, seed=seed, rounds=resamples, budget=budget, links=links,
            progress=progress,
        )  # fmt: skip
    if picture is not None:
        from normwright.web import margins_picture

        counted.write_picture(picture, margins_picture(found, shown))
    if as_json:
        emit(found.as_json())
        return DONE
    _show(counted.audit_screen(found, shown), picture, shown)
    return DONE


@app.command(
    "simulate",
    epilog="Example:  normwright aggregate simulate --axiom condorcet --over voters"
    " --values 5,25,101 --picture curves.svg",
)
def simulate(
    *,
    axiom: Annotated[
        list[str],
        typer.Option("--axiom", metavar="SLUG", help="An axiom; repeat it (normwright plugins)."),
    ],
    method: Annotated[
        list[str] | None,
        typer.Option(
            "--method", metavar="SLUG", help="A method; repeat it. Quick ones if left out."
        ),
    ] = None,
    population: Annotated[
        str,
        typer.Option(
            "--population", metavar="SLUG", help="Who votes (normwright plugins populations)."
        ),
    ] = "impartial-culture",
    over: Annotated[
        str,
        typer.Option(
            "--over", metavar="WHAT", help="voters, alternatives, or a parameter of the population."
        ),
    ] = "voters",
    values: Annotated[
        str, typer.Option("--values", metavar="X,Y,...", help="The points, from left to right.")
    ] = "5,11,25,51,101",
    voters: Annotated[int, typer.Option("--voters", min=1, help="Where they do not vary.")] = 101,
    alternatives: Annotated[
        int, typer.Option("--alternatives", min=1, help="Where they do not vary.")
    ] = 4,
    parameter: Annotated[
        list[str] | None,
        typer.Option("--parameter", metavar="NAME=X", help="Of the population; repeat it."),
    ] = None,
    profiles: Annotated[
        int, typer.Option("--profiles", min=1, help="Profiles drawn at each point.")
    ] = 200,
    seed: Seed = 0,
    picture: Picture = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Draw synthetic populations, and count how often each method breaks each axiom.

    Nobody is asked: this tells what a rule may do, and nothing of what people want. All methods see
    the same profiles. Where a search cannot try everything the share is a lower bound, and said so.
    """
    from normwright import flow

    shown = choose(lang)
    counted.picture_place(picture)
    points, more = counted.points_of(values, parameter or ())
    with counting(words(shown)["counting"], quiet=as_json) as progress:
        found = flow.simulated(
            axioms=axiom,
            methods=method or flow.FAST,
            population=population,
            over=over,
            values=points,
            voters=voters,
            alternatives=alternatives,
            parameters=more,
            profiles=profiles,
            seed=seed,
            progress=progress,
        )
    if picture is not None:
        from normwright.web import curves_picture

        counted.write_picture(picture, curves_picture(found, shown))
    if as_json:
        emit({"rates": [one.model_dump(mode="json") for one in found]})
        return DONE
    _show(counted.rates_screen(found, shown), picture, shown)
    return DONE


@app.command("survey", epilog="Example:  normwright aggregate survey consultations --out reports")
def survey(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="FOLDER...", help="Where votes and ballots lie, also in folders."),
    ],
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", help="Write a report of each there (JSON, text and a picture)."
        ),
    ] = None,
    resamples: Annotated[
        int, typer.Option("--resamples", metavar="N", min=0, help="Subsamples for opinion groups.")
    ] = 20,
    seed: Seed = 0,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Import and analyse all that lies in folders: integrity, rankings, opinion groups, slates.

    What cannot be read is told with its faults and stops nothing else; the exit code is then 1.
    """
    from normwright import flow

    shown = choose(lang)
    places = [(path, folder) for folder in folders for path in flow.sources_in(folder)]
    rows: list[dict[str, Any]] = []
    with counting(words(shown)["counting"], quiet=as_json) as progress:
        for number, (path, folder) in enumerate(places):
            name = path.relative_to(folder).as_posix() if path != folder else path.name
            progress(number, len(places), name)
            found = flow.surveyed(path, folder, seed=seed, rounds=resamples)
            rows.append(surveys.as_json(found))
            if out is not None:
                surveys.write(found, rows[-1], out, shown)
    if as_json:
        emit({"sources": rows})
    else:
        _show(surveys.screen(rows, shown), None, shown)
    return FAILED if any(row["faults"] and not row["format"] for row in rows) else DONE


def _read(
    path: Path,
    format: str | None,
    answer: list[str] | None,
    authority: str | None,
    unranked: str | None = None,
    approve_top: int | None = None,
) -> Cast:
    """Read ballots by the options that every command on ballots has."""
    from normwright import flow

    return flow.read_ballots(
        path,
        format=format,
        answers=answers_of(answer),
        authority=authority,
        unranked=counted.unranked_of(unranked),
        approve_top=approve_top,
    )


def _show(parts: Iterable[RenderableType], picture: Path | None, lang: str) -> None:
    """Print a screen, and where its picture lies."""
    out = console()
    for part in parts:
        out.print(part)
    if picture is not None:
        line = words(lang)["drawn"].format(file=picture)
        console(stderr=True).print(line, markup=False, soft_wrap=True)
