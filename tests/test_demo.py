"""The demo: the whole story with real commands, and what happens when one of them fails or is interrupted."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from conftest import ROOT
from filelock import FileLock
from safetensors import safe_open

from dfar_bench.cli import main
from dfar_bench.demo import commands
from dfar_bench.demo.commands import Base
from dfar_bench.demo.steps import Step, run_all
from dfar_bench.errors import InputError
from dfar_bench.metrics import METRICS


def test_the_whole_story_and_the_same_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(commands, "TINY_EPOCHS", 1)
    monkeypatch.delenv("DFAR_BENCH_DATA", raising=False)  # needs nothing that does not come with the package
    out = tmp_path / "demo"
    assert main(["demo", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert [said.count(f"{words} ") for words in ("$ accelerate launch", "$ lm_eval", "$ dfar-bench")] == [2, 3, 5]
    assert "has been done before" not in said

    table = {line.split()[0]: line.split() for line in said[said.index("verdict_acc") :].splitlines() if line}
    assert {"base", "L", "L+R"} <= table.keys()
    for model in ("l", "lr"):
        run = json.loads((out / model / "model" / "dfar_run.json").read_text())
        spread = run["distribution"]
        assert (run["mode"], spread["zero_stage"], spread["processes"], spread["device"]) == (model, 2, 2, "cpu")
        with safe_open(out / model / "model" / "model.safetensors", "numpy") as weights:
            names = weights.keys()
        assert "model.embed_tokens.weight" in names
        assert "lm_head.weight" not in names  # tied embeddings are written once, under ZeRO-2 too
    documents = {path.parts[-3]: json.loads(path.read_text()) for path in out.glob("submissions/*/*/submission.json")}
    assert {name: document["mode"] for name, document in documents.items()} == {
        "demo__tiny-base": "base",
        "demo__tiny-l": "l",
        "demo__tiny-lr": "lr",
    }
    claimed = documents["demo__tiny-lr"]["tasks"]["dfar_mini_reason"]["metrics"]
    assert claimed.keys() == {metric.name for metric in METRICS["reason"]}
    assert f" {claimed['mar']:.3f} [" in next(line for line in said.splitlines() if line.startswith("L+R  "))
    assert said.rstrip().endswith(f"board: {out / 'board' / 'index.html'}")
    assert "demo/tiny-lr" in (out / "board" / "index.html").read_text()
    assert "little ethics" in said

    scores = {path: path.read_bytes() for path in out.glob("*/results/**/*") if path.is_file()}
    assert len(scores) == 9
    assert main(["demo", "--out", str(out)]) == 0
    again = capsys.readouterr().out
    assert again.count("has been done before") == 5
    assert again[again.index("verdict_acc") :] == said[said.index("verdict_acc") :]
    assert {path: path.read_bytes() for path in scores} == scores
    for log in out.glob("logs/*.txt"):
        assert "warn" not in log.read_text().lower(), log.read_text()

    assert main(["demo", "--out", str(out), "--model", str(out / "base" / "model")]) == 2
    assert "holds another demo" in capsys.readouterr().err


def test_a_model_of_the_hub_is_pinned_and_its_adapters_are_merged(tmp_path: Path) -> None:
    steps = commands.commands(tmp_path, "paper", Base("Some.Model-7B", "org/Some.Model-7B", revision="c0ffee"))
    words = {step.title: " ".join(step.words) for step in steps}
    assert "--model_revision c0ffee --drop_leaked true" in words["Train L+R: labels and reasons"]
    assert "train/configs/fast.yaml" in words["Train L: labels alone"]
    assert f"train/merge.py {tmp_path}/lr/model --out {tmp_path}/lr/merged" in words["Merge the adapter of L+R"]
    assert "pretrained=org/Some.Model-7B,revision=c0ffee --tasks dfar_cls,dfar_reason " in words["Score base"]
    assert f"pretrained={tmp_path}/lr/merged --tasks" in words["Score L+R"]
    assert "--model-id demo/Some-Model-7B-base --revision c0ffee --mode base" in words["Submit base"]
    assert f"--weights {tmp_path}/l/merged --mode l --base demo/Some-Model-7B-base" in words["Submit L"]


def test_paths_inside_the_checkout_are_shown_as_typed() -> None:
    steps = commands.commands(ROOT / "runs" / "demo", "mini", Base("tiny", "runs/demo/base/model", tiny=True))
    assert not [word for step in steps for word in step.words if str(ROOT) in word]


def python(code: str, title: str = "Try", **others: Path) -> Step:
    return Step(title, ("python", "-c", code), **others)


def test_a_command_that_fails_is_quoted_and_what_came_before_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = [
        python("open('one', 'w')", makes=tmp_path / "one"),
        python("print('9 %|#  |\\rsft.py: no such thing'); print('a report of the launcher'); exit(3)", "Learn"),
        python("open('three', 'w')"),
    ]
    for _ in range(2):
        with pytest.raises(InputError, match=r"Learn ended with status 3: sft\.py: no such thing \(all of it: .*02"):
            run_all(steps, tmp_path, tmp_path / "logs", os.environ)
    assert (tmp_path / "one").exists()
    assert not (tmp_path / "three").exists()
    assert (tmp_path / "logs" / "02.txt").read_text().endswith("launcher\n")
    assert capsys.readouterr().out.count("has been done before") == 1


def test_results_appear_when_they_are_whole(tmp_path: Path) -> None:
    part, whole = tmp_path / ".part", tmp_path / "whole"
    write = "import os, sys; os.mkdir('.part'); open('.part/file', 'w'); sys.exit({})"
    with pytest.raises(InputError, match="nothing was said"):
        run_all([python(write.format(1), makes=whole, writes=part)], tmp_path, tmp_path / "logs", os.environ)
    assert not whole.exists()
    run_all([python(write.format(0), makes=whole, writes=part)], tmp_path, tmp_path / "logs", os.environ)
    assert (whole / "file").exists()
    assert not part.exists()


@pytest.mark.parametrize(
    ("name", "identifier"), [("Some.Model-7B", "Some-Model-7B"), ("模型", "model"), (99 * "a.", 39 * "a-" + "a")]
)
def test_any_name_makes_an_identifier(name: str, identifier: str) -> None:
    assert commands.identifier(name) == identifier


def test_another_state_of_a_model_is_another_demo(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And its place is another one than the tiny model's, unless somebody says so."""
    model = shutil.copytree(tiny_model, tmp_path / "mine")
    monkeypatch.setattr("dfar_bench.demo.story.run_all", lambda *_: None)
    monkeypatch.setattr("dfar_bench.demo.story.summary", lambda *_: "")
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert main(["demo", "--model", str(model)]) == 0
    assert str(tmp_path / "runs" / "demo-mine-mini" / "board") in capsys.readouterr().out
    (weights,) = model.glob("*.safetensors")
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    assert main(["demo", "--model", str(model)]) == 2
    assert "holds another demo" in capsys.readouterr().err


STORY = """
import os, signal, sys
from pathlib import Path
from dfar_bench.demo.steps import Step, run_all
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup the tests ignore it, and so would this
code = "import subprocess, sys, time; print(f'\\\\r{7 * 7} %', end='', flush=True); print(file=open('begun', 'w')); "
code += "subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)', 'of-the-demo-test'])"
run_all([Step("Wait", ("python", "-c", code))], Path("."), Path("logs"), os.environ)
"""


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_ends_all_that_was_started(ending: signal.Signals, tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", STORY], cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
        while not (tmp_path / "begun").exists() or not children():
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(ending)
        assert process.wait() != 0
    assert not children()


def test_a_hang_up_that_is_ignored_stays_ignored(tmp_path: Path) -> None:
    """As nohup has it."""
    code = "import os, signal; os.kill(os.getppid(), signal.SIGHUP); open('done', 'w')"
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        run_all([python(code)], tmp_path, tmp_path / "logs", os.environ)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert (tmp_path / "done").exists()


def children() -> list[psutil.Process]:
    """Of the command in ``STORY``."""
    return [one for one in psutil.process_iter(["cmdline"]) if "of-the-demo-test" in (one.info["cmdline"] or [])]


def test_a_terminal_shows_progress_and_a_pipe_does_not(tmp_path: Path) -> None:
    code = STORY.replace("time.sleep(600)", "1")
    piped = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, check=True)
    assert b"49 %" not in piped.stdout + piped.stderr
    screen, end = pty.openpty()
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, stdout=end, stderr=end, check=True)
    os.close(end)
    shown = b""
    try:
        while piece := os.read(screen, 65536):
            shown += piece
    except OSError:  # its end
        pass
    assert b"\r\x1b[K  49 %" in shown
    assert b"[1/1] Wait" in shown


def test_the_end_of_a_command_is_not_waited_for_twice(tmp_path: Path) -> None:
    """One that leaves a process behind, which holds its output open, has ended all the same; what it left is ended."""
    code = "import subprocess, sys; print('left'); "
    code += "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)', 'of-the-demo-test'])"
    run_all([python(code)], tmp_path, tmp_path / "logs", os.environ)
    assert "left" in (tmp_path / "logs" / "01.txt").read_text()
    assert not children()


def test_what_is_there_is_not_taken_for_a_demo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = tmp_path / "submissions" / "mine"
    mine.mkdir(parents=True)
    assert main(["demo", "--out", str(tmp_path)]) == 2
    assert "holds something else than a demo" in capsys.readouterr().err
    assert mine.is_dir()
    assert main(["demo", "--out", str(tmp_path / "a,b")]) == 2
    assert "without comma and brace" in capsys.readouterr().err


def test_one_demo_a_folder_at_a_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with FileLock(tmp_path / ".lock"):
        assert main(["demo", "--out", str(tmp_path)]) == 2
    assert "another demo is at work" in capsys.readouterr().err


def test_what_is_missing_is_said_before_anything_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "--model", str(tmp_path / "no-model"), "--out", str(tmp_path / "demo")]) == 2
    assert "there is no model" in capsys.readouterr().err
    monkeypatch.setattr("dfar_bench.demo.story.find_spec", lambda name: None if name == "deepspeed" else name)
    assert main(["demo", "--out", str(tmp_path / "demo")]) == 2
    assert "the demo needs deepspeed: pip install -e '.[train,board]'" in capsys.readouterr().err
    monkeypatch.setattr("dfar_bench.demo.story.ROOT", tmp_path)
    assert main(["demo", "--out", str(tmp_path / "demo")]) == 2
    assert "needs a checkout" in capsys.readouterr().err
