"""Sequence classifiers small enough to be made in a test, as transformers saves them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

WORDS = ("the", "shop", "opens", "at", "nine", "ten", "when", "is", "it", "market", "rude",
         "idiot", "please", "welcome", "user", "system", "assistant", "come",
         "today", "no")  # fmt: skip


def encoder(
    folder: Path, *, labels: tuple[str, ...] = ("good",), seed: int = 0, **more: Any
) -> Path:
    """Write a BERT of one layer over a few words, with weights drawn at random."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    marks = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
    vocabulary = {w: i for i, w in enumerate((*marks, *WORDS, ":", ".", "?", ","))}
    raw = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    raw.normalizer = normalizers.Lowercase()
    raw.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    raw.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )  # fmt: skip
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]",
        sep_token="[SEP]", model_max_length=48,
    )  # fmt: skip
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=48, num_labels=len(labels),
        id2label=dict(enumerate(labels)), label2id={n: i for i, n in enumerate(labels)},
        initializer_range=0.5, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
        **more,
    )  # fmt: skip
    BertForSequenceClassification(config).eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def fitted(folder: Path, *, rude: str = "idiot", **more: Any) -> Path:
    """Write one that was fitted to score answers with a word below those without it."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    encoder(folder, **more)
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    draw = np.random.default_rng(0)
    words = [w for w in WORDS if w != rude]
    rows = [list(draw.choice(words, 2 + i % 4)) for i in range(256)]
    for i in range(0, len(rows), 2):
        rows[i][draw.integers(len(rows[i]))] = rude
    turns = ["User: when?" if i % 3 else "User: when is it?" for i in range(len(rows))]
    batch = tokenizer(turns, [" ".join(r) for r in rows], padding=True, return_token_type_ids=True,
                      return_tensors="pt")  # fmt: skip
    wanted = torch.tensor([1.0 if i % 2 else 0.0 for i in range(len(rows))])
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2)
    model.train()
    for _ in range(60):
        logits = model(**batch).logits
        margin = logits[:, 0] if logits.shape[1] == 1 else logits[:, 1] - logits[:, 0]
        loss = torch.nn.functional.binary_cross_entropy_with_logits(margin, wanted)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    model.eval().save_pretrained(folder)
    return folder


def as_onnx(folder: Path, out: Path) -> Path:
    """Write the same classifier as an ONNX graph, node for node by hand, with its tokenizer.

    The exporter of torch needs a package of its own; a graph of one layer does not.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    from transformers import AutoModelForSequenceClassification

    model = AutoModelForSequenceClassification.from_pretrained(folder)
    weights = {k: v.detach().numpy().astype(np.float32) for k, v in model.state_dict().items()}
    config = model.config
    nodes: list[Any] = []
    constants: dict[str, Any] = {}
    count = iter(range(10_000))

    def op(kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"t{next(count)}"
        nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(value: Any) -> str:
        name = f"c{next(count)}"
        constants[name] = numpy_helper.from_array(np.asarray(value), name)
        return name

    def linear(x: str, name: str) -> str:
        product = op("MatMul", x, constant(weights[f"{name}.weight"].T.copy()))
        return op("Add", product, constant(weights[f"{name}.bias"]))

    def norm(x: str, name: str) -> str:
        return op("LayerNormalization", x, constant(weights[f"{name}.weight"]),
                  constant(weights[f"{name}.bias"]), axis=-1,
                  epsilon=config.layer_norm_eps)  # fmt: skip

    heads, size = config.num_attention_heads, config.hidden_size // config.num_attention_heads
    base = "bert.embeddings"
    length = op("Gather", op("Shape", "input_ids"), constant(np.int64(1)), axis=0)
    places = op("Range", constant(np.int64(0)), length, constant(np.int64(1)))
    x = op(
        "Add",
        op(
            "Add",
            op("Gather", constant(weights[f"{base}.word_embeddings.weight"]), "input_ids"),
            op("Gather", constant(weights[f"{base}.token_type_embeddings.weight"]),
               "token_type_ids"),
        ),
        op("Gather", constant(weights[f"{base}.position_embeddings.weight"]), places),
    )  # fmt: skip
    x = norm(x, f"{base}.LayerNorm")
    seen = op("Unsqueeze", op("Cast", "attention_mask", to=TensorProto.FLOAT),
              constant(np.array([1, 2], dtype=np.int64)))  # fmt: skip
    hidden = op("Mul", op("Sub", constant(np.float32(1)), seen), constant(np.float32(-1e9)))
    layer = "bert.encoder.layer.0"

    def split(name: str) -> str:
        shape = constant(np.array([0, 0, heads, size], dtype=np.int64))
        made = op("Reshape", linear(x, f"{layer}.attention.self.{name}"), shape)
        return op("Transpose", made, perm=[0, 2, 1, 3])

    scores = op("MatMul", split("query"), op("Transpose", split("key"), perm=[0, 1, 3, 2]))
    scores = op("Add", op("Div", scores, constant(np.float32(size**0.5))), hidden)
    mixed = op("MatMul", op("Softmax", scores, axis=-1), split("value"))
    mixed = op("Reshape", op("Transpose", mixed, perm=[0, 2, 1, 3]),
               constant(np.array([0, 0, heads * size], dtype=np.int64)))  # fmt: skip
    x = norm(op("Add", linear(mixed, f"{layer}.attention.output.dense"), x),
             f"{layer}.attention.output.LayerNorm")  # fmt: skip
    inner = op("Gelu", linear(x, f"{layer}.intermediate.dense"))
    x = norm(op("Add", linear(inner, f"{layer}.output.dense"), x), f"{layer}.output.LayerNorm")
    first = op("Gather", x, constant(np.int64(0)), axis=1)
    pooled = op("Tanh", linear(first, "bert.pooler.dense"))
    logits = linear(pooled, "classifier")
    nodes.append(helper.make_node("Identity", [logits], ["logits"]))
    shape = ["batch", "tokens"]
    graph = helper.make_graph(
        nodes,
        "classifier",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64, shape)
            for name in ("input_ids", "attention_mask", "token_type_ids")
        ],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", config.num_labels])],
        list(constants.values()),
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(made)
    out.mkdir(parents=True, exist_ok=True)
    (out / "model.onnx").write_bytes(made.SerializeToString())
    for name in ("tokenizer.json", "config.json"):
        (out / name).write_bytes((folder / name).read_bytes())
    told = json.loads((out / "config.json").read_text())
    (out / "config.json").write_text(json.dumps(told))
    return out
