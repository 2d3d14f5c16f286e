"""From a source to a sounded whistle, and back out of it: T1 to T4 and T26."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from models import facts
from models.authority import RANK
from models.case import CancelCause, Case, Role, WhistleLevel, WhistleState
from models.commands import (
    Act,
    AdoptCalendar,
    Approve,
    Blow,
    Cancel,
    ConfirmSounding,
    RegisterSource,
    Reject,
    ReportNoticeFailure,
)
from models.limits import Law, Limit
from models.organisation import Post, UnitKind
from models.policy import Escalation, Kind, Stage, Urgency
from models.refusals import Reason, require
from models.scribe import Scribe
from models.telling import (
    COMMAND_CENTRE_DUTY,
    STREET_DUTY,
    STREET_LEADERS,
    Told,
    tell,
    tell_owner,
    tell_unit,
)
from models.whistle import ENDED, IN_PLACE, Whistle

Rule = Callable[[Scribe, Act], None]

SUMMONABLE = frozenset({UnitKind.DEPARTMENT, UnitKind.DISPATCHED_OFFICE, UnitKind.UTILITY})
TOUGH_POSTS = frozenset({Post.STREET_DIRECTOR, Post.STREET_COMMANDER})
LEAD_STAGES = (
    Stage.ACK,
    Stage.CONTACT,
    Stage.REPORT_IN,
    Stage.SITUATION,
    Stage.PLAN,
    Stage.RESOLVE,
)
SUPPORT_STAGES = (Stage.ACK, Stage.CONTACT, Stage.REPORT_IN, Stage.SUPPORT)
C = TypeVar("C")


def in_state(whistle: Whistle, *states: WhistleState) -> None:
    """Refuse unless the whistle is in one of ``states``."""
    require(whistle.state in states, Reason.NOT_IN_STATE, state=whistle.state)


def said(act: Act, command: type[C]) -> C:
    """Return the command of ``act`` as what the rule table says it is."""
    if not isinstance(act.command, command):
        raise TypeError(f"{act.command.verb} came to the rule of {command.__name__}")
    return act.command


def officer(act: Act) -> str:
    """Return the token of whoever acts."""
    return act.actor.officer if act.actor else facts.SYSTEM


def register_source(scribe: Scribe, act: Act) -> None:
    """T1."""
    command = said(act, RegisterSource)
    require(scribe.whistle.source is None, Reason.ALREADY_DONE)
    scribe.enter(
        facts.SourceRegistered(
            source_type=command.source_type,
            source_id=command.source_id,
            street=command.street,
            community=command.community,
            matter=command.matter,
            place=command.place,
            text=command.text,
        )
    )


def blow(scribe: Scribe, act: Act) -> None:
    """T2, and T3e for an emergency: danger does not wait for a leader."""
    command = said(act, Blow)
    in_state(scribe.whistle, WhistleState.DRAFT)
    case = command.case
    _check_case(case, command)
    law = Law(
        command.policy.slice(case.kind, case.urgency),
        command.calendar,
        case.kind,
        case.urgency,
        command.mode,
    )
    require(
        law.policy.row(case.kind, case.urgency, command.mode)[1].get(Stage.RESOLVE),
        Reason.NO_LIMITS,
        kind=case.kind,
        urgency=case.urgency,
    )
    emergency = case.kind is Kind.EMERGENCY_RESPONSE
    approve = None if emergency else law.issue(scribe.whistle.street, Stage.APPROVE, scribe.now)
    told = Told() if emergency else _leaders(scribe.whistle, command)
    scribe.enter(
        facts.WhistleSubmitted(
            case=case,
            policy=law.policy,
            calendar=law.calendar,
            parties=command.parties,
            stamp=command.mode,
            limits=(approve,) if approve else (),
            told=told.addressees,
        ),
        told,
    )
    if emergency:
        _sound(scribe, act)


def _leaders(whistle: Whistle, command: Blow) -> Told:
    return tell(replace(whistle, parties=command.parties), whistle.street, [STREET_LEADERS])


def _check_case(case: Case, command: Blow) -> None:
    units = [summons.unit for summons in case.summons]
    leads = [summons.unit for summons in case.summons if summons.role is Role.LEAD]
    require(len(set(units)) == len(units), Reason.UNIT_TWICE, units=",".join(units))
    require(leads, Reason.LEAD_MISSING)
    require(len(leads) == 1, Reason.LEAD_TWICE, units=",".join(leads))
    converts = case.kind is Kind.PUBLIC_DEMAND and case.urgency is Urgency.U1
    require(not converts, Reason.CONVERTS_TO_K1)
    kinds = {party.unit: party.kind for party in command.parties}
    for unit in units:
        require(kinds.get(unit) in SUMMONABLE, Reason.UNIT_CANNOT_BE_SUMMONED, unit=unit)


def _sound(scribe: Scribe, act: Act) -> None:
    whistle = scribe.whistle
    case = whistle.sounded_case
    emergency = case.kind is Kind.EMERGENCY_RESPONSE
    limits: list[Limit] = []
    told = Told()
    for summons in case.summons:
        stages = LEAD_STAGES if summons.role is Role.LEAD else SUPPORT_STAGES
        limits += scribe.issue(summons.unit, *stages)
        told += tell_unit(whistle, summons.unit)
        if summons.role is Role.LEAD and case.promised_at:
            limits = [x for x in limits if x.stage is not Stage.RESOLVE]
            limits.append(whistle.frozen_law.promised(summons.unit, Stage.RESOLVE, scribe.now, case.promised_at))
    # A leader who sounds an emergency himself has nobody left in the street to confirm it.
    if emergency and act.actor and act.actor.capacity is Post.STREET_DUTY_OFFICER:
        limits += scribe.issue(whistle.street, Stage.CONFIRM_SOUNDING)
        told += tell(whistle, whistle.street, [STREET_LEADERS])
    scribe.enter(facts.WhistleSounded(emergency=emergency, limits=tuple(limits), told=told.addressees), told)


def approve(scribe: Scribe, act: Act) -> None:
    """T3: the submitter does not approve his own, and a tough whistle needs secretary or director."""
    in_state(scribe.whistle, WhistleState.PENDING_APPROVAL)
    _second_person(scribe.whistle.submitted_by, act)
    tough = scribe.whistle.sounded_case.level is WhistleLevel.TOUGH
    capacity = act.actor.capacity if act.actor else None
    require(not tough or capacity in TOUGH_POSTS, Reason.NO_AUTHORITY, verb="approve", level="tough")
    scribe.enter(facts.SoundingApproved(note=said(act, Approve).note))
    _sound(scribe, act)


def reject(scribe: Scribe, act: Act) -> None:
    """T4."""
    in_state(scribe.whistle, WhistleState.PENDING_APPROVAL)
    _second_person(scribe.whistle.submitted_by, act)
    command = said(act, Reject)
    told = tell(scribe.whistle, scribe.whistle.street, [STREET_DUTY])
    if command.back_to_draft:
        scribe.enter(facts.SoundingRejected(reason=command.reason, told=told.addressees), told)
    else:
        _withdraw(scribe, CancelCause.REJECTED, command.reason, told)


def confirm_sounding(scribe: Scribe, act: Act) -> None:
    """T3e: afterwards, by somebody else; late is late, but never refused."""
    limit = scribe.whistle.limit(scribe.whistle.street, Stage.CONFIRM_SOUNDING)
    require(limit, Reason.NOT_IN_STATE, state=scribe.whistle.state)
    require(limit and limit.is_open, Reason.ALREADY_DONE)
    _second_person(scribe.whistle.sounded_by, act)
    scribe.enter(facts.SoundingConfirmed(note=said(act, ConfirmSounding).note))


def cancel(scribe: Scribe, act: Act) -> None:
    """T26: by the sounder's superior; once a unit has reported in, the district is told."""
    whistle = scribe.whistle
    require(whistle.state not in ENDED, Reason.NOT_IN_STATE, state=whistle.state)
    capacity = act.actor.capacity if act.actor else None
    rank = RANK.get(capacity, 0) if capacity else 0
    sounder = RANK.get(whistle.sounded_in, 0) if whistle.sounded_in else 0
    outranks = rank > sounder or capacity is Post.STREET_COMMANDER
    require(outranks, Reason.NO_AUTHORITY, verb="cancel")
    command = said(act, Cancel)
    told = Told()
    for task in whistle.tasks:
        told += tell_unit(whistle, task.unit)
    _withdraw(scribe, command.cause, command.reason, told)


def _withdraw(scribe: Scribe, cause: CancelCause, reason: str, told: Told) -> None:
    present = any(task.state in IN_PLACE for task in scribe.whistle.tasks)
    if present:
        told += tell(scribe.whistle, scribe.whistle.street, [COMMAND_CENTRE_DUTY])
    scribe.enter(
        facts.WhistleCancelled(cause=cause, reason=reason, district_notified=present, told=told.addressees),
        told,
    )


def adopt_calendar(scribe: Scribe, act: Act) -> None:
    """Count provisional limits anew once the year's holidays are known; firm ones stay as they are."""
    calendar = said(act, AdoptCalendar).calendar
    whistle = scribe.whistle
    in_use = whistle.frozen_law.calendar
    require(whistle.state not in ENDED, Reason.NOT_IN_STATE, state=whistle.state)
    require(calendar.version != in_use.version, Reason.ALREADY_DONE)
    require(len(calendar.years) >= len(in_use.years), Reason.CALENDAR_OLDER, version=calendar.version)
    law = replace(whistle.frozen_law, calendar=calendar)
    rebased = tuple(law.rebased(x, scribe.now) for x in whistle.limits if x.provisional and x.is_open and not x.missed)
    told = Told()
    for owner in dict.fromkeys(limit.owner for limit in rebased):
        told += tell_owner(whistle, owner, Escalation.E0)
    scribe.enter(facts.CalendarAdopted(calendar=calendar, limits=rebased, told=told.addressees), told)


def report_notice_failure(scribe: Scribe, act: Act) -> None:
    """Keep that somebody could not be told."""
    command = said(act, ReportNoticeFailure)
    require(command.fact_number <= scribe.whistle.number, Reason.NOT_IN_STATE, state="-")
    scribe.enter(
        facts.NoticeFailed(
            fact_number=command.fact_number,
            receiver=command.receiver,
            channel=command.channel,
            error=command.error,
        )
    )


def _second_person(first: str | None, act: Act) -> None:
    require(officer(act) != first, Reason.SAME_PERSON, verb=act.command.verb)


RULES: dict[type, Rule] = {
    RegisterSource: register_source,
    Blow: blow,
    Approve: approve,
    Reject: reject,
    ConfirmSounding: confirm_sounding,
    Cancel: cancel,
    AdoptCalendar: adopt_calendar,
    ReportNoticeFailure: report_notice_failure,
}
