"""A condition in one entry: think first, then give the verdict, which is the last one."""

from dfar_bench.prompts.conditions import CONDITIONS, Condition, Turn

CONDITIONS.add(
    Condition(
        name="verdict_last",
        title="reasoning first",
        turns=(Turn("{question} Weigh both sides, then end with the verdict."),),
        with_reason=True,
        final="last",
        stops=("\n###",),
        max_tokens=24,
    )
)
