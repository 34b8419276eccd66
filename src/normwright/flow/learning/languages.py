"""Compare ways to teach a language of which there is little, on files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normwright.flow.extras import require_learning
from normwright.flow.tunings import Adapters, Tuning
from normwright.flow.tunings.arguments import loop_of, lora_of
from normwright.records import (
    Demonstration,
    Fault,
    InputError,
    digest_bytes,
    digest_json,
    json_rows,
)

if TYPE_CHECKING:
    from normwright.learn.languages import Taught, Translator


@dataclass(frozen=True)
class LanguagesCompared:
    """What each strategy came to."""

    language: str
    other: str
    rows: tuple[Taught, ...]
    held: dict[str, int]
    """Held-out rows, by language."""
    translation: dict[str, Any] | None
    """How good the translation is that the strategies used, where it can be told."""

    def as_json(self) -> dict[str, Any]:
        """Return it as one JSON value."""
        return {
            "language": self.language,
            "other": self.other,
            "held": self.held,
            "translation": self.translation,
            "rows": [
                {
                    "strategy": one.strategy,
                    "adapters": one.adapters,
                    "seeds": one.seeds,
                    "rows": one.rows,
                    "exact": {lang: e.model_dump(mode="json") for lang, e in one.exact.items()},
                    "nats_a_byte": {
                        lang: e.model_dump(mode="json") for lang, e in one.nats.items()
                    },
                    "gap": one.gap.model_dump(mode="json"),
                    "gain": one.gain.model_dump(mode="json"),
                    "spread_over_seeds": one.spread,
                }
                for one in self.rows
            ],
        }


def languages_compared(
    data: Path,
    held: Path,
    *,
    language: str,
    other: str,
    model: Path | None = None,
    parallel: Path | None = None,
    native: int | None = None,
    tuning: Tuning | None = None,
    adapters: Adapters | None = None,
    lora_rate: float | None = None,
    seeds: Sequence[int] = (0, 1, 2),
    strategies: Sequence[str] | None = None,
    work: Path | None = None,
    threads: int | None = None,
    max_new_tokens: int = 48,
    progress: Callable[[int, int, str], None] | None = None,
) -> LanguagesCompared:
    """Return what strategies x adapters x seeds come to on held-out rows of both languages.

    Nothing that is trained is kept, so no permit is asked for.

    Args:
        data: demonstrations of both languages, as `learn sft` reads them.
        held: rows of both languages that nothing learns from.
        language: the one of which there is little.
        other: the other.
        model: a Hugging Face directory; None is the embedded model.
        parallel: JSON lines with a text under each language's tag, from which a word-by-word
            translator learns; None leaves the strategies out that translate.
        native: rows of the language to learn from, the first ones; None takes all.
        tuning: how long and how fast; the default has equal steps for every strategy.
        adapters: the adapters' shape.
        lora_rate: learning rate of adapters; None is eight times that of all weights.
        seeds: at least three tell something of their spread.
        strategies: None has all that the files allow.
        work: where finished cells are kept, so that a killed comparison goes on.
        threads: None is one a core.
        max_new_tokens: longest answer in tokens.
        progress: told of every cell.

    Raises:
        InputError: with every fault of the files, and where held-out rows are among those learned
            from.
    """
    require_learning("Comparing languages")
    from normwright import learn
    from normwright.learn import languages as room
    from normwright.models.local import LocalModel, embedded_path, use_threads

    rows, out = learn.read_demonstrations(data), learn.read_demonstrations(held)
    scarce = [row for row in rows if row.lang == language][: native or None]
    rest = [row for row in rows if row.lang == other]
    _check(data, held, scarce, rest, out, language, other)
    translator = None if parallel is None else _translator(parallel, language, other)
    wanted = tuple(strategies or room.STRATEGIES)
    if translator is None and strategies is None:
        wanted = tuple(s for s in wanted if "translated" not in s)
    given = tuning or Tuning(steps=60, batch=16)
    use_threads(threads)
    place = model or embedded_path()
    about = digest_json({
        "data": digest_bytes(data.read_bytes()), "held": digest_bytes(held.read_bytes()),
        "parallel": None if parallel is None else digest_bytes(parallel.read_bytes()),
        "native": native, "tuning": given.model_dump(mode="json"), "rate": lora_rate,
        "adapters": (adapters or Adapters()).model_dump(mode="json"), "tokens": max_new_tokens,
        "config": digest_bytes((place / "config.json").read_bytes()), "model": str(place),
    })  # fmt: skip
    found = room.compare_languages(
        LocalModel.open(place), scarce, rest, out,
        loop=loop_of(given, seed=0),
        lora=_lora(adapters or Adapters()),
        lora_rate=lora_rate or 8 * given.lr,
        seeds=seeds, translator=translator, strategies=wanted, max_new_tokens=max_new_tokens,
        work=None if work is None else work / about[7:23], progress=progress, unpermitted=True,
    )  # fmt: skip
    return LanguagesCompared(
        language=language, other=other,
        rows=tuple(room.taught(found, out, language=language, other=other)),
        held={lang: sum(row.lang == lang for row in out) for lang in (language, other)},
        translation=_quality(translator, out, language=language, other=other),
    )  # fmt: skip


def _lora(adapters: Adapters) -> Any:
    lora = lora_of(Tuning(lora=adapters))
    assert lora is not None
    return lora


def _check(
    data: Path,
    held: Path,
    scarce: Sequence[Demonstration],
    rest: Sequence[Demonstration],
    out: Sequence[Demonstration],
    language: str,
    other: str,
) -> None:
    """Raise one error that names everything the comparison lacks."""
    faults = []
    if language == other:
        faults.append(Fault(where="languages", expected="two languages", seen=language))
    for place, name, rows in (
        (data, language, scarce),
        (data, other, rest),
        (held, language, [row for row in out if row.lang == language]),
        (held, other, [row for row in out if row.lang == other]),
    ):
        if not rows:
            faults.append(Fault(where=str(place), expected=f"rows whose `lang` is {name}",
                                seen="none"))  # fmt: skip
    learned = {(row.prompt, row.completion) for row in (*scarce, *rest)}
    if shared := sum((row.prompt, row.completion) in learned for row in out):
        faults.append(Fault(where=str(held), expected="rows that nothing learns from",
                            seen=f"{shared} that are in {data.name} too"))  # fmt: skip
    names = [(row.lang, row.scene) for row in out]
    if len(set(names)) < len(names):
        faults.append(Fault(where=str(held), expected="an `id` that is unique in its language",
                            seen=f"{len(names) - len(set(names))} that are not"))  # fmt: skip
    if faults:
        raise InputError(faults)


def _translator(parallel: Path, language: str, other: str) -> Translator:
    from normwright.learn.languages import lexical_translator

    faults: list[Fault] = []
    rows = [
        {lang: text for lang, text in row.items() if isinstance(text, str)}
        for _, row in json_rows(parallel, parallel.name, faults)
    ]
    if faults:
        raise InputError(faults)
    try:
        return lexical_translator(rows, languages=(language, other))
    except ValueError as error:
        raise InputError([
            Fault(where=str(parallel), expected=f"short texts under {language} and {other}",
                  seen=str(error))]) from error  # fmt: skip


def _quality(
    translator: Translator | None,
    held: Sequence[Demonstration],
    *,
    language: str,
    other: str,
) -> dict[str, Any] | None:
    """ChrF of the translator on the held-out requests that exist in both languages."""
    try:
        from sacrebleu.metrics.chrf import CHRF
    except ImportError:
        return None
    asked = {(row.lang, row.scene): row.prompt[-1].content for row in held}
    both = sorted(scene for lang, scene in asked if lang == other and (language, scene) in asked)
    if translator is None or not both:
        return None
    made = translator.translate(
        [asked[other, scene] for scene in both], source=other, target=language
    )
    meant = [asked[language, scene] for scene in both]
    untranslated = [asked[other, scene] for scene in both]
    chrf = CHRF()
    return {
        "chrf": round(chrf.corpus_score(made, [meant]).score, 2),
        "chrf_untranslated": round(chrf.corpus_score(untranslated, [meant]).score, 2),
        "n": len(both),
    }


__all__ = ["LanguagesCompared", "languages_compared"]
