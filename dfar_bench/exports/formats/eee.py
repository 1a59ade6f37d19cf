"""``eee``: the aggregate and instance-level files of Every Eval Ever, schema 0.3.

https://github.com/evaleval/every_eval_ever. For each task of a run there is one JSON file with all metrics, and one
JSON Lines file with a record for each row and each metric that ranks. They lie as in the project's datastore.

A record names a row by its id and a hash of its statement, and holds neither the statement nor people's label and
reason. It holds what the model wrote unless that quotes the data, by the same test as for submissions.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from dfar_bench import __version__
from dfar_bench.datasets import Row, statement_hash
from dfar_bench.exports.base import FORMATS, Format, Options
from dfar_bench.exports.result import Figure, Result
from dfar_bench.prompts import make_prompt, styles_of
from dfar_bench.reading import without_thought
from dfar_bench.scoring import LEVEL, RESAMPLES, SEED, Answer, Argument, Choice, Metric, Output, count_codes

SCHEMA_VERSION = "0.3.0"
COLLECTION = "dfar-bench"


def _eee(results: Sequence[Result], options: Options) -> dict[str, bytes]:
    source = {
        "source_name": COLLECTION,
        "source_type": "evaluation_run",
        "source_organization_name": _organization(options),
        "evaluator_relationship": options.relationship or "other",
        "additional_details": _texts(
            figures="computed by dfar-bench from the model's answers",
            model="as named by whoever ran it; not checked",
            source_url=options.source_url,
        ),
    }
    now = str(int(time.time()))
    files = {}
    for result in results:
        content = json.dumps([result.model, result.run_id, result.task.name, options.judge.signature])
        name = uuid.UUID(bytes=hashlib.sha256(content.encode()).digest()[:16], version=4)
        path = f"data/{COLLECTION}/{result.model}/{name}"
        identity = f"{result.task.name}@{result.run_id}/{result.model}/{now}"
        records = "".join(f"{json.dumps(record)}\n" for record in _records(result, identity)).encode()
        document = {
            "schema_version": SCHEMA_VERSION,
            "evaluation_id": identity,
            **({"evaluation_timestamp": result.created} if result.created else {}),
            "retrieved_timestamp": now,
            "source_metadata": source,
            "eval_library": _library(result),
            "model_info": _model(result),
            "evaluation_results": [
                _evaluation(result, figure, options) for figure in result.figures if figure.estimate.value is not None
            ],
        }
        if records:
            files[f"{path}_samples.jsonl"] = records
            document["detailed_evaluation_results"] = {
                "format": "jsonl",
                "file_path": f"{path}_samples.jsonl",
                "hash_algorithm": "sha256",
                "checksum": hashlib.sha256(records).hexdigest(),
                "total_rows": records.count(b"\n"),
            }
        files[f"{path}.json"] = (json.dumps(document, indent=1, allow_nan=False) + "\n").encode()
    return files


def _organization(options: Options) -> str:
    return options.require("organization", "who ran the evaluation")


def _texts(**values: object) -> dict[str, str]:
    """Return additional details: texts only, without those that are not known."""
    return {name: str(value) for name, value in values.items() if value not in (None, "")}


def _library(result: Result) -> dict[str, Any]:
    harness = result.run.harness
    details = _texts(dfar_bench=__version__, transformers=harness.transformers, torch=harness.torch)
    return {"name": "lm_eval", "version": harness.lm_eval or "unknown", "additional_details": details}


def _model(result: Result) -> dict[str, Any]:
    details = _texts(
        deployment_type="unknown",
        model_availability="unknown",
        revision=result.revision,
        dtype=result.run.harness.dtype,
        contamination=result.contamination.why if result.contamination else None,
        flags=", ".join(result.flags),
    )
    developer = result.model.partition("/")[0]
    return {"name": result.model, "id": result.model, "developer": developer, "additional_details": details}


def _evaluation(result: Result, figure: Figure, options: Options) -> dict[str, Any]:
    """Return one metric with its interval, and how the model was asked."""
    dataset, metric, estimate = result.task.dataset, figure.metric, figure.estimate
    uncertainty: dict[str, Any] = {"num_samples": figure.n}
    if estimate.interval:
        uncertainty["confidence_interval"] = {
            "lower": estimate.low,
            "upper": estimate.high,
            "confidence_level": LEVEL,
            "method": f"percentile bootstrap, clustered by contrast group, seed {SEED}",
        }
        uncertainty["num_bootstrap_samples"] = RESAMPLES
    details = _texts(signature=result.signature, remark=result.words_for(metric))
    if metric.judged:
        codes = json.dumps(count_codes(result.answers))
        details |= _texts(judge=result.signature.get("judge"), judge_errs=result.judge_errs, codes=codes)
    where = {"source_type": "url", "url": [dataset.homepage]} if dataset.homepage else {"source_type": "other"}
    about = _texts(name=dataset.name, split="test", rows=result.run.expected, licence=dataset.licence)
    return {
        "evaluation_result_id": figure.name,
        "evaluation_name": result.task.name,
        "source_data": {"dataset_name": dataset.title, **where, "additional_details": about},
        "metric_config": _metric(figure, options),
        "score_details": {"score": estimate.value, "details": details, "uncertainty": uncertainty},
        "generation_config": _generation(result),
    }


def _metric(figure: Figure, options: Options) -> dict[str, Any]:
    metric = figure.metric
    adjusted = figure.name != metric.name
    title = f"{metric.title}, adjusted" if adjusted else metric.title
    description = metric.description or metric.title
    if adjusted:
        description += "; adjusted for the judge's errors where the reason decides (Rogan and Gladen)"
    config: dict[str, Any] = {
        "metric_id": f"dfar_bench.{figure.name}",
        "metric_name": title,
        "evaluation_description": description,
        "lower_is_better": metric.higher_is_better is False,
    }
    if metric.higher_is_better is None:
        config["additional_details"] = {"better": "neither more nor less of it is better"}
    if _is_rate(metric):
        config |= {"metric_unit": "proportion", "score_type": "continuous", "min_score": 0, "max_score": 1}
    if metric.judged and (scoring := _llm_scoring(options)):
        config["llm_scoring"] = scoring
    return config


def _is_rate(metric: Metric) -> bool:
    """Whether a metric is known to lie between 0 and 1: differences and correlations do not."""
    return metric.per_cent and metric.higher_is_better is not None


def _llm_scoring(options: Options) -> dict[str, Any] | None:
    """Return which language model judged, and how it was asked; None where none did."""
    from dfar_bench.judges.llm.judge import LLMJudge
    from dfar_bench.judges.llm.rubric import COMPARISON, READING

    judge = options.judge
    if not isinstance(judge, LLMJudge):
        return None
    unknown = {"deployment_type": "unknown", "model_availability": "unknown"}
    asked = [
        message["content"]
        for question in (READING, COMPARISON)
        for message in question.messages({block: f"{{{block}}}" for block in question.blocks})
    ]
    model = {"name": judge.model, "id": judge.model, "additional_details": unknown}
    return {"judges": [{"model_info": model}], "input_prompt": "\n\n".join(asked)}


def _generation(result: Result) -> dict[str, Any]:
    """Return how the model was asked: the fields of the signature, and what lm_eval was given."""
    given = dict(result.run.harness.generation or {})
    arguments: dict[str, Any] = {"reasoning": result.run.harness.thinking or result.run.condition.thinks_first}
    if template := _template(result):
        arguments["prompt_template"] = template
    for name, field in {"temperature": "temperature", "top_p": "top_p", "max_tokens": "max_gen_toks"}.items():
        value = given.get(field)
        if isinstance(value, int | float) and not isinstance(value, bool):
            arguments[name] = given.pop(field)
    others = {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}
    signature = {**result.signature.fields, "condition_title": result.run.condition.title}
    return {"generation_args": arguments, "additional_details": {**others, **signature}}


def _template(result: Result) -> str | None:
    """Return the prompt with a place for the statement; None where a data set has prompts of its own."""
    dataset = result.task.dataset
    style = next((each for each in styles_of(dataset) if each.signature == result.run.style), None)
    if dataset.style or style is None:
        return None
    prompt = make_prompt(style.name, result.run.condition.name, Row(dataset.name, "", "{statement}", 0))
    return "\n\n".join([prompt.text, *prompt.follow_ups])


def _records(result: Result, identity: str) -> Iterator[dict[str, Any]]:
    """Yield the instance-level records: of each row one for each metric that ranks."""
    ranked = [figure for figure in result.figures if figure.metric.ranked and figure.name == figure.metric.name]
    figures = ranked or [figure for figure in result.figures if _has_numbers(result, figure.metric)][:1]
    for answer, output in zip(result.answers, result.run.outputs, strict=True):
        same = _record(result, answer, output)
        for figure in figures:
            score = figure.metric.item(answer)
            if isinstance(score, int | float) and math.isfinite(score):
                evaluation = {"score": float(score), "is_correct": _is_right(answer, figure.metric, score)}
                yield {
                    "schema_version": SCHEMA_VERSION,
                    "evaluation_id": identity,
                    "model_id": result.model,
                    "evaluation_name": result.task.name,
                    "evaluation_result_id": figure.name,
                    **same,
                    "evaluation": {**evaluation, "num_turns": 1 + len(output.earlier)},
                }


def _has_numbers(result: Result, metric: Metric) -> bool:
    items = [metric.item(answer) for answer in result.answers]
    return all(item is None or isinstance(item, int | float) for item in items)


def _is_right(answer: Answer, metric: Metric, score: float) -> bool:
    if metric.higher_is_better is None:
        return answer.credit == 1
    return score == float(metric.higher_is_better)


def _record(result: Result, answer: Answer, output: Output) -> dict[str, Any]:
    """Return what a row's records share."""
    row, dataset = answer.row, result.task.dataset
    details: dict[str, object] = {"data": dataset.name, "group": row.group_id, "leaked": str(row.leaked).lower()}
    if isinstance(answer, Choice):
        written = [dataset.labels[label] for label in answer.likeliest]
        verdict, method = ", ".join(written), "likelihood"
        details["probabilities"] = json.dumps([round(probability, 6) for probability in answer.probabilities])
    else:
        assert isinstance(answer, Argument)
        text = without_thought(str(output.value), output.prompt.thinking)
        withheld = _withheld(result, text)
        written = [] if withheld else [text]
        verdict = "" if answer.verdict is None else dataset.labels[answer.verdict]
        method = "dfar_bench.reading"
        details |= {"code": answer.code, "outcome": answer.outcome, "judge": result.signature.get("judge")}
        details["response"] = withheld and f"left out: it {withheld}"
    source, turns = "output.raw", [0]
    record: dict[str, Any] = {
        "sample_id": row.row_id,
        "sample_hash": statement_hash(row.statement),
        "interaction_type": "single_turn",
        "input": {"raw": f"[{dataset.name}, row {row.row_id}]", "reference": [], "choices": list(dataset.labels)},
        "output": {"raw": written},
        "metadata": _texts(**details),
    }
    if output.earlier:
        texts = (without_thought(text, output.prompt.thinking) for text in output.earlier)
        earlier = [None if _withheld(result, text) else text for text in texts]
        said = [*earlier, " or ".join(written) or None]
        messages = [each for text in said for each in (("user", None), ("assistant", text))]
        source, turns = "messages[turn_idx].content", [len(messages) - 1]
        record |= {
            "interaction_type": "multi_turn",
            "output": None,
            "messages": [{"turn_idx": n, "role": role, "content": text} for n, (role, text) in enumerate(messages)],
        }
    attribution = {"source": source, "extracted_value": verdict, "extraction_method": method, "is_terminal": True}
    return {**record, "answer_attribution": [{"turn_idx": turns[0], **attribution}]}


def _withheld(result: Result, text: str) -> str:
    """Return why what a model wrote may not be published, "" if it may."""
    from dfar_bench.leaderboard.privacy import has_token
    from dfar_bench.leaderboard.quotation import MAX_RESPONSE, quotes

    if len(text) > MAX_RESPONSE:
        return f"has more than {MAX_RESPONSE:,} characters"
    if has_token(text):
        return "holds what looks like an access token"
    return "quotes the data" if quotes(result.task.dataset, text) else ""


FORMATS.add(Format("eee", _eee, _organization))
