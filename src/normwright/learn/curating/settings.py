"""What curation does, as a person writes it: filters in their order, each for a norm.

```yaml
housekeeping:                 # norms of the project's own, beside those of the charter
  tidy: {en: Rows are whole, and there are no two alike., pt: As linhas estão inteiras e não se repetem.}
licence: CC-BY-4.0            # of rows that state none; left out, it is stated as unknown
origin: human                 # likewise
filters:
  - {filter: language, norm: tidy, accept: [en, pt]}
  - {filter: personal, norm: g.privacy.personal-data, action: mask}
  - {filter: duplicates, norm: tidy}
split: {shares: {train: 0.9, test: 0.1}}
```
"""  # noqa: E501

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator

from normwright.records import Frozen, Lang
from normwright.texts import KINDS

Share = Annotated[float, Field(ge=0, le=1)]
Above = Annotated[float, Field(gt=0, le=1)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class _Part(Frozen):
    """Strict types and no unknown keys."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False, use_attribute_docstrings=True)


class Filtering(_Part):
    """What every filter has."""

    filter: str
    """Which it is."""
    norm: Name
    """Id, or id@version, of the norm by which rows are removed or changed: one of the charter, or
    one of `housekeeping`. There is no removal without one."""
    columns: tuple[Name, ...] | None = None
    """Columns that are looked at; all texts of a row if left out."""


class Language(Filtering):
    """Rows in a language that was not asked for, or in another than they state."""

    filter: Literal["language"]
    accept: Annotated[tuple[Lang, ...], Field(min_length=1)]
    """Languages that stay."""
    confidence: Share = 0.5
    """Probability below which a language is undetermined."""
    undetermined: Literal["keep", "remove"] = "keep"
    """What becomes of rows that are too short to tell and state no language that stays."""


class Length(Filtering):
    """Rows that are too short or too long."""

    filter: Literal["length"]
    least: Annotated[int, Field(ge=0)] = 1
    most: Annotated[int, Field(ge=1)] | None = None
    unit: Literal["characters", "words", "tokens"] = "characters"
    """Tokens need the tokenizer of a model."""
    of: Literal["row", "each"] = "row"
    """Whether the row as a whole is measured, or each of its texts has to fit."""

    @model_validator(mode="after")
    def _in_order(self) -> Length:
        if self.most is not None and self.most < self.least:
            raise ValueError("most is less than least")
        return self


class Duplicates(Filtering):
    """Rows that repeat another; the one of human origin stays, else the first by id."""

    filter: Literal["duplicates"]
    threshold: Above = 0.8
    """Jaccard similarity of runs of five bytes from which a row repeats another."""


class Harm(Filtering):
    """Rows a reader, or a column, finds to breach the norm."""

    filter: Literal["harm"]
    reader: str | None = None
    """Directory of a reader of breaches, as the step `guard.labels` makes one."""
    score: Name | None = None
    """Column with a number from 0 to 1 in the place of a reader."""
    above: Share = 0.5
    """Score above which a row is removed."""

    @model_validator(mode="after")
    def _one_of_two(self) -> Harm:
        if (self.reader is None) == (self.score is None):
            raise ValueError("expected either a reader or the column of a score")
        return self


class Personal(Filtering):
    """What leads to a person: masked, or the row is removed."""

    filter: Literal["personal"]
    action: Literal["mask", "remove"] = "mask"
    kinds: tuple[str, ...] | None = None
    """Which kinds; all if left out."""
    names: str | None = None
    """File with names of people, one a line."""

    @field_validator("kinds")
    @classmethod
    def _known(cls, kinds: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if unknown := sorted(set(kinds or ()) - set(KINDS)):
            raise ValueError(f"there is no {', '.join(unknown)}; there are {', '.join(KINDS)}")
        return kinds


class Contamination(Filtering):
    """Rows that hold a question of a benchmark."""

    filter: Literal["contamination"]
    benchmarks: Annotated[tuple[str, ...], Field(min_length=1)]
    """Files with the items of benchmarks, or directories of such files."""
    items: Annotated[tuple[Name, ...], Field(min_length=1)] = (
        "question", "prompt", "query", "instruction", "goal", "ctx", "premise",
    )  # fmt: skip
    """Columns of an item that are looked for."""
    run: Annotated[int, Field(ge=1)] = 13
    """Words in a run."""
    share: Above = 0.5
    """Share of an item's runs that a row must have to be removed."""
    fewest: Annotated[int, Field(ge=1)] = 6
    """Words an item must have to be looked for inside a text."""

    @model_validator(mode="after")
    def _in_order(self) -> Contamination:
        if self.fewest > self.run:
            raise ValueError("fewest is more than run")
        return self


class Translation(Filtering):
    """Translations that are cut, left in the other language, or have lost something."""

    filter: Literal["translation"]
    of: Name = "translation_of"
    """Column with the id of the row that a row translates."""
    beside: tuple[Name, Name] | None = None
    """Columns of source and translation where both stand in one row; `langs` says in which
    languages they are."""
    langs: tuple[Lang, Lang] | None = None
    ignore: tuple[str, ...] = ()
    """Flaws that are noted and remove nothing."""
    ratio: tuple[float, float] = (0.5, 2.0)
    """Least and most characters of a translation for each of its source."""
    unchecked: Literal["keep", "remove"] = "remove"
    """What becomes of a translation whose source is not at hand, or has no language stated."""

    @model_validator(mode="after")
    def _together(self) -> Translation:
        if (self.beside is None) != (self.langs is None):
            raise ValueError("beside and langs go together")
        return self


class Licence(Filtering):
    """Rows under another licence than those that are allowed."""

    filter: Literal["licence"]
    accept: Annotated[tuple[Name, ...], Field(min_length=1)]
    """Licences that stay, as rows state them, whatever their capitals."""
    unknown: Literal["keep", "remove"] = "remove"
    """What becomes of rows whose licence nobody states."""


Filter = Annotated[
    Language | Length | Duplicates | Harm | Personal | Contamination | Translation | Licence,
    Field(discriminator="filter"),
]


class Splitting(_Part):
    """Into which parts the rows that are kept go; nothing similar lies in two of them."""

    shares: Annotated[dict[Name, Above], Field(min_length=2)] = {"train": 0.9, "test": 0.1}
    """Share of the rows that each part should have."""
    threshold: Above = 0.8
    """Jaccard similarity from which two prompts are of one cluster."""
    participants: bool = True
    """Whether the rows of one participant stay together."""
    seed: int = 0

    @model_validator(mode="after")
    def _whole(self) -> Splitting:
        if abs(sum(self.shares.values()) - 1) > 1e-9:
            raise ValueError("the shares do not add up to 1")
        if any(not name.replace("-", "").replace("_", "").isalnum() for name in self.shares):
            raise ValueError("a part is named by letters, digits, - and _")
        return self


class Curation(_Part):
    """What curation does to rows, in order."""

    housekeeping: dict[Name, dict[Lang, str]] = {}
    """Norms of the project's own by id, each in words: for what no charter speaks about."""
    licence: Name | None = None
    """Licence of rows that state none."""
    origin: Literal["human", "translated", "synthetic"] | None = None
    """Origin of rows that state none."""
    filters: tuple[Filter, ...] = ()
    """Filters in the order in which rows meet them."""
    split: Splitting | None = None
    """Into which parts the rows go; none if left out."""

    @field_validator("housekeeping")
    @classmethod
    def _in_words(cls, norms: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        if empty := sorted(
            n for n, said in norms.items() if not any(map(str.strip, said.values()))
        ):
            raise ValueError(f"{', '.join(empty)} says nothing")
        return norms


def settings_of(raw: Any) -> Curation:
    """Return settings from what a YAML file holds: lists become tuples, nothing else is bent."""
    return Curation.model_validate(_tupled(raw))


def _tupled(value: Any) -> Any:
    match value:
        case dict():
            return {key: _tupled(one) for key, one in value.items()}
        case list():
            return tuple(_tupled(one) for one in value)
    return value
