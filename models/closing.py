"""How a whistle ends well: T20, T21, T25. The street verifies what others did, and scores them."""

from models import facts
from models.case import Role, WhistleState
from models.commands import Act, Evaluate, FailVerification, PassVerification
from models.limits import Limit
from models.policy import Stage
from models.refusals import Reason, require
from models.scribe import Scribe
from models.sounding import Rule, in_state, officer, said
from models.telling import Told, tell_unit
from models.whistle import Task, TaskState

REOPENED = (Stage.RESOLVE, Stage.SUPPORT)


def _not_a_handler(scribe: Scribe, act: Act) -> None:
    """SOD-1: who handled does not verify."""
    handled = {hand for task in scribe.whistle.tasks for hand in task.hands}
    require(officer(act) not in handled, Reason.SAME_PERSON, verb=act.command.verb)


def pass_verification(scribe: Scribe, act: Act) -> None:
    """T21."""
    in_state(scribe.whistle, WhistleState.VERIFYING)
    _not_a_handler(scribe, act)
    scribe.enter(facts.VerificationPassed(note=said(act, PassVerification).note))


def fail_verification(scribe: Scribe, act: Act) -> None:
    """T20: the lead always goes back to work, named supporters with it; their clocks go on where they stopped."""
    in_state(scribe.whistle, WhistleState.VERIFYING)
    _not_a_handler(scribe, act)
    command = said(act, FailVerification)
    whistle = scribe.whistle
    for unit in command.units:
        named = whistle.task(unit)
        delivered = named.state is TaskState.SUBMITTED
        require(delivered, Reason.NOT_IN_STATE, state=named.state)
    returned = tuple(task.unit for task in whistle.tasks if task.role is Role.LEAD or task.unit in command.units)
    told = Told()
    limits: list[Limit] = []
    for unit in returned:
        told += tell_unit(whistle, unit)
        limits += _resumed(scribe, whistle.task(unit))
    scribe.enter(
        facts.VerificationFailed(reason=command.reason, returned=returned, limits=tuple(limits), told=told.addressees),
        told,
    )


def _resumed(scribe: Scribe, task: Task) -> list[Limit]:
    law = scribe.whistle.frozen_law
    return [
        law.resumed(limit, limit.met_at, scribe.now)
        for limit in scribe.whistle.limits
        if limit.owner == task.unit and limit.stage in REOPENED and limit.met_at
    ]


def evaluate(scribe: Scribe, act: Act) -> None:
    """The street scores each unit, also one that left or was excused; the last score completes the whistle (T25)."""
    in_state(scribe.whistle, WhistleState.EVALUATING)
    command = said(act, Evaluate)
    scribe.whistle.task(command.unit)
    scribe.enter(
        facts.UnitEvaluated(
            unit=command.unit,
            stars=command.stars,
            aspects=tuple(dict.fromkeys(command.aspects)),
        )
    )


RULES: dict[type, Rule] = {
    PassVerification: pass_verification,
    FailVerification: fail_verification,
    Evaluate: evaluate,
}
