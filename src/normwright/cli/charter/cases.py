"""`normwright charter cases`: situations decided by the resolver, to learn from and to be asked."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from normwright.cli.charter.group import Drafts, Place, app
from normwright.cli.charter.places import charter_at, writing
from normwright.cli.options import HERE, AsJson
from normwright.cli.screen import DONE, console, emit
from normwright.cli.words import choose, words

if TYPE_CHECKING:
    from normwright.charter.drawing import Drawing, DrawnCase

PREVIEW = 4
"""Cases shown on the screen where no file was named and no number given."""


class As(enum.StrEnum):
    """What the rows are for."""

    demonstrations = "demonstrations"
    pairs = "pairs"
    items = "items"


class Split(enum.StrEnum):
    """Wordings for learning, wordings kept from it, or both."""

    train = "train"
    test = "test"
    both = "both"


@app.command(
    "cases",
    epilog="Example:  normwright charter cases my-town --drafts --count 10000 --as items"
    " --out cases.jsonl.gz",
)
def cases(
    place: Place = HERE,
    *,
    count: Annotated[
        int | None,
        typer.Option("--count", min=1, help=f"How many cases; {PREVIEW} if no file is written."),
    ] = None,
    start: Annotated[
        int, typer.Option("--start", min=0, help="Number of the first case, to go on from.")
    ] = 0,
    seed: Annotated[int, typer.Option("--seed", help="Which order the cases come in.")] = 1,
    form: Annotated[As, typer.Option("--as", help="What the rows are for.")] = As.items,
    lang: Annotated[
        list[str] | None,
        typer.Option(
            "--lang", metavar="TAG", help="A language of the cases; repeat it. All if left out."
        ),
    ] = None,
    near_misses: Annotated[
        bool,
        typer.Option(
            "--near-misses/--no-near-misses",
            help="Cases come with one that differs in one fact, and in its verdict.",
        ),
    ] = True,
    swaps: Annotated[
        bool | None,
        typer.Option(
            "--swaps/--no-swaps",
            help="Each also under an altered charter that decides otherwise. Without a word: for"
            " items alone.",
        ),
    ] = None,
    alter_floors: Annotated[
        bool | None,
        typer.Option(
            "--alter-floors/--keep-floors",
            help="Whether constitutional norms for everyone may be altered too. Without a word: for"
            " items alone, so that nothing learns to pass a floor.",
        ),
    ] = None,
    closed_book: Annotated[
        bool,
        typer.Option("--closed-book", help="Leave the norms out of the prompt; without swaps."),
    ] = False,
    split: Annotated[Split, typer.Option("--split", help="Which wordings.")] = Split.both,
    verdict: Annotated[
        list[str] | None,
        typer.Option("--verdict", metavar="VERDICT", help="Only these verdicts; repeat it."),
    ] = None,
    drafts: Drafts = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="JSON lines; packed if it ends in .gz."),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Draw situations the resolver decides, with near misses and swapped charters.

    Every case is new, and case number K of a seed is the same however many are drawn. The right
    answers follow from the norms: nobody voted on them.
    """
    from normwright import flow
    from normwright.charter.drawing import VERDICTS, Drawing

    charter = charter_at(place, drafts=drafts).charter
    for_items = form is As.items
    drawing = Drawing(
        charter=charter,
        seed=seed,
        languages=tuple(lang or ()),
        split=None if split is Split.both else split.value,  # type: ignore[arg-type]
        near_misses=near_misses,
        swaps=for_items and not closed_book if swaps is None else swaps,
        verdicts=tuple(verdict) if verdict else VERDICTS,  # type: ignore[arg-type]
        shown=not closed_book,
        keep_floors=not (for_items if alter_floors is None else alter_floors),
    )
    number = count or PREVIEW
    told = flow.CaseRows(drawing, form.value, start, number)
    if out is None:
        if not as_json:
            _show(drawing.between(start, number), drawing)
        else:
            for _ in told.rows():
                pass
    else:
        with writing(out):
            flow.write_cases(told, out)
    if as_json:
        emit({**told.summary(), "out": None if out is None else str(out)})
    elif out is not None:
        shown = words(choose(None))["cases-written"]
        told_out = shown.format(out=out, rows=told.lines, cases=number)
        console().print(told_out, style="green", markup=False)
    return DONE


def _show(drawn: Iterator[DrawnCase], drawing: Drawing) -> None:
    out = console()
    for case in drawn:
        for lang in drawing.spoken:
            out.rule(f"{case.id}  {lang}  {case.frame.name}", align="left")
            for message in case.prompts[lang]:
                out.print(message.content, markup=False)
            out.print(case.answers[lang], style="bold", markup=False)
