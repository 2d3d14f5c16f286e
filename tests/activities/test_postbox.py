"""What becomes of letters in the record."""

from datetime import timedelta

import pytest

from activities.database import Database
from activities.postbox import THE_FIRST, Postbox, UnknownLetterError
from models.notices import NoticeState
from models.organisation import Channel
from tests.activities.letters import NOW, a_letter, furnish

FIRST, SECOND, THIRD = (a_letter(count) for count in (3, 1, 2))


@pytest.fixture
def postbox(database: Database) -> Postbox:
    """The letters of a record, of either dialect."""
    furnish(database, FIRST, SECOND, THIRD)
    return Postbox(database)


def ids_waiting(postbox: Postbox) -> list[str]:
    return [letter.id for letter in postbox.waiting(THE_FIRST, 10)]


def test_letters_wait_oldest_first_and_are_walked_through_in_parts(postbox: Postbox) -> None:
    part = postbox.waiting(THE_FIRST, 2)
    rest = postbox.waiting(part[-1], 2)

    assert [letter.id for letter in (*part, *rest)] == [FIRST.id, SECOND.id, THIRD.id]
    assert {letter.channel for letter in part} == {Channel.WEBHOOK}
    assert postbox.waiting(rest[-1], 2) == ()


def test_a_letter_is_taken_once(postbox: Postbox) -> None:
    taken = postbox.take([FIRST.id, SECOND.id])
    again = postbox.take([FIRST.id, SECOND.id, THIRD.id])

    assert taken == (FIRST, SECOND)
    assert again == (THIRD,)
    assert ids_waiting(postbox) == []
    assert [letter.id for letter in postbox.under_way(THE_FIRST, 10)] == [FIRST.id, SECOND.id, THIRD.id]


def test_a_letter_that_arrived_before_it_was_called_dispatched_has_arrived(postbox: Postbox) -> None:
    postbox.mark_sent([FIRST.id], NOW)
    postbox.mark_dispatched([FIRST.id])

    assert postbox.look_up(FIRST.id).state is NoticeState.SENT


def test_each_try_is_counted_and_the_last_error_kept(postbox: Postbox) -> None:
    postbox.mark_trouble(FIRST.id, "http_503")
    postbox.mark_trouble(FIRST.id, "timeout")

    posted = postbox.look_up(FIRST.id)

    assert (posted.state, posted.attempts, posted.error) == (NoticeState.DISPATCHED, 2, "timeout")
    assert posted.letter == FIRST


def test_a_letter_that_arrives_in_the_end_has_no_error(postbox: Postbox) -> None:
    postbox.mark_trouble(FIRST.id, "http_503")

    marked = postbox.mark_sent([FIRST.id, SECOND.id], NOW + timedelta(seconds=9))

    posted = postbox.look_up(FIRST.id)
    assert marked == 2
    assert (posted.state, posted.attempts, posted.error) == (NoticeState.SENT, 2, None)


@pytest.mark.parametrize("later", ["mark_trouble", "mark_failed"])
def test_a_letter_that_has_arrived_stays_so_whatever_a_second_try_says(postbox: Postbox, later: str) -> None:
    postbox.mark_sent([FIRST.id], NOW)

    getattr(postbox, later)(FIRST.id, "timeout")

    assert postbox.look_up(FIRST.id).state is NoticeState.SENT
    assert postbox.mark_sent([FIRST.id], NOW) == 0


def test_a_letter_that_is_given_up_waits_no_more(postbox: Postbox) -> None:
    postbox.mark_failed(FIRST.id, "http_404")

    assert postbox.look_up(FIRST.id).state is NoticeState.FAILED
    assert ids_waiting(postbox) == [SECOND.id, THIRD.id]


def test_a_letter_of_another_record_is_unknown(postbox: Postbox) -> None:
    with pytest.raises(UnknownLetterError, match="notice/none"):
        postbox.look_up("notice/none/o-a/file")
