"""Answers of a model kept in a file, so that a run that was stopped goes on where it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normwright.records import Fault, InputError, Message

if TYPE_CHECKING:
    from normwright.models import Model


class KeptAnswers:
    """A model that is not asked twice: what it answered lies in a file, a line an answer.

    The file belongs to one model: whoever names it after the model's digest never mixes two. A
    last line that a kill left half written is dropped and asked again.
    """

    def __init__(self, model: Model, path: Path, *, name: str | None = None) -> None:
        self.model = model
        self.name = model.name if name is None else name
        self.path = path
        self.asked = 0
        """Answers that had to be asked for."""
        self._known = _read(path)

    def generate(
        self,
        prompts: Sequence[Sequence[Message]],
        *,
        max_new_tokens: int = 48,
        temperature: float = 0.0,
        n: int = 1,
        seed: int = 0,
    ) -> list[list[str]]:
        """Return the model's answers, kept ones where there are any."""
        how = {"max_new_tokens": max_new_tokens, "temperature": temperature, "n": n, "seed": seed}
        keys = [_key(p, json.dumps(how, sort_keys=True)) for p in prompts]
        new = self._unknown(keys)
        if new:
            made = self.model.generate(
                [prompts[i] for i in new], max_new_tokens=max_new_tokens, temperature=temperature,
                n=n, seed=seed,
            )  # fmt: skip
            self._keep([(keys[i], texts) for i, texts in zip(new, made, strict=True)])
        return [list(self._known[key]) for key in keys]

    def logprobs(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]
    ) -> list[float]:
        """Return the model's log-probabilities, kept ones where there are any."""
        keys = [_key(p, c) for p, c in zip(prompts, completions, strict=True)]
        new = self._unknown(keys)
        if new:
            made = self.model.logprobs([prompts[i] for i in new], [completions[i] for i in new])
            self._keep([(keys[i], value) for i, value in zip(new, made, strict=True)])
        return [self._known[key] for key in keys]

    def _unknown(self, keys: Sequence[str]) -> list[int]:
        return [i for i, key in enumerate(keys) if key not in self._known]

    def _keep(self, rows: Sequence[tuple[str, Any]]) -> None:
        self.asked += len(rows)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            for key, value in rows:
                self._known[key] = value
                file.write(json.dumps([key, value]) + "\n")


def _read(path: Path) -> dict[str, Any]:
    """What is kept.

    Raises:
        InputError: if a line other than a half-written last one is no answer.
    """
    if not path.is_file():
        return {}
    whole, newline, half = path.read_text(encoding="utf-8").rpartition("\n")
    if half:
        path.write_text(whole + newline, encoding="utf-8")
    known: dict[str, Any] = {}
    faults = []
    for number, line in enumerate(whole.split("\n") if whole else (), 1):
        try:
            key, value = json.loads(line)
            known[str(key)] = value
        except (ValueError, TypeError):
            faults.append(Fault(where=f"{path}:{number}", expected="an answer that was kept",
                                seen=line[:40], do="Take the file away to ask again."))  # fmt: skip
    if faults:
        raise InputError(faults)
    return known


def _key(prompt: Sequence[Message], rest: str) -> str:
    told = "\0".join([*(f"{m.role}\0{m.content}" for m in prompt), rest])
    return hashlib.sha256(told.encode()).hexdigest()[:24]
