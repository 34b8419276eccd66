"""`normwright charter permit`: whether a model may be trained on a charter at all, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from normwright.cli.charter.group import app
from normwright.cli.keys import passphrase_of_person, signed_lines
from normwright.cli.options import HERE, AsJson, Directory, Lang
from normwright.cli.progress import watching
from normwright.cli.screen import DONE, FAILED, console, emit
from normwright.cli.verdict import in_language
from normwright.cli.words import choose, words

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from normwright.flow import Permitted

_MARKS: Final = {True: ("permit-yes", "green"), False: ("permit-no", "red"),
                 None: ("permit-open", "yellow")}  # fmt: skip


@app.command("permit", epilog="Example:  normwright charter permit my-town")
def permit(directory: Directory = HERE, lang: Lang = None, as_json: AsJson = False) -> int:
    """Say whether a project may train its model, with a ground for every condition.

    Steps up to the permit that are not done yet are done first; nothing is trained. Where this
    machine has a key, the answer is signed: out/permit.dsse.json is what `run --permit` takes.
    Exit 0 where it is granted, 1 where it is refused; every reason is told.
    """
    from normwright import flow

    shown = choose(lang)
    err = console(stderr=True)
    with watching(err, shown, quiet=as_json) as watch:
        found = flow.permitted(directory, watch=watch, passphrase=passphrase_of_person)
    if as_json:
        emit(found.as_json(shown))
    else:
        _show(console(), found, directory, shown)
    return DONE if found.permit.granted else FAILED


def _show(out: Console, found: Permitted, directory: Path, lang: str) -> None:
    from rich.table import Table
    from rich.text import Text

    say, answer = words(lang), found.permit
    if answer.granted:
        modes = ", ".join(say[mode] for mode in answer.modes)
        out.print(say["permit-granted"].format(modes=modes), style="bold green", markup=False)
    else:
        out.print(say["permit-refused"], style="bold red", markup=False)
    told = say["permit-level"].format(
        level=answer.decision_level or say["unknown"], since=answer.valid_from
    )
    until = answer.valid_until
    told += f", {say['permit-until'].format(until=until)}" if until else ""
    out.print(told, style="dim", markup=False)
    table = Table(box=None, pad_edge=False, show_header=False)
    for one in answer.grounds:
        word, style = _MARKS[one.holds]
        reasons = "\n".join(in_language(text, lang) for text in one.reasons)
        table.add_row(
            Text(say[f"permit-{one.condition}"], style="bold"),
            Text(say[word], style=style),
            Text(reasons),
        )
    out.print(table)
    for text in answer.limits:
        out.print(in_language(text, lang), markup=False)
    if found.unpermitted:
        out.print(say["permit-unpermitted"], style="yellow", markup=False)
    for line in signed_lines({"permit": found.signed}, directory, lang):
        out.print(line, markup=False, soft_wrap=True)
