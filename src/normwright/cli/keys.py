"""`normwright keys`: make keys, show them to others, trust those of others, and sign."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from normwright.cli.options import HERE, AsJson, Directory
from normwright.cli.screen import DONE, console, emit
from normwright.cli.words import words
from normwright.records import Fault, InputError

if TYPE_CHECKING:
    from normwright.flow import Signatures
    from normwright.store import PublicKey

SHORT = 12
"""Hexadecimal digits of a key id that a line shows; `keys show` has them all."""

app = typer.Typer(
    help="Make keys, show them to others, trust those of others, and sign.", no_args_is_help=True
)


class What(StrEnum):
    """What can be signed."""

    CRITERIA = "criteria"
    POLICY = "policy"
    PERMIT = "permit"
    VERDICT = "verdict"


@app.command("create", epilog="Example:  normwright keys create")
def create(
    name: Annotated[
        str,
        typer.Argument(metavar="[NAME]", help="What to call it; `default` signs every run."),
    ] = "default",
    passphrase: Annotated[
        bool,
        typer.Option(
            "--passphrase",
            help="Encrypt it; the passphrase is asked for, or taken from NORMWRIGHT_PASSPHRASE.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Make a key pair of your own on this machine; one that is there is never overwritten.

    It lies in NORMWRIGHT_HOME, else in ~/.config/normwright, never in a project. The private half
    stays there, readable by you alone; send others what `normwright keys show NAME` prints.
    """
    from normwright.store import KeyHome

    home = KeyHome.here()
    key = home.create(name, passphrase=_new_passphrase() if passphrase else None)
    if as_json:
        emit({**key.as_json(), "home": str(home.directory)})
    else:
        _show(key)
    return DONE


@app.command("show", epilog="Example:  normwright keys show default > my-key.pub")
def show(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="One key; all that are known if left out")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Show the fingerprint and the public half of a key, to be sent to others; or list all keys.

    Whoever gets it asks you for the fingerprint by another way (a call, a meeting), and trusts the
    key with `normwright keys trust FILE --name NAME`.
    """
    from normwright.store import KeyHome

    home = KeyHome.here()
    if name is not None:
        key = home.named(name)
        if as_json:
            emit(key.as_json())
        else:
            _show(key)
        return DONE
    own, trusted = home.own(), home.trusted()
    if as_json:
        emit(
            {
                "home": str(home.directory),
                "signing": home.signing(),
                "own": [key.as_json() for key in own],
                "trusted": [key.as_json() for key in trusted],
            }
        )
        return DONE
    out = console()
    for title, keys in (("own", own), ("trusted", trusted)):
        out.print(f"{title}: {len(keys)}", style="bold")
        for key in keys:
            signs = "  (signs runs)" if key.own and key.name == home.signing() else ""
            out.print(f"  {key.name}  {key.keyid}{signs}", markup=False, soft_wrap=True)
    return DONE


@app.command(
    "trust", epilog="Example:  normwright keys trust my-key.pub --name ana --fingerprint 3fa9..."
)
def trust(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A public key, as `keys show` prints it")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="What to call its owner here.")
    ] = None,
    fingerprint: Annotated[
        str | None,
        typer.Option(
            "--fingerprint",
            metavar="HEX",
            help="The fingerprint its owner told you; nothing is added if it is another.",
        ),
    ] = None,
    remove: Annotated[
        str | None,
        typer.Option("--remove", metavar="NAME", help="Stop trusting the key of that name."),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Let the signatures of somebody else's key count on this machine, or no longer.

    Compare the fingerprint it shows with the one the owner tells you by another way than the file
    came. Trust lies on this machine, never in a project.
    """
    from normwright.store import KeyHome

    home = KeyHome.here()
    if remove is not None and file is None and name is None:
        key, done = home.distrust(remove), "no longer trusted"
    elif file is not None and name is not None and remove is None:
        key = home.trust(_read(file), name=name, fingerprint=fingerprint, where=str(file))
        done = "trusted"
    else:
        raise typer.BadParameter("give FILE and --name NAME, or --remove NAME alone")
    if as_json:
        emit({**key.as_json(), "trusted": remove is None})
    else:
        out = console()
        out.print(f"{key.name}: {done}", markup=False)
        out.print(f"fingerprint {key.keyid}", markup=False, soft_wrap=True)
    return DONE


@app.command("sign", epilog="Example:  normwright keys sign my-town --what criteria")
def sign(
    directory: Directory = HERE,
    key: Annotated[
        str | None,
        typer.Option("--key", metavar="NAME", help="One of your own; the one that signs runs."),
    ] = None,
    what: Annotated[
        list[What] | None,
        typer.Option("--what", help="Only this; may be repeated. Else all that is there."),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Sign a project's criteria, policy and verdict as they stand; several people may, in turn.

    Criteria are worth signing before anything is measured: `verify` tells whether they were. What
    a key has signed already is left as it is.
    """
    from normwright import flow

    done = flow.sign(
        directory,
        key=key,
        what=[one.value for one in what] if what else None,
        passphrase=passphrase_of_person,
    )
    if as_json:
        emit(
            {
                "key": done.key,
                "new": list(done.new),
                "signed": {kind: list(keys) for kind, keys in done.signers.items()},
            }
        )
    else:
        told = ", ".join(done.new) or "nothing that was not signed before"
        console().print(f"{done.key[:SHORT]} signed {told}", markup=False, soft_wrap=True)
    return DONE


def passphrase_of_person() -> str | None:
    """Return the passphrase from the environment, else ask at the terminal, if there is one."""
    from normwright.store import passphrase_of_environment

    given = passphrase_of_environment()
    if given is None and sys.stdin.isatty():
        return getpass("Passphrase of the key: ", stream=sys.stderr)
    return given


def _new_passphrase() -> str:
    from normwright.store import passphrase_of_environment

    if (given := passphrase_of_environment()) is not None:
        return given
    if sys.stdin.isatty():
        first = getpass("Passphrase for the new key: ", stream=sys.stderr)
        if getpass("Once more: ", stream=sys.stderr) == first:
            return first
        seen = "two that differ"
    else:
        seen = "none, and no terminal to ask at"
    do = "Set NORMWRIGHT_PASSPHRASE, or type the same twice at a terminal."
    raise InputError([Fault(where="--passphrase", expected="a passphrase", seen=seen, do=do)])


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(1 << 20)
    except OSError as error:
        seen = error.strerror or str(error)
        fault = Fault(where=os.fspath(file), expected="a file with a public key", seen=seen)
        raise InputError([fault]) from error


def _show(key: PublicKey) -> None:
    """Print a key so that the output, saved as it is, is a file that `keys trust` reads."""
    out = console()
    out.print(f"{key.name}\nfingerprint {key.keyid}", markup=False, soft_wrap=True)
    out.print(key.pem, end="", markup=False, soft_wrap=True)


def signed_lines(signed: Mapping[str, Sequence[str]], directory: Path, lang: str) -> list[str]:
    """Return who signed what stands now, and what nobody signed, as lines for the terminal."""
    say = words(lang)
    kinds = [
        f"{say[f'kind-{kind}']} ({', '.join(key[:SHORT] for key in keys)})"
        for kind, keys in signed.items()
        if keys
    ]
    missing = [say[f"kind-{kind}"] for kind, keys in signed.items() if not keys]
    lines = [say["signed"].format(what=", ".join(kinds))] if kinds else []
    if missing:
        lines.append(say["unsigned"].format(what=", ".join(missing), project=directory))
    return lines


def verified_lines(found: Signatures) -> list[str]:
    """Return what `verify` found signed, as lines for the terminal."""
    lines = [f"{found.good} signatures by keys that are trusted here"]
    kinds = dict.fromkeys(one.kind for one in found.signers)
    for kind in kinds:
        names = [f"{one.name} ({one.keyid[:SHORT]})" for one in found.signers if one.kind == kind]
        lines.append(f"  {kind}: signed by {', '.join(names)}")
    lines += [f"  {kind}: no signature by a key that is trusted here" for kind in found.unsigned]
    if found.criteria_first is not None:
        earlier = (
            f" ({found.earlier} earlier results show evidence, or are gone)"
            if found.earlier
            else ""
        )
        lines.append(f"criteria signed before the evidence: {found.criteria_first}{earlier}")
    return lines
