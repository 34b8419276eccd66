"""A model that is asked about texts: one behind an endpoint, or one of this machine."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from normwright.models.protocol import Model
from normwright.records import Digest, Fault, InputError, Message, MissingExtra

KEY: Final = "NORMWRIGHT_JUDGE_KEY"
"""The environment variable with the key of an endpoint; unset: it is asked without one."""
SECONDS: Final = 5.0
_KEPT: Final = 500
"""Questions after which replies that were kept are let go."""


@dataclass
class Judge:
    """A `Model` that may be asked for ever: it keeps no more than it needs, and a key in no place.

    An endpoint is asked once, without repetitions: what does not answer in time did not check.
    """

    name: str
    digest: Digest
    """Of the weights, or of everything about an endpoint that could change an answer."""
    make: Callable[[], Model]
    one_at_a_time: bool = False
    """Whether it cannot be asked by several threads."""
    _model: Model | None = field(default=None, repr=False)
    _asked: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def generate(
        self,
        prompts: Sequence[Sequence[Message]],
        *,
        max_new_tokens: int = 48,
        temperature: float = 0.0,
        n: int = 1,
        seed: int = 0,
    ) -> list[list[str]]:
        """Return `n` answers for each prompt; see `Model.generate`."""
        with self._lock:
            model = self._ready(len(prompts))
            if self.one_at_a_time:
                return model.generate(
                    prompts, max_new_tokens=max_new_tokens, temperature=temperature, n=n, seed=seed
                )
        return model.generate(
            prompts, max_new_tokens=max_new_tokens, temperature=temperature, n=n, seed=seed
        )

    def logprobs(
        self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]
    ) -> list[float]:
        """Return the log-probability of each completion; see `Model.logprobs`."""
        with self._lock:
            return self._ready(len(prompts)).logprobs(prompts, completions)

    def _ready(self, asked: int) -> Model:
        self._asked += asked
        if self._model is None or (self._asked > _KEPT and not self.one_at_a_time):
            self._model, self._asked = self.make(), asked
        return self._model


def open_judge(place: str, *, model: str | None = None, seconds: float = SECONDS) -> Judge:
    """Return a model to be asked.

    Args:
        place: the address before `/chat/completions` of an endpoint, or a directory with a model.
        model: what the endpoint calls the model; needed for one.
        seconds: longest time for one question to an endpoint.

    Raises:
        InputError: for an address, a key or a directory that cannot be used; no key is repeated.
        MissingExtra: if a directory's model cannot be run here.
    """
    if "://" in place:
        return _remote(place, model, seconds)
    if model is not None:
        raise InputError([Fault(where="--judge-model", expected="nothing beside a directory",
                                seen="a name")])  # fmt: skip
    return _local(Path(place))


def _remote(url: str, model: str | None, seconds: float) -> Judge:
    from pydantic import ValidationError

    from normwright.models.endpoint import RemoteSettings
    from normwright.models.remote import RemoteModel, check_key

    if model is None:
        raise InputError([Fault(where="--judge-model", expected="what the endpoint calls the model",
                                seen="nothing")])  # fmt: skip
    try:
        settings = RemoteSettings(
            url=url,
            id=model,
            key_env=KEY if KEY in os.environ else None,
            connect_seconds=min(seconds, 5.0),
            read_seconds=seconds,
            total_seconds=seconds,
            retries=0,
            concurrency=2,
        )
    except ValidationError as error:
        # Its input is not repeated: an address may hold a secret.
        raise InputError(
            [Fault(where="--judge", expected=one["msg"], seen="something else")
             for one in error.errors(include_input=False, include_url=False)]
        ) from None  # fmt: skip
    check_key(settings)
    return Judge(model, settings.identity, lambda: RemoteModel(settings, name=model))


def _local(path: Path) -> Judge:
    try:
        from normwright.models.local import LocalModel
    except ImportError as error:
        raise MissingExtra("A judge from its weights", "learn") from error
    from normwright.models.rewards import digest_of

    model = LocalModel.open(path)
    return Judge(model.name, digest_of(path), lambda: model, one_at_a_time=True)
