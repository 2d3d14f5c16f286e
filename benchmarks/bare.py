"""The control: a run that takes the same number of updates, with no rules and no record."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from pydantic import BaseModel, ConfigDict


class Word(BaseModel):
    """Something small that somebody says."""

    model_config = ConfigDict(frozen=True)

    key: str
    text: str


@workflow.defn
class BareWorkflow:
    """One run takes ``expected`` updates and ends."""

    @workflow.init
    def __init__(self, expected: int) -> None:
        self._expected = expected
        self._heard = 0

    @workflow.run
    async def run(self, expected: int) -> int:  # noqa: ARG002 - taken by __init__
        """Wait for the last update."""
        await workflow.wait_condition(lambda: self._heard >= self._expected)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._heard

    @workflow.update
    def hear(self, word: Word) -> Word:
        """Take one update and say it back."""
        self._heard += 1
        return word
