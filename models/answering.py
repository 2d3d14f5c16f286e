"""How a summoned unit answers: T5, T10, T11, T14, T18, T22, and the waiver that spares a lead from waiting."""

from models import facts
from models.case import Role
from models.commands import (
    Acknowledge,
    Act,
    ConfirmArrival,
    ContactStreet,
    DenyArrival,
    ReplyToEscalation,
    ReportIn,
    ReportProgress,
    StandDown,
    SubmitResult,
    WaiveResult,
)
from models.policy import Escalation, Stage
from models.refusals import Reason, require
from models.scribe import Scribe
from models.sounding import Rule, said
from models.telling import tell_unit
from models.whistle import ANSWERING, DELIVERED, ENDED, GONE, IN_PLACE, Task, TaskState


def _answering_task(scribe: Scribe, unit: str) -> Task:
    """Return the task of a unit that is still expected to answer."""
    whistle = scribe.whistle
    task = whistle.task(unit)
    require(whistle.state in ANSWERING, Reason.NOT_IN_STATE, state=whistle.state)
    require(task.state not in GONE, Reason.NOT_IN_STATE, state=task.state)
    return task


def acknowledge(scribe: Scribe, act: Act) -> None:
    """T5. After the limit it is deemed given, and there is nothing left to sign."""
    command = said(act, Acknowledge)
    task = _answering_task(scribe, command.unit)
    require(task.state is TaskState.ISSUED, Reason.ALREADY_DONE, state=task.state)
    scribe.enter(facts.Acknowledged(unit=command.unit))


def contact(scribe: Scribe, act: Act) -> None:
    """T10. More than one talk is welcome; the first counts."""
    command = said(act, ContactStreet)
    task = _answering_task(scribe, command.unit)
    require(task.state is not TaskState.ISSUED, Reason.NOT_IN_STATE, state=task.state)
    scribe.enter(facts.StreetContacted(unit=command.unit, note=command.note))


def report_in(scribe: Scribe, act: Act) -> None:
    """T11, first half. Coming without having signed is coming: the signature is taken as given."""
    command = said(act, ReportIn)
    task = _answering_task(scribe, command.unit)
    require(task.state not in IN_PLACE and not task.announced, Reason.ALREADY_DONE, state=task.state)
    if task.state is TaskState.ISSUED:
        scribe.enter(facts.Acknowledged(unit=command.unit))
    limits = scribe.issue(scribe.whistle.street, Stage.CONFIRM_ARRIVAL, about=command.unit)
    scribe.enter(
        facts.ArrivalAnnounced(
            unit=command.unit,
            people=command.people,
            presence=command.presence,
            note=command.note,
            limits=limits,
        )
    )


def confirm_arrival(scribe: Scribe, act: Act) -> None:
    """T11, second half."""
    command = said(act, ConfirmArrival)
    task = _answering_task(scribe, command.unit)
    require(task.announced, Reason.NO_ARRIVAL_ANNOUNCED, unit=command.unit)
    scribe.enter(facts.ArrivalConfirmed(unit=command.unit))


def deny_arrival(scribe: Scribe, act: Act) -> None:
    """An announcement that nobody can see does not count: the report-in limit runs on from where it was."""
    command = said(act, DenyArrival)
    task = _answering_task(scribe, command.unit)
    require(task.announced, Reason.NO_ARRIVAL_ANNOUNCED, unit=command.unit)
    told = tell_unit(scribe.whistle, command.unit)
    scribe.enter(facts.ArrivalDenied(unit=command.unit, reason=command.reason, told=told.addressees), told)


def progress(scribe: Scribe, act: Act) -> None:
    """T14."""
    command = said(act, ReportProgress)
    task = _answering_task(scribe, command.unit)
    require(task.state in IN_PLACE, Reason.NOT_REPORTED_IN, unit=command.unit)
    require(task.state not in DELIVERED, Reason.ALREADY_DONE, state=task.state)
    scribe.enter(facts.ProgressReported(unit=command.unit, text=command.text, plan=command.plan))


def submit(scribe: Scribe, act: Act) -> None:
    """T18: nobody is done who was never there, and the lead is done last."""
    command = said(act, SubmitResult)
    task = _answering_task(scribe, command.unit)
    require(task.state not in DELIVERED, Reason.ALREADY_DONE, state=task.state)
    require(task.state in IN_PLACE, Reason.NOT_REPORTED_IN, unit=command.unit)
    if task.role is Role.LEAD:
        silent = [
            other.unit for other in scribe.whistle.tasks if other.role is Role.SUPPORT and other.state not in DELIVERED
        ]
        require(not silent, Reason.SUPPORTERS_OUTSTANDING, units=",".join(silent))
    scribe.enter(facts.ResultSubmitted(unit=command.unit, result=command.result, evidence=command.evidence))


def waive(scribe: Scribe, act: Act) -> None:
    """A supporter says why it cannot deliver and where it stands; a street leader may say it of a silent one."""
    command = said(act, WaiveResult)
    task = _answering_task(scribe, command.unit)
    require(task.role is Role.SUPPORT, Reason.LEAD_NEEDED, unit=command.unit)
    require(task.state not in DELIVERED, Reason.ALREADY_DONE, state=task.state)
    scribe.enter(facts.ResultWaived(unit=command.unit, reason=command.reason, interim_status=command.interim_status))


def stand_down(scribe: Scribe, act: Act) -> None:
    """T22: the commander alone lets a unit leave, and never the lead: without it nobody could submit."""
    command = said(act, StandDown)
    task = _answering_task(scribe, command.unit)
    require(task.state in IN_PLACE, Reason.NOT_REPORTED_IN, unit=command.unit)
    require(task.role is Role.SUPPORT, Reason.LEAD_NEEDED, unit=command.unit)
    told = tell_unit(scribe.whistle, command.unit)
    scribe.enter(facts.UnitStoodDown(unit=command.unit, reason=command.reason, told=told.addressees), told)


def reply(scribe: Scribe, act: Act) -> None:
    """Answer an escalation that was raised; late answers are kept too, and a second one is welcome."""
    command = said(act, ReplyToEscalation)
    whistle = scribe.whistle
    require(whistle.state not in ENDED, Reason.NOT_IN_STATE, state=whistle.state)
    reached = whistle.escalation_of(command.unit)
    raised = reached is not None and Escalation.E1 <= command.level <= reached
    require(raised, Reason.NOTHING_TO_REPLY_TO, unit=command.unit, level=command.level)
    scribe.enter(facts.Replied(unit=command.unit, level=command.level, text=command.text))


RULES: dict[type, Rule] = {
    Acknowledge: acknowledge,
    ContactStreet: contact,
    ReportIn: report_in,
    ConfirmArrival: confirm_arrival,
    DenyArrival: deny_arrival,
    ReportProgress: progress,
    SubmitResult: submit,
    WaiveResult: waive,
    StandDown: stand_down,
    ReplyToEscalation: reply,
}
