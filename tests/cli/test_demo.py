"""The demo: once from end to end with real commands; and what happens when a command fails or is interrupted."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from filelock import FileLock
from harness import OUR_TASKS_ONLY, ROOT
from safetensors import safe_open

from dfar_bench import leaderboard
from dfar_bench.cli import demo
from dfar_bench.cli.demo import Base, plan
from dfar_bench.cli.main import main
from dfar_bench.errors import InputError
from dfar_bench.experiments import last_screen, steps
from dfar_bench.experiments.steps import Step, claim, run_steps
from dfar_bench.scoring import Estimate
from dfar_bench.training.base import find_base

PREPARED = sorted((ROOT / leaderboard.PREPARED / "mini").glob("*/*"))


def test_from_training_to_the_board(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "EPOCHS", {"l": 1, "lr": 1})
    monkeypatch.setattr(demo, "TINY", {"vocabulary": 300, "hidden": 32, "layers": 1})
    monkeypatch.setitem(steps.PROGRAMS, "lm_eval", ("-c", OUR_TASKS_ONLY))
    monkeypatch.delenv("DFAR_BENCH_DATA", raising=False)  # what comes with the package is enough
    out = tmp_path / "demo"
    assert main(["demo", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert [printed.count(f"{words} ") for words in ("$ accelerate launch", "$ lm_eval", "$ dfar-bench")] == [2, 3, 5]
    assert "done before" not in printed
    for step in plan(out, "mini", Base("tiny", str(out / "base" / "model"), tiny=True)):
        assert step.makes is None or step.makes.exists()  # so it would not be run again

    for model in ("l", "lr"):
        run = json.loads((out / model / "model" / "dfar_run.json").read_text())
        distribution = run["distribution"]
        assert run["mode"] == model
        assert [distribution[name] for name in ("zero_stage", "processes", "device")] == [2, 2, "cpu"]
        with safe_open(out / model / "model" / "model.safetensors", "numpy") as weights:
            assert "lm_head.weight" not in list(weights.keys())  # tied embeddings are saved once, under ZeRO-2 too
    assert list(out.glob("logs/*.txt"))
    for log in out.glob("logs/*.txt"):
        assert "warn" not in log.read_text().lower(), log.read_text()

    screen = printed[printed.index("52 test statements of mini") :]
    head, *lines = screen.split("\n\n")[1].splitlines()
    table = {line[: head.index("accuracy")].strip(): line[head.index("accuracy") :] for line in lines}
    names = [folder.parent.name.removeprefix("prepared__") for folder in PREPARED]
    assert list(table) == ['always "ethical"', *names, "tiny, untrained", "tiny, L", "tiny, L+R", "L+R minus L"]
    scored = {"tiny, L+R": out / "lr" / "results", **dict(zip(names, PREPARED, strict=True))}
    again = {name: metrics(folder, capsys) for name, folder in scored.items()}
    for title, of in again.items():
        cells = re.split(" {2,}", table[title].strip())
        for name, cell in zip(("acc", "verdict_acc", "mar"), cells, strict=True):
            assert cell.startswith(f"{100 * of[name]['value']:.1f} ("), table[title]
    said = screen[screen.index("a coin (") :].partition("\n")[0]
    for name in names:
        assert (name in said) == any(again[name][metric]["low"] > 0.5 for metric in ("acc", "verdict_acc"))
    assert all(line in (ROOT / "README.md").read_text() for line in last_screen.SCORE)
    assert all(f"\n     {line}\n" in screen for line in (*last_screen.SCORE, last_screen.TRAIN))
    board = out / "board" / "index.html"
    assert f"page: {board}\n" in screen
    assert all(name in board.read_text() for name in ("demo/tiny-base", "demo/tiny-l", "demo/tiny-lr", *names))

    assert main(["demo", "--out", str(out), "--model", str(out / "base" / "model")]) == 2
    assert "holds another demo" in capsys.readouterr().err


def metrics(folder: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, float]]:
    """What the command prints of the runs in a folder, or of a submission."""
    assert main(["rescore", str(folder), "--json"]) == 0
    runs = json.loads(capsys.readouterr().out)["runs"]
    return {name: score for run in runs for name, score in run["metrics"].items()}


def test_prepared_answers_are_named_as_such_and_are_not_on_the_board() -> None:
    assert PREPARED
    for folder in PREPARED:
        submission = json.loads((folder / "submission.json").read_text())
        assert submission["model"]["id"].startswith("prepared/")
        assert "4-bit file" in submission["training"]["description"]
    assert list((ROOT / leaderboard.SUBMISSIONS).glob("prepared__*")) == []


def test_a_claim_needs_an_interval() -> None:
    def model(accuracy: tuple[float, float], verdict: tuple[float, float]) -> dict[str, Estimate]:
        return {name: Estimate.of(sum(of) / 2, of) for name, of in (("acc", accuracy), ("verdict_acc", verdict))}

    unsure, better, worse = model((0.5, 0.8), (0.4, 0.7)), model((0.4, 0.6), (0.52, 0.7)), model((0.1, 0.4), (0.2, 0.3))
    nothing = {"acc": Estimate(0.9), "verdict_acc": Estimate(None)}
    said = last_screen.better_than_a_guess({"a": unsure, "b": better, "c": worse, "d": nothing}, 0.5)
    assert said == "Better than a coin (an interval above 50.0): b (written verdict)."
    said = last_screen.better_than_a_guess({"a": unsure, "b": better}, 0.581)
    assert said.startswith("None of these is better than one label for all (no interval of accuracy or written verdict")


@pytest.mark.usefixtures("paper")
def test_a_model_of_the_hub_is_pinned_and_its_adapters_are_merged(tmp_path: Path) -> None:
    steps = plan(tmp_path, "paper", Base("Some.Model-7B", "org/Some.Model-7B", revision="c0ffee"))
    words = {step.title: " ".join(step.words) for step in steps}
    assert "--model_revision c0ffee --drop_leaked true" in words["Train L+R: labels and reasons"]
    assert "train/configs/fast.yaml" in words["Train L: labels alone"]
    assert f"train/merge.py {tmp_path}/lr/model --out {tmp_path}/lr/merged" in words["Merge the adapter of L+R"]
    assert "pretrained=org/Some.Model-7B,revision=c0ffee --tasks dfar_cls,dfar_reason " in words["Score base"]
    assert f"pretrained={tmp_path}/lr/merged --tasks" in words["Score L+R"]
    assert "--model-id demo/Some-Model-7B-base --mode base --revision c0ffee" in words["Submit base"]
    assert f"--mode l --base demo/Some-Model-7B-base --dfar-run {tmp_path}/l/model/dfar_run.json" in words["Submit L"]
    assert f"--weights {tmp_path}/l/merged" in words["Submit L"]


@pytest.mark.parametrize(("name", "identifier"), [("模型", "model"), (99 * "a.", 39 * "a-" + "a")])
def test_any_name_becomes_an_identifier(name: str, identifier: str) -> None:
    (*_, submit, _, _) = plan(ROOT / "runs" / "demo", "mini", Base(name, "runs/demo/base/model", tiny=True))
    assert f"demo/{identifier}-lr" in submit.words
    assert not [word for word in submit.words if str(ROOT) in word]  # paths are shown as one would type them


def python(code: str, title: str = "Try", **others: Path) -> Step:
    return Step(title, ("python", "-c", code), **others)


def test_a_failed_command_is_quoted_and_finished_ones_are_skipped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commands = [
        python(f"open({str(tmp_path / 'one')!r}, 'x')", makes=tmp_path / "one"),
        python("print('9 %|#  |\\rsft.py: no such thing'); print('a report of the launcher'); exit(3)", "Learn"),
        python(f"open({str(tmp_path / 'three')!r}, 'x')"),
    ]
    for _ in range(2):
        with pytest.raises(InputError, match=r"Learn ended with status 3: sft\.py: no such thing \(all of it: .*02"):
            run_steps(commands, tmp_path / "logs", os.environ)
    assert not (tmp_path / "three").exists()
    assert (tmp_path / "logs" / "02.txt").read_text().endswith("launcher\n")
    assert capsys.readouterr().out.count("done before") == 1


def test_results_appear_when_they_are_complete(tmp_path: Path) -> None:
    part, complete = tmp_path / ".part", tmp_path / "complete"
    write = f"import os, sys; os.mkdir({str(part)!r}); sys.exit({{}})"
    with pytest.raises(InputError, match="it printed nothing"):
        run_steps([python(write.format(1), makes=complete, part=part)], tmp_path / "logs", os.environ)
    assert not complete.exists()
    run_steps([python(write.format(0), makes=complete, part=part)], tmp_path / "logs", os.environ)
    assert complete.is_dir()
    assert not part.exists()


def test_an_interrupted_demo_ends_its_children(tmp_path: Path) -> None:
    child = "import os, time; print(os.getpid(), file=open('child', 'w'), flush=True); time.sleep(600)"
    code = f"import os, subprocess, sys; os.chdir({str(tmp_path)!r}); subprocess.run([sys.executable, '-c', {child!r}])"
    script = f"""
import os, pathlib, sys
from dfar_bench.cli import demo, main
from dfar_bench.experiments import steps
from dfar_bench.training.base import find_base

def wait() -> int:
    steps.run_steps([steps.Step("Wait", ("python", "-c", {code!r}))], pathlib.Path("logs"), os.environ)

demo.demo = wait
sys.exit(main.main(["wait"]))
"""
    with subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        wait_until(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text().endswith("\n"))
        process.send_signal(signal.SIGTERM)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert stderr.endswith("dfar-bench: interrupted\n")
    number = int((tmp_path / "child").read_text())
    wait_until(lambda: has_ended(number))


def has_ended(number: int) -> bool:
    try:
        return psutil.Process(number).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_until(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.05)


def test_a_folder_is_kept_to_one_demo_at_a_time(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = shutil.copytree(tiny_model, tmp_path / "model")
    (weights,) = model.glob("*.safetensors")
    states = []
    for content in (weights.read_bytes(), weights.read_bytes()[:-1] + b"x"):
        weights.write_bytes(content)
        states.append({"state": find_base(str(model)).state})
    for _ in range(2):
        with claim(tmp_path / "demo", "demo.json", states[0]):
            pass
    with pytest.raises(InputError, match="holds another demo"), claim(tmp_path / "demo", "demo.json", states[1]):
        pass  # the weights are others

    (tmp_path / "mine").mkdir()
    with FileLock(tmp_path / "mine" / ".lock"):
        assert main(["demo", "--out", str(tmp_path / "mine")]) == 2
    assert "another demo is running" in capsys.readouterr().err
    (tmp_path / "mine" / "submissions").mkdir()
    (tmp_path / "mine" / "demo.json").unlink(missing_ok=True)
    assert main(["demo", "--out", str(tmp_path / "mine")]) == 2
    assert "holds something else: choose another --out" in capsys.readouterr().err
    assert (tmp_path / "mine" / "submissions").is_dir()


def test_what_is_missing_shows_before_anything_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments, message in {
        ("--model", str(tmp_path / "none"), "--out", str(tmp_path / "demo")): "there is no model",
        ("--model", str(tmp_path), "--out", str(tmp_path / "demo")): "holds no *.safetensors",
        ("--out", str(tmp_path / "a,b")): "without commas and braces",
    }.items():
        assert main(["demo", *arguments]) == 2
        assert message in capsys.readouterr().err
    monkeypatch.setattr(demo, "ROOT", tmp_path)
    assert main(["demo"]) == 2
    assert "needs a checkout" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
