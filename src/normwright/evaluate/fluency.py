"""Bits per byte of running text: what alignment cost the language itself, beside an n-gram model.

Bits per byte do not depend on a tokenizer, so that models of any vocabulary can be compared.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from normwright import stats
from normwright.models import Model
from normwright.records import Digest, Estimate, MadeBy, Measurement


class NgramBaseline:
    """A byte n-gram model, interpolated by Witten and Bell (IEEE Trans. Inf. Theory 37, 1991).

    P(b | h) = (c(h b) + t(h) P(b | h')) / (c(h) + t(h)), where t(h) counts the distinct bytes seen
    after h and h' is h without its first byte; below the empty context all 256 bytes are equal.

    Example:
        >>> NgramBaseline(3).fit(["aaaa"]).probability(b"aa", ord("a")) > 0.5
        True
    """

    def __init__(self, order: int) -> None:
        if order < 1:
            raise ValueError(f"an n-gram model has order 1 or more, not {order}")
        self.order = order
        self._after: dict[bytes, dict[int, int]] = {}
        self._seen: dict[bytes, int] = {}

    def fit(self, texts: Sequence[str]) -> NgramBaseline:
        """Count the n-grams of texts, on top of what was counted before, and return the model."""
        for text in texts:
            data = text.encode()
            for i, byte in enumerate(data):
                for length in range(min(self.order - 1, i) + 1):
                    after = self._after.setdefault(data[i - length : i], {})
                    after[byte] = after.get(byte, 0) + 1
        self._seen = {context: sum(after.values()) for context, after in self._after.items()}
        return self

    def probability(self, context: bytes, byte: int) -> float:
        """Return P(byte | context), above 0 for every byte; only the last order - 1 bytes count."""
        p = 1 / 256
        longest = min(len(context), self.order - 1)
        for length in range(longest + 1):
            history = context[len(context) - length :]
            after = self._after.get(history)
            if after is None:
                break  # A longer context cannot have been seen either.
            p = (after.get(byte, 0) + len(after) * p) / (self._seen[history] + len(after))
        return p

    def nats(self, text: str) -> float:
        """Return the negative log-probability of a text in nats."""
        data = text.encode()
        keep = self.order - 1
        return -sum(
            math.log(self.probability(data[max(0, i - keep) : i], byte))
            for i, byte in enumerate(data)
        )

    def bits_per_byte(self, texts: Sequence[str], *, window: int, seed: int) -> Estimate:
        """Return bits per byte, the context starting anew at each window as for a model."""
        pieces = [windows(t, window) for t in texts]
        return _per_byte([[self.nats(w) for w in p] for p in pieces], pieces, seed)


def bits_per_byte(
    model: Model, texts: Sequence[str], *, window: int, seed: int, batch: int = 32
) -> Estimate:
    """Return a model's bits per byte on texts, with an interval over the texts.

    Each window is scored as the assistant's turn of an empty conversation. The stop token at its
    end is part of what `Model.logprobs` sums, so the figure is a little too high, by the surprise
    of stopping there divided by the window.

    Args:
        model: what is scored.
        texts: held-out texts; a text is the unit of independence.
        window: bytes scored together; must fit the model's context.
        seed: seed of the bootstrap over texts.
        batch: windows a call.
    """
    pieces = [windows(t, window) for t in texts]
    flat = [w for p in pieces for w in p]
    nats: list[float] = []
    for start in range(0, len(flat), batch):
        part = flat[start : start + batch]
        nats += [-value for value in model.logprobs([[]] * len(part), part)]
    rest = iter(nats)
    return _per_byte([[next(rest) for _ in p] for p in pieces], pieces, seed)


def measure_bits(
    model: Model,
    baseline: NgramBaseline | None,
    texts: Mapping[str, Sequence[str]],
    *,
    role: str,
    model_digest: Digest,
    window: int = 512,
    seed: int = 0,
) -> list[Measurement]:
    """Return bits per byte per language, each beside the n-gram baseline on the same text.

    Args:
        model: what is scored.
        baseline: an n-gram model fitted on other text, or None.
        texts: held-out texts by language.
        role: role of the model.
        model_digest: what was measured.
        window: bytes scored together.
        seed: seed of the bootstrap.
    """
    out = []
    for lang, held_out in sorted(texts.items()):
        baselines = {"uniform": 8.0}
        if baseline is not None:
            value = baseline.bits_per_byte(held_out, window=window, seed=seed).value
            if value is not None:
                baselines[f"ngram-{baseline.order}"] = value
        out.append(
            Measurement(
                suite="bits-per-byte",
                metric="bits-per-byte",
                model=role,
                model_digest=model_digest,
                lang=lang,
                estimate=bits_per_byte(model, held_out, window=window, seed=seed),
                cluster="text",
                baselines=baselines,
                details={"window": window, "bytes": sum(len(t.encode()) for t in held_out)},
                made_by=MadeBy(stage="evaluate", parameters={"window": window}, seed=seed),
            )
        )
    return out


def windows(text: str, size: int) -> list[str]:
    """Return a text in pieces of at most `size` bytes, never splitting a character.

    Raises:
        ValueError: if `size` is under 4, the longest character in UTF-8.
    """
    if size < 4:
        raise ValueError(f"a window holds at least 4 bytes, not {size}")
    pieces: list[str] = []
    start = used = 0
    for i, char in enumerate(text):
        width = len(char.encode())
        if used + width > size:
            pieces.append(text[start:i])
            start, used = i, 0
        used += width
    return [*pieces, text[start:]] if text[start:] else pieces


def _per_byte(
    nats: Sequence[Sequence[float]], pieces: Sequence[Sequence[str]], seed: int
) -> Estimate:
    """Total bits over total bytes; texts are resampled whole, so the ratio is a ratio of sums."""
    sizes = [sum(len(w.encode()) for w in p) for p in pieces]
    bits = [sum(n) / math.log(2) for n in nats]
    kept = [(b, s) for b, s in zip(bits, sizes, strict=True) if s]
    if not kept:
        return Estimate(value=None, interval=None, n=0, seed=seed)
    b, s = (np.array(column, dtype=np.float64) for column in zip(*kept, strict=True))
    value = float(b.sum() / s.sum())
    if not math.isfinite(value) or len(kept) < 2:
        finite = value if math.isfinite(value) else None
        return Estimate(value=finite, interval=None, n=len(kept), seed=seed)
    drawn = np.random.default_rng(seed).multinomial(len(kept), np.full(len(kept), 1 / len(kept)),
                                                    size=2000)  # fmt: skip
    ratios = (drawn @ b) / (drawn @ s)
    return Estimate(value=value, interval=stats.percentile_interval(ratios), n=len(kept), seed=seed)
