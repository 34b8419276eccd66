"""The card of curated rows in plain words: what they are, by which norms, what is not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from normwright.records import Lang

_WORDS: Final[Mapping[Lang, Mapping[str, str]]] = {
    "en": {
        "title": "Curated rows",
        "what": "{kept} of {seen} rows were kept, {removed} removed, and {masked} of those kept had"
        " something masked. Each removal is by a norm; `decisions.jsonl` says of every row what"
        " became of it and why, `removed.jsonl` holds what was removed, `attributes.jsonl` what was"
        " found where. `manifest.json` has the digests.",
        "norms": "By which norms",
        "norm": "Norm",
        "filter": "Filter",
        "removed": "Removed",
        "seen": "Looked at",
        "tagger": "Found by",
        "says": "What the norms say",
        "lang": "Languages, as rows state them",
        "licence": "Licences",
        "origin": "Origins",
        "split": "Parts",
        "split-what": "No two parts share a participant, a cluster of near-duplicate prompts, a"
        " family or a translation. There are {components} components; the largest has {largest} of"
        " the rows.",
        "rows": "Rows",
        "unknown": "unknown",
        "limits": "What is not known",
        "limits-what": "Filters find what they were made for: languages from a few words are often"
        " undetermined, personal data are found by patterns that put precision first, near"
        " duplicates at the threshold are overlooked in one case of 66, and no check says that a"
        " translation is right. Where a licence or an origin is unknown, nobody stated it."
        " `removed.jsonl` may hold what a norm does not want spread: keep it apart.",
    },
    "pt": {
        "title": "Linhas curadas",
        "what": "Ficaram {kept} de {seen} linhas, {removed} foram removidas, e em {masked} das que"
        " ficaram algo foi mascarado. Cada remoção tem uma norma; `decisions.jsonl` diz de cada"
        " linha o que lhe aconteceu e porquê, `removed.jsonl` tem o que foi removido,"
        " `attributes.jsonl` o que se encontrou e onde. `manifest.json` tem os resumos.",
        "norms": "Por que normas",
        "norm": "Norma",
        "filter": "Filtro",
        "removed": "Removidas",
        "seen": "Vistas",
        "tagger": "Encontrado por",
        "says": "O que dizem as normas",
        "lang": "Línguas, como as linhas declaram",
        "licence": "Licenças",
        "origin": "Origens",
        "split": "Partes",
        "split-what": "Duas partes nunca partilham um participante, um grupo de perguntas quase"
        " iguais, uma família ou uma tradução. Há {components} componentes; o maior tem {largest}"
        " das linhas.",
        "rows": "Linhas",
        "unknown": "desconhecida",
        "limits": "O que não se sabe",
        "limits-what": "Os filtros encontram aquilo para que foram feitos: com poucas palavras a"
        " língua fica muitas vezes por determinar, os dados pessoais são encontrados por padrões"
        " que põem a precisão primeiro, os quase duplicados no limiar escapam num caso em 66, e"
        " nenhuma verificação diz que uma tradução está certa. Onde a licença ou a origem é"
        " desconhecida, ninguém a declarou. `removed.jsonl` pode ter o que uma norma não quer ver"
        " espalhado: guarde-o à parte.",
    },
}
LANGUAGES: Final = tuple(_WORDS)


def card(manifest: Mapping[str, Any], lang: Lang) -> str:
    """Return the card as Markdown, from the manifest alone.

    Args:
        manifest: as it lies beside the rows.
        lang: `en` or `pt`.
    """
    say = _WORDS[lang]
    counts = {name: manifest[name] for name in ("kept", "seen", "removed", "masked")}
    parts = [f"# {say['title']}", say["what"].format(**counts)]
    if manifest["filters"]:
        heads = [say[name] for name in ("norm", "filter", "seen", "removed", "tagger")]
        rows = [[f"`{f['norm']}`", f["filter"], f["seen"], f["removed"], f["tagger"]]
                for f in manifest["filters"]]  # fmt: skip
        parts += [f"## {say['norms']}", _table(heads, rows)]
    said = {ref: text.get(lang) or next(iter(text.values())) for ref, text in
            manifest["norms"].items()}  # fmt: skip
    if said:
        lines = "\n".join(f"- `{ref}`: {_line(text)}" for ref, text in said.items())
        parts += [f"## {say['says']}", lines]
    for name in ("lang", "licence", "origin"):
        heads = [say[name], say["rows"]]
        rows = [[say["unknown"] if k == "unknown" else k, v] for k, v in manifest[name].items()]
        parts.append(_table(heads, rows))
    if manifest["split"] is not None:
        sizes = manifest["split"]
        told = say["split-what"].format(
            components=sizes["components"], largest=f"{sizes['largest']:.1%}"
        )
        table = _table([say["split"], say["rows"]], list(map(list, sizes["sizes"].items())))
        parts += [f"## {say['split']}", told, table]
    return "\n\n".join([*parts, f"## {say['limits']}", say["limits-what"]]) + "\n"


def _table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(_line(str(cell)) for cell in line)} |" for line in lines)


def _line(text: str) -> str:
    """Return a text that breaks no table."""
    return " ".join(text.replace("|", "\\|").split())
