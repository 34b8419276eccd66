"""One row of every form, as its trainer or data set has it."""

from typing import Any

U = {"role": "user", "content": "Quando abre a biblioteca?"}
S = {"role": "system", "content": "Be brief."}
A = {"role": "assistant", "content": "Às nove."}
B = {"role": "assistant", "content": "Quem sabe."}
ASK = U["content"]
YES, NO = A["content"], B["content"]

ROWS: dict[str, dict[str, Any]] = {
    "canonical": {
        "id": "a", "lang": "pt", "norms": ["n@1"], "prompt": [S, U],
        "candidates": [{"messages": [A], "source": "m", "safe": True}, {"messages": [B]},
                       {"messages": [{**A, "content": "Tarde."}]}],
        "choices": [{"first": 0, "second": 1, "share": 0.7, "weight": 2.0, "group": "g"},
                    {"first": 1, "second": 2, "share": 0.5, "weight": 1.0}],
        "more": {"score": 3},
    },
    "preferences": {"prompt": ASK, "chosen": YES, "rejected": NO, "id": "a", "norms": ["n@1"],
                    "probability": 0.7, "weight": 2.0, "group": "g"},
    "demonstrations": {"prompt": [S, U], "completion": YES, "id": "a", "licence": "CC0"},
    "trl-text": {"text": "Era uma vez.", "id": "a", "lang": "pt"},
    "trl-messages": {"messages": [S, U, A], "id": "a"},
    "trl-prompts": {"prompt": ASK, "answer_key": 3},
    "trl-prompts-chat": {"prompt": [S, U]},
    "trl-completions": {"prompt": ASK, "completion": f" {YES}"},
    "trl-completions-chat": {"prompt": [S, U], "completion": [A], "tools": [{"name": "f"}]},
    "trl-preferences": {"prompt": ASK, "chosen": f" {YES}", "rejected": f" {NO}"},
    "trl-preferences-chat": {"prompt": [S, U], "chosen": [A], "rejected": [B], "margin": 0.5},
    "trl-unpaired": {"prompt": ASK, "completion": f" {YES}", "label": False},
    "trl-unpaired-chat": {"prompt": [U], "completion": [A], "label": True},
    "hh-rlhf": {
        "chosen": f"\n\nHuman: Oi\n\nAssistant: Olá\n\nHuman: {ASK}\n\nAssistant: {YES}",
        "rejected": f"\n\nHuman: Oi\n\nAssistant: Olá\n\nHuman: {ASK}\n\nAssistant: {NO}",
    },
    "hh-rlhf-prompt": {
        "prompt": f"\n\nHuman: Oi\n\nAssistant: Olá\n\nHuman: {ASK}\n\nAssistant:",
        "chosen": f" {YES}", "rejected": f" {NO}", "id": "a",
    },
    "pku-saferlhf": {
        "prompt": ASK, "response_0": YES, "response_1": NO, "is_response_0_safe": True,
        "is_response_1_safe": False, "better_response_id": 1, "safer_response_id": 0,
    },
    "reward-aira": {"instruction": ASK, "chosen_response": YES, "rejected_response": NO},
    "nemo-rl": {
        "context": [S, U],
        "completions": [{"rank": 0, "completion": [A]}, {"rank": 1, "completion": [B]}],
        "task_name": "t",
    },
    "openrlhf-preferences": {"prompt": ASK, "chosen": YES, "rejected": NO, "margin": 1.5},
    "openrlhf-prompts": {"input": ASK, "label": "nine"},
    "llama-factory-alpaca": {"instruction": ASK, "input": "", "system": "Be brief.",
                             "history": [["Oi", "Olá"]], "output": YES},
    "llama-factory-alpaca-preferences": {"instruction": ASK, "input": "", "chosen": YES,
                                         "rejected": NO},
    "llama-factory-sharegpt": {"conversations": [{"from": "human", "value": ASK},
                                                 {"from": "gpt", "value": YES}]},
    "llama-factory-sharegpt-preferences": {
        "conversations": [{"from": "system", "value": "s"}, {"from": "human", "value": ASK}],
        "chosen": {"from": "gpt", "value": YES}, "rejected": {"from": "gpt", "value": NO},
    },
    "llama-factory-kto": {"conversations": [{"from": "human", "value": ASK},
                                            {"from": "gpt", "value": YES}], "kto_tag": False},
    "axolotl-preferences": {"messages": [S, U], "chosen": A, "rejected": B},
    "axolotl-nectar": {"prompt": ASK, "answers": [{"answer": YES, "rank": 2.0},
                                                  {"answer": NO, "rank": 1.0},
                                                  {"answer": "x", "rank": 3.0}]},
    "verl": {"prompt": [U], "data_source": "d", "ability": "qa",
             "reward_model": {"style": "rule", "ground_truth": "9"},
             "extra_info": {"id": "a", "lang": "pt", "index": 4}},
    "reward-bench": {"prompt": ASK, "chosen": YES, "rejected": NO, "id": "7", "subset": "refusals"},
    "dolma": {"id": "a", "text": "Era uma vez.", "source": "books",
              "metadata": {"lang": "pt", "year": 1890}},
    "datatrove": {"id": "a", "text": "Era uma vez.", "metadata": {"licence": "CC0", "dump": "x"}},
    "cai": {"init_prompt": ASK, "init_response": NO, "critic_prompt": "Look.",
            "critic_response": "It is unkind.", "revision_prompt": "Again.",
            "revision_response": YES},
    "tofu": {"question": ASK, "answer": YES},
}  # fmt: skip
