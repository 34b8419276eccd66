"""Where a remote model is, and how far one may go in asking it: settings, without any secret."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from normwright.records import Digest, Frozen, digest_json

Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]

NOT_SHOWN = "not_shown"
"""Kind of a validation error whose input may be a secret, so that no message repeats it."""

_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_SECRET_HEADERS = ("auth", "key", "token", "cookie", "secret", "password", "credential")
_OWN = frozenset({"model", "messages", "prompt", "max_tokens", "max_completion_tokens"}) | {
    *("temperature", "n", "seed", "stop", "stream", "echo", "logprobs")
}
"""Fields of a request that settings of their own, or the caller, decide."""


class _Part(Frozen):
    """Strict types and no unknown keys, like every part of the project file."""

    model_config = ConfigDict(
        strict=True, allow_inf_nan=False, use_attribute_docstrings=True, protected_namespaces=()
    )


class Price(_Part):
    """What the provider charges."""

    input: NotNegative
    """Price of a million tokens read."""
    output: NotNegative
    """Price of a million tokens written."""
    currency: Annotated[str, Field(min_length=1, max_length=12)]
    """In which currency, for example `EUR`."""


class Budget(_Part):
    """What may be spent on an endpoint in all, over every run of a project; null has no limit."""

    requests: Count | None = None
    """Requests that were answered or may have been charged, repetitions among them."""
    tokens: Count | None = None
    """Tokens read and written together."""
    cost: Positive | None = None
    """In the currency of the price."""


class RemoteSettings(_Part):
    """A model behind an interface that speaks as OpenAI's does."""

    url: Annotated[str, Field(min_length=1, max_length=2000)]
    """Address before `/chat/completions`, for example `https://api.example.org/v1`."""
    id: Annotated[str, Field(min_length=1, max_length=200)]
    """What the endpoint calls the model."""
    key_env: str | None = None
    """NAME of the environment variable that holds the key; the key itself stands in no file."""
    key_header: str = "Authorization"
    """Header that carries the key: as `Bearer KEY` in Authorization, bare in any other."""
    plain_http: bool = False
    """Whether `http` may be used to another machine, where all of it can be read on the way."""
    headers: dict[str, str] = {}
    """Further headers, none of which is secret."""
    extra: dict[str, Any] = {}
    """Further fields of each request, as the endpoint's manual names them."""
    length_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    """How the endpoint calls the longest answer."""
    stop: Annotated[tuple[str, ...], Field(max_length=4)] = ()
    """Texts at which an answer ends."""
    as_of: Annotated[str, Field(max_length=40)] = ""
    """Any mark, such as a date; another mark asks everything anew, because models change unseen."""
    connect_seconds: Positive = 10.0
    """Longest wait for a connection."""
    read_seconds: Positive = 60.0
    """Longest silence while an answer is awaited."""
    total_seconds: Positive = 120.0
    """Longest time for one request, from the first byte to the last."""
    concurrency: Annotated[int, Field(ge=1, le=256)] = 4
    """Requests under way at once, at most."""
    retries: Annotated[int, Field(ge=0, le=20)] = 4
    """Repetitions of a request that failed in a way that may pass."""
    wait_seconds: Positive = 60.0
    """Longest wait before a repetition; an endpoint that asks for more ends the run."""
    max_bytes: Count = 8 * 2**20
    """Largest reply that is read."""
    price: Price | None = None
    """What tokens cost; without it no cost is told."""
    budget: Budget = Budget()
    """What may be spent in all."""
    tokenizer: str | None = None
    """Directory of the model's tokenizer with its chat template: only for log-probabilities."""

    @field_validator("url")
    @classmethod
    def _address(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            parts.port  # noqa: B018 - raises where the port is no number
        except ValueError:
            raise _hidden("an address such as https://api.example.org/v1") from None
        if parts.username is not None or parts.password is not None or parts.query:
            raise _hidden("an address without user, password or query; a key comes from key_env")
        spelled = parts.scheme in ("http", "https") and parts.hostname and not parts.fragment
        if not spelled or re.search(r"[\s\x00-\x1f]", url):
            raise _hidden("an address such as https://api.example.org/v1")
        return url.rstrip("/")

    @field_validator("key_env")
    @classmethod
    def _variable(cls, name: str | None) -> str | None:
        if name is not None and not _VARIABLE.fullmatch(name):
            raise _hidden("the NAME of an environment variable, such as API_KEY, never the key")
        return name

    @field_validator("key_header")
    @classmethod
    def _key_header(cls, name: str) -> str:
        if not _HEADER.fullmatch(name):
            raise _hidden("the name of a header")
        return name

    @field_validator("headers")
    @classmethod
    def _no_secret(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if any(part in name.casefold() for part in _SECRET_HEADERS):
                raise _hidden("headers that hold no secret; a key comes from key_env")
            if not _HEADER.fullmatch(name) or not value.isascii() or not value.isprintable():
                raise _hidden("headers of printable ASCII")
        return headers

    @field_validator("extra")
    @classmethod
    def _not_ours(cls, extra: dict[str, Any]) -> dict[str, Any]:
        if taken := sorted(_OWN & set(extra)):
            raise PydanticCustomError(
                "taken", "fields that nothing else sets; {taken} is", {"taken": ", ".join(taken)}
            )
        return extra

    @model_validator(mode="after")
    def _fits_together(self) -> RemoteSettings:
        parts = urlsplit(self.url)
        if parts.scheme == "http" and not self.plain_http and not _here(parts.hostname or ""):
            raise _hidden("https to another machine, or plain_http: true where the net is trusted")
        if self.budget.cost is not None and self.price is None:
            raise _hidden("a price where the budget limits the cost")
        return self

    @property
    def endpoint(self) -> str:
        """The address without anything secret, for records and messages."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.casefold()}{parts.path}"

    @property
    def identity(self) -> Digest:
        """Digest of all that could change an answer, and of nothing else."""
        return digest_json(
            {
                "endpoint": self.endpoint,
                "model": self.id,
                "headers": self.headers,
                "extra": self.extra,
                "as_of": self.as_of,
                "stop": list(self.stop),
                "length_field": self.length_field,
            }
        )

    @property
    def about(self) -> dict[str, Any]:
        """What a record says about the model: where it is, and that nobody else can make it."""
        return {
            "endpoint": self.endpoint,
            "model": self.id,
            "as_of": self.as_of,
            "extra": self.extra,
            "weights": "unknown",
            "reproducible": False,
        }

    def is_same_model(self, other: RemoteSettings) -> bool:
        """Say whether two settings lead to the same model at the same place."""
        return (_place(self.url), self.id.casefold()) == (_place(other.url), other.id.casefold())


def _hidden(expected: str) -> PydanticCustomError:
    return PydanticCustomError(NOT_SHOWN, "{expected}", {"expected": expected})


def _here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _place(url: str) -> tuple[str, int, str]:
    parts = urlsplit(url)
    host = (parts.hostname or "").casefold()
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return "127.0.0.1" if _here(host) else host, port, parts.path.rstrip("/")
