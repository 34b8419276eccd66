"""Make a project of one of the source's recipes, from a base model and rows on this machine.

    python examples/aira/prepare.py NAME DIR --base MODEL --data FILE...

NAME is one of the twelve models in `models/` or of the six reward models in `rewards/`. MODEL is a
Hugging Face directory with safetensors; it is copied with the source's marks for instruction and
completion added to its vocabulary and written as a chat template, so that training and serving
read one format. FILE has the columns of the published sets, packed (`.gz`) or not:

| rows | columns |
|---|---|
| dialogues | `prompt`, `completion` - or `conversations`, a list of turns |
| pairs | `instruction`, `chosen_response`, `rejected_response` |
| harmful texts | `harmless`, `harmful` - or, as they were once called, `non_toxic`, `toxic` |

For a model the project lies in DIR: `normwright run DIR`. For a reward model the command is
printed. Nothing is taken from a network, and every row keeps the licence that --licence states.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
START, SEPARATOR, STOP, PAD = (
    "<|startofinstruction|>",
    "<|endofinstruction|>",
    "<|endofcompletion|>",
    "<|pad|>",
)
TEMPLATE = (
    "{%- for message in messages -%}"
    "{%- if message['role'] == 'assistant' -%}"
    "{%- generation -%}{{- message['content'] + '<|endofcompletion|>' -}}{%- endgeneration -%}"
    "{%- elif message['role'] == 'system' -%}{{- message['content'] -}}"
    "{%- else -%}{{- '<|startofinstruction|>' + message['content'] + '<|endofinstruction|>' -}}"
    "{%- endif -%}{%- endfor -%}"
)
"""The source's format. After an instruction the assistant speaks without a further mark."""

Row = dict[str, Any]
KINDS = {"pairs": ("dpo", "reward-model"), "harmful": ("toxiguardrail",)}


def names() -> dict[str, Path]:
    """Return every recipe by name, with its file."""
    found = sorted(HERE.glob("models/*.yaml")) + sorted(HERE.glob("rewards/*.yaml"))
    return {path.stem: path for path in found}


def kind_of(name: str) -> str:
    """Return what a recipe learns from: `dialogues`, `pairs` or `harmful`."""
    return next((k for k, parts in KINDS.items() if any(p in name for p in parts)), "dialogues")


def lang_of(name: str) -> str:
    """Return the language of a recipe."""
    return "pt" if "portuguese" in name or name.endswith("-pt") else "en"


def rows_of(paths: Sequence[Path]) -> Iterator[tuple[str, Row]]:
    """Yield the rows of JSON-lines files, each with where it stands."""
    for path in paths:
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield f"{path.name}:{number}", json.loads(line)


def dialogues(where: str, row: Row, about: Row) -> Iterator[Row]:
    """Yield one row for each answer, the turns before it being its prompt."""
    if "conversations" in row:
        turns = [
            {"role": _role(turn), "content": str(turn.get("content", turn.get("value", "")))}
            for turn in row["conversations"]
        ]
        for i, turn in enumerate(turns):
            if turn["role"] == "assistant" and i:
                yield {**about, "id": f"{where}/{i}", "prompt": turns[:i],
                       "response": turn["content"], "family": where}  # fmt: skip
    else:
        _need(where, row, "prompt", "completion")
        yield {**about, "id": where, "instruction": row["prompt"], "response": row["completion"]}


def pairs(where: str, row: Row, about: Row) -> Iterator[Row]:
    """Yield a pair of answers to an instruction."""
    _need(where, row, "instruction", "chosen_response", "rejected_response")
    yield {**about, "id": where, "prompt": row["instruction"], "chosen": row["chosen_response"],
           "rejected": row["rejected_response"]}  # fmt: skip


def harmful(where: str, row: Row, about: Row) -> Iterator[Row]:
    """Yield a harmless and a harmful text as answers to nothing, as the source pairs them."""
    old = "non_toxic" in row or "toxic" in row
    better, worse = ("non_toxic", "toxic") if old else ("harmless", "harmful")
    _need(where, row, better, worse)
    yield {**about, "id": where, "prompt": "-", "chosen": row[better], "rejected": row[worse]}


READERS: dict[str, Callable[[str, Row, Row], Iterator[Row]]] = {
    "dialogues": dialogues,
    "pairs": pairs,
    "harmful": harmful,
}


def _role(turn: Row) -> str:
    given = str(turn.get("role", turn.get("from", "")))
    return {"human": "user", "gpt": "assistant"}.get(given, given)


def _need(where: str, row: Row, *columns: str) -> None:
    lacking = [c for c in columns if not isinstance(row.get(c), str) or not row[c].strip()]
    if lacking:
        seen = ", ".join(row) or "none"
        sys.exit(f"{where}: expected text in {', '.join(lacking)}; the columns are {seen}.")


def base(place: Path, out: Path) -> None:
    """Copy a model with the source's marks in its vocabulary and its format as chat template."""
    import torch
    from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, AutoTokenizer

    config = AutoConfig.from_pretrained(place, local_files_only=True)
    encoder = config.model_type in ("bert", "roberta")
    kind = AutoModel if encoder else AutoModelForCausalLM
    model = kind.from_pretrained(
        place, local_files_only=True, use_safetensors=True, dtype=torch.float32
    )
    tokenizer = AutoTokenizer.from_pretrained(place, local_files_only=True)
    if not encoder:
        tokenizer.add_special_tokens(
            {"bos_token": START, "sep_token": SEPARATOR, "eos_token": STOP, "pad_token": PAD}
        )
        tokenizer.chat_template = TEMPLATE
        model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
        for holder in (model.config, model.generation_config):
            holder.bos_token_id = tokenizer.bos_token_id
            holder.eos_token_id = tokenizer.eos_token_id
            holder.pad_token_id = tokenizer.pad_token_id
    model.save_pretrained(out, safe_serialization=True)
    tokenizer.save_pretrained(out)


def prepare(
    name: str, directory: Path, *, model: Path, data: Sequence[Path], licence: str
) -> list[str]:
    """Write the project, or what a reward model needs, and return the command that trains it."""
    recipe, kind, lang = names()[name], kind_of(name), lang_of(name)
    about = {"lang": lang, "origin": "translated" if lang == "pt" else "synthetic",
             "licence": licence}  # fmt: skip
    reward = recipe.parent.name == "rewards"
    if kind == "pairs" and not reward:  # how an importer of judged pairs wants them
        about.pop("origin")
    made = [out for where, row in rows_of(data) for out in READERS[kind](where, row, about)]
    if not made:
        sys.exit("expected at least one row, saw none")
    place = {"dialogues": "data/demonstrations.jsonl", "pairs": "data/pairs/pairs.jsonl"}
    target = directory / ("pairs.jsonl" if reward else place[kind])
    target.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in made)
    target.write_text(text, encoding="utf-8")
    base(model, directory / "base")
    shutil.copy(recipe, directory / ("settings.yaml" if reward else "normwright.yaml"))
    if not reward:
        return ["normwright", "run", str(directory)]
    return ["normwright", "learn", "reward", "--model", str(directory / "base"), "--data",
            str(target), "--settings", str(directory / "settings.yaml"), "--unpermitted",
            "--out", str(directory / "model")]  # fmt: skip


def main() -> None:
    """Read the arguments, make the project and say what to do next."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("name", choices=sorted(names()))
    parser.add_argument("directory", type=Path)
    parser.add_argument("--base", type=Path, required=True, help="a Hugging Face directory")
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="JSON lines")
    parser.add_argument("--licence", default="unknown", help="licence of the rows")
    given = parser.parse_args()
    if given.directory.exists() and any(given.directory.iterdir()):
        sys.exit(f"{given.directory}: expected a new or empty directory; nothing is overwritten.")
    command = prepare(
        given.name, given.directory, model=given.base, data=given.data, licence=given.licence
    )
    print(" ".join(command))


if __name__ == "__main__":
    main()
