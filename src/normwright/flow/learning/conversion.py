"""Convert a file of rows into another form, with what its trainer needs beside it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from normwright.records import Fault, InputError, digest_bytes

DATASET_INFO: Final = "dataset_info.json"
"""What LLaMA-Factory reads to know the columns of a file."""


@dataclass(frozen=True)
class Conversion:
    """What a file was converted into."""

    out: Path
    read_as: str
    written_as: str
    items: int
    rows: int
    lost: Mapping[str, int]
    drawn: int
    seed: int
    draws: int
    digest: str
    beside: tuple[str, ...]
    """Further files."""

    def as_json(self) -> dict[str, Any]:
        """Return it as one JSON value."""
        return {**self.__dict__, "out": str(self.out), "lost": dict(self.lost),
                "beside": list(self.beside)}  # fmt: skip


def converted(
    file: Path,
    *,
    source: str,
    target: str,
    out: Path,
    lossy: bool = False,
    seed: int = 0,
    draws: int = 1,
) -> Conversion:
    """Return what a file became, and leave it at `out` with a card that tells what was drawn.

    Args:
        file: rows: JSON lines, a JSON list or parquet.
        source: the form they are in, or `auto`.
        target: the form to write.
        out: a new file; its suffix says how rows are packed.
        lossy: whether columns may be lost.
        seed: of what is drawn.
        draws: how many times a pair of weight 1 is drawn where shares cannot be written.

    Raises:
        InputError: with every fault; nothing is written then.
    """
    from normwright.learn.forms import AUTO, FORMS, convert
    from normwright.learn.rows.files import read_rows, write_rows

    faults: list[Fault] = []
    if source != AUTO and source not in FORMS:
        expected = f"auto, or one of {', '.join(FORMS)}"
        faults.append(Fault(where="--from", expected=expected, seen=source))
    if out.exists():
        faults.append(Fault(where=str(out), expected="a new file", seen="one that is there",
                            do="Choose another place; nothing is ever overwritten."))  # fmt: skip
    rows = [(f"{file.name}:{number}", row) for number, row in read_rows(file, faults)]
    if not rows and not faults:
        faults.append(Fault(where=file.name, expected="at least one row", seen="none"))
    if faults:
        raise InputError(faults[:20])
    made = convert(rows, source=source, target=target, lossy=lossy, seed=seed, draws=draws)
    beside = {f"{out.name}.README.md": _card(made, target, seed, draws)}
    if target.startswith("llama-factory"):
        beside[DATASET_INFO] = _dataset_info(out, target, made.rows)
    taken = [name for name in beside if name != DATASET_INFO and (out.parent / name).exists()]
    if taken:
        raise InputError([Fault(where=str(out.parent), expected="no other file of that name",
                                seen=name) for name in taken])  # fmt: skip
    part = out.with_name(f".part.{out.name}")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_rows(part, made.rows)
        digest = digest_bytes(part.read_bytes())
        for name, text in beside.items():
            (out.parent / name).write_text(text, encoding="utf-8")
        os.replace(part, out)
    except OSError as error:
        raise InputError([Fault(where=str(out), expected="a place that can be written",
                                seen=str(error.strerror))]) from error  # fmt: skip
    finally:
        part.unlink(missing_ok=True)
    return Conversion(
        out=out, read_as=made.read_as, written_as=target, items=made.items, rows=len(made.rows),
        lost=made.lost, drawn=made.drawn, seed=seed, draws=draws, digest=digest,
        beside=tuple(beside),
    )  # fmt: skip


def _card(made: Any, target: str, seed: int, draws: int) -> str:
    lost = ", ".join(f"{name} ({rows})" for name, rows in made.lost.items())
    parts = {
        "en": [
            f"# Rows as {target}",
            f"{made.items} rows of the form {made.read_as} became {len(made.rows)} rows.",
            f"Lost on the way (rows): {lost}." if lost else "Nothing was lost on the way.",
        ],
        "pt": [
            f"# Linhas como {target}",
            f"{made.items} linhas da forma {made.read_as} deram {len(made.rows)} linhas.",
            f"Perdido pelo caminho (linhas): {lost}." if lost else "Nada se perdeu pelo caminho.",
        ],
    }
    if made.drawn:
        parts["en"].append(
            f"The form holds no vote shares, so the choices of {made.drawn} rows are drawn: each"
            f" pair {draws} times its weight, the first answer chosen with its share as probability"
            f" (seed {seed}). A trainer's loss over them has the weighted loss on the shares as its"
            " expectation: it is an unbiased surrogate, with the noise of a draw. No single row"
            " says what people prefer."
        )
        parts["pt"].append(
            f"A forma não guarda partes dos votos, por isso as escolhas de {made.drawn} linhas são"
            f" sorteadas: cada par {draws} vezes o seu peso, a primeira resposta escolhida com a"
            f" sua parte como probabilidade (semente {seed}). A perda de um treino sobre elas tem"
            " como valor esperado a perda ponderada sobre as partes: é um substituto sem viés, com"
            " o ruído de um sorteio. Nenhuma linha diz por si o que as pessoas preferem."
        )
    return "\n\n".join([*parts["en"], *parts["pt"]]) + "\n"


def _dataset_info(out: Path, target: str, rows: tuple[Mapping[str, Any], ...]) -> str:
    """Return LLaMA-Factory's description of the file's columns."""
    alpaca = "alpaca" in target
    columns: dict[str, str]
    if alpaca:
        columns = {"prompt": "instruction", "query": "input"}
        if not target.endswith("preferences"):
            columns["response"] = "output"
        columns |= {n: n for n in ("system", "history") if any(n in row for row in rows)}
    else:
        columns = {"messages": "conversations"}
        if target.endswith("kto"):
            columns["kto_tag"] = "kto_tag"
    info: dict[str, Any] = {"file_name": out.name, "formatting": "alpaca" if alpaca else "sharegpt"}
    if target.endswith("preferences"):
        columns |= {"chosen": "chosen", "rejected": "rejected"}
        info["ranking"] = True
    body = {**_described(out.parent), out.name.split(".")[0]: {**info, "columns": columns}}
    return json.dumps(body, ensure_ascii=False, indent=2) + "\n"


def _described(folder: Path) -> dict[str, Any]:
    """Return what the file of descriptions says of other files, which is kept.

    Raises:
        InputError: if there is one that cannot be read.
    """
    place = folder / DATASET_INFO
    if not place.exists():
        return {}
    try:
        found = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise InputError([Fault(where=str(place), expected="descriptions of data sets by name",
                                seen="another file")])  # fmt: skip
    return found
