"""Data sets with prompts of their own, asked of a tiny model by the real harness: in one turn and in several."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from harness import ROOT, evaluate

from dfar_bench.datasets import get_dataset
from dfar_bench.errors import InputError
from dfar_bench.judges import get_judge
from dfar_bench.prompts import conditions_of, find_condition, find_style
from dfar_bench.runs.compare import compare_runs
from dfar_bench.runs.evaluate import turn_by_turn
from dfar_bench.runs.log import runs_by_task
from dfar_bench.runs.rescore import rescore
from dfar_bench.runs.turns import parse_transcript

pytestmark = pytest.mark.usefixtures("paper")


@pytest.mark.parametrize("chat", [False, True])
def test_likelihoods_after_several_turns(tiny_model: Path, tmp_path: Path, chat: bool) -> None:
    model = {"model": "hf", "model_args": {"pretrained": str(tiny_model), "dtype": "float32"}, "device": "cpu"}
    how = {"metadata": {"condition": "moral_cot", "recorded": True}, "apply_chat_template": chat, "limit": 8}
    with turn_by_turn(tmp_path, "run"):
        run = evaluate(tmp_path, "moral_except_qa", **model, **how, batch_size=8)
    samples = run.samples("moral_except_qa")
    assert len(samples) == 8
    said = [parse_transcript(sample["resps"][0][0][2], turns=6) for sample in samples]
    assert said[:4] == [said[0]] * 4  # the wordings of the last question share what was said before
    assert all(0 < turn.tokens <= 60 for turns in said for turn in turns if turn.tokens is not None)
    assert {len(sample["resps"]) for sample in samples} == {8}
    (scored,) = rescore([tmp_path], resamples=0)
    assert [score.differs for score in scored.scores.values()] == [False] * len(scored.scores)
    assert scored.run.outputs[0].earlier == tuple(turn.text for turn in said[0])
    assert scored.signature.get("condition") == "moral_except_qa.moral_cot.v1"
    assert scored.signature.get("prompt") == ("messages.v1" if chat else "continued.v1")


def test_stock_harness_asks_one_turn(tmp_path: Path) -> None:
    run = evaluate(tmp_path, "moral_except_qa", "av_dilemmas", limit=12)
    (doc, *_) = [sample["doc"] for sample in run.samples("moral_except_qa")]
    assert doc["prompt"].endswith("\nAnswer:")
    assert len(doc["choices"]) == 8
    scored = rescore([tmp_path], resamples=0)
    assert [run.run.task.name for run in scored] == ["av_dilemmas", "moral_except_qa"]
    assert not any(score.differs for run in scored for score in run.scores.values())
    # What is right where labels are people's; dilemmas of vehicles have no right answers.
    runs = runs_by_task(tmp_path)
    compared = {one.task: one.mcnemar for one in compare_runs(runs, runs, get_judge(), resamples=0)}
    assert compared["av_dilemmas"] is None
    assert compared["moral_except_qa"] is not None


@pytest.mark.parametrize(
    ("metadata", "options", "message"),
    [
        ({"condition": "reason"}, {}, "moral_except_qa has no condition 'reason': choose one of direct, moral_cot."),
        ({"condition": "moral_cot"}, {}, "has 7 turns: run dfar-bench eval with the same arguments."),
        ({"prompt": "llama2"}, {}, "moral_except_qa has prompts of its own: leave out the prompt llama2."),
        ({}, {"num_fewshot": 2}, "moral_except_qa has no few-shot examples: leave out --num_fewshot 2."),
    ],
)
def test_what_it_refuses(metadata: dict[str, Any], options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message.replace("(", r"\(")):
        evaluate(tmp_path, "moral_except_qa", metadata=metadata, limit=4, **options)


def test_its_conditions_and_style_are_for_it_alone() -> None:
    dataset, mini = get_dataset("moral_except_qa"), get_dataset("mini")
    assert [*conditions_of(dataset)] == ["direct", "moral_cot"]
    assert "direct" not in conditions_of(mini)
    assert find_condition("moral_cot", dataset).signature == "moral_except_qa.moral_cot.v1"
    with pytest.raises(InputError, match="no condition"):
        find_condition("moral_cot", mini)
    with pytest.raises(InputError, match="choose another"):
        find_style("dialogue", mini)


def test_the_group_names_what_there_is() -> None:
    group = (ROOT / "tasks" / "moral_suite.yaml").read_text()
    for task in ("moral_except_qa", "moral_direction", "ethics_cm_hard_cls", "ethics_justice_hard_cls"):
        assert f"  - {task}\n" in group
