"""``dfar-bench eval`` as people mistype it: one sentence, status 2, and nothing left to go on from."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import ROOT
from lm_eval.tasks import TaskManager

from dfar_bench.cli.main import main
from dfar_bench.cli.options import BAD_INPUT

TASK = ["--tasks", "dfar_mini_reason"]
DUMMY = ["--model", "dummy", *TASK, "--limit", "2"]
NO_SERVER = ["--model_args", "model=x,base_url=http://127.0.0.1:9/v1/chat/completions,max_retries=1"]


@pytest.fixture(autouse=True)
def our_tasks_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Index our tasks only; to index all takes 13 seconds."""
    monkeypatch.chdir(tmp_path)  # where nothing must be left
    index = TaskManager.__init__

    def index_ours(manager: TaskManager, **options: object) -> None:
        index(manager, **{**options, "include_path": str(ROOT / "tasks"), "include_defaults": False})

    monkeypatch.setattr(TaskManager, "__init__", index_ours)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "dummy"], "no task is named: add --tasks, such as --tasks dfar_clean_reason."),
        (["--model", "dummy", "--tasks", "dfar_x"], "lm_eval: Tasks not found: dfar_x."),
        (["--model", "none", *TASK], "lm_eval: Attempted to load model 'none', but no model for this name found!"),
        (["--model", "vllm", *TASK], "this needs the package vllm: pip install vllm."),
        (["--config", "/no.yaml"], "Config file not found: /no.yaml"),
        ([*DUMMY, "--samples", '{"dfar_mini_reason": [1]}'], "lm_eval: If --samples is not None, then --limit must be"),
        ([*DUMMY, "--num_fewshot", "65"], "--num_fewshot 65: mini has 64 few-shot examples."),
        ([*DUMMY, "--metadata", '{"condition": "q_if"}'], "the metadata holds 'condition': say it by --condition"),
        ([*DUMMY, "--metadata", "mode=l"], "the metadata holds 'mode': say it by --condition instead."),
        ([*DUMMY, "--gen_kwargs", "max_tokens=9"], "--gen_kwargs max_tokens: the limit on tokens is set by max_gen_"),
        ([*DUMMY, "--condition", "nothing"], "there is no condition 'nothing'"),
        ([*DUMMY, "--use_cache", "x"], "--use_cache does not go with eval"),
        ([*DUMMY, "--output_path", "x.json"], "--output_path x.json must be a folder: leave out .json."),
    ],
)
def test_mistakes(arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "out"
    where = [] if "--output_path" in arguments else ["--output_path", str(folder)]
    try:
        status = main(["eval", "--condition", "reason", *arguments, *where])
    except SystemExit as error:  # by a task
        status = error.code
    assert status == BAD_INPUT
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(f"dfar-bench: {message}")
    assert not list(tmp_path.rglob("*/unfinished"))


def test_an_endpoint_that_is_down(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = ["--model", "local-chat-completions", *NO_SERVER, *TASK, "--apply_chat_template", "--limit", "2"]
    assert main(["eval", "--condition", "reason", *model, "--output_path", str(tmp_path / "out")]) == BAD_INPUT
    assert "dfar-bench: HTTPConnectionPool(host='127.0.0.1', port=9)" in capsys.readouterr().err
    assert not list(tmp_path.rglob("*/unfinished"))
