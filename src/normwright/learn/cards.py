"""The card of a model in plain words, in English and Portuguese: its directory's README.md.

It says what the run itself knows: rows, right, languages, licences, recipe, figures, limits.
What the model does is not known from its training, and the card says so.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from normwright.records import Digest, Fault, ModelRef, json_rows

UNKNOWN: Final = "unknown"
"""What stands for a column that a row leaves out; it is never taken for a value."""


@dataclass(frozen=True)
class RowsFacts:
    """What the rows say of themselves: how many, and of each column how often each value."""

    rows: int
    languages: Mapping[str, int]
    licences: Mapping[str, int]
    origins: Mapping[str, int]
    norms: Mapping[str, int]


def rows_facts(path: Path) -> RowsFacts:
    """Return what the rows of a file say of themselves."""
    faults: list[Fault] = []
    return facts_of([row for _, row in json_rows(path, path.name, faults)])


def facts_of(rows: Sequence[Mapping[str, Any]]) -> RowsFacts:
    """Return what rows say of themselves, by the names of the public contract."""

    def counted(column: str) -> dict[str, int]:
        return dict(Counter(str(row.get(column, UNKNOWN)) for row in rows).most_common())

    norms = Counter(str(n) for row in rows for n in _listed(row.get("norms")))
    return RowsFacts(
        len(rows), counted("lang"), counted("licence"), counted("origin"), dict(norms.most_common())
    )


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()


_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "title": "Model card",
        "what": "What this is",
        "is": "A language model of {parameters} parameters, made by the recipe `{recipe}`"
        " (role: {role}).",
        "from": "It was trained from the model `{base}`.",
        "reference": "That model is also the reference its training held on to.",
        "other": "Its training held on to another model, the reference `{reference}`.",
        "right": "By what right it was trained",
        "permit": "Under the permit `{permit}`. The permit says who may use the model for what.",
        "none": "**Without a permit.** No release mode is open to it or to models made from it.",
        "rows": "What it was trained on",
        "count": "{rows} rows, file digest `{data}`.",
        "languages": "Languages",
        "licences": "Licences of the rows",
        "origins": "Origin of the rows",
        "norms": "Norms the rows name",
        "how": "How it was trained",
        "figures": "What training logged",
        "figures-note": "These figures come from the training itself, not from an evaluation.",
        "machine": "Hardware: {processor}, {world} process(es), precision {precision}.",
        "limits": "Limits",
        "limit": "What the model does was not measured here. It can repeat what its rows contain,"
        " and it may lose abilities of the model it was made from. Evaluate it before any use.",
        "unlicensed": "{n} of {rows} rows do not say under which licence they stand:"
        " sharing the model may need a right nobody has shown.",
        "unspoken": "{n} of {rows} rows do not say their language.",
        "use": "How to load it",
        "exact": "Exact settings and digests: `run.json`; hardware: `hardware.json`.",
    },
    "pt": {
        "title": "Ficha do modelo",
        "what": "O que é isto",
        "is": "Um modelo de linguagem com {parameters} parâmetros, feito com a receita `{recipe}`"
        " (papel: {role}).",
        "from": "Foi treinado a partir do modelo `{base}`.",
        "reference": "Esse modelo é também a referência a que o treino se manteve preso.",
        "other": "O treino manteve-se preso a outro modelo, a referência `{reference}`.",
        "right": "Com que direito foi treinado",
        "permit": "Sob a permissão `{permit}`. Ela diz quem pode usar o modelo e para quê.",
        "none": "**Sem permissão.** Nenhum modo de liberação está aberto a ele nem aos modelos"
        " feitos dele.",
        "rows": "Com que dados foi treinado",
        "count": "{rows} linhas, resumo do arquivo `{data}`.",
        "languages": "Línguas",
        "licences": "Licenças das linhas",
        "origins": "Origem das linhas",
        "norms": "Normas que as linhas nomeiam",
        "how": "Como foi treinado",
        "figures": "O que o treino registrou",
        "figures-note": "Estes números vêm do próprio treino, não de uma avaliação.",
        "machine": "Equipamento: {processor}, {world} processo(s), precisão {precision}.",
        "limits": "Limites",
        "limit": "O que o modelo faz não foi medido aqui. Ele pode repetir o que há nas linhas e"
        " perder capacidades do modelo de que foi feito. Avalie-o antes de qualquer uso.",
        "unlicensed": "{n} de {rows} linhas não dizem sob que licença estão: compartilhar o modelo"
        " pode exigir um direito que ninguém mostrou.",
        "unspoken": "{n} de {rows} linhas não dizem a sua língua.",
        "use": "Como abrir",
        "exact": "Configuração e resumos exatos: `run.json`; equipamento: `hardware.json`.",
    },
}


def model_card(
    ref: ModelRef,
    facts: RowsFacts,
    *,
    notes: Sequence[str] = (),
    hardware: Mapping[str, Any] | None = None,
    reference: Digest | None = None,
) -> str:
    """Return the card as Markdown: its head for machines, then English, then Portuguese.

    Args:
        ref: the model.
        facts: what its rows say of themselves.
        notes: what whoever uses the model has to know.
        hardware: what it was trained on.
        reference: the model that training held on to, if there was one.
    """
    given = (ref, facts, notes, hardware, reference)
    return "\n".join([_head(ref, facts), *(_body(_WORDS[lang], *given) for lang in ("en", "pt"))])


def _head(ref: ModelRef, facts: RowsFacts) -> str:
    """What a model hub reads: languages that are known, and no licence that nobody gave."""
    known = [lang for lang in facts.languages if lang not in (UNKNOWN, "und")]
    lines = ["---", *(["language:", *(f"- {lang}" for lang in known)] if known else [])]
    kind = "text-classification" if ref.name == "reward" else "text-generation"
    lines += ["library_name: transformers", f"pipeline_tag: {kind}", "tags:", "- normwright",
              f"- {ref.recipe}", "---", ""]  # fmt: skip
    return "\n".join(lines)


def _body(
    say: Mapping[str, str],
    ref: ModelRef,
    facts: RowsFacts,
    notes: Sequence[str],
    hardware: Mapping[str, Any] | None,
    reference: Digest | None,
) -> str:
    number = f"{ref.parameters:,}" if ref.parameters is not None else "?"
    lines = [f"# {say['title']}", "", f"## {say['what']}", "",
             say["is"].format(parameters=number, recipe=ref.recipe, role=ref.name)]  # fmt: skip
    if ref.base is not None:
        lines.append(say["from"].format(base=ref.base))
    if reference is not None:
        own = "reference" if reference == ref.base else "other"
        lines.append(say[own].format(reference=reference))
    barred = ref.permit is None or ref.unpermitted
    right = say["none"] if barred else say["permit"].format(permit=ref.permit)
    data = ", ".join(ref.data)
    lines += ["", f"## {say['right']}", "", right, "", f"## {say['rows']}", "",
              say["count"].format(rows=facts.rows, data=data), ""]  # fmt: skip
    lines += [
        f"- {say[name]}: {_shares(getattr(facts, name))}"
        for name in ("languages", "licences", "origins", "norms")
        if getattr(facts, name)
    ]
    lines += ["", f"## {say['how']}", ""]
    lines += [f"- `{name}`: {json.dumps(value)}" for name, value in ref.settings.items()]
    if hardware is not None:
        lines += ["", say["machine"].format(**hardware)]
    lines += ["", f"## {say['figures']}", "", say["figures-note"], ""]
    lines += [f"- {name}: {value:.4g}" for name, value in ref.metrics.items()]
    lines += ["", f"## {say['limits']}", "", say["limit"]]
    lines += [f"- {one}" for one in (*_gaps(say, facts), *notes)]
    code = "AutoModelForSequenceClassification" if ref.name == "reward" else "AutoModelForCausalLM"
    lines += ["", f"## {say['use']}", "", "```python", f"from transformers import {code}",
              f"model = {code}.from_pretrained(\".\")", "```", "", say["exact"], ""]  # fmt: skip
    return "\n".join(lines)


def _shares(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({count})" for name, count in list(counts.items())[:12])


def _gaps(say: Mapping[str, str], facts: RowsFacts) -> list[str]:
    """What the rows do not say, as limits."""
    found = []
    for key, counts in (("unlicensed", facts.licences), ("unspoken", facts.languages)):
        missing = counts.get(UNKNOWN, 0) + counts.get("und", 0)
        if missing:
            found.append(say[key].format(n=missing, rows=facts.rows))
    return found
