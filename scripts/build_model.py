"""Build the embedded language model: tokenizer, corpus, pre-training, export, measurement.

    python scripts/build_model.py DATA [--steps N] [--parent DIR] [--work DIR] [--out DIR]

DATA is a folder with `text/en_books_*.jsonl.gz`, `text/pt_books_*.jsonl.gz`,
`text/python_docs_en_pt.jsonl.gz` and a `README.md`
whose table names the source and licence of each. Killed and started again with the same --work,
it goes on from its last checkpoint. The export holds weights, tokenizer, and `provenance.json` with
every source by public repository and digest, the settings, and bits per byte on held-out books
beside an n-gram baseline. With --parent it goes on from the weights of a model directory instead of
from random ones, and the provenance names them by digest with their own provenance inside.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import random
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from normwright.evaluate import NgramBaseline
from normwright.learn.pretraining.corpus import (
    TokenCorpus,
    dialogue_rows,
    dialogue_text,
    joined,
    mix,
    read_text,
    text_rows,
)
from normwright.learn.pretraining.scratch import Shape, new_model, train_tokenizer
from normwright.learn.recipes.pretrain import pretrain
from normwright.learn.recipes.priming import prime
from normwright.models.local import (
    LocalModel,
    embedded_path,
    load_tokenizer,
    load_weights,
    use_threads,
)
from normwright.models.tuning import save_plain
from normwright.models.tuning.loop import Loop, Running
from normwright.scenes import Bank, dialogues, load_bank

LANGUAGES = ("en", "pt")
SCENES = Path(__file__).parent.parent / "src/normwright/flow/templates/town/scenes"
PLACES = ("data", "work", "out", "parent")
"""Arguments that say where things lie, not what is done."""

HELD_OUT = 15
"""One book in so many is never trained on."""


def books(data: Path, lang: str) -> list[Path]:
    """Return the files of books in one language."""
    return sorted((data / "text").glob(f"{lang}_books_*.jsonl.gz"))


def read_books(data: Path, lang: str, *, held_out: bool) -> Iterator[str]:
    """Yield the books of one language that are (not) held out, split into parts of 20 kB."""
    for path in books(data, lang):
        for number, (_, text) in enumerate(read_text(path, languages=LANGUAGES)):
            if (number % HELD_OUT == HELD_OUT - 1) == held_out:
                yield text


def parts(texts: Iterator[str], *, size: int, seed: int) -> list[str]:
    """Return texts cut into parts and shuffled, so that a budget of tokens sees many books."""
    cut = [t[i : i + size] for t in texts for i in range(0, len(t), size)]
    random.Random(seed).shuffle(cut)
    return cut


def documentation(data: Path, lang: str) -> Iterator[str]:
    """Yield runs of forty paragraphs of documentation in one language."""
    rows = (
        text
        for found, text in read_text(data / "text/python_docs_en_pt.jsonl.gz", languages=LANGUAGES)
        if found == lang
    )
    while run := list(itertools.islice(rows, 40)):
        yield "\n".join(run)


def sources(data: Path) -> list[dict[str, str]]:
    """Return repository, licence and digest of every file read, the scene bank last."""
    manifest = {}
    for line in (data / "README.md").read_text(encoding="utf-8").splitlines():
        cells = [c.strip() for c in line.strip("|").split("|")]
        if len(cells) >= 5 and cells[0].startswith("text/"):
            manifest[cells[0]] = {"source": cells[3], "licence": cells[4]}
    out = []
    for path in [*books(data, "en"), *books(data, "pt"), data / "text/python_docs_en_pt.jsonl.gz"]:
        name = f"text/{path.name}"
        row = manifest.get(name, {})
        out.append(
            {
                "file": name,
                "repository": row.get("source", ""),
                "licence": row.get("licence", ""),
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            }
        )
    bank = b"".join(p.read_bytes() for p in sorted(SCENES.glob("*.yaml")))
    out.append(
        {
            "file": "dialogues from the scene bank of the template `town`, split `pretrain`",
            "repository": "this project",
            "licence": "Apache-2.0",
            "sha256": hashlib.sha256(bank).hexdigest(),
        }
    )
    return out


def parent(directory: Path) -> dict[str, object]:
    """Return the digest of the weights gone on from, with their own provenance."""
    weights = (directory / "model.safetensors").read_bytes()
    told = json.loads((directory / "provenance.json").read_text(encoding="utf-8"))
    return {"sha256": hashlib.sha256(weights).hexdigest(), "provenance": told}


def tokenizer_texts(data: Path, bank: Bank) -> Iterator[str]:
    """Yield what the tokenizer is trained on: books, documentation and dialogues."""
    for lang in LANGUAGES:
        yield from parts(read_books(data, lang, held_out=False), size=20_000, seed=1)[:400]
        yield from itertools.islice(documentation(data, lang), 100)
    for dialogue in dialogues(bank, split="pretrain", seed=7, count=12_000):
        yield dialogue_text(dialogue)


def corpus(
    data: Path,
    bank: Bank,
    tokenizer: object,
    *,
    steps: int,
    batch: int,
    row: int,
    share: float,
    start: int,
    seed: int,
) -> TokenCorpus:
    """Return the rows of all steps: `start` steps of dialogues alone, then all mixed.

    Dialogues come alone at first because looking things up is learned from them, and is learned
    sooner when nothing else pulls at the weights.
    """
    tokens = steps * batch * row
    early = start * batch
    spoken = dialogue_rows(
        bank, tokenizer, tokens=int(tokens * share), row=row, spoken=0.03, seed=seed
    )
    rest = int(tokens * (1 - share)) // len(LANGUAGES) + batch * row
    read = []
    for lang in LANGUAGES:
        texts = parts(
            itertools.chain(read_books(data, lang, held_out=False), documentation(data, lang)),
            size=8_000,
            seed=seed,
        )
        read.append(text_rows(tokenizer, iter(texts), tokens=rest, row=row))
    alone = mix((spoken[0][:early], spoken[1][:early]), spoken[0][:0], batch=batch, seed=seed)
    mixed = mix(
        (spoken[0][early:], spoken[1][early:]), np.concatenate(read), batch=batch, seed=seed
    )
    return joined(alone, mixed)


def main() -> int:
    """Build the model and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("data", type=Path)
    parser.add_argument(
        "--steps", type=int, default=3350, help="as many as the shipped weights had in two runs"
    )
    parser.add_argument("--batch", type=int, default=32, help="rows a step")
    parser.add_argument("--row", type=int, default=256, help="tokens a row")
    parser.add_argument("--share", type=float, default=0.8, help="share of rows from dialogues")
    parser.add_argument("--start", type=int, default=500, help="first steps, of dialogues alone")
    parser.add_argument("--layers", type=int, default=5)
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--long-steps", type=int, default=60, help="last steps with rows of 1,024")
    parser.add_argument("--parent", type=Path, help="a model directory to go on from")
    parser.add_argument("--work", type=Path, default=Path("build/model"))
    parser.add_argument("--out", type=Path, default=embedded_path())
    arguments = parser.parse_args()
    use_threads(arguments.threads)
    began = time.monotonic()
    bank = load_bank(sorted(SCENES.glob("*.yaml")))
    work = arguments.work
    work.mkdir(parents=True, exist_ok=True)
    read = sources(arguments.data)
    if arguments.parent:
        shutil.copytree(arguments.parent, work / "parent", dirs_exist_ok=True)
        load_tokenizer(work / "parent").save_pretrained(work / "tokenizer")
    if not (work / "tokenizer/tokenizer.json").exists():
        train_tokenizer(
            tokenizer_texts(arguments.data, bank), vocabulary=Shape().vocabulary
        ).save_pretrained(work / "tokenizer")
    tokenizer = load_tokenizer(work / "tokenizer")
    say(began, f"tokenizer of {len(tokenizer)} entries")
    rows = corpus(
        arguments.data,
        bank,
        tokenizer,
        steps=arguments.steps,
        batch=arguments.batch,
        row=arguments.row,
        share=arguments.share,
        start=arguments.start,
        seed=arguments.seed,
    )
    say(began, f"{len(rows)} rows of {arguments.row} tokens")
    shape = Shape(hidden=arguments.hidden, layers=arguments.layers)
    if arguments.parent:
        model = load_weights(work / "parent")
    else:
        model = new_model(shape, seed=arguments.seed)
        prime(model, seed=arguments.seed)
    loop = Loop(
        steps=min(arguments.steps, len(rows) // arguments.batch),
        lr=arguments.lr,
        batch=arguments.batch,
        decay="warmup_stable_decay",
        warmup=0.02,
        weight_decay=0.05,
        seed=arguments.seed,
        save_every=200,
    )

    def progress(step: int, steps: int, loss: float) -> None:
        if step % 50 == 0 or step == steps:
            say(began, f"step {step} of {steps}, loss {loss:.3f}")

    model, metrics = pretrain(
        rows,
        tokenizer,
        shape=shape,
        loop=loop,
        running=Running(progress=progress, workdir=work / "short"),
        model=model,
    )
    if arguments.long_steps:
        wide = corpus(
            arguments.data,
            bank,
            tokenizer,
            steps=arguments.long_steps,
            batch=arguments.batch // 4,
            row=4 * arguments.row,
            share=arguments.share,
            start=0,
            seed=arguments.seed + 1,
        )
        late = Loop(
            steps=min(arguments.long_steps, len(wide) // (arguments.batch // 4)),
            lr=arguments.lr / 10,
            batch=arguments.batch // 4,
            warmup=0.1,
            seed=arguments.seed,
            save_every=200,
        )
        model, _ = pretrain(
            wide,
            tokenizer,
            shape=shape,
            loop=late,
            running=Running(progress=progress, workdir=work / "long"),
            model=model,
        )
    save_plain(model.to(torch.bfloat16), tokenizer, arguments.out)
    say(began, f"weights written to {arguments.out}")
    measured = fluency(arguments.data, arguments.out)
    provenance = {
        **({"parent": parent(work / "parent")} if arguments.parent else {}),
        "parameters": sum(p.numel() for p in model.parameters()),
        "tokens_seen": loop.steps * arguments.batch * arguments.row,
        "settings": {k: v for k, v in vars(arguments).items() if k not in PLACES},
        "metrics": metrics,
        "bits_per_byte": measured,
        "held_out": f"every {HELD_OUT}th book of each file",
        "sources": read,
    }
    (arguments.out / "provenance.json").write_text(
        json.dumps(provenance, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    say(began, json.dumps(measured))
    return 0


def fluency(data: Path, directory: Path) -> dict[str, dict[str, float]]:
    """Return bits per byte of model and n-gram baseline on held-out books, by language."""
    model = LocalModel.open(directory, name="base", batch=8)
    out: dict[str, dict[str, float]] = {}
    for lang in LANGUAGES:
        held = [t[5_000:9_000] for t in itertools.islice(read_books(data, lang, held_out=True), 8)]
        training = parts(read_books(data, lang, held_out=False), size=20_000, seed=3)[:100]
        baseline = NgramBaseline(order=5).fit(training)
        out[lang] = {
            "model": running_bits(model, held),
            "ngram_5_on_2_MB": baseline.bits_per_byte(held, window=1024, seed=0).value or 0.0,
            "bytes": float(sum(len(t.encode()) for t in held)),
        }
    return out


def running_bits(model: LocalModel, texts: list[str]) -> float:
    """Return bits per byte of running text, read in windows of the model's context."""
    total, size = 0.0, 0
    begin = model.tokenizer.bos_token_id
    for text in texts:
        ids = model.tokenizer(text, add_special_tokens=False)["input_ids"]
        for start in range(0, len(ids), 512):
            window = ids[start : start + 512]
            total -= model.token_logprobs([[begin]], [window])[0]
        size += len(text.encode())
    return total / size / float(np.log(2))


def say(began: float, text: str) -> None:
    """Write one line of progress."""
    sys.stderr.write(f"[{time.monotonic() - began:7.0f} s] {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    raise SystemExit(main())
