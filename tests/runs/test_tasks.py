"""The tasks in the harness: found, configured, asked and scored as the package says."""

from __future__ import annotations

import logging
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from completions_server import completions_server
from harness import ROOT, HarnessRun, evaluate
from lm_eval.api.registry import register_model
from lm_eval.models.dummy import DummyLM

from dfar_bench.datasets import rows
from dfar_bench.errors import InputError
from dfar_bench.prompts import STOPS, gold_completion, make_prompt
from dfar_bench.runs.documents import documents
from dfar_bench.runs.rescore import rescore
from dfar_bench.runs.task_files import task_files, write_task_files
from dfar_bench.scoring import KINDS, Signature, find_task
from dfar_bench.text import normalize

LM_EVAL = Path(sys.executable).parent / "lm_eval"


def signatures(run: HarnessRun) -> list[Signature]:
    """Of a run that re-scores to what the harness printed."""
    scored = rescore([run.folder], resamples=0)
    assert not [name for task in scored for name, score in task.scores.items() if score.differs]
    return [task.signature for task in scored]


def load(name: str, **metadata: Any) -> Any:
    from lm_eval.tasks import TaskManager

    manager = TaskManager(include_path=str(ROOT / "tasks"), include_defaults=False, metadata=metadata)
    return manager.load([name])["tasks"][name]


def test_task_files_are_generated_and_installed(tmp_path: Path) -> None:
    import lm_eval

    expected = task_files()
    for folder in (ROOT / "tasks", Path(lm_eval.__file__).parent / "tasks" / "dfar_bench"):
        assert {path.name: path.read_text() for path in folder.glob("*")} == expected, f"make tasks; install: {folder}"
    (tmp_path / "own.yaml").write_text("task: own\n")
    (tmp_path / "gone_cls.yaml").write_text(expected["dfar_cls.yaml"])
    write_task_files(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"own.yaml", *expected}


def test_the_stock_command_line(tmp_path: Path) -> None:
    """In two processes at once, as the harness indexes thousands of tasks first: a run, and the list of tasks."""
    arguments = ("--model", "dummy", "--tasks", "dfar_mini", "--log_samples", "--output_path")
    processes = [
        subprocess.Popen([LM_EVAL, *command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for command in ((*arguments, tmp_path), ("ls", "tasks"))
    ]
    printed, listed = (process.communicate(timeout=1800)[0] for process in processes)
    assert [process.returncode for process in processes] == [0, 0]
    assert len(signatures(HarnessRun(tmp_path))) == 2
    for metric in (*KINDS["cls"].metrics, *KINDS["reason"].metrics):
        assert len(re.findall(rf"\|{metric.name} *\|", printed)) == 1
    for name in task_files():
        assert re.search(rf"\b{name.removesuffix('.yaml')}\b", listed)


@pytest.mark.parametrize(("run", "name"), [("dummy_mini", "mini"), ("dummy_paper", "paper")])
def test_every_row_gets_every_metric(run: str, name: str, request: pytest.FixtureRequest) -> None:
    harness_run: HarnessRun = request.getfixturevalue(run)
    assert "NaN" not in harness_run.results_file.read_text()
    test = rows(name)["test"]
    results = harness_run.results
    for task, printed in results["results"].items():
        if task not in results["configs"]:
            continue  # the group
        metrics = find_task(task).kind.metrics
        assert results["n-samples"][task] == {"original": len(test), "effective": len(test)}
        assert results["higher_is_better"][task] == {metric.name: metric.higher_is_better for metric in metrics}
        assert results["versions"][task] == 2.0
        assert all(0 <= printed[f"{metric.name},none"] <= 1 or metric.name == "mcc" for metric in metrics)
        samples = harness_run.samples(task)
        assert [sample["doc"]["row_id"] for sample in samples] == [row.row_id for row in test]
        assert all({metric.name for metric in metrics} <= set(sample) for sample in samples)


def test_the_dummy_model_says_lol_which_is_not_a_verdict(dummy_mini: HarnessRun) -> None:
    printed = dummy_mini.results["results"]["dfar_mini_reason"]
    assert [printed[f"{name},none"] for name in ("mar", "mar_self", "unparsed", "verdict_acc")] == [1, 1, 1, 0]


def test_two_rows_hold_no_contrast_group(tmp_path: Path) -> None:
    """The metric says so in the harness's words, and nothing breaks."""
    run = evaluate(tmp_path, "dfar_mini_cls", limit=2)
    assert run.results["results"]["dfar_mini_cls"]["group_acc,none"] == "N/A"
    signatures(run)


@pytest.mark.usefixtures("paper")
def test_clean_split_and_ethos(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        run = evaluate(tmp_path, "dfar_clean", "ethos")
    assert caplog.text.count("content warning: ETHOS consists of online comments") == 2  # once for each of its tasks
    clean_cls, clean_reason, ethos_cls, ethos_reason = map(str, signatures(run))
    assert clean_cls.startswith("dfar|data:clean|task:cls|")
    assert ethos_cls.startswith("dfar|data:ethos|task:cls|")
    assert "|reference:none|" in ethos_reason
    assert not [signature for signature in (clean_cls, clean_reason, ethos_cls) if "reference:" in signature]
    assert run.results["results"]["ethos_reason"]["gold_copy,none"] == 0
    sample = run.samples("ethos_cls")[0]
    assert sample["doc"]["shares"] == list(rows("ethos")["test"][0].shares)


@pytest.fixture(scope="module")
def hf(tiny_model: Path) -> dict[str, Any]:
    """Options that run the tiny model in the harness."""
    model_args = {"pretrained": str(tiny_model), "dtype": "float32"}
    return {"model": "hf", "model_args": model_args, "device": "cpu", "batch_size": 8}


@pytest.fixture(scope="module")
def tiny_run(hf: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> HarnessRun:
    return evaluate(tmp_path_factory.mktemp("tiny"), "dfar_mini", gen_kwargs="max_gen_toks=16", **hf)


def test_what_a_model_is_asked(tiny_run: HarnessRun) -> None:
    sample = tiny_run.samples("dfar_mini_cls")[0]
    row = rows("mini")["test"][0]
    prompt = make_prompt("llama2", "label", row).text
    assert [sample["arguments"][f"gen_args_{n}"] for n in (0, 1)] == [
        {"arg_0": prompt, "arg_1": " ethical"},
        {"arg_0": prompt, "arg_1": " unethical"},
    ]
    sample = tiny_run.samples("dfar_mini_reason")[0]
    generation = {"until": list(STOPS), "do_sample": False, "max_gen_toks": 16}
    prompt = make_prompt("llama2", "reason", row).text
    assert sample["arguments"]["gen_args_0"] == {"arg_0": prompt, "arg_1": generation}
    assert " " + sample["target"] == gold_completion("llama2", "reason", row)


def test_api_models_score_as_the_model_behind_them(tiny_run: HarnessRun, tiny_model: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"model": "tiny", "num_concurrent": 1}
    tokenizer = {"tokenizer": str(tiny_model), "tokenizer_backend": "huggingface"}
    with completions_server(tiny_model) as url:
        served = evaluate(
            tmp_path / "completions",
            "dfar_mini",
            model="local-completions",
            model_args={**options, **tokenizer, "base_url": f"{url}/completions"},
            batch_size=4,
            gen_kwargs="max_gen_toks=16",
        )
        chat = evaluate(
            tmp_path / "chat",
            "dfar_mini_reason",
            model="local-chat-completions",
            model_args={**options, "base_url": f"{url}/chat/completions"},
            apply_chat_template=True,
            gen_kwargs="max_gen_toks=8",
            limit=5,
        )
    for task in ("dfar_mini_cls", "dfar_mini_reason"):
        assert served.results["results"][task] == pytest.approx(tiny_run.results["results"][task], abs=1e-6)
    assert [s.comparable() for s in signatures(served)] == [s.comparable() for s in signatures(tiny_run)]
    (signature,) = signatures(chat)  # where the harness logs messages instead of text
    assert re.search(r"\|rows:5/52\.[0-9a-f]{8}\|.*\|prompt:chat\.v1\|.*\|shots:0\|chat:yes\|judge:", str(signature))


def test_few_shot_examples_and_prompt_style(hf: dict[str, Any], tmp_path: Path) -> None:
    """Three answered examples precede every row, the same for all, each exactly as in training."""
    run = evaluate(tmp_path, "dfar_mini_cls", num_fewshot=3, metadata={"prompt": "mistral"}, limit=8, **hf)
    pool = documents(find_task("dfar_mini_cls"), "mistral", "label")["fewshot"][:3]
    examples = "".join(f"{doc['prompt']} {doc['answer']}\n\n" for doc in pool)
    (signature,) = signatures(run)
    assert "|prompt:mistral.v1|condition:label|shots:3|chat:no|context:" in str(signature)
    for sample in run.samples("dfar_mini_cls"):
        assert sample["doc"]["prompt_style"] == "mistral.v1"
        assert sample["arguments"]["gen_args_0"]["arg_0"] == examples + sample["doc"]["prompt"]


def test_chat_template(hf: dict[str, Any], tmp_path: Path) -> None:
    options = {"apply_chat_template": True, "num_fewshot": 1, "gen_kwargs": "max_gen_toks=8", "limit": 6}
    run = evaluate(tmp_path, "dfar_mini", metadata={"prompt": "plain"}, **options, **hf)
    for task in ("dfar_mini_cls", "dfar_mini_reason"):
        context = run.samples(task)[0]["arguments"]["gen_args_0"]["arg_0"]
        assert context.startswith("<|user|>Is the following statement")
        assert context.endswith("<|end|><|assistant|>")
        assert context.count("<|user|>") == 2
    assert run.samples("dfar_mini_cls")[0]["arguments"]["gen_args_1"]["arg_1"] == "unethical"
    for signature in signatures(run):
        assert re.search(r"\|rows:6/52\.[0-9a-f]{8}\|.*\|shots:1\|chat:multiturn\|(judge|dtype):", str(signature))


def with_template(model: Path, folder: Path, template: str) -> Path:
    """Copy a model, with another chat template."""
    shutil.copytree(model, folder)
    (folder / "chat_template.jinja").write_text(template)
    return folder


TURNS = "{% for m in messages %}<|user|>{{ m.content }}<|end|>{% endfor %}"
OPENS_THOUGHT = TURNS + "<|assistant|>{% if enable_thinking is not defined or enable_thinking %}<think>\n{% endif %}"
NO_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}" + TURNS


def test_the_prompt_of_chat_models_is_the_default_under_a_chat_template(hf: dict[str, Any], tmp_path: Path) -> None:
    options = {"apply_chat_template": True, "gen_kwargs": "max_gen_toks=8", "limit": 3, **hf}
    run = evaluate(tmp_path / "default", "dfar_mini", **options)
    row = rows("mini")["test"][0]
    for task, condition in (("dfar_mini_cls", "label"), ("dfar_mini_reason", "reason")):
        (sample, *_) = run.samples(task)
        assert sample["doc"]["prompt_style"] == "chat.v1"
        asked = sample["arguments"]["gen_args_0"]["arg_0"]
        assert asked == f"<|user|>{make_prompt('chat', condition, row).text}<|end|><|assistant|>"
    assert [run.samples("dfar_mini_cls")[0]["arguments"][f"gen_args_{n}"]["arg_1"] for n in (0, 1)] == [
        *("Ethical", "Unethical")
    ]
    generation = {"until": [], "do_sample": False, "max_gen_toks": 8}
    assert run.samples("dfar_mini_reason")[0]["arguments"]["gen_args_0"]["arg_1"] == generation
    assert run.results["configs"]["dfar_mini_reason"]["generation_kwargs"] == generation
    signatures(run)
    chosen = evaluate(tmp_path / "chosen", "dfar_mini_cls", metadata={"prompt": "llama2"}, **options)
    assert chosen.samples("dfar_mini_cls")[0]["doc"]["prompt_style"] == "llama2.v1"


def test_a_template_without_a_system_role(tiny_model: Path, tmp_path: Path) -> None:
    model = with_template(tiny_model, tmp_path / "model", NO_SYSTEM)
    run = evaluate(
        tmp_path / "out", "dfar_mini_cls", model="hf", model_args={"pretrained": str(model)}, device="cpu",
        apply_chat_template=True, system_instruction="Be fair.", limit=2,
    )  # fmt: skip
    assert run.samples("dfar_mini_cls")[0]["arguments"]["gen_args_0"]["arg_0"].startswith("<|user|>Is the following")


def test_a_model_that_thinks(tiny_model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """No verdict can follow an opened thought; a written answer that never leaves it is cut off."""
    model = with_template(tiny_model, tmp_path / "model", OPENS_THOUGHT)
    options = {"model": "hf", "device": "cpu", "apply_chat_template": True, "limit": 3}
    thinking = {"pretrained": str(model)}
    with pytest.raises(InputError, match=r"dfar_mini_cls: the chat template opens a thought.*: use dfar_mini_reason"):
        evaluate(tmp_path / "cls", "dfar_mini_cls", model_args=thinking, **options)
    run = evaluate(tmp_path / "reason", "dfar_mini_reason", model_args=thinking, gen_kwargs="max_gen_toks=8", **options)
    (result,) = rescore([run.folder], resamples=0)
    assert result.codes == {"truncated": 3}
    assert result.scores["truncated"].estimate.value == result.scores["truncated"].printed == 1
    off = {**thinking, "chat_template_args": {"enable_thinking": False}}
    caplog.clear()
    evaluate(tmp_path / "off", "dfar_mini_cls", model_args=off, **options)
    assert "dfar_mini_cls: likelihoods leave no room for a thought: if the model thinks first, use" in caplog.text
    taken_off = {**thinking, "think_end_token": "</think>"}
    with pytest.raises(InputError, match="with think_end_token lm_eval logs only what follows a thought"):
        evaluate(tmp_path / "no", "dfar_mini_reason", model_args=taken_off, metadata=taken_off, **options)


def test_a_chat_endpoint_gives_no_likelihoods(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence and exit status 2, before anything is asked; the reasons go on."""
    monkeypatch.setattr(sys, "argv", ["/bin/lm_eval"])
    endpoint = {"model": "x", "base_url": "http://127.0.0.1:9/v1/chat/completions"}
    with pytest.raises(SystemExit, match="2"):
        evaluate(
            tmp_path, "dfar_mini_cls", model="local-chat-completions", model_args=endpoint, apply_chat_template=True
        )
    (sentence,) = (line for line in capsys.readouterr().err.splitlines() if line.startswith("dfar-bench: "))
    assert sentence == "dfar-bench: dfar_mini_cls: a chat endpoint gives no likelihoods: use dfar_mini_reason."


def test_several_turns_need_eval() -> None:
    with pytest.raises(InputError, match="dfar_mini_reason: review has 2 turns: run dfar-bench eval"):
        load("dfar_mini_reason", condition="review")


def test_a_thought_needs_room_before_the_answer(tmp_path: Path) -> None:
    thought = {"condition": "cot", "recorded": True}
    with pytest.raises(InputError, match="the prompt llama2 begins the answer, and in cot a thought comes first"):
        evaluate(tmp_path, "dfar_mini_reason", metadata=thought, limit=1)
    with pytest.raises(InputError, match="no example shows a thought, as cot needs: leave out --num_fewshot 2"):
        evaluate(tmp_path, "dfar_mini_reason", metadata={**thought, "prompt": "plain"}, num_fewshot=2, limit=1)


def test_ties_are_counted_and_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    @register_model("undecided")
    class Undecided(DummyLM):
        def loglikelihood(self, requests, disable_tqdm=False):
            return [(-1.0, False) for _ in requests]

    with caplog.at_level(logging.WARNING):
        run = evaluate(tmp_path, "dfar_mini_cls", model="undecided")
    printed = run.results["results"]["dfar_mini_cls"]
    assert (printed["ties,none"], printed["acc,none"], printed["balanced_acc,none"]) == (1, 0.5, 0.5)
    assert "in 52 of 52 rows the labels are exactly as likely" in caplog.text
    (result,) = rescore([tmp_path], resamples=0)
    assert not [name for name, score in result.scores.items() if score.differs]


@pytest.mark.parametrize("name", ["dfar_mini", "dfar", "dfar_clean", "ethos"])
def test_few_shot_examples_never_give_a_test_row_away(name: str, request: pytest.FixtureRequest) -> None:
    if name != "dfar_mini":
        request.getfixturevalue("paper")
    task = find_task(f"{name}_reason")
    parts = documents(task, "llama2", "reason")
    pool = parts["fewshot"]
    test = {normalize(doc["statement"]) for doc in parts["test"]}
    assert test.isdisjoint(normalize(doc["statement"]) for doc in pool)
    assert [doc["label"] for doc in pool] == [0, 1] * 32
    assert {doc["dataset"] for doc in pool} == {task.dataset.examples_from}
    assert all(doc["reason"] for doc in pool)


@pytest.mark.parametrize("metadata", [{"mode": "lr"}, {"mode": "reason"}, {"condition": "lr"}, {"condition": "reason"}])
def test_the_condition_has_an_alias(metadata: dict[str, str]) -> None:
    for name in ("dfar_mini_cls", "dfar_mini_reason"):
        doc = load(name, **metadata).test_docs()[0]
        assert doc["prompt"] == make_prompt("llama2", "reason", rows("mini")["test"][0]).text
        assert doc["condition"] == "reason"


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"prompt": "gpt"}, "there is no prompt style 'gpt': choose one of llama2, mistral, plain"),
        ({"mode": "x"}, "there is no condition 'x': choose one of label (l), reason (lr or q), cot, q_if"),
        ({"condition": ""}, "there is no condition ''"),
        ({"split": "x"}, "the metadata holds 'split', which means nothing here: choose the task of that data set"),
        ({"kind": "x"}, "the metadata holds 'kind', which means nothing here: choose the task of that kind"),
        ({"style": "x"}, "the metadata holds 'style', which means nothing here: the prompt style is called prompt"),
        ({"judge": "x"}, "use another judge, run dfar-bench rescore --judge afterwards"),
        ({"promt": "mistral"}, "the metadata holds 'promt', which means nothing here: did you mean 'prompt'?"),
        ({"prompt_style": "mistral"}, "did you mean 'prompt'?"),
        ({"PROMPT": "mistral"}, "did you mean 'prompt'?"),
        ({"modes": "l"}, "did you mean 'mode'?"),
        ({"conditon": "l"}, "did you mean 'condition'?"),
    ],
)
def test_bad_metadata(metadata: dict[str, str], message: str, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """An error for programs; for people who typed lm_eval, a sentence and exit status 2."""
    with pytest.raises(InputError, match=re.escape(message)):
        load("dfar_mini_cls", **metadata)
    monkeypatch.setattr(sys, "argv", ["/bin/lm_eval"])
    with pytest.raises(SystemExit, match="2"):
        load("dfar_mini_cls", **metadata)
    assert f"dfar-bench: {message}".split(":")[0] in capsys.readouterr().err


def test_without_data_the_error_says_what_to_do(paper: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DFAR_BENCH_DATA", raising=False)
    monkeypatch.setenv("DFAR_BENCH_CACHE", str(tmp_path))
    monkeypatch.setenv("DFAR_BENCH_URL", "http://127.0.0.1:9/")
    rows.cache_clear()
    with pytest.raises(InputError, match=r"DFAR_trainset\.csv is neither in DFAR_BENCH_DATA nor in the cache"):
        load("dfar_cls")


def test_model_arguments_among_the_metadata_are_not_ours() -> None:
    others = {"model": "m", "pretrained": "m", "tokenizer": "t", "dtype": "auto", "max_length": 9, "model_id": "i"}
    assert len(load("dfar_mini_cls", **others).test_docs()) == 52
