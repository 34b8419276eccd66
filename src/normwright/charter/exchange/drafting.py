"""Norms that come from elsewhere as a folder of files, which a person then works on."""

from __future__ import annotations

from datetime import date
from typing import Any

from normwright.charter.exchange.model_spec import ModelSpec, drafts_of, examples_page, norm_id
from normwright.charter.reading import ACTS, FACTS, HEAD, norm_text
from normwright.charter.writing import as_yaml
from normwright.records import CharterHead, Lang, Vocabulary


def model_spec_files(spec: ModelSpec, *, authority: str, lang: Lang, on: date) -> dict[str, bytes]:
    """Return a charter of drafts as files: one a section, its examples beside it, the vocabulary.

    Args:
        spec: the document.
        authority: the organisation that takes the drafts up, as a slug.
        lang: the language the document is written in.
        on: the day of the import.

    Raises:
        InputError: if the charter has no words in that language.
    """
    norms, acts = drafts_of(spec, authority=authority, lang=lang, on=on)
    head = CharterHead(id="model-spec", languages=(lang,))
    found = vocabulary_files(Vocabulary(acts=acts, facts=()), head)
    for section, norm in zip(spec.sections, norms, strict=True):
        found[f"{section.level}/{norm.id}.yaml"] = norm_text(norm).encode("utf-8")
        if section.examples:
            found[f"examples/{norm_id(section)}.md"] = examples_page(section).encode("utf-8")
    return found


def vocabulary_files(vocabulary: Vocabulary, head: CharterHead) -> dict[str, bytes]:
    """Return the files of a charter that are no norms: its head, acts, facts and axioms."""
    acts = [_plain(act) for act in vocabulary.acts]
    facts: dict[str, Any] = {"facts": [_plain(fact) for fact in vocabulary.facts]}
    if vocabulary.axioms:
        facts["axioms"] = [_plain(axiom) for axiom in vocabulary.axioms]
    return {
        HEAD: as_yaml({"schema": head.spec, "id": head.id, **_plain(head)}).encode(),
        ACTS: as_yaml({"acts": acts}).encode(),
        FACTS: as_yaml(facts).encode(),
    }


def _plain(record: Any) -> dict[str, Any]:
    body: dict[str, Any] = record.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return body
