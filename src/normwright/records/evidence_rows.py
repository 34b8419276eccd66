"""One row of evidence as anybody's evaluation writes it: a metric, counts, and what it was made on.

Rows cross the border once and become measurements; the gate decides on those alone.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Self, TypeAlias

from pydantic import ConfigDict, Field, field_validator, model_validator

from normwright.records.base import Digest, Frozen, digest_json

Count: TypeAlias = Annotated[int, Field(strict=True, ge=0, le=10**12)]
"""A whole number; `true` and `3.0` are none."""
Name: TypeAlias = Annotated[str, Field(strict=True, min_length=1, max_length=1000)]
Share: TypeAlias = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Part: TypeAlias = (
    Annotated[str, Field(strict=True, min_length=1, max_length=1000)]
    | Annotated[int, Field(strict=True)]
    | Annotated[float, Field(strict=True, allow_inf_nan=False)]
)
"""The value of one key of a slice."""


class RowCounts(Frozen):
    """Units that a row counts and should not have, such as contaminated ones."""

    k: Count
    """Hits among them."""
    n: Count
    """How many they are."""


class EvidenceRow(Frozen):
    """One number about one model: `k` hits of `n` units, or the items one by one."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    metric: Name
    """What was counted, as the criteria call it."""
    suite: Name | None = None
    """The suite the metric is of, for criteria that name a suite; else the metric's own name."""
    slice: dict[Name, Part] = {}
    """Which part: `lang`, `norm`, `env`, `context`, `examples`, `steps`, `lr`, `stage`, `noise`, or
    any other key that a criterion slices by. Empty: all of it."""
    k: Count | None = None
    """Hits: units that failed, for a rate of failures; that succeeded, for one of successes."""
    n: Count | None = None
    """Units, which are independent of each other: see `cluster`."""
    items: dict[Name, Share] | None = None
    """Value by item, 0 or 1 or between, in the place of `k` and `n`: two rows with the same items
    are compared in pairs. In a file it may be the name of a JSONL file of `{id, value}` lines."""
    clusters: dict[Name, Name] | None = None
    """The unit each item belongs to; a unit is hit if any of its items is."""
    value: Annotated[float, Field(allow_inf_nan=False)] | Name | None = None
    """A fact that no count is behind, for expressions of predicates; for example a level."""
    cluster: Annotated[str, Field(strict=True, max_length=1000)] = ""
    """What one unit is: `template`, `seed_behaviour`; empty: one answer."""
    model: Name
    """Whose row it is: the name of a control or a baseline, else of the candidate; a digest of the
    weights may follow an `@`."""
    charter: Name | None = None
    """Digest of the charter."""
    evalset: Name | None = None
    """Digest of the items that were asked."""
    judge: Name | None = None
    """Name or digest of the judge that counted; none: the check was exact."""
    guard: Name | None = None
    """Digest of the guard before the model; none: there was none."""
    protocol: Name | None = None
    """Digest of how it was measured; rows with the same one may be counted together."""
    at: datetime | None = None
    """When it was measured; in UTC where no time zone is named."""
    flagged: tuple[Name, ...] = ()
    """Ids of the units the judge flagged, so that people can be asked to look at some of them."""
    confirmed: Count | tuple[Name, ...] = 0
    """Flagged units that people found to be violations, by number or by id."""
    cleared: Count | tuple[Name, ...] = 0
    """Flagged units that people found to be none."""
    contaminated: RowCounts | tuple[Name, ...] = ()
    """What is to be left out because it was trained on: ids of items, or counts of `k` and `n`."""
    run: Name | None = None
    """The training run the model came from; every run is a candidate that was tried."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        """Refuse counts that cannot be.

        Raises:
            ValueError: with what is wrong.
        """
        if self.items is not None:
            if self.k is not None or self.n is not None:
                raise ValueError("`items`, or `k` and `n`; not both")
        elif (self.k is None) != (self.n is None):
            raise ValueError("`k` and `n` together")
        elif self.k is None and self.value is None:
            raise ValueError("`k` and `n`, or `items`, or `value`")
        if self.k is not None and self.n is not None and self.k > self.n:
            raise ValueError(f"k at most n; {self.k} of {self.n} cannot be")
        if self.clusters is not None and (
            self.items is None or set(self.items) - set(self.clusters)
        ):
            raise ValueError("`clusters` with the unit of each of the `items`")
        self._look_at_labels()
        self._look_at_contaminated()
        if self.at is not None:
            try:
                utc(self.at)
            except OverflowError as error:
                raise ValueError("a time between the ends of time") from error
        return self

    @field_validator("slice", mode="before")
    @classmethod
    def _no_slice(cls, value: object) -> object:
        """Read null as no slice, which is how some writers say it."""
        return {} if value is None else value

    def _look_at_labels(self) -> None:
        hits = self.k if self.items is None else sum(v > 0 for v in self.items.values())
        labelled = number_of(self.confirmed) + number_of(self.cleared)
        if labelled > (hits or 0):
            raise ValueError(f"labels for flags only; {labelled} labels, {hits or 0} flags")
        named = [one for one in (self.confirmed, self.cleared) if isinstance(one, tuple)]
        numbers = [one for one in (self.confirmed, self.cleared) if isinstance(one, int) and one]
        of_items = {one for each in named for one in each} <= set(self.clusters or ())
        if self.clusters is not None and (numbers or not of_items):
            raise ValueError("labels by the ids of items, because units have several")
        ids = [one for each in named for one in each]
        if len(set(ids)) < len(ids) or len(set(self.flagged)) < len(self.flagged):
            raise ValueError("each id once among `flagged`, and once among the labels")
        if self.flagged and set(ids) - set(self.flagged):
            raise ValueError("labels of units that are among `flagged`")
        if self.flagged and len(self.flagged) != (hits or 0):
            raise ValueError("as many `flagged` as there are hits")

    def _look_at_contaminated(self) -> None:
        out = self.contaminated
        if isinstance(out, RowCounts):
            k, n = self.k, self.n
            if k is None or n is None or out.k > k or out.n > n or out.n - out.k > n - k:
                raise ValueError("contaminated counts inside `k` and `n`")
            if number_of(self.confirmed) + number_of(self.cleared) > k - out.k:
                raise ValueError("no labels of contaminated units")
        elif out and self.items is None:
            raise ValueError("`items` with the ids of those that are contaminated, or counts")

    @property
    def name(self) -> str:
        """The model without its digest."""
        return self.model.partition("@")[0] or self.model

    @property
    def weights(self) -> Digest | None:
        """The digest of the model's weights, where the row has it."""
        name, _, digest = self.model.partition("@")
        if digest:
            return digest
        return name if name.startswith("sha256:") else None

    @property
    def time(self) -> str | None:
        """When it was measured, in UTC, in the one form that can be compared as text."""
        return None if self.at is None else utc(self.at)

    @property
    def digest(self) -> Digest:
        """The digest of the row's content."""
        return digest_json({"record": "EvidenceRow", **self.model_dump(mode="json")})


def number_of(labels: int | tuple[str, ...]) -> int:
    """Return how many labels there are, given as a number or one by one."""
    return labels if isinstance(labels, int) else len(labels)


def utc(moment: datetime) -> str:
    """Return a moment in UTC in one form, which sorts as text; one without a zone is in UTC.

    Raises:
        OverflowError: for moments at the very ends of time.
    """
    zoned = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return zoned.astimezone(UTC).isoformat(timespec="microseconds")
