"""`normwright elicit`: read what people said, and let them withdraw."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from normwright.cli import sources
from normwright.cli.foreseen import remedy_lines
from normwright.cli.options import HERE, AsJson, Directory, Lang
from normwright.cli.screen import DONE, FAILED, console, emit
from normwright.cli.words import choose, languages, words
from normwright.records import Fault, InputError

if TYPE_CHECKING:
    from normwright.flow import Remedies, Withdrawn
    from normwright.records import Withdrawal, WithdrawalReceipt

HELP = "Read what people said; let somebody who took part withdraw."

app = typer.Typer(help=HELP, no_args_is_help=True)
sources.add_to(app)


@app.callback()
def group() -> None:
    """Read what people said; let somebody who took part withdraw."""


class Then(StrEnum):
    """What is to become of what rests on the rows."""

    rebuild = "rebuild"
    unlearn = "unlearn"
    keep = "keep"


@app.command(
    "withdraw",
    epilog="Example:  normwright elicit withdraw v042 my-town --then rebuild --dry-run",
)
def withdraw(
    participant: Annotated[
        str,
        typer.Argument(metavar="PARTICIPANT", help="The pseudonym, as the files have it."),
    ],
    directory: Directory = HERE,
    *,
    then: Annotated[
        Then,
        typer.Option(
            "--then",
            help="What becomes of what rests on the rows: made anew by the next run, made to "
            "forget, or kept as it is. It is recorded.",
        ),
    ],
    because: Annotated[
        str,
        typer.Option(
            "--because",
            metavar="SLUG",
            help="With `keep` only: why artefacts are kept. Nobody needs a reason to withdraw.",
        ),
    ] = "",
    process: Annotated[
        str | None,
        typer.Option(
            "--process", metavar="ID", help="Where the pseudonym stands in several processes."
        ),
    ] = None,
    receipt: Annotated[
        Path | None,
        typer.Option(
            "--receipt",
            metavar="DIR",
            help="Write the receipt there, in every language, to be handed over; outside the "
            "project, because its figures tell how the person voted.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the receipt and change nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False,
    lang: Lang = None,
    as_json: AsJson = False,
) -> int:
    """Take a person out: rows and keys destroyed, files written again, what used them marked.

    It cannot be undone. The ledger and every root still hold. Outcomes that were published, and
    copies of the project elsewhere, stay as they are.
    """
    from normwright import flow

    shown = choose(lang)
    say = words(shown)
    _check(directory, receipt, may_ask=not as_json, asks=not (yes or dry_run))
    err = console(stderr=True)

    def confirm(planned: Withdrawn) -> bool:
        for line in plan_lines(planned, shown):
            err.print(line, markup=False, soft_wrap=True)
        return yes or typer.confirm(say["withdraw-ask"], err=True)

    def hand_over(done: Withdrawn) -> None:
        written: tuple[Path, ...] = ()
        if receipt is not None and done.receipt is not None:
            # First: whoever is told that all is done has the receipt in hand.
            written = write_receipt(done.receipt, receipt)
        _show(done, shown, as_json=as_json, found=flow.remedies(directory))
        for path in written:
            err.print(f"{say['withdraw-written']}: {path}", markup=False, soft_wrap=True)

    with _place_for(None if dry_run else receipt):
        if not as_json:
            err.print(say["withdraw-counting"], markup=False, soft_wrap=True)
        done = flow.withdraw(
            directory,
            participant,
            then=then.value,
            because=because,
            process=process,
            dry_run=dry_run,
            confirm=(lambda planned: True) if as_json else confirm,
            hand_over=hand_over,
        )
    if done.state in ("planned", "declined", "already"):
        _show(done, shown, as_json=as_json)
    return FAILED if done.state == "declined" else DONE


def _check(directory: Path, receipt: Path | None, *, may_ask: bool, asks: bool) -> None:
    faults = []
    if asks and not (may_ask and sys.stdin.isatty()):
        faults.append(
            Fault(
                where="--yes",
                expected="a terminal to ask on, because it cannot be undone",
                seen="none" if may_ask else "--json",
                do="Look at it with --dry-run first, then say --yes.",
            )
        )
    if receipt is not None and receipt.resolve().is_relative_to(directory.resolve()):
        faults.append(
            Fault(
                where="--receipt",
                expected="a directory outside the project",
                seen=str(receipt),
                do="Its figures tell how the person voted; the project is to forget that.",
            )
        )
    if faults:
        raise InputError(faults)


@contextmanager
def _place_for(receipt: Path | None) -> Iterator[None]:
    """Make the folder of the receipt; one in which nothing came to lie is taken away again.

    Raises:
        InputError: if it cannot be made or written to. Nothing has been changed then.
    """
    if receipt is None:
        yield
        return
    made: list[Path] = []
    try:
        try:
            made += [place for place in (receipt, *receipt.parents) if not place.exists()]
            receipt.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=receipt):
                pass
        except (OSError, ValueError) as error:
            seen = getattr(error, "strerror", None) or str(error)
            do = "Name another; nothing has been changed."
            expected = "a directory that can be written to"
            raise InputError(
                [Fault(where=f"--receipt {receipt}", expected=expected, seen=seen, do=do)]
            ) from error
        yield
    finally:
        for place in made:
            with suppress(OSError, ValueError):
                place.rmdir()


def _show(done: Withdrawn, lang: str, *, as_json: bool, found: Remedies | None = None) -> None:
    if as_json:
        told = {} if found is None else {"remedies": found.as_json()}
        emit({**json_of(done), **told})
        return
    say, out = words(lang), console()
    if done.state in ("already", "declined"):
        out.print(say[f"withdraw-{done.state}"], markup=False, soft_wrap=True)
        return
    if done.receipt is not None:
        for line in receipt_lines(done.receipt, lang):
            out.print(line, markup=False, soft_wrap=True)
    if done.state == "planned":
        for line in plan_lines(done, lang):
            out.print(line, markup=False, soft_wrap=True)
    out.print(say[f"withdraw-{done.state}"], style="bold", markup=False, soft_wrap=True)
    if done.withdrawal is not None and done.state != "planned":
        out.print(say[f"withdraw-then-{done.withdrawal.then}"], markup=False, soft_wrap=True)
        for line in (*_left(done, lang), *(remedy_lines(found, lang) if found else ())):
            out.print(line, markup=False, soft_wrap=True)


def json_of(done: Withdrawn) -> dict[str, Any]:
    """Return what a withdrawal did as one JSON value."""
    withdrawal, receipt = done.withdrawal, done.receipt
    return {
        "state": done.state,
        "withdrawal": None
        if withdrawal is None
        else {**withdrawal.model_dump(mode="json"), "digest": withdrawal.digest},
        "receipt": None
        if receipt is None
        else {**receipt.model_dump(mode="json"), "digest": receipt.digest},
        "unread": list(done.unread),
        "lingering": list(done.lingering),
        "refused": [fault.model_dump(mode="json", include=_FAULT) for fault in done.refused],
    }


_FAULT = {"where", "expected", "seen", "do"}


def plan_lines(planned: Withdrawn, lang: str) -> list[str]:
    """Return what will happen, line by line."""
    say, withdrawal, receipt = words(lang), planned.withdrawal, planned.receipt
    if withdrawal is None or receipt is None:
        return []
    lines = [say["withdraw-will"]]
    lines.append("- " + say["withdraw-will-rows"].format(rows=_rows(receipt, lang)))
    if receipt.authored:
        lines.append("- " + say["withdraw-will-statements"].format(n=receipt.authored))
    lines += ["- " + say["withdraw-will-file"].format(file=f) for f in withdrawal.sources]
    lines += ["- " + say["withdraw-will-remove"].format(file=f) for f in quoting_files(withdrawal)]
    lines.append("- " + say["withdraw-will-mark"].format(n=receipt.artefacts))
    lines.append("- " + say["withdraw-will-exclude"])
    lines += [f"- {line}" for line in _left(planned, lang)]
    lines += [
        "- " + say["withdraw-refused"].format(why=f"{one.where}: {one.expected} / {one.seen}")
        for one in planned.refused
    ]
    return lines


def _left(done: Withdrawn, lang: str) -> list[str]:
    """Return what somebody has to look at, because no program can."""
    told = (("withdraw-unread", done.unread), ("withdraw-lingering", done.lingering))
    return [words(lang)[key].format(files=", ".join(files)) for key, files in told if files]


def quoting_files(withdrawal: Withdrawal) -> list[str]:
    """Return the files for people that quote the person and are removed."""
    exports = (one for one in withdrawal.affected if one.kind == "export")
    return sorted({one.name for one in exports if one.digest in withdrawal.removed})


def write_receipt(receipt: WithdrawalReceipt, folder: Path) -> tuple[Path, Path]:
    """Write a receipt to be handed over: one text in every language, and the record as JSON."""
    from normwright.store import write_whole

    folder.mkdir(parents=True, exist_ok=True)
    name = f"withdrawal-{receipt.number[:8]}"
    texts = ["\n".join(receipt_lines(receipt, lang)) for lang in languages()]
    text, record = folder / f"{name}.md", folder / f"{name}.json"
    write_whole(text, ("\n\n---\n\n".join(texts) + "\n").encode(), mode=0o600)
    write_whole(record, (receipt.model_dump_json(indent=2) + "\n").encode(), mode=0o600)
    return text, record


def receipt_lines(receipt: WithdrawalReceipt, lang: str) -> list[str]:
    """Return a receipt as the person reads it, in Markdown."""
    say = words(lang)
    lines = [f"# {say['receipt-title']}", ""]
    lines.append(say["receipt-number"].format(number=receipt.number))
    lines.append(say["receipt-digest"].format(digest=receipt.digest))
    lines.append("")
    if receipt.kind == "simulated":
        lines += [say["receipt-simulated"], ""]
    lines += [say["receipt-erased"].format(rows=_rows(receipt, lang), process=receipt.process)]
    if receipt.authored:
        lines.append(say["receipt-authored"].format(n=receipt.authored))
    if not receipt.attributable:
        lines.append(say["receipt-unattributable"])
    lines.append(say["receipt-proofs"].format(n=len(receipt.proofs)))
    lines += ["", f"## {say['receipt-outcome']}", ""]
    lines += [
        f"- {say[f'receipt-asks-{name}']} {_answer(value, lang)}"
        for name, value in (
            ("numbers", receipt.changes.numbers),
            ("rankings", receipt.changes.rankings),
            ("groups", receipt.changes.groups),
            ("norms", receipt.changes.norms),
        )
    ]
    if receipt.changes.reason:
        lines.append(say["receipt-unknown"].format(why=receipt.changes.reason))
    lines += _figures(receipt, lang)
    lines += ["", f"## {say['receipt-rests']}", ""]
    lines.append(
        say["receipt-artefacts"].format(
            n=receipt.artefacts, models=receipt.models, verdicts=receipt.verdicts
        )
    )
    share = f"{100 * receipt.withdrawn_share:.1f}".replace(".", say["decimal"])
    lines.append(say["receipt-share"].format(share=share, n=receipt.participants))
    because = f" ({receipt.because})" if receipt.because else ""
    lines += [say[f"receipt-then-{receipt.then}"] + because, "", say["receipt-limits"]]
    return lines


def _figures(receipt: WithdrawalReceipt, lang: str) -> list[str]:
    say, lines = words(lang), list[str]()
    for heading, changes in (
        ("support", receipt.support),
        ("pairs", receipt.pairs),
        ("firsts", receipt.firsts),
        ("margins", receipt.margins),
    ):
        if changes:
            columns = [say[f"receipt-{heading}"], say["receipt-before"], say["receipt-after"]]
            lines += ["", f"| {' | '.join(columns)} |", "|---|---|---|"]
            lines += [
                f"| {one.subject} ({one.authority}) | {_estimate(one.before, lang)} "
                f"| {_estimate(one.after, lang)} |"
                for one in changes
            ]
    if receipt.rankings or receipt.groups or receipt.norms:
        lines.append("")
    for ranking in receipt.rankings:
        lines.append(
            say["receipt-ranking"].format(
                authority=ranking.authority,
                method=ranking.method,
                before=_tiers(ranking.before),
                after=_tiers(ranking.after),
            )
        )
    none = say["receipt-no-groups"]
    for groups in receipt.groups:
        lines.append(
            say["receipt-groups"].format(
                authority=groups.authority,
                before=", ".join(map(str, groups.before)) or none,
                after=", ".join(map(str, groups.after)) or none,
            )
        )
    for norm in receipt.norms:
        before, after = say[f"norm-{norm.before}"], say[f"norm-{norm.after}"]
        lines.append(say["receipt-norm"].format(norm=norm.norm, before=before, after=after))
    return lines


def _estimate(estimate: Any, lang: str) -> str:
    """Return a share with its interval and n, in the way the language writes numbers."""
    if estimate is None or estimate.value is None:
        return words(lang)["receipt-none"]
    told = f"{100 * estimate.value:.1f} %"
    if estimate.interval is not None:
        told += f" [{100 * estimate.interval.low:.1f}; {100 * estimate.interval.high:.1f}]"
    return f"{told}, n = {estimate.n}".replace(".", words(lang)["decimal"])


def _tiers(tiers: tuple[tuple[str, ...], ...]) -> str:
    return " > ".join(" = ".join(tier) for tier in tiers)


def _answer(value: bool | None, lang: str) -> str:
    key = {True: "yes", False: "no", None: "answer-unknown"}[value]
    return words(lang)[key]


def _rows(receipt: WithdrawalReceipt, lang: str) -> str:
    say = words(lang)
    return ", ".join(f"{say[f'rows-{table}']}: {n}" for table, n in receipt.rows.items())
