"""Every try at a door is kept, and ends in exactly one way."""

from datetime import UTC, datetime, timedelta

import pytest

from activities.attempts import ListedAttempt, WantedAttempts, list_attempts, record_lag
from activities.database import Database
from activities.ledger import Ledger
from activities.queries import facts_of
from activities.record import RecordConflictError
from models.organisation import Post
from models.recording import Attempt, AttemptOutcome
from models.refusals import Reason
from tests.builders import SUNDAY_0210, Story, a_burst_main, a_sounded_emergency, minutes

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database)


def an_attempt(**changes: object) -> Attempt:
    said = {
        "at": NOW,
        "verb": "ack",
        "door": "cli",
        "officer": "o-water-operator",
        "unit": "water",
        "capacity": Post.UTILITY_OPERATOR,
        "whistle_id": "whistle/jinfeng/k",
        "key": "key-1",
        "command_hash": "f" * 64,
    }
    return Attempt.model_validate(said | changes)


def only(database: Database) -> ListedAttempt:
    with database.reading() as session:
        (found,) = list_attempts(session, WantedAttempts())
    return found


def test_an_attempt_is_pending_until_it_is_settled(database: Database, ledger: Ledger) -> None:
    begun = ledger.begin(an_attempt())

    found = only(database)

    assert begun.recorded_through == 0
    assert (found.attempt_id, found.attempt) == (begun.attempt_id, an_attempt())
    assert (found.outcome, found.finished_at) == (AttemptOutcome.PENDING, None)


def test_a_beginning_says_how_far_the_record_of_the_whistle_is(ledger: Ledger) -> None:
    story = a_sounded_emergency("k")
    opening = ledger.begin(an_attempt(verb="blow"))
    ledger.complete(opening.attempt_id, story.batch(), NOW)

    begun = ledger.begin(an_attempt())

    assert begun.recorded_through == len(story.facts)


def test_what_was_done_is_written_together_with_its_success(database: Database, ledger: Ledger) -> None:
    story = a_sounded_emergency("k")
    begun = ledger.begin(an_attempt(verb="blow"))

    through = ledger.complete(begun.attempt_id, story.batch(), NOW + minutes(1))

    found = only(database)
    with database.reading() as session:
        assert facts_of(session, story.id) == story.facts
    assert through == len(story.facts)
    assert (found.outcome, found.finished_at) == (AttemptOutcome.DONE, NOW + minutes(1))


def test_facts_that_do_not_fit_leave_the_attempt_pending(ledger: Ledger) -> None:
    story = a_sounded_emergency("k")
    other = Story("k").source(at=SUNDAY_0210 + minutes(1)).blow(a_burst_main())
    first = ledger.begin(an_attempt(verb="blow"))
    ledger.complete(first.attempt_id, story.batch(), NOW)
    second = ledger.begin(an_attempt(at=NOW + minutes(1)))

    with pytest.raises(RecordConflictError):
        ledger.complete(second.attempt_id, other.batch(), NOW)

    assert [pending.attempt_id for pending in ledger.pending(NOW + minutes(2))] == [second.attempt_id]


def test_a_refusal_is_kept_with_its_reason(database: Database, ledger: Ledger) -> None:
    begun = ledger.begin(an_attempt())

    ledger.refuse(begun.attempt_id, Reason.NOT_SUMMONED, {"unit": "gas"}, NOW)

    found = only(database)
    assert (found.outcome, found.reason, found.parameters, found.finished_at) == (
        AttemptOutcome.REFUSED,
        "not_summoned",
        {"unit": "gas"},
        NOW,
    )


def test_what_was_done_is_neither_refused_nor_abandoned_afterwards(database: Database, ledger: Ledger) -> None:
    begun = ledger.begin(an_attempt(verb="blow"))
    ledger.complete(begun.attempt_id, a_sounded_emergency("k").batch(), NOW)

    ledger.refuse(begun.attempt_id, Reason.ALREADY_DONE, {}, NOW)
    ledger.abandon(begun.attempt_id, NOW)

    assert (only(database).outcome, only(database).reason) == (AttemptOutcome.DONE, None)


def test_what_was_given_up_and_then_turns_out_to_be_done_is_done(database: Database, ledger: Ledger) -> None:
    begun = ledger.begin(an_attempt(verb="blow"))
    ledger.abandon(begun.attempt_id, NOW)
    given_up = only(database).outcome

    ledger.complete(begun.attempt_id, a_sounded_emergency("k").batch(), NOW)

    assert (given_up, only(database).outcome) == (AttemptOutcome.NEVER_ACCEPTED, AttemptOutcome.DONE)


def test_what_was_given_up_and_then_turns_out_to_be_refused_is_refused(database: Database, ledger: Ledger) -> None:
    begun = ledger.begin(an_attempt(verb="ack"))
    ledger.abandon(begun.attempt_id, NOW)

    ledger.refuse(begun.attempt_id, Reason.ALREADY_DONE, {}, NOW)

    assert (only(database).outcome, only(database).reason) == (AttemptOutcome.REFUSED, Reason.ALREADY_DONE)


def test_the_sweeper_gets_what_is_old_enough_oldest_first(ledger: Ledger) -> None:
    ages = [timedelta(seconds=30), timedelta(seconds=10), timedelta(seconds=60), timedelta(seconds=9)]
    ids = [ledger.begin(an_attempt(at=NOW - age)).attempt_id for age in ages]

    found = ledger.pending(NOW - timedelta(seconds=10))

    assert [each.attempt_id for each in found] == [ids[2], ids[0]]
    assert found[0].attempt == an_attempt(at=NOW - timedelta(seconds=60))


def test_a_stranger_with_a_wrong_passcode_is_kept_too(database: Database, ledger: Ledger) -> None:
    stranger = Attempt(at=NOW, verb="login", door="cli", officer="who\0\udcff" + "x" * 500)

    ledger.note_refusal(stranger, "wrong_passcode", {})

    found = only(database)
    assert found.attempt.officer == "who\N{REPLACEMENT CHARACTER}?" + "x" * 195
    assert (found.outcome, found.reason, found.finished_at) == (AttemptOutcome.REFUSED, "wrong_passcode", NOW)


def test_a_look_at_what_is_not_for_everybody_is_kept(database: Database, ledger: Ledger) -> None:
    ledger.note_look(an_attempt(verb="export", key=None, command_hash=None))

    assert (only(database).attempt.verb, only(database).outcome) == ("export", AttemptOutcome.DONE)


def test_attempts_are_listed_latest_first_and_as_wanted(database: Database, ledger: Ledger) -> None:
    ledger.note_refusal(an_attempt(officer="o-a"), "no_authority", {})
    ledger.note_look(an_attempt(officer="o-a", at=NOW + minutes(1), whistle_id=None))
    ledger.note_look(an_attempt(officer="o-b", at=NOW + minutes(2)))

    def listed(**wanted: object) -> list[tuple[str | None, datetime]]:
        with database.reading() as session:
            found = list_attempts(session, WantedAttempts.model_validate(wanted))
        return [(each.attempt.officer, each.attempt.at) for each in found]

    first, second, third = ("o-a", NOW), ("o-a", NOW + minutes(1)), ("o-b", NOW + minutes(2))
    assert listed() == [third, second, first]
    assert listed(officer="o-a") == [second, first]
    assert listed(outcome="refused") == [first]
    assert listed(whistle_id="whistle/jinfeng/k") == [third, first]
    assert listed(since=NOW + minutes(1)) == [third, second]
    assert listed(limit=1) == [third]


def test_the_lag_counts_what_the_record_knows_to_be_missing(database: Database, ledger: Ledger) -> None:
    story = a_sounded_emergency("k")
    begun = ledger.begin(an_attempt(verb="blow"))
    ledger.complete(begun.attempt_id, story.batch(2, 2), NOW)
    ledger.begin(an_attempt(at=NOW + minutes(3)))
    ledger.begin(an_attempt(at=NOW + minutes(2)))

    with database.reading() as session:
        lag = record_lag(session)

    assert (lag.pending_attempts, lag.oldest_pending_at, lag.gaps) == (2, NOW + minutes(2), 1)


def test_a_record_with_nothing_to_do_has_no_lag(database: Database) -> None:
    with database.reading() as session:
        lag = record_lag(session)

    assert (lag.pending_attempts, lag.oldest_pending_at, lag.gaps, lag.waiting_letters) == (0, None, 0, 0)
