"""The tasks under the stock harness, in processes of its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from completions_server import completions_server
from conftest import ROOT, HarnessRun, run_lm_eval

from dfar_bench import prompts
from dfar_bench.data import LABELS, SPLITS, rows
from dfar_bench.errors import InputError
from dfar_bench.metrics import METRICS
from dfar_bench.rescore import rescore
from dfar_bench.tasks import dataset
from dfar_bench.text import fold

TASKS = ("dfar_cls", "dfar_reason", "dfar_mini_cls", "dfar_mini_reason")
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def task_manager():
    from lm_eval.tasks import TaskManager

    return TaskManager()


@pytest.mark.parametrize("name", ["dfar_mini_cls", "dfar_mini_reason"])
def test_the_yaml_says_what_the_package_says(name: str, task_manager) -> None:
    """Names, directions and order of the metrics, the stops, and the version all have their place in Python."""
    task, kind = task_manager.load([name])["tasks"][name], name.rpartition("_")[2]
    assert task.higher_is_better() == {metric.name: metric.higher_is_better for metric in METRICS[kind]}
    assert list(task.higher_is_better()) == [metric.name for metric in METRICS[kind]]
    assert set(task.aggregation()) == set(task.higher_is_better())
    assert task.VERSION == 1.0
    if kind == "reason":
        assert tuple(task.config.generation_kwargs["until"]) == prompts.STOPS
        assert task.config.generation_kwargs["do_sample"] is False
    else:
        assert task.config.doc_to_choice == list(LABELS)


def test_installed_task_files_are_those_of_the_repository() -> None:
    import lm_eval

    installed = Path(lm_eval.__file__).parent / "tasks" / "dfar_bench"
    ours = {path.name: path.read_text() for path in (ROOT / "tasks").iterdir()}
    assert {path.name: path.read_text() for path in installed.iterdir() if path.is_file()} == ours
    assert {f"{name}.yaml" for name in (*TASKS, "dfar", "dfar_mini")} <= set(ours)


@pytest.mark.parametrize(("run", "prefix", "n"), [("dummy_mini", "dfar_mini", 52), ("dummy_paper", "dfar", 500)])
def test_dummy_runs_end_to_end(run: str, prefix: str, n: int, request: pytest.FixtureRequest) -> None:
    found: HarnessRun = request.getfixturevalue(run)
    assert "NaN" not in found.results_file.read_text()
    for kind, metrics in METRICS.items():
        task = f"{prefix}_{kind}"
        assert found.results["n-samples"][task] == {"original": n, "effective": n}
        scores = found.results["results"][task]
        for metric in metrics:
            assert 0 <= scores[f"{metric.name},none"] <= 1 or metric.name == "mcc"
            assert re.search(rf"\|{metric.name} *\|", found.stdout)
        samples = found.samples(task)
        split = samples[0]["doc"]["row_id"].split("-")[0]
        assert [sample["doc"]["row_id"] for sample in samples] == [row.row_id for row in rows(split)["test"]]
        assert all({metric.name for metric in metrics} <= set(sample) for sample in samples)


def test_dummy_says_lol_which_is_no_verdict(dummy_mini: HarnessRun) -> None:
    scores = dummy_mini.results["results"]["dfar_mini_reason"]
    assert [scores[f"{name},none"] for name in ("mar", "mar_self", "unparsed", "verdict_acc")] == [1, 1, 1, 0]


def test_the_lm_eval_command_finds_the_tasks() -> None:
    listed = subprocess.run([BIN / "lm_eval", "ls", "tasks"], capture_output=True, text=True, timeout=300)
    assert listed.returncode == 0
    for name in (*TASKS, "dfar", "dfar_mini"):
        assert re.search(rf"\b{name}\b", listed.stdout)


def test_the_command_with_a_limit_and_too_few_rows_for_a_metric(tmp_path: Path) -> None:
    """Two rows hold no whole contrast group; the metric says so in the harness's words, and nothing breaks."""
    command = [BIN / "lm_eval", "--model", "dummy", "--tasks", "dfar_mini_cls", "--limit", "2"]
    done = subprocess.run([*command, "--output_path", tmp_path], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    (file,) = tmp_path.rglob("results_*.json")
    assert json.loads(file.read_text())["results"]["dfar_mini_cls"]["group_acc,none"] == "N/A"


def test_simple_evaluate() -> None:
    import lm_eval

    results = lm_eval.simple_evaluate(model="dummy", tasks=["dfar_mini"], limit=12, bootstrap_iters=0)
    assert results is not None
    assert results["n-samples"]["dfar_mini_cls"]["effective"] == 12


@pytest.fixture(scope="module")
def tiny_run(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> HarnessRun:
    """Both tasks with a real HF model, zero-shot."""
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    return run_lm_eval(folder, *hf(tiny_model), "--tasks", "dfar_mini", "--gen_kwargs", "max_gen_toks=16")


def hf(model: Path) -> list[str]:
    return [
        "--model",
        "hf",
        "--model_args",
        f"pretrained={model},dtype=float32",
        "--device",
        "cpu",
        "--batch_size",
        "8",
    ]


def test_a_huggingface_model(tiny_run: HarnessRun) -> None:
    samples = tiny_run.samples("dfar_mini_cls")
    assert len(samples) == 52
    assert samples[0]["arguments"]["gen_args_1"]["arg_1"] == " unethical"
    assert samples[0]["arguments"]["gen_args_0"]["arg_0"] == samples[0]["doc"]["prompt"]
    assert tiny_run.samples("dfar_mini_reason")[0]["arguments"]["gen_args_0"]["arg_1"]["max_gen_toks"] == 16


def test_local_completions_scores_as_the_model_behind_it(
    tiny_run: HarnessRun, tiny_model: Path, tmp_path: Path
) -> None:
    with completions_server(tiny_model) as url:
        arguments = f"model=tiny,base_url={url}/completions,num_concurrent=1"
        arguments += f",tokenizer={tiny_model},tokenizer_backend=huggingface"
        served = run_lm_eval(
            tmp_path / "served",
            *("--model", "local-completions", "--model_args", arguments, "--batch_size", "4"),
            *("--tasks", "dfar_mini", "--gen_kwargs", "max_gen_toks=16"),
        )
    for kind in METRICS:
        task = f"dfar_mini_{kind}"
        direct, remote = (run.results["results"][task] for run in (tiny_run, served))
        for metric in METRICS[kind]:
            assert remote[f"{metric.name},none"] == pytest.approx(direct[f"{metric.name},none"], abs=1e-6), metric.name
    assert signatures(served) == signatures(tiny_run)


def test_a_chat_endpoint(tiny_model: Path, tmp_path: Path) -> None:
    """The harness logs messages instead of text there, and asks for generation only."""
    with completions_server(tiny_model) as url:
        run = run_lm_eval(
            tmp_path / "chat",
            *("--model", "local-chat-completions", "--apply_chat_template", "--limit", "5"),
            *("--model_args", f"model=tiny,base_url={url}/chat/completions,num_concurrent=1"),
            *("--tasks", "dfar_mini_reason", "--gen_kwargs", "max_gen_toks=8"),
        )
    (signature,) = signatures(run)
    assert re.search(r"\|rows:5/52\.[0-9a-f]{8}\|.*\|shots:0\|chat:yes\|judge:", signature)


def signatures(run: HarnessRun) -> list[str]:
    """Of a run that re-scores to what the harness printed."""
    scored = rescore([run.folder], resamples=0)
    assert not [name for found in scored for name, score in found.scores.items() if score.differs]
    return [found.signature for found in scored]


@pytest.fixture(scope="module")
def fewshot_run(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> HarnessRun:
    folder = tmp_path_factory.mktemp("runs") / "fewshot"
    style = ("--metadata", '{"prompt": "mistral"}')
    return run_lm_eval(folder, *hf(tiny_model), "--tasks", "dfar_mini_cls", "--num_fewshot", "3", *style)


def test_fewshot_and_prompt_style(fewshot_run: HarnessRun) -> None:
    """Three answered examples stand before every row, the same for all, each exactly as in training."""
    pool = dataset(data_split="mini", task_kind="cls", prompt="mistral")["fewshot"].select(range(3))
    examples = "".join(f"{doc['prompt']} {doc['answer']}\n\n" for doc in pool)
    assert len({doc["label"] for doc in pool}) == 2
    (signature,) = signatures(fewshot_run)
    assert "|prompt:mistral.v1|mode:l|shots:3|chat:no|context:" in signature
    for sample in fewshot_run.samples("dfar_mini_cls"):
        assert sample["doc"]["prompt_style"] == "mistral.v1"
        assert sample["arguments"]["gen_args_0"]["arg_0"] == examples + sample["doc"]["prompt"]


def test_chat_template(tiny_model: Path, tmp_path: Path) -> None:
    run = run_lm_eval(
        tmp_path / "chat",
        *hf(tiny_model),
        *("--tasks", "dfar_mini", "--apply_chat_template", "--num_fewshot", "1", "--gen_kwargs", "max_gen_toks=8"),
        *("--limit", "6", "--metadata", '{"prompt": "plain"}'),
    )
    for task in ("dfar_mini_cls", "dfar_mini_reason"):
        context = run.samples(task)[0]["arguments"]["gen_args_0"]["arg_0"]
        assert context.startswith("<|user|>Is the following statement")
        assert context.endswith("<|end|><|assistant|>")
        assert context.count("<|user|>") == 2
    assert run.samples("dfar_mini_cls")[0]["arguments"]["gen_args_1"]["arg_1"] == "unethical"
    for signature in signatures(run):
        assert re.search(r"\|rows:6/52\.[0-9a-f]{8}\|.*\|shots:1\|chat:multiturn\|(judge|dfar_bench):", signature)


@pytest.mark.parametrize("split", SPLITS)
def test_fewshot_examples_never_give_a_test_row_away(split: str, request: pytest.FixtureRequest) -> None:
    if split != "mini":  # all others are made of the published files
        request.getfixturevalue("paper")
    found = dataset(data_split=split, task_kind="reason")
    tested = {fold(statement) for statement in found["test"]["statement"]}
    assert tested.isdisjoint(fold(statement) for statement in found["fewshot"]["statement"])
    assert found["fewshot"]["label"][:6] == [0, 1, 0, 1, 0, 1]
    assert found["fewshot"].num_rows == 64


def test_the_mode_can_be_asked_for() -> None:
    for mode, instruction in (("l", "without any reason"), ("lr", "with reason")):
        assert instruction in dataset(data_split="mini", task_kind="cls", mode=mode)["test"][0]["prompt"]


def test_bad_metadata_is_told() -> None:
    with pytest.raises(InputError, match="no prompt style 'gpt'"):
        dataset(data_split="mini", task_kind="cls", prompt="gpt")
    for mode in ("x", ""):
        with pytest.raises(InputError, match=f"no mode '{mode}'"):
            dataset(data_split="mini", task_kind="cls", mode=mode)
    for name in ("split", "kind", "style", "judge"):
        with pytest.raises(InputError, match=f"the metadata holds '{name}', which means nothing here"):
            dataset(data_split="mini", task_kind="cls", **{name: "x"})
    for name in ("promt", "prompt_style", "PROMPT", "modes"):
        with pytest.raises(InputError, match=f"the metadata holds '{name}', which means nothing here: did you mean"):
            dataset(data_split="mini", task_kind="cls", **{name: "mistral"})
    model_arguments = {
        "model": "m",
        "pretrained": "m",
        "tokenizer": "t",
        "dtype": "auto",
        "max_length": 9,
        "model_id": "i",
    }
    assert dataset(data_split="mini", task_kind="cls", **model_arguments)["test"].num_rows == 52


def test_without_data_the_harness_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DFAR_BENCH_DATA", raising=False)
    monkeypatch.setenv("DFAR_BENCH_CACHE", str(tmp_path))
    monkeypatch.setenv("DFAR_BENCH_URL", "http://127.0.0.1:9/")
    command = [sys.executable, "-m", "lm_eval", "--model", "dummy", "--tasks", "dfar_cls"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("dfar-bench: DFAR_trainset.csv is neither in DFAR_BENCH_DATA nor in the cache")
    assert "set DFAR_BENCH_DATA to a folder that holds the published files" in last


def test_a_wrong_prompt_is_one_sentence_too() -> None:
    command = [BIN / "lm_eval", "--model", "dummy", "--tasks", "dfar_mini_cls", "--metadata", '{"prompt": "gpt"}']
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1] == (
        "dfar-bench: there is no prompt style 'gpt': choose one of llama2, mistral, plain."
    )
