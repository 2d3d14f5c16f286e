"""Delivers a letter where a Temporal service knows no standalone activities: the same activity, in a run of its own."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.delivery import DeliveryActivities, Terms

# Not the queue of the whistles: while a receiver is slow, its letters must not hold the slots that the record needs.
NOTICE_QUEUE = "whistle-notices"


@workflow.defn
class LetterWorkflow:
    """One run is one letter; its id is the letter's."""

    @workflow.run
    async def run(self, letter_id: str, terms: Terms) -> None:
        """Deliver the letter. Fails if it is given up, so that its id may be used again."""
        await workflow.execute_activity_method(
            DeliveryActivities.deliver,
            letter_id,
            task_queue=NOTICE_QUEUE,
            start_to_close_timeout=terms.per_try,
            retry_policy=terms.retries,
        )
