"""Fit a version of the reference judge again, and say how it compares with the one in the package."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dfar_bench.errors import InputError
from dfar_bench.judges.base import Judge


@dataclass(frozen=True)
class Fitted:
    """A model that was fitted again.

    Attributes:
        digest: hash of its numbers.
        committed: that of the package's model.
        differing: on how many of the open answers of ``validate``, of which there are ``tried``, the two decide
            otherwise.
    """

    digest: str
    committed: str
    differing: int
    tried: int

    @property
    def same(self) -> bool:
        """Whether all numbers are the same."""
        return self.digest == self.committed

    def __str__(self) -> str:
        if self.same:
            return f"{self.digest}: the model of the package"
        otherwise = f"decides otherwise on {self.differing} of {self.tried} answers"
        return f"{self.digest}: not the model of the package, which is {self.committed} and {otherwise}"


def fit_again(
    version: str,
    out: Path | None = None,
    *,
    vectors: Path | None = None,
    encoder: Path | None = None,
    progress: Callable[[str], object] = lambda _: None,
) -> Fitted:
    """Fit a version.

    Args:
        version: ``v1``, ``v2`` or ``v2b``.
        out: a folder to write the model to.
        vectors: see ``v1.fit.fit``.
        encoder: see ``v2.fit.fit``; None takes it from the Hugging Face Hub.
        progress: called with the name of each step.

    Raises:
        InputError: there is no such version, or what it is fitted to is not available.
    """
    if version == "v1":
        return _first(out, vectors, progress)
    from dfar_bench.judges.reference.v2 import fit
    from dfar_bench.judges.reference.v2.encoder import Encoder, load
    from dfar_bench.judges.reference.v2.judge import ReferenceJudge

    if version not in fit.VERSIONS:
        raise InputError(f"there is no version {version!r} to fit: choose one of v1, {', '.join(fit.VERSIONS)}.")
    arrays = fit.fit(version, encoder or fit.find_published(), progress)
    if out:
        fit.save(version, arrays, out)
    made, committed = Encoder(arrays), load(version)
    return _compared(ReferenceJudge(version, made), ReferenceJudge(version, committed), made.digest, committed.digest)


def _first(out: Path | None, vectors: Path | None, progress: Callable[[str], object]) -> Fitted:
    from dfar_bench.judges.reference.v1.fit import fit, save
    from dfar_bench.judges.reference.v1.judge import ReferenceJudge
    from dfar_bench.judges.reference.v1.model import ReferenceModel, load

    arrays = fit(vectors, progress)
    if out:
        save(arrays, out)
    made, committed = ReferenceModel(arrays), load()
    return _compared(ReferenceJudge(made), ReferenceJudge(committed), made.digest, committed.digest)


def _compared(made: Judge, committed: Judge, digest: str, other: str) -> Fitted:
    from dfar_bench.judges.validation.answers import open_answers

    cases = [answer.case for answer in open_answers("validate")]
    pairs = zip(made.judge(cases), committed.judge(cases), strict=True)
    return Fitted(digest, other, sum(a.misaligned != b.misaligned for a, b in pairs), len(cases))
