"""Have a model answer, criticise and revise under norms, from files to files; it can be resumed.

Rows go to the model in blocks. What a block gave is kept beside the output until all of it is
there, so that a killed run, or one that came to the end of its budget, goes on where it stopped; of
a model behind an API every single reply is kept.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml
from pydantic import ValidationError

from normwright.flow.start import building, occupied
from normwright.records import Charter, Fault, InputError, Norm, digest_json

if TYPE_CHECKING:
    from normwright.learn import Conversation, Revised
    from normwright.models import Model

BLOCK: Final = 32
"""Rows that go to the model together."""
DEMONSTRATIONS, PAIRS, CRITIQUES, RUN = (
    "demonstrations.jsonl", "pairs.jsonl", "critiques.jsonl", "run.json",
)  # fmt: skip


@dataclass(frozen=True)
class Critiquing:
    """What came of critique and revision, and where it lies."""

    out: Path
    run: Mapping[str, Any]
    use: Mapping[str, Any] | None
    """What a model behind an API was asked in all; None for one on this machine."""

    def as_json(self) -> dict[str, Any]:
        """Return it as one JSON value."""
        return {"out": str(self.out), **self.run, "use": self.use}


def critiqued(
    prompts: Path,
    *,
    model: Path,
    charter: Charter,
    only: Sequence[str] = (),
    out: Path,
    licence: str = "unknown",
    max_new_tokens: int = 256,
    progress: Callable[[int, int], None] | None = None,
) -> Critiquing:
    """Return what a model made of prompts under norms, and leave rows to learn from in `out`.

    A row with `completion` is criticised as it is; to one without the model answers first. All that
    comes of it is synthetic and simulated, and names model and norms. Pairs have the share of
    people who support the norm: they are written only where a single norm with a counted vote was
    shown, because no model's word stands in for what people prefer.

    Args:
        prompts: JSON lines with `prompt`, and perhaps `completion`, `id`, `lang`, `family`.
        model: a model directory, or YAML that says where a model behind an API is.
        charter: whose norms in force are shown.
        only: ids or references of the norms that are shown; all if empty.
        out: a new or empty folder.
        licence: under which the model's texts may be used.
        max_new_tokens: length limit of a reply.
        progress: told how many rows are done, and of how many.

    Raises:
        InputError: with every fault; nothing is written then. Also when a budget is spent: what
            was answered is kept, and the same call goes on from there.
    """
    from normwright.learn import critique_and_revise

    faults = list(occupied(out))
    rows = _rows(prompts, faults)
    norms = _norms(charter, only, faults)
    if faults:
        raise InputError(faults[:20])
    identity, open_model = _model(model)
    about = {
        "model": identity, "norms": [norm.ref for norm in norms], "licence": licence,
        "max_new_tokens": max_new_tokens,
        "rows": [[*map(str, dataclasses.astuple(asked)), answer] for asked, answer in rows],
    }  # fmt: skip
    kept = out.resolve().with_name(f".{out.resolve().name}.{digest_json(about)[7:19]}.part")
    kept.mkdir(parents=True, exist_ok=True)
    critic = open_model(kept)
    blocks: list[dict[str, Any]] = []
    for start in range(0, len(rows), BLOCK):
        place = kept / f"{start:08d}.json"
        if not place.exists():
            block = _answered(critic, rows[start : start + BLOCK], max_new_tokens)
            made = critique_and_revise(critic, block, norms, max_new_tokens=max_new_tokens)
            _keep(place, {
                "kept": made.kept, "dropped": dict(made.dropped),
                "rows": [_told(one, licence) for one in made.revised],
                "langs": dict(Counter(asked.lang for asked, _ in block)),
            })  # fmt: skip
        blocks.append(json.loads(place.read_text(encoding="utf-8")))
        if progress is not None:
            progress(min(start + BLOCK, len(rows)), len(rows))
    run = _run(blocks, identity, norms, len(rows), licence)
    with building(out.resolve()) as folder:
        _written(folder, blocks, norms, run)
    use = _use(critic)
    shutil.rmtree(kept, ignore_errors=True)
    return Critiquing(out, run, use)


# What is read


def _rows(path: Path, faults: list[Fault]) -> list[tuple[Conversation, str | None]]:
    from normwright.learn import Conversation
    from normwright.learn.rows.files import read_rows
    from normwright.learn.rows.reading import is_prompt, messages_of

    known = ("prompt", "completion", "id", "lang", "family")
    found: list[tuple[Conversation, str | None]] = []
    names: Counter[str] = Counter()
    for number, row in read_rows(path, faults):
        where = f"{path.name}:{number}"
        wrong = [name for name in row if name not in known]
        wrong += [n for n in known[1:] if n in row and not (isinstance(row[n], str) and row[n])]
        expected = f"text in {', '.join(known)}"
        faults += [
            Fault(where=f"{where}: {name}", expected=expected, seen="another column or value")
            for name in wrong
        ]
        if not is_prompt(row.get("prompt")):
            seen = type(row.get("prompt")).__name__
            expected = "text, or messages of which the last is the user's"
            faults.append(Fault(where=f"{where}: prompt", expected=expected, seen=seen))
        elif not wrong:
            name = row.get("id", f"{path.name}/{number}")
            names[f"{name}|{row.get('lang')}"] += 1
            asked = Conversation(id=name, lang=row.get("lang", "und"),
                                 messages=messages_of(row["prompt"]),
                                 family=row.get("family", name))  # fmt: skip
            found.append((asked, row.get("completion")))
    for name, times in names.items():
        if times > 1:
            faults.append(Fault(where=path.name, expected="one row for each id and language",
                                seen=f"{times} for {name.split('|')[0]}"))  # fmt: skip
    if not found and not faults:
        faults.append(Fault(where=path.name, expected="at least one row", seen="none"))
    return found


def _norms(charter: Charter, only: Sequence[str], faults: list[Fault]) -> list[Norm]:
    by_name = {name: norm for norm in charter.norms for name in (norm.id, norm.ref)}
    for name in only:
        if name not in by_name:
            known = ", ".join(sorted(norm.id for norm in charter.norms)[:20])
            faults.append(Fault(where="--norm", expected=f"one of {known or 'none'}", seen=name))
    if not charter.norms:
        faults.append(Fault(where="--norms", expected="norms to criticise by", seen="none"))
    refs = {by_name[name].ref for name in only if name in by_name}
    shown = [norm for norm in charter.norms if not refs or norm.ref in refs]
    return sorted(shown, key=lambda norm: norm.ref)


def _model(place: Path) -> tuple[str, Callable[[Path], Model]]:
    """Return what stands for a model, and how it is opened with a folder to keep replies in."""
    if place.is_dir():
        from normwright.flow.extras import require_learning

        require_learning("A model on this machine")
        digest = hashlib.sha256()
        for file in sorted(place.iterdir()):
            if file.suffix in (".json", ".jinja", ".safetensors"):
                digest.update(
                    f"{file.name}\0".encode() + hashlib.sha256(file.read_bytes()).digest()
                )
        return f"sha256:{digest.hexdigest()}", lambda kept: _local(place)
    settings = _endpoint(place)
    return settings.identity, lambda kept: _remote(settings, kept)


def _local(place: Path) -> Model:
    from normwright.models.local import LocalModel

    return LocalModel.open(place, name=place.resolve().name)


def _remote(settings: Any, kept: Path) -> Model:
    from normwright.models.answered import Answered
    from normwright.models.remote import RemoteModel

    return RemoteModel(settings, name=settings.id, answered=Answered.open(kept / "replies.jsonl"))


def _endpoint(place: Path) -> Any:
    from normwright.models.endpoint import NOT_SHOWN, RemoteSettings

    try:
        raw = yaml.safe_load(place.read_text(encoding="utf-8"))
        return RemoteSettings.model_validate_json(json.dumps(raw, default=str))
    except ValidationError as error:
        raise InputError([
            Fault(where=f"{place.name}: {'.'.join(map(str, one['loc']))}", expected=one["msg"],
                  seen="not shown" if one["type"] == NOT_SHOWN else repr(one["input"])[:120])
            for one in error.errors(include_url=False)
        ]) from None  # fmt: skip
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InputError([Fault(
            where=str(place), expected="a model directory, or YAML with url and id of a model",
            seen=type(error).__name__,
        )]) from None  # fmt: skip


# What is made


def _answered(
    model: Model, rows: Sequence[tuple[Conversation, str | None]], longest: int
) -> list[tuple[Conversation, str]]:
    """Return the rows with an answer each; where one has none the model gives it."""
    open_ = [asked.messages for asked, answer in rows if answer is None]
    told = iter(model.generate(open_, max_new_tokens=longest) if open_ else ())
    return [(asked, answer if answer is not None else next(told)[0]) for asked, answer in rows]


def _told(one: Revised, licence: str) -> dict[str, Any]:
    return {
        "id": one.scene.id, "lang": one.scene.lang, "family": one.scene.family,
        "prompt": [m.model_dump(mode="json") for m in one.scene.messages],
        "answer": one.answer, "reason": one.critique.reason, "revision": one.revision,
        "norms": list(one.norms), "critic": one.critic, "licence": licence,
    }  # fmt: skip


def _keep(place: Path, value: Mapping[str, Any]) -> None:
    """Write a block whole or not at all."""
    part = place.with_suffix(".part")
    part.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    os.replace(part, place)


def _run(
    blocks: Sequence[Mapping[str, Any]],
    identity: str,
    norms: Sequence[Norm],
    rows: int,
    licence: str,
) -> dict[str, Any]:
    dropped: Counter[str] = Counter()
    langs: Counter[str] = Counter()
    revised: Counter[str] = Counter()
    for block in blocks:
        dropped.update(block["dropped"])
        langs.update(block["langs"])
        revised.update(row["lang"] for row in block["rows"])
    share = _share(norms)
    return {
        "rows": rows, "revised": revised.total(), "kept": sum(b["kept"] for b in blocks),
        "dropped": dict(sorted(dropped.items())), "langs": dict(sorted(langs.items())),
        "revised_by_lang": dict(sorted(revised.items())), "norms": [norm.ref for norm in norms],
        "model": identity, "process_kind": "simulated", "origin": "synthetic", "licence": licence,
        "pairs": revised.total() if share is not None else 0, "support": share,
    }  # fmt: skip


def _share(norms: Sequence[Norm]) -> float | None:
    """Return the share of people who support the one norm shown; None where nobody knows."""
    if len(norms) != 1 or norms[0].provenance is None:
        return None
    support = norms[0].provenance.support.get("all")
    return None if support is None else support.value


def _written(
    folder: Path, blocks: Sequence[Mapping[str, Any]], norms: Sequence[Norm], run: Mapping[str, Any]
) -> None:
    from normwright.learn.rows.files import write_rows

    made = sorted((row for block in blocks for row in block["rows"]),
                  key=lambda row: (row["id"], row["lang"]))  # fmt: skip
    write_rows(folder / DEMONSTRATIONS, (
        {"id": row["id"], "prompt": row["prompt"], "completion": row["revision"], **_stated(row)}
        for row in made
    ))  # fmt: skip
    write_rows(folder / CRITIQUES, made)
    if run["support"] is not None:
        write_rows(folder / PAIRS, _pairs(made, run["support"], norms[0]))
    text = json.dumps(dict(run), ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    (folder / RUN).write_text(text, encoding="utf-8")


def _pairs(made: Sequence[Mapping[str, Any]], share: float, norm: Norm) -> Iterator[dict[str, Any]]:
    for row in made:
        yield {"id": row["id"], "prompt": row["prompt"], "chosen": row["revision"],
               "rejected": row["answer"], "probability": share, "layer": norm.layer,
               "process_kind": "simulated", **_stated(row)}  # fmt: skip


def _stated(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"lang": row["lang"], "family": row["family"], "norms": row["norms"],
            "origin": "synthetic", "licence": row["licence"]}  # fmt: skip


def _use(model: Model) -> dict[str, Any] | None:
    from normwright.models.remote import RemoteModel

    if not isinstance(model, RemoteModel):
        return None
    from normwright.records import digest_bytes

    use = model.use("critique", content=digest_bytes(model.replies()))
    return use.model_dump(mode="json")
