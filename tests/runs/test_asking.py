"""``dfar-bench eval``: turns, their record, going on after a kill, several processes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import pytest
from completions_server import completions_server
from harness import ROOT, HarnessRun, evaluate
from lm_eval.api.registry import register_model
from lm_eval.loggers import EvaluationTracker
from lm_eval.models.dummy import DummyLM
from transformers import AutoTokenizer, T5Config, T5ForConditionalGeneration

from dfar_bench.datasets import rows
from dfar_bench.errors import InputError
from dfar_bench.prompts import make_prompt
from dfar_bench.runs.evaluate import turn_by_turn
from dfar_bench.runs.journal import Journal
from dfar_bench.runs.rescore import Rescored, rescore
from dfar_bench.runs.turns import Said, parse_transcript, transcript

TASK = "dfar_mini_reason"
FOLLOW_UP = make_prompt("chat", "review", rows("mini")["test"][0]).follow_ups[0]


@register_model("scripted")
class ScriptedLM(DummyLM):
    """Says that acts are ethical, and when asked to look again that they are not; fails when it is told to."""

    asked: ClassVar[list[str]] = []
    fails_after = 10**6

    def __init__(self, **_: object) -> None:
        super().__init__()

    def apply_chat_template(self, chat_history, add_generation_prompt=True):
        return "".join(f"[{message['role']}] {message['content']}\n" for message in chat_history)

    tokenizer_name = "scripted"

    def generate_until(self, requests, disable_tqdm=False):
        out = []
        for context, generation in (request.args for request in requests):
            if len(self.asked) >= self.fails_after:
                raise KeyboardInterrupt
            self.asked.append(context)
            again = "look at your answer again" in context
            out.append("I was wrong: it is unethical. It harms others." if again else "Ethical. It is kind to others.")
            self.cache_hook.add_partial("generate_until", (context, generation), out[-1])
        return out


@pytest.fixture
def scripted() -> type[ScriptedLM]:
    ScriptedLM.asked, ScriptedLM.fails_after = [], 10**6
    return ScriptedLM


def ask(folder: Path, condition: str, *tasks: str, **options: Any) -> HarnessRun:
    metadata = {"condition": condition, "recorded": True}
    with turn_by_turn(folder, "run"):
        return evaluate(folder, *(tasks or (TASK,)), metadata=metadata, **options)


def scored(run: HarnessRun) -> Rescored:
    (result,) = rescore([run.folder], resamples=0)
    assert not [name for name, score in result.scores.items() if score.differs]
    return result


def said(run: HarnessRun) -> list[list[Said]]:
    return [parse_transcript(sample["resps"][0][0], turns=2) for sample in run.samples(TASK)]


def test_a_transcript_is_its_text() -> None:
    turns = [Said("Ethical.", 3, "end"), Said("”", None, None)]
    assert parse_transcript(transcript(turns), turns=2) == turns
    for bad in ("", "[]", "[1, 2]", '[{"text": 1}, {"text": ""}]', '[{"text": "", "stop": "x"}, {"text": ""}]'):
        with pytest.raises((ValueError, TypeError)):
            parse_transcript(bad, turns=2)


def test_every_turn_sees_those_before(scripted: type[ScriptedLM], tmp_path: Path) -> None:
    run = ask(tmp_path, "review", model="scripted", apply_chat_template=True, limit=6)
    prompt = make_prompt("chat", "review", rows("mini")["test"][0])
    assert scripted.asked[6] == (
        f"[user] {prompt.text}\n[assistant] Ethical. It is kind to others.\n[user] {prompt.follow_ups[0]}\n"
    )
    (sample, *_) = run.samples(TASK)
    assert sample["filtered_resps"] == ["I was wrong: it is unethical. It harms others."]
    values = {name: score.estimate.value for name, score in scored(run).scores.items()}
    labels = [row.label for row in rows("mini")["test"][:6]]
    assert values["acc_before"] == labels.count(0) / 6
    assert values["acc_after"] == values["verdict_acc"] == labels.count(1) / 6
    assert (values["corrected_right"], values["corrected_wrong"]) == (labels.count(1) / 6, labels.count(0) / 6)
    assert not (tmp_path / "unfinished").exists()


def test_without_a_chat_template_turns_are_one_text(scripted: type[ScriptedLM], tmp_path: Path) -> None:
    ask(tmp_path, "review", model="scripted", limit=2)
    prompt = make_prompt("llama2", "review", rows("mini")["test"][0])
    assert scripted.asked[2] == (
        f"{prompt.text}Ethical. It is kind to others.\n ### Question: {prompt.follow_ups[0]} \n ### Answer:"
    )


def test_a_killed_run_goes_on_from_its_finished_turns(scripted: type[ScriptedLM], tmp_path: Path) -> None:
    scripted.fails_after = 13
    with pytest.raises(KeyboardInterrupt):
        ask(tmp_path, "review", model="scripted", apply_chat_template=True, limit=8)
    assert len(scripted.asked) == 13
    with (tmp_path / "unfinished" / "run" / "rank0.jsonl").open("a") as file:
        file.write('{"key": "cut')  # by the kill
    scripted.fails_after = 10**6
    run = ask(tmp_path, "review", model="scripted", apply_chat_template=True, limit=8)
    assert len(scripted.asked) == len(set(scripted.asked)) == 16
    assert [turns[1].text for turns in said(run)] == ["I was wrong: it is unethical. It harms others."] * 8


def test_a_turn_that_does_not_fit_is_cut_off(
    scripted: type[ScriptedLM], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scripted, "max_length", 700, raising=False)
    monkeypatch.setattr(scripted, "tok_encode", lambda self, text: text.split(), raising=False)
    run = ask(tmp_path, "review", model="scripted", apply_chat_template=True, limit=3, gen_kwargs="max_gen_toks=640")
    assert [turns[1] for turns in said(run)] == [Said("", 0, "length")] * 3
    assert len(scripted.asked) == 3
    result = scored(run)
    assert result.scores["truncated"].estimate.value == 1.0
    assert result.codes == {"truncated": 3}


@pytest.mark.parametrize("condition", ["reason", "review"])
def test_a_question_that_does_not_fit_is_refused(
    condition: str, scripted: type[ScriptedLM], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scripted, "max_length", 700, raising=False)
    monkeypatch.setattr(scripted, "tok_encode", lambda self, text: text.split(), raising=False)
    with pytest.raises(InputError, match=r"^3 of 3 questions are too long .* room for 700 tokens .*fewer examples"):
        ask(tmp_path, condition, model="scripted", limit=3, num_fewshot=20, gen_kwargs="max_gen_toks=512")
    assert scripted.asked == []
    monkeypatch.setattr(scripted, "backend", "seq2seq", raising=False)  # its answers need no room beside the question
    ask(tmp_path, condition, model="scripted", limit=3, gen_kwargs="max_gen_toks=699")


@pytest.mark.parametrize("files", ["samples_dfar_mini_reason_*", "samples_dfar_mini_cls_*", "results_*"])
@pytest.mark.parametrize("missing", ["all", "the end"])
def test_results_that_are_not_saved_leave_the_turns(
    files: str, missing: str, scripted: type[ScriptedLM], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """lm_eval only logs what it could not write."""
    save = EvaluationTracker.save_results_samples

    def save_badly(tracker: EvaluationTracker, task_name: str, samples: list[Any]) -> None:
        save(tracker, task_name, samples)
        for file in tmp_path.rglob(files):
            if missing == "all":
                file.unlink()
            else:
                file.write_bytes(file.read_bytes()[:-9])

    monkeypatch.setattr(EvaluationTracker, "save_results_samples", save_badly)
    with pytest.raises(InputError, match="lm_eval could not save to"):
        ask(tmp_path, "reason", TASK, "dfar_mini_cls", model="scripted", limit=2)
    monkeypatch.setattr(EvaluationTracker, "save_results_samples", save)
    assert (tmp_path / "unfinished" / "run" / "rank0.jsonl").exists()
    ask(tmp_path, "reason", TASK, "dfar_mini_cls", model="scripted", limit=2)
    assert len(scripted.asked) == 2
    assert not (tmp_path / "unfinished").exists()


def test_half_a_surrogate_pair_is_saved(
    scripted: type[ScriptedLM], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = "Ethical. It is kind.\ud83d"
    monkeypatch.setattr(scripted, "generate_until", lambda self, requests, disable_tqdm=False: [answer] * len(requests))
    run = ask(tmp_path, "review", model="scripted", limit=3)
    assert [turns[1].text for turns in said(run)] == [answer] * 3
    assert run.samples(TASK)[0]["filtered_resps"] == ["Ethical. It is kind.?"]
    assert len(scored(run).run.outputs) == 3


def test_a_journal_holds_any_text_and_survives_damage(tmp_path: Path) -> None:
    folder = tmp_path / "unfinished" / "run"
    journal = Journal(folder, 0)
    turns = {"a": Said("one\u2028two\x85\ud800"), "b": Said("", 0, "length")}
    for key, turn in turns.items():
        journal.add(key, turn)
    journal.close()
    with (folder / "rank0.jsonl").open("a") as file:
        file.write(' 5\n["key"]\n{"key": "c"}\n\n{"key": "cut')
    assert dict(Journal(folder, 0)) == turns


def test_two_runs_at_once_in_one_place(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "unfinished" / "run", 0)
    with pytest.raises(InputError, match="the same run is at work in"):
        Journal(tmp_path / "unfinished" / "run", 0)
    other = Journal(tmp_path / "unfinished" / "other", 0)
    journal.remove()
    assert other.folder.exists()
    other.close()  # and nothing was written
    assert not (tmp_path / "unfinished").exists()
    other.remove()


def test_a_real_model_with_its_chat_template(tiny_model: Path, tmp_path: Path) -> None:
    options = {"model_args": {"pretrained": str(tiny_model), "dtype": "float32"}, "device": "cpu", "batch_size": 4}
    limits = {"gen_kwargs": "max_gen_toks=12", "limit": 6}
    run = ask(tmp_path / "hf", "review", model="hf", apply_chat_template=True, **options, **limits)
    for turns in said(run):
        for turn in turns:
            assert turn.tokens is not None
            assert (turn.stop == "length") == (turn.tokens == 12)
    result = scored(run)
    assert "|condition:review.dfar.v1|" in str(result.signature)
    assert "|ends:recorded|dtype:float32|" in str(result.signature)
    assert result.scores["truncated"].estimate.value == sum(turns[1].stop == "length" for turns in said(run)) / 6
    plain = evaluate(tmp_path / "plain", TASK, model="hf", apply_chat_template=True, **options, **limits)
    first = [turns[0].text for turns in said(run)]
    assert [sample["resps"][0][0] for sample in plain.samples(TASK)] == first


def test_a_single_stop_string_is_one_string(tiny_model: Path, tmp_path: Path) -> None:
    """lm_eval passes ``until=TEXT`` on as it is; its letters are not stop strings."""
    run = ask(
        tmp_path, "review", model="hf", model_args={"pretrained": str(tiny_model), "dtype": "float32"}, device="cpu",
        apply_chat_template=True, limit=6, gen_kwargs="until=etaoinshrdlu,max_gen_toks=12",
    )  # fmt: skip
    for turns in said(run):
        for turn in turns:
            assert (turn.stop == "length") == (turn.tokens == 12)


def test_the_end_of_an_encoder_decoder_is_not_recorded(tiny_model: Path, tmp_path: Path) -> None:
    """What it writes begins with the padding token, which here ends responses as well."""
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    end = tokenizer.eos_token_id
    sizes = {"d_model": 8, "d_kv": 4, "d_ff": 8, "num_layers": 1, "num_heads": 2, "vocab_size": len(tokenizer)}
    model = T5ForConditionalGeneration(
        T5Config(**sizes, pad_token_id=end, eos_token_id=end, decoder_start_token_id=end, n_positions=512)
    )
    model.save_pretrained(tmp_path / "t5")
    tokenizer.save_pretrained(tmp_path / "t5")
    options = {"device": "cpu", "batch_size": 2, "gen_kwargs": "max_gen_toks=8", "limit": 2}
    run = ask(tmp_path / "out", "review", model="hf", model_args={"pretrained": str(tmp_path / "t5")}, **options)
    assert {(turn.tokens, turn.stop) for turns in said(run) for turn in turns} == {(None, None)}
    assert not scored(run).run.cuts_recorded


def test_an_endpoint_says_why_it_stopped(tiny_model: Path, tmp_path: Path) -> None:
    with completions_server(tiny_model) as url:
        run = ask(
            tmp_path,
            "review",
            model="local-chat-completions",
            model_args={"model": "tiny", "num_concurrent": 2, "base_url": f"{url}/chat/completions"},
            apply_chat_template=True,
            gen_kwargs="max_gen_toks=8",
            limit=4,
        )
    assert {turn.stop for turns in said(run) for turn in turns} <= {"end", "length"}
    assert scored(run).run.cuts_recorded


def test_two_processes_give_the_same_figures_and_one_output(tmp_path: Path) -> None:
    """The test model deals the rows to its ranks, as lm_eval does on several GPUs."""
    program = ROOT / "tests" / "ranked_lm_eval.py"
    for folder, launcher in (
        ("one", []),
        ("two", ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]),
    ):
        command = [sys.executable, *launcher, program, tmp_path / folder, "review"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr[-2000:]
    one, two = (HarnessRun(tmp_path / folder) for folder in ("one", "two"))
    assert one.results["results"][TASK] == two.results["results"][TASK]
    assert not (tmp_path / "two" / "unfinished").exists()
    scored(two)


def test_processes_that_would_all_do_the_same_are_refused(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(InputError, match="2 processes were started, and --model hf would run everything in each"):
        ask(tmp_path, "review", model="hf", model_args={"pretrained": str(tiny_model)}, device="cpu")


def test_likelihoods_after_several_turns_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"compares likelihoods after one turn.*: use dfar_mini_reason"):
        ask(tmp_path, "review", "dfar_mini_cls", model="dummy")


def test_the_command(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "dfar_bench.cli.main", "eval", "--model", "dummy", "--tasks", TASK, "--limit", "9"]
    done = subprocess.run(
        [*program, "--condition", "cot", "--metadata", '{"prompt": "plain"}', "--output_path", tmp_path / "out"],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert re.search(r"\|verdict_acc +\|", done.stdout)
    (result,) = rescore([tmp_path / "out"], resamples=0)
    assert (result.run.condition.name, result.run.style) == ("cot", "plain.v1")
    assert json.loads(next((tmp_path / "out").rglob("results_*.json")).read_text())["config"]["model"] == "dummy"
