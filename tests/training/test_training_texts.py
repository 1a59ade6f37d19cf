"""Training texts, batches and the loss, one by one."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dfar_bench.datasets import Row, get_dataset, rows
from dfar_bench.errors import InputError
from dfar_bench.prompts import gold_answer, make_prompt, styles_of
from dfar_bench.training.collator import Collator, balance
from dfar_bench.training.examples import IGNORED, Example, drop_too_long, make_examples
from dfar_bench.training.loss import completion_nll
from dfar_bench.training.modes import MODES, train_rows
from dfar_bench.training.options import Options
from dfar_bench.training.scratch import make_tokenizer

MINI = rows("mini")["train"]


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return make_tokenizer((f"{row.statement} {row.reason}" for row in MINI), 600)


@pytest.mark.usefixtures("paper")
@pytest.mark.parametrize(
    ("dataset", "expected"),
    [("mini", "0c854e7035cc53d6"), ("paper", "8f595e6330e0b9bd"), ("clean", "446410ddb7c55d14")],
)
def test_training_texts_do_not_change(dataset: str, expected: str) -> None:
    """All texts of both modes in three styles, and the rows without leak; the committed models were trained on them."""
    texts = hashlib.sha256()
    for mode in (MODES["l"], MODES["lr"]):
        for style in ("llama2", "mistral", "plain"):
            for row in train_rows(Options(split=dataset)):
                texts.update(json.dumps([row.row_id, *mode.text(Options(prompt=style), row)]).encode())
    for row in train_rows(Options(split=dataset, drop_leaked=True)):
        texts.update(row.row_id.encode())
    assert texts.hexdigest()[:16] == expected


@pytest.mark.parametrize(("mode", "expected"), [("oeconomicus", "5c563156d2d1e93e"), ("moralis", "016a24424af959be")])
def test_texts_of_agents_do_not_change(mode: str, expected: str) -> None:
    """Strategies, and strategies with reasons."""
    texts = hashlib.sha256()
    for reasons in (False, True):
        options = Options(prompt="dialogue", reasons=reasons, split="games")
        for row in MODES[mode].rows(options):
            texts.update(json.dumps([row.row_id, *MODES[mode].text(options, row)], ensure_ascii=False).encode())
    assert texts.hexdigest()[:16] == expected


@pytest.mark.parametrize("mode", ["l", "lr"])
@pytest.mark.parametrize("style", [style.name for style in styles_of(get_dataset("mini"))])
def test_the_completion_and_the_end_are_learned(style: str, mode: str, tokenizer: Any) -> None:
    for row, example in zip(MINI[:20], make_examples(MINI[:20], MODES[mode], Options(prompt=style), tokenizer)):
        learned = [token for token, label in zip(example.input_ids, example.labels) if label != IGNORED]
        assert example.labels[-len(learned) :] == learned
        assert example.input_ids.index(tokenizer.eos_token_id) == len(example.input_ids) - 1
        assert tokenizer.decode(learned[:-1]) == f" {gold_answer(style, mode, row)}"
        shown = tokenizer.decode(example.input_ids[: -len(learned)])
        assert shown == make_prompt(style, mode, row).text


def test_the_prompt_is_learned_too_if_asked(tokenizer: Any) -> None:
    (example,) = make_examples(MINI[:1], MODES["l"], Options(prompt="llama2"), tokenizer, completion_only=False)
    assert example.labels == example.input_ids


def test_a_tokenizer_that_ends_texts_itself_ends_them_once(tokenizer: Any) -> None:
    class Ending:
        eos_token_id = tokenizer.eos_token_id

        def __call__(self, texts: list[str]) -> dict[str, list[list[int]]]:
            return {"input_ids": [[*ids, self.eos_token_id] for ids in tokenizer(texts)["input_ids"]]}

    ended = make_examples(MINI[:3], MODES["l"], Options(prompt="plain"), Ending())  # type: ignore[arg-type]
    assert ended == make_examples(MINI[:3], MODES["l"], Options(prompt="plain"), tokenizer)


def examples_of(*lengths: int) -> list[Example]:
    return [Example(Row("mini", f"row-{n}", "", 0), "p", "c", [1] * n, [1] * n) for n in lengths]


def test_rows_that_are_too_long_are_named_and_never_truncated() -> None:
    assert drop_too_long(examples_of(5, 9), None, False) == examples_of(5, 9)
    assert drop_too_long(examples_of(5, 9), 9, False) == examples_of(5, 9)
    with pytest.raises(InputError, match=r"1 of 2 training rows .* the 8 tokens .* row-9 \(9\);"):
        drop_too_long(examples_of(5, 9), 8, False)
    assert drop_too_long(examples_of(5, 9), 8, True) == examples_of(5)
    with pytest.raises(InputError, match="and 3 more"):
        drop_too_long(examples_of(*range(11, 19)), 10, True)


# Batches


def features(*texts: tuple[list[int], int]) -> list[dict[str, Any]]:
    """Token ids, and the index of the first one that is learned."""
    return [
        {"input_ids": ids, "labels": [IGNORED] * start + ids[start:], "number": number}
        for number, (ids, start) in enumerate(texts)
    ]


def test_each_text_sees_only_the_shared_prefix_and_itself() -> None:
    batch = Collator(0, share_prefix=True)(features(([7, 8, 1, 2, 9], 3), ([7, 8, 5, 9], 3)))
    assert batch["input_ids"].tolist() == [[7, 8, 1, 2, 5]]
    assert batch["position_ids"].tolist() == [[0, 1, 2, 3, 2]]
    assert batch["shift_labels"].tolist() == [[-100, -100, 2, 9, 9]]
    assert batch["attention_mask"][0, 0].int().tolist() == [
        [1, 0, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [1, 1, 1, 0, 0],
        [1, 1, 1, 1, 0],
        [1, 1, 0, 0, 1],
    ]


def test_equal_texts_count_twice() -> None:
    batch = Collator(0, share_prefix=True)(features(([7, 8, 1, 9], 2), ([7, 8, 1, 9], 2)))
    assert batch["input_ids"].tolist() == [[7, 8, 1, 8, 1]]
    assert batch["shift_labels"].tolist() == [[-100, 1, 9, 1, 9]]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 300), min_size=1, max_size=20), st.integers(1, 30))
def test_every_example_is_in_one_line(lengths: list[int], lines: int) -> None:
    balanced = balance(lengths, lines)
    assert sorted(number for line in balanced for number in line) == list(range(len(lengths)))
    assert all(balanced)


# Loss


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_loss_and_its_gradient_are_those_of_cross_entropy(
    dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dfar_bench.training.loss._CHUNK", 3 * 50)  # several parts
    torch.manual_seed(0)
    start = (torch.randn(2, 7, 50) * 4).to(dtype)
    targets = torch.randint(0, 50, (2, 7))
    targets[0, :3] = targets[1, 5:] = IGNORED
    reference = start.float().clone().requires_grad_()
    expected = torch.nn.functional.cross_entropy(reference.flatten(0, 1), targets.flatten(), reduction="sum") * 0.5
    expected.backward()
    logits = start.clone().requires_grad_()
    loss = completion_nll(logits * 1, targets) * 0.5
    loss.backward()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-6)
    assert reference.grad is not None
    assert logits.grad is not None
    tolerance = 1e-6 if dtype == torch.float32 else 4e-3
    assert logits.grad.float().sub(reference.grad).abs().max() < tolerance


def test_huge_logits_do_not_overflow_and_nan_stays_nan() -> None:
    assert completion_nll(torch.tensor([[[1e30, -1e30]]]), torch.tensor([[0]])).item() == 0
    assert completion_nll(torch.tensor([[[float("nan"), 0.0]]]), torch.tensor([[0]])).isnan()
