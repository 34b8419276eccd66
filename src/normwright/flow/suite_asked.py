"""What one may say to a suite of `evaluate run`, and the models that it names, opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from normwright.records import Digest, Fault, InputError

if TYPE_CHECKING:
    from normwright.models.remote import RemoteModel

Told: TypeAlias = Callable[[int, int, str], None]
"""Called with (done, in all, what)."""


@dataclass(frozen=True)
class SuiteAsked:
    """Everything one may say to a suite; None and False are unsaid."""

    suite: str
    model: str
    """A directory, or an address that begins with http."""
    data: Path | None = None
    lang: str | None = None
    guard: Path | None = None
    limit: int | None = None
    shots: int | None = None
    examples: Path | None = None
    examples_seed: int | None = None
    scaffold: Literal["language", "stock"] | None = None
    no_controls: bool = False
    served: str | None = None
    """What an endpoint calls its model."""
    key_env: str | None = None
    judge: str | None = None
    """A directory or an address of a language model that judges written answers."""
    judge_served: str | None = None
    """What an endpoint calls the judge."""
    train: Path | None = None
    reference: Path | None = None
    likelihood: bool = False
    beta: float | None = None
    out: Path | None = None
    inspect: Path | None = None
    html: Path | None = None
    seed: int = 0
    threads: int | None = None


def opened_model(asked: SuiteAsked, *, chat: bool = False) -> tuple[Any, Digest, str]:
    """Return the model, its digest, and what it is called.

    Raises:
        InputError: if it cannot be opened, or an option does not fit where it is.
        MissingExtra: if no model can be opened here.
    """
    if asked.model.startswith(("http://", "https://")):
        far = remote_of(asked.model, served=asked.served, key_env=asked.key_env)
        return far, far.settings.identity, f"{far.settings.id} at {far.settings.endpoint}"
    said = [f"--{n.replace('_', '-')}" for n in ("served", "key_env") if getattr(asked, n)]
    if said:
        raise InputError([
            Fault(where=option, expected="a model at an address", seen=f"{asked.model} on disk")
            for option in said
        ])  # fmt: skip
    from normwright.flow.extras import require_learning

    require_learning(f"The suite {asked.suite}")
    from normwright.learn.weights import weights_digest
    from normwright.models.local import LocalModel, use_threads

    use_threads(asked.threads)
    model = LocalModel.open(Path(asked.model), chat=chat)
    return model, weights_digest(model), asked.model


def remote_of(
    url: str, *, served: str | None, key_env: str | None, tokenizer: str | None = None
) -> RemoteModel:
    """Return the model at an address; without its name, the only one that is served there.

    Args:
        url: the address.
        served: what it calls the model.
        key_env: environment variable that holds its key.
        tokenizer: directory of the model's own tokenizer, which log-probabilities need.

    Raises:
        InputError: if the address cannot be one, or it serves several models.
        RemoteError: if it does not say what it serves.
    """
    from pydantic import ValidationError

    from normwright.models.endpoint import RemoteSettings
    from normwright.models.remote import RemoteModel

    try:
        settings = RemoteSettings(url=url, id=served or "unknown", key_env=key_env,
                                  tokenizer=tokenizer)  # fmt: skip
        if served is None:
            settings = settings.model_copy(update={"id": _served(settings)})
    except ValidationError as error:
        raise InputError([
            Fault(where="--model", expected="an address such as http://127.0.0.1:8000/v1",
                  seen=str(e["msg"])) for e in error.errors()
        ]) from None  # fmt: skip
    return RemoteModel(settings, name="model")


def _served(settings: Any) -> str:
    from normwright.models.remote import served_models

    names = served_models(settings)
    if len(names) == 1:
        return names[0]
    raise InputError([
        Fault(where="--served", expected="the model that is meant"
              + (f": {', '.join(names[:8])}" if names else ""),
              seen=f"{len(names)} at {settings.endpoint}", do="Give --served NAME.")
    ])  # fmt: skip


def fresh_model(model: Any, seed: int) -> Any:
    """Return random weights of the same shape; None for what is not at hand."""
    if hasattr(model, "continuations"):
        return None
    from normwright.learn import fresh_like

    made = fresh_like(model, seed=seed)
    made.weights.to(model.weights.device)
    return made


def no_fresh(asked: SuiteAsked) -> str:
    """Return why no random weights are asked."""
    if asked.no_controls:
        return "left out by --no-controls"
    return "the weights are not at hand, so that no random ones of their shape can be made"


__all__ = [
    "SuiteAsked",
    "Told",
    "fresh_model",
    "no_fresh",
    "opened_model",
    "remote_of",
]
