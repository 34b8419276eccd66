"""The forms of other trainers and data sets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any, Final

from normwright.learn.forms.canonical import (
    Candidate,
    Choice,
    Item,
    Turn,
    about,
    answer,
    asked,
    messages,
    stated,
    turns,
)
from normwright.learn.forms.form import (
    Form,
    Row,
    assistant,
    best,
    chosen_first,
    has,
    no_shares,
    pair,
    plain,
    text_of,
)

# HH-RLHF: two transcripts that share all but their last answer

_SPEAKER: Final = re.compile(r"\n\n(Human|Assistant):[ ]?")
_SAID_BY: Final = {"Human": "user", "Assistant": "assistant"}


def _transcript(text: str) -> tuple[Turn, ...]:
    parts = _SPEAKER.split(text)
    if len(parts) < 3 or parts[0].strip():
        raise ValueError("expected a transcript of Human and Assistant")
    return tuple(
        Turn(_SAID_BY[who], said) for who, said in zip(parts[1::2], parts[2::2], strict=True)
    )


def _told(said: tuple[Turn, ...]) -> str:
    names = {role: name for name, role in _SAID_BY.items()}
    if any(one.role not in names for one in said):
        raise ValueError("expected turns of user and assistant, saw another: transcripts have none")
    return "".join(f"\n\n{names[one.role]}: {one.content}" for one in said)


def _read_hh(row: Row) -> Item:
    chosen, rejected = _transcript(text_of(row, "chosen")), _transcript(text_of(row, "rejected"))
    if chosen[:-1] != rejected[:-1] or {chosen[-1].role, rejected[-1].role} != {"assistant"}:
        raise ValueError("expected transcripts that differ in the last answer alone")
    return pair(plain(row, "chosen", "rejected"), chosen[:-1], chosen[-1:], rejected[-1:])


def _write_hh(item: Item) -> Iterator[dict[str, Any]]:
    for one, _, chosen, rejected in chosen_first(item):
        yield {"chosen": _told((*one.prompt, *chosen)), "rejected": _told((*one.prompt, *rejected))}


def _is_hh(row: Row) -> bool:
    return has("chosen", "rejected", no=("prompt", "messages"))(row) and str(
        row["chosen"]
    ).startswith("\n\nHuman:")


def _read_hh_prompt(row: Row) -> Item:
    known = plain(row, "prompt", "chosen", "rejected")
    said = _transcript(text_of(row, "prompt"))
    if said[-1].role == "assistant" and not said[-1].content.strip():
        said = said[:-1]
    chosen, rejected = (
        (Turn("assistant", text_of(row, name).removeprefix(" ")),)
        for name in ("chosen", "rejected")
    )
    return pair(known, said, chosen, rejected)


def _write_hh_prompt(item: Item) -> Iterator[dict[str, Any]]:
    for one, _, chosen, rejected in chosen_first(item):
        yield {"prompt": f"{_told(one.prompt)}\n\nAssistant:", "chosen": f" {answer(chosen)}",
               "rejected": f" {answer(rejected)}", **no_shares(one)}  # fmt: skip


def _is_hh_prompt(row: Row) -> bool:
    return has("prompt", "chosen", "rejected")(row) and str(row["prompt"]).startswith("\n\nHuman:")


# PKU-SafeRLHF: what is better, and what is safer

_PKU: Final = (
    "prompt", "response_0", "response_1", "is_response_0_safe", "is_response_1_safe",
    "better_response_id", "safer_response_id",
)  # fmt: skip
_CRITERIA: Final = (("better_response_id", "helpful"), ("safer_response_id", "safe"))


def _read_pku(row: Row) -> Item:
    known = plain(row, *_PKU)
    safe = [row[f"is_response_{k}_safe"] for k in (0, 1)]
    if not all(isinstance(one, bool) for one in safe):
        raise ValueError("is_response_k_safe: expected true or false")
    choices = []
    for column, criterion in _CRITERIA:
        if row[column] not in (0, 1):
            raise ValueError(f"{column}: expected 0 or 1")
        choices.append(Choice(0, 1, 1.0 - row[column], criterion=criterion))
    return replace(
        known,
        prompt=turns(text_of(row, "prompt")),
        candidates=tuple(
            Candidate(assistant(text_of(row, f"response_{k}")), safe=safe[k]) for k in (0, 1)
        ),
        choices=tuple(choices),
    )


def _write_pku(item: Item) -> Iterator[dict[str, Any]]:
    by = {one.criterion: one for one in item.choices}
    if len(item.candidates) != 2 or any(one.safe is None for one in item.candidates):
        raise ValueError("expected two answers, each known to be safe or not")
    if set(by) != {"helpful", "safe"} or any(one.share not in (0, 1) for one in by.values()):
        raise ValueError("expected which answer is more helpful, and which is safer")
    first, second = item.candidates
    yield {
        "prompt": asked(item.prompt),
        "response_0": answer(first.turns), "response_1": answer(second.turns),
        "is_response_0_safe": first.safe, "is_response_1_safe": second.safe,
        **{column: _place(by[criterion]) for column, criterion in _CRITERIA},
    }  # fmt: skip


def _place(choice: Choice) -> int:
    return choice.first if choice.share == 1 else choice.second


# Aira's rewards, TOFU, RewardBench, OpenRLHF: pairs and questions in plain columns


def _read_aira(row: Row) -> Item:
    names = ("instruction", "chosen_response", "rejected_response")
    prompt, chosen, rejected = (text_of(row, name) for name in names)
    return pair(plain(row, *names), turns(prompt), assistant(chosen), assistant(rejected))


def _write_aira(item: Item) -> Iterator[dict[str, Any]]:
    for one, _, chosen, rejected in chosen_first(item):
        yield {"instruction": asked(one.prompt), "chosen_response": answer(chosen),
               "rejected_response": answer(rejected)}  # fmt: skip


def _read_tofu(row: Row) -> Item:
    said = Candidate(assistant(text_of(row, "answer")))
    prompt = turns(text_of(row, "question"))
    return replace(plain(row, "question", "answer"), prompt=prompt, candidates=(said,))


def _write_tofu(item: Item) -> Iterator[dict[str, Any]]:
    yield {"question": asked(item.prompt), "answer": answer(best(item))}


_PAIR: Final = ("prompt", "chosen", "rejected")


def _read_plain_pair(row: Row) -> Item:
    prompt, chosen, rejected = (text_of(row, name) for name in _PAIR)
    return pair(plain(row, *_PAIR), turns(prompt), assistant(chosen), assistant(rejected))


def _write_plain_pair(item: Item) -> Iterator[dict[str, Any]]:
    for one, _, chosen, rejected in chosen_first(item):
        yield {"prompt": asked(one.prompt), "chosen": answer(chosen), "rejected": answer(rejected),
               **no_shares(one)}  # fmt: skip


def _read_input(row: Row) -> Item:
    return replace(plain(row, "input"), prompt=turns(row["input"]))


def _write_input(item: Item) -> Iterator[dict[str, Any]]:
    yield {"input": asked(item.prompt), **no_shares(item)}


# NeMo-RL: a context, and completions by rank


def _read_nemo(row: Row) -> Item:
    ranked = [(one["rank"], assistant(one["completion"])) for one in row["completions"]]
    known = plain(row, "context", "completions")
    return _ranked(replace(known, prompt=turns(row["context"])), ranked)


def _write_nemo(item: Item) -> Iterator[dict[str, Any]]:
    yield {
        "context": messages(item.prompt),
        "completions": [
            {"rank": rank, "completion": messages(said)} for rank, said in _ranks(item)
        ],
        **{n: v for n, v in item.more.items() if n == "task_name"},
    }


def _ranked(item: Item, ranked: list[tuple[Any, tuple[Turn, ...]]]) -> Item:
    """Return an item with a choice for every two answers of ranks; the lower rank is better."""
    if any(isinstance(r, bool) or not isinstance(r, int | float) for r, _ in ranked):
        raise ValueError("rank: expected a number")
    choices = tuple(
        Choice(a, b, 0.5 if ranked[a][0] == ranked[b][0] else float(ranked[a][0] < ranked[b][0]))
        for a, b in combinations(range(len(ranked)), 2)
    )
    return replace(item, candidates=tuple(Candidate(s) for _, s in ranked), choices=choices)


def _ranks(item: Item) -> Iterator[tuple[int, tuple[Turn, ...]]]:
    """Yield each answer with the number of those all prefer to it.

    Raises:
        ValueError: if the choices are no ranking, because somebody chose otherwise or not at all.
    """
    places = range(len(item.candidates))
    above = dict.fromkeys(places, 0)
    for one in item.choices:
        if one.share not in (0, 0.5, 1):
            raise ValueError("expected choices that are all for one side, or level")
        if one.share != 0.5:
            above[one.second if one.share == 1 else one.first] += 1
    shares = {(one.first, one.second): one.share for one in item.choices}
    for a, b in combinations(places, 2):
        seen = shares.get((a, b), 1 - shares[b, a] if (b, a) in shares else None)
        if seen != (0.5 if above[a] == above[b] else float(above[a] < above[b])):
            raise ValueError("expected a choice between every two answers that makes a ranking")
    for at in places:
        yield above[at], item.candidates[at].turns


# LLaMA-Factory: alpaca and sharegpt

_FROM: Final = {"human": "user", "gpt": "assistant", "system": "system"}


def _read_alpaca(row: Row) -> Item:
    known, prompt = _alpaca(row, "output")
    said = Candidate(assistant(text_of(row, "output")))
    return replace(known, prompt=prompt, candidates=(said,))


def _write_alpaca(item: Item) -> Iterator[dict[str, Any]]:
    yield {**_asked_alpaca(item.prompt), "output": answer(best(item)), **stated(item)}


def _read_alpaca_pair(row: Row) -> Item:
    known, prompt = _alpaca(row, "chosen", "rejected")
    return pair(known, prompt, assistant(text_of(row, "chosen")), assistant(row["rejected"]))


def _write_alpaca_pair(item: Item) -> Iterator[dict[str, Any]]:
    for one, _, chosen, rejected in chosen_first(item):
        yield {**_asked_alpaca(one.prompt), "chosen": answer(chosen),
               "rejected": answer(rejected), **no_shares(one)}  # fmt: skip


def _alpaca(row: Row, *names: str) -> tuple[Item, tuple[Turn, ...]]:
    """Return what a row states, and its prompt: instruction and input are one turn, by a line."""
    known = plain(row, "instruction", "input", "system", "history", *names)
    asked_ = text_of(row, "instruction")
    if row.get("input"):
        asked_ += f"\n{text_of(row, 'input')}"
    before = [Turn("system", row["system"])] if row.get("system") else []
    for question, said in row.get("history") or ():
        before += [Turn("user", question), Turn("assistant", said)]
    return known, (*before, Turn("user", asked_))


def _asked_alpaca(prompt: tuple[Turn, ...]) -> dict[str, Any]:
    said = list(prompt)
    row: dict[str, Any] = {}
    if said and said[0].role == "system":
        row["system"] = said.pop(0).content
    if [one.role for one in said] != ["user", "assistant"] * (len(said) // 2) + ["user"]:
        raise ValueError("expected user and assistant in turns, and the user last")
    history = [[a.content, b.content] for a, b in zip(said[:-1:2], said[1::2], strict=False)]
    return {"instruction": said[-1].content, "input": "", **row,
            **({"history": history} if history else {})}  # fmt: skip


def _sharegpt(value: Any) -> tuple[Turn, ...]:
    found = value if isinstance(value, list) else [value]
    if not all(isinstance(one, dict) and one.get("from") in _FROM for one in found):
        raise ValueError(f"expected turns from one of {', '.join(_FROM)}")
    return tuple(Turn(_FROM[one["from"]], text_of(one, "value")) for one in found)


def _as_sharegpt(said: tuple[Turn, ...]) -> list[dict[str, str]]:
    names = {role: name for name, role in _FROM.items()}
    return [{"from": names[one.role], "value": one.content} for one in said]


def _read_sharegpt(row: Row) -> Item:
    said = _sharegpt(row["conversations"])
    known = plain(row, "conversations")
    if said[-1].role != "assistant":
        return replace(known, prompt=said)
    return replace(known, prompt=said[:-1], candidates=(Candidate(said[-1:]),))


def _write_sharegpt(item: Item) -> Iterator[dict[str, Any]]:
    yield {"conversations": _as_sharegpt((*item.prompt, *best(item))), **stated(item)}


def _read_sharegpt_pair(row: Row) -> Item:
    known = plain(row, "conversations", "chosen", "rejected")
    sides = [_sharegpt(row[name]) for name in ("conversations", "chosen", "rejected")]
    return pair(known, *sides)


def _write_sharegpt_pair(item: Item) -> Iterator[dict[str, Any]]:
    for one, _, chosen, rejected in chosen_first(item):
        answer(chosen), answer(rejected)
        yield {"conversations": _as_sharegpt(one.prompt), "chosen": _as_sharegpt(chosen)[0],
               "rejected": _as_sharegpt(rejected)[0], **no_shares(one)}  # fmt: skip


def _read_kto(row: Row) -> Item:
    said = _sharegpt(row["conversations"])
    if said[-1].role != "assistant" or not isinstance(row["kto_tag"], bool):
        raise ValueError("expected an answer, and true or false in kto_tag")
    known = plain(row, "conversations", "kto_tag")
    return replace(known, prompt=said[:-1], candidates=(Candidate(said[-1:], good=row["kto_tag"]),))


def _write_kto(item: Item) -> Iterator[dict[str, Any]]:
    from normwright.learn.forms.trl import labelled_answers

    for one, said, good in labelled_answers(item):
        yield {"conversations": _as_sharegpt((*one.prompt, *said)), "kto_tag": good,
               **no_shares(one)}  # fmt: skip


# Axolotl


def _read_axolotl(row: Row) -> Item:
    known = plain(row, "messages", "chosen", "rejected")
    return pair(known, turns(row["messages"]), turns([row["chosen"]]), turns([row["rejected"]]))


def _write_axolotl(item: Item) -> Iterator[dict[str, Any]]:
    for one, _, chosen, rejected in chosen_first(item):
        answer(chosen), answer(rejected)
        yield {"messages": messages(one.prompt), "chosen": messages(chosen)[0],
               "rejected": messages(rejected)[0], **no_shares(one)}  # fmt: skip


def _read_nectar(row: Row) -> Item:
    ranked = [(one["rank"], assistant(text_of(one, "answer"))) for one in row["answers"]]
    known = plain(row, "prompt", "answers")
    return _ranked(replace(known, prompt=turns(row["prompt"])), ranked)


def _write_nectar(item: Item) -> Iterator[dict[str, Any]]:
    ranks = [{"answer": answer(said), "rank": float(rank + 1)} for rank, said in _ranks(item)]
    yield {"prompt": asked(item.prompt), "answers": ranks, **no_shares(item)}


# verl: what is stated goes into extra_info, and what is right into reward_model


def _read_verl(row: Row) -> Item:
    extra = row.get("extra_info") or {}
    known = about({k: v for k, v in extra.items() if v is not None})
    own = {k: row[k] for k in ("data_source", "ability", "reward_model") if row.get(k) is not None}
    return replace(known, prompt=turns(row["prompt"]), more={**known.more, **own})


def _write_verl(item: Item) -> Iterator[dict[str, Any]]:
    more = dict(item.more)
    own = {
        "data_source": more.pop("data_source", "normwright"),
        "ability": more.pop("ability", "alignment"),
        "reward_model": more.pop("reward_model", {"style": "model", "ground_truth": ""}),
    }
    yield {"prompt": messages(item.prompt), **own, "extra_info": stated(replace(item, more=more))}


# dolma and datatrove: documents


def _read_document(row: Row) -> Item:
    inside = row.get("metadata") or {}
    known = about({"id": row.get("id"), **inside})
    more = {**known.more, **({"source": row["source"]} if row.get("source") is not None else {})}
    return replace(known, text=text_of(row, "text"), more=more)


def _write_dolma(item: Item) -> Iterator[dict[str, Any]]:
    row = _document(item)
    yield {"source": "normwright", **row}


def _write_datatrove(item: Item) -> Iterator[dict[str, Any]]:
    row = _document(item)
    if "source" in row:
        row["metadata"] = {**row["metadata"], "source": row.pop("source")}
    yield row


def _document(item: Item) -> dict[str, Any]:
    if item.text is None or item.id is None:
        raise ValueError("expected a text without a prompt, with an id")
    more = dict(item.more)
    source = {"source": more.pop("source")} if "source" in more else {}
    inside = stated(replace(item, id=None, more=more))
    return {"id": item.id, "text": item.text, **source, "metadata": inside}


# Constitutional critique and revision

_CAI: Final = ("init_prompt", "init_response", "critic_prompt", "critic_response",
               "revision_prompt", "revision_response")  # fmt: skip
_BETWEEN: Final = ("critic_prompt", "critic_response", "revision_prompt")


def _read_cai(row: Row) -> Item:
    told: Mapping[str, str] = {name: text_of(row, name) for name in _CAI}
    known = plain(row, "init_prompt", "init_response", "revision_response")
    made = pair(known, turns(told["init_prompt"]), assistant(told["revision_response"]),
                assistant(told["init_response"]))  # fmt: skip
    # A model revised it and nobody was asked.
    return replace(made, origin="synthetic", process_kind="simulated")


def _write_cai(item: Item) -> Iterator[dict[str, Any]]:
    if missing := [name for name in _BETWEEN if name not in item.more]:
        raise ValueError(f"expected {', '.join(missing)}: a critique that was made")
    for one, _, chosen, rejected in chosen_first(item):
        yield {"init_prompt": asked(one.prompt), "init_response": answer(rejected),
               **{name: one.more[name] for name in _BETWEEN},
               "revision_response": answer(chosen)}  # fmt: skip


FIRST: Final = (
    Form("cai", "Critique and revision: what was said, found and said instead", has(*_CAI),
         _read_cai, _write_cai, shares=False),
    Form("pku-saferlhf", "Two answers: which is better, which is safer", has(*_PKU),
         _read_pku, _write_pku),
    Form("reward-aira", "Aira's rewards: instruction and two answers",
         has("instruction", "chosen_response", "rejected_response"), _read_aira, _write_aira,
         shares=False),
    Form("nemo-rl", "NeMo-RL: a context, completions by rank", has("context", "completions"),
         _read_nemo, _write_nemo),
    Form("hh-rlhf", "Two transcripts that differ in the last answer", _is_hh, _read_hh, _write_hh,
         shares=False),
    Form("hh-rlhf-prompt", "A transcript as prompt, two last answers", _is_hh_prompt,
         _read_hh_prompt, _write_hh_prompt, shares=False),
    Form("llama-factory-kto", "LLaMA-Factory: a conversation and whether it is good",
         has("conversations", "kto_tag"), _read_kto, _write_kto, shares=False),
    Form("llama-factory-sharegpt-preferences", "LLaMA-Factory: turns, two answers",
         has("conversations", "chosen", "rejected"), _read_sharegpt_pair, _write_sharegpt_pair,
         shares=False, suffix=".json"),
    Form("llama-factory-sharegpt", "LLaMA-Factory: a whole conversation", has("conversations"),
         _read_sharegpt, _write_sharegpt, suffix=".json"),
    Form("llama-factory-alpaca-preferences", "LLaMA-Factory: instruction, two answers",
         has("instruction", "chosen", "rejected"), _read_alpaca_pair, _write_alpaca_pair,
         shares=False, suffix=".json"),
    Form("llama-factory-alpaca", "LLaMA-Factory: instruction, input, output",
         has("instruction", "output"), _read_alpaca, _write_alpaca, suffix=".json"),
    Form("axolotl-preferences", "Axolotl: messages, two answers",
         has("messages", "chosen", "rejected"), _read_axolotl, _write_axolotl, shares=False),
    Form("axolotl-nectar", "Axolotl: a prompt, answers by rank", has("prompt", "answers"),
         _read_nectar, _write_nectar),
    Form("verl", "verl: prompts, and what is right of an answer", has("prompt", "data_source"),
         _read_verl, _write_verl, suffix=".parquet"),
    Form("tofu", "A question and its answer", has("question", "answer", only=("id",)), _read_tofu,
         _write_tofu),
    Form("dolma", "A document with its source and metadata", has("id", "text", "source"),
         _read_document, _write_dolma),
    Form("datatrove", "A document with metadata", has("id", "text", "metadata"), _read_document,
         _write_datatrove),
    Form("openrlhf-prompts", "OpenRLHF: a prompt and its label",
         has("input", "label", no=("instruction",)), _read_input, _write_input),
)  # fmt: skip
PAIRS: Final = (
    Form("openrlhf-preferences", "OpenRLHF: text, two answers, perhaps a margin",
         has("prompt", "chosen", "rejected", "margin"), _read_plain_pair, _write_plain_pair,
         shares=False),
    Form("reward-bench", "RewardBench: text, two answers", has("prompt", "chosen", "rejected"),
         _read_plain_pair, _write_plain_pair, shares=False, suffix=".json"),
)  # fmt: skip
