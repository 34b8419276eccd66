"""Model Spec markdown as drafts: each section with an authority becomes a norm not in force.

Such a document says in prose what an assistant is to do. A section has a heading that ends in
`{#slug authority=level}`; `[^key]` in its text points to a file of examples. What kind of norm a
section is, which act it is about and when it applies, the prose does not tell a machine. So a draft
has the reserved act `undetermined`, and the kind that can block nothing, until a person decides.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from normwright.charter.invariants import UNDETERMINED
from normwright.charter.wording import say
from normwright.norms.vocabulary import NULL_ACT, near
from normwright.records import ActType, Fault, InputError, Lang, Layer, Norm, Source

Level: TypeAlias = Literal["root", "system", "developer", "user", "guideline"]
"""Who stands behind a section, the strongest first."""

LEVELS: tuple[Level, ...] = get_args(Level)

OVERRIDDEN: Mapping[Level, tuple[tuple[Layer, ...], Literal["explicit", "implicit"]]] = {
    "root": ((), "explicit"),
    "system": ((), "explicit"),
    "developer": (("organisation",), "explicit"),
    "user": (("organisation", "individual"), "explicit"),
    "guideline": (("organisation", "individual"), "implicit"),
}
"""Which layers may override a section of each level, and whether they must say so."""

REVIEW = timedelta(days=365)
"""A draft is to be looked at within a year of its import."""

_HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*$")
_ATTRIBUTES = re.compile(r"^(.*?)\s*\{([^{}]*)\}$")
_FENCE = re.compile(r"^\s*(~{3,}|`{3,})")
_FOOTNOTE = re.compile(r"\[\^([A-Za-z0-9_-]+)\](?!:)")
_REFERENCE = re.compile(r"\[([^\]]*)\]\(#([A-Za-z0-9_-]+)\)")
_EXAMPLE = re.compile(r"^\*\*Examples?\*\*:?\s*(.*)$")


@dataclass(frozen=True)
class Example:
    """One example conversation, as it was written."""

    title: str
    text: str
    key: str | None = None
    """Key of the footnote it hangs on; None: it stands in the section itself."""


@dataclass(frozen=True)
class Section:
    """One section with an authority."""

    slug: str
    title: str
    level: Level
    line: int
    above: tuple[str, ...]
    """Titles of the headings it stands under."""
    text: str
    """Its prose, without examples and footnote marks."""
    examples: tuple[Example, ...] = ()
    keys: tuple[str, ...] = ()
    """Keys of its footnotes."""


@dataclass(frozen=True)
class ModelSpec:
    """A document read: its sections, and what did not fit together."""

    name: str
    sections: tuple[Section, ...]
    missing: tuple[str, ...] = ()
    """Footnote keys without a file of examples."""
    unused: tuple[str, ...] = ()
    """Files of examples that no footnote names."""

    @property
    def levels(self) -> dict[str, int]:
        """How many sections stand behind each authority."""
        return {level: sum(s.level == level for s in self.sections) for level in LEVELS}


def read_model_spec(path: Path, *, examples: Path | None = None) -> ModelSpec:
    """Return the sections of a document with their examples.

    Args:
        path: the markdown file, plain or `.gz`.
        examples: the folder of example files, `<key>.md` each; None: `examples` beside the file.

    Raises:
        InputError: with every heading whose slug or authority is amiss, or if there is no section.
    """
    faults: list[Fault] = []
    text = _text(path)
    titles: dict[str, str] = {}
    sections = list(_sections(text.splitlines(), path.name, titles, faults))
    if not sections and not faults:
        expected = "headings like: ## Title {#id authority=user}"
        faults.append(Fault(where=path.name, expected=expected, seen="none"))
    if faults:
        raise InputError(faults)
    folder = path.parent / "examples" if examples is None else examples
    return _with_examples(path.name, sections, titles, folder)


def drafts_of(
    spec: ModelSpec, *, authority: str, lang: Lang, on: date
) -> tuple[tuple[Norm, ...], tuple[ActType, ...]]:
    """Return a draft for each section, and the acts that the drafts need.

    The level of a section is kept in its source, and who may override it in the draft's own terms.
    All drafts stand at the layer of an organisation, whoever issued the document: it binds nobody
    else, and what binds everybody is not decided by one company.

    Args:
        spec: the document.
        authority: the organisation that takes the drafts up, as a slug.
        lang: the language the document is written in.
        on: the day of the import.

    Raises:
        InputError: if the charter has no words in that language.
    """
    norms = tuple(_draft(s, spec, authority, lang, on) for s in spec.sections)
    acts = (
        ActType(name=NULL_ACT, label=say("act_decline", (lang,))),
        ActType(name=UNDETERMINED, label=say("act_undetermined", (lang,))),
    )
    return norms, acts


def examples_page(section: Section) -> str:
    """Return the examples of a section as a page, for whoever writes cases from them."""
    parts = [f"# {section.title}"]
    for one in section.examples:
        origin = f" [^{one.key}]" if one.key else ""
        parts.append(f"## {one.title or section.title}{origin}\n\n{one.text}")
    return "\n\n".join(parts) + "\n"


def norm_id(section: Section) -> str:
    """Return the id of a section's draft: `model-spec.no-lies` for `no_lies`."""
    slug = re.sub(r"[^a-z0-9]+", "-", section.slug.lower()).strip("-")
    return f"model-spec.{slug}"


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
        return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
    except (OSError, EOFError) as error:
        seen = getattr(error, "strerror", None) or str(error)
        raise InputError([Fault(where=str(path), expected="a readable file",
                                seen=str(seen))]) from error  # fmt: skip
    except UnicodeDecodeError as error:
        raise InputError([Fault(where=str(path), expected="UTF-8 text",
                                seen=f"byte {error.start} is not")]) from error  # fmt: skip


@dataclass
class _Open:
    """A section being read."""

    slug: str
    title: str
    level: Level
    line: int
    above: tuple[str, ...]
    lines: list[str] = field(default_factory=list)


def _sections(
    lines: list[str], name: str, titles: dict[str, str], faults: list[Fault]
) -> Iterator[Section]:
    """Yield the sections in order; a heading with a slug ends the one before."""
    reading: _Open | None = None
    path: dict[int, str] = {}
    fence = ""
    for number, line in enumerate(lines, start=1):
        fence = _fenced(line, fence)
        heading = None if fence else _HEADING.match(line)
        marked = heading and _ATTRIBUTES.match(heading[2])
        if heading is None or not marked:
            if reading is not None:
                reading.lines.append(line)
            continue
        if reading is not None:
            yield _closed(reading)
        depth = len(heading[1])
        path = {level: title for level, title in path.items() if level < depth}
        reading = _opened(marked, f"{name}:{number}", number, tuple(path.values()), titles, faults)
        path[depth] = marked[1]
    if reading is not None:
        yield _closed(reading)


def _fenced(line: str, fence: str) -> str:
    """The fence that is open after a line: a `#` inside one is no heading."""
    mark = _FENCE.match(line)
    if mark is None:
        return fence
    if not fence:
        return mark[1]
    return "" if mark[1].startswith(fence) and not line.strip().strip(fence[0]) else fence


def _opened(
    marked: re.Match[str],
    where: str,
    line: int,
    above: tuple[str, ...],
    titles: dict[str, str],
    faults: list[Fault],
) -> _Open | None:
    """A section begun by its heading; None for a heading that only groups others."""
    words = marked[2].split()
    slug = next((word[1:] for word in words if word.startswith("#")), "")
    level = next((word.partition("=")[2] for word in words if word.startswith("authority=")), None)
    if slug and slug in titles:
        faults.append(Fault(where=where, expected="each slug once", seen=f"#{slug} again"))
    titles[slug] = marked[1]
    if level is None:
        return None
    level = level.strip("\"'")
    if not slug:
        faults.append(Fault(where=where, expected="a slug such as {#no_lies authority=user}",
                            seen=marked[2]))  # fmt: skip
    for known in LEVELS:
        if known == level:
            return _Open(slug, marked[1], known, line, above)
    faults.append(Fault(where=where, expected=f"authority: one of {', '.join(LEVELS)}", seen=level,
                        do=near(level, LEVELS)))  # fmt: skip
    return None


def _closed(reading: _Open) -> Section:
    prose, examples = _parted(reading.lines)
    keys = tuple(dict.fromkeys(_FOOTNOTE.findall(prose)))
    text = re.sub(r"\n{3,}", "\n\n", _FOOTNOTE.sub("", prose)).strip()
    return Section(reading.slug, reading.title, reading.level, reading.line, reading.above, text,
                   tuple(examples), keys)  # fmt: skip


def _parted(lines: list[str]) -> tuple[str, list[Example]]:
    """Prose and examples: a line `**Example**: title` with the fenced block that follows it."""
    prose: list[str] = []
    examples: list[Example] = []
    title: str | None = None
    block: list[str] = []
    fence = ""
    for line in lines:
        was, fence = fence, _fenced(line, fence)
        if title is not None and (was or fence):
            block.append(line)
            if was and not fence:
                examples.append(Example(title, "\n".join(block)))
                title, block = None, []
        elif found := _EXAMPLE.match(line):
            title = found[1].strip()
        elif line.strip() or title is None:
            prose.append(line)
    return "\n".join(prose), examples


def _with_examples(
    name: str, sections: list[Section], titles: Mapping[str, str], folder: Path
) -> ModelSpec:
    there = {p.name.removesuffix(".md"): p for p in folder.glob("*.md")} if folder.is_dir() else {}
    named = {key for section in sections for key in section.keys}
    filled = []
    for section in sections:
        more = [e for key in section.keys if key in there for e in _footnoted(there[key], key)]
        filled.append(replace(section, text=_referred(section.text, titles),
                              examples=(*section.examples, *more)))  # fmt: skip
    return ModelSpec(name, tuple(filled), missing=tuple(sorted(named - set(there))),
                     unused=tuple(sorted(set(there) - named)))  # fmt: skip


def _footnoted(path: Path, key: str) -> list[Example]:
    """The examples of a file; one without fences is an example as a whole."""
    text = _text(path)
    found = _parted(text.splitlines())[1]
    return [replace(e, key=key) for e in found] or [Example("", text.strip(), key)]


def _referred(text: str, titles: Mapping[str, str]) -> str:
    """`[?](#slug)` as the title it points to."""

    def named(match: re.Match[str]) -> str:
        shown = match[1] if match[1] not in ("", "?") else titles.get(match[2], match[2])
        return f"“{shown}”"

    return _REFERENCE.sub(named, text)


def _draft(section: Section, spec: ModelSpec, authority: str, lang: Lang, on: date) -> Norm:
    layers, mode = OVERRIDDEN[section.level]
    place = " > ".join((*section.above, section.title))
    sources = [Source(kind="document", ref=f"{spec.name}, line {section.line}: {place}"
                      f" (#{section.slug}, authority {section.level})", retrieved=on)]  # fmt: skip
    if section.examples:
        sources.append(Source(kind="document", ref=f"examples/{norm_id(section)}.md"
                              f" ({len(section.examples)})", retrieved=on))  # fmt: skip
    return Norm(
        id=norm_id(section),
        kind="ideal",
        layer="organisation",
        authority=authority,
        tier="revisable",
        act=UNDETERMINED,
        review_by=on + REVIEW,
        overridable_by=layers,
        override_mode=mode,
        statement={lang: _statement(section)},
        rationale={lang: section.text} if section.text else {},
        translation={lang: "original"},
        source=tuple(sources),
        status="draft",
    )


def _statement(section: Section) -> str:
    """The title, with the first paragraph of prose that is no remark."""
    paragraphs = [p.strip() for p in section.text.split("\n\n")]
    first = next((p for p in paragraphs if p and not p.startswith(("!!!", "    ", "#", ">"))), "")
    title = section.title.rstrip(".")
    return f"{title}. {' '.join(first.split())}" if first else f"{title}."
