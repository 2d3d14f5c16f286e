"""What is played in the town: four whistles, act by act. Each act's key is its name, by which it is found again."""

from dataclasses import dataclass, field

DUTY, LEADER, COMMANDER, VERIFIER = "o-cczl-duty-1", "o-cczl-leader", "o-cczl-commander", "o-cczl-verifier"
WATER, POLICE, POWER, URBAN = "o-water-operator", "o-police-cczl-head", "o-power-operator", "o-urban-cczl-head"
BURST, NOISE, REJECTED, LOCKED = "burst", "noise", "rejected", "locked"
WHERE = ("--street", "cczl", "--place", "长城中路 12 号")
DEMAND = (*WHERE, "--kind", "K3", "--urgency", "U3", "--matter", "noise", "--text", "Loudspeakers at night.")


@dataclass(frozen=True)
class Step:
    """One act: who says what, and the fact that shall be found under its key."""

    key: str
    officer: str
    arguments: tuple[str, ...]
    fact: str
    detail: dict[str, object] = field(default_factory=dict)
    whistle: str = BURST


ON_BURST = [
    Step(
        BURST,
        DUTY,
        (
            *("blow", *WHERE, "--kind", "K1", "--urgency", "U1", "--matter", "water-main-burst"),
            *("--unit", "water:lead", "--unit", "police-cczl", "--unit", "power:support", "--unit", "fire"),
            *("--text", "水从路面冒出", "--source", "hotline:12345-0001"),
        ),
        "whistle_submitted",
    ),
    Step("ack", WATER, ("ack", BURST), "acknowledged", {"unit": "water"}),
    Step("contact", WATER, ("contact", BURST, "--note", "called"), "street_contacted", {"note": "called"}),
    Step(
        "report-in",
        WATER,
        ("report-in", BURST, "--people", "4", "--mode", "onsite"),
        "arrival_announced",
        {"people": 4, "presence": "onsite"},
    ),
    Step("confirm-arrival", DUTY, ("confirm-arrival", BURST, "--unit", "water"), "arrival_confirmed"),
    # Coming without having signed: the signature is taken as given, under the same key.
    Step("by-video", POLICE, ("report-in", BURST, "--people", "1", "--mode", "video"), "acknowledged"),
    Step(
        "absent",
        VERIFIER,
        ("confirm-arrival", BURST, "--unit", "police-cczl", "--absent", "--reason", "nobody there"),
        "arrival_denied",
        {"unit": "police-cczl", "reason": "nobody there"},
    ),
    Step("police-comes", POLICE, ("report-in", BURST, "--people", "2"), "arrival_announced", {"people": 2}),
    Step("police-is-there", DUTY, ("confirm-arrival", BURST, "--unit", "police-cczl"), "arrival_confirmed"),
    Step("power-comes", POWER, ("report-in", BURST, "--people", "3"), "acknowledged"),
    Step("power-is-there", DUTY, ("confirm-arrival", BURST, "--unit", "power"), "arrival_confirmed"),
    Step("confirm-sounding", LEADER, ("confirm-sounding", BURST, "--note", "right"), "sounding_confirmed"),
    Step(
        "progress",
        WATER,
        ("progress", BURST, "--text", "The valve is shut.", "--plan"),
        "progress_reported",
        {"plan": True},
    ),
    Step(
        "stand-down",
        COMMANDER,
        ("stand-down", BURST, "--unit", "power", "--reason", "no cable hit"),
        "unit_stood_down",
        {"unit": "power"},
    ),
    Step(
        "waive",
        LEADER,
        ("waive", BURST, "--unit", "fire", "--reason", "not needed", "--interim", "never came"),
        "result_waived",
        {"unit": "fire", "interim_status": "never came"},
    ),
    Step("police-submits", POLICE, ("submit", BURST, "--result", "Road was closed."), "result_submitted"),
    Step("submit", WATER, ("submit", BURST, "--result", "Repaired.", "--evidence", "photo.jpg"), "result_submitted"),
    Step(
        "fail",
        VERIFIER,
        ("verify", BURST, "--fail", "--reason", "still wet", "--unit", "police-cczl"),
        "verification_failed",
        {"returned": ["water", "police-cczl"]},
    ),
    Step("police-again", POLICE, ("submit", BURST, "--result", "Closed again."), "result_submitted"),
    Step("water-again", WATER, ("submit", BURST, "--result", "Dry."), "result_submitted"),
    Step("pass", VERIFIER, ("verify", BURST, "--pass"), "verification_passed"),
    Step(
        "evaluate",
        LEADER,
        ("evaluate", BURST, "--unit", "water", "--stars", "5", "--on", "speed,handling"),
        "unit_evaluated",
        {"stars": 5, "aspects": ["speed", "handling"]},
    ),
    *(
        Step(f"evaluate-{unit}", LEADER, ("evaluate", BURST, "--unit", unit, "--stars", "3"), "unit_evaluated")
        for unit in ("water", "police-cczl", "power", "fire")
    ),
]
ON_NOISE = [
    Step(
        NOISE,
        DUTY,
        ("source", *WHERE, "--source", "patrol:p-7", "--text", "Loudspeakers.", "--matter", "noise"),
        "source_registered",
        {"source_type": "patrol", "source_id": "p-7"},
        NOISE,
    ),
    Step("blow", DUTY, ("blow", *DEMAND, "--source", "patrol:p-7"), "whistle_submitted", whistle=NOISE),
    Step(
        "reject-to-draft",
        LEADER,
        ("reject", NOISE, "--draft", "--reason", "ask first"),
        "sounding_rejected",
        whistle=NOISE,
    ),
    Step("blow-again", DUTY, ("blow", *DEMAND, "--source", "patrol:p-7"), "whistle_submitted", whistle=NOISE),
    Step("approve", LEADER, ("approve", NOISE, "--note", "go"), "sounding_approved", {"note": "go"}, NOISE),
]
ON_REJECTED = [
    Step(REJECTED, DUTY, ("blow", *DEMAND, "--unit", "urban-cczl"), "whistle_submitted", whistle=REJECTED),
    Step(
        "reject",
        LEADER,
        ("reject", REJECTED, "--reason", "the street's own task"),
        "whistle_cancelled",
        {"cause": "rejected"},
        REJECTED,
    ),
]
# Said while somebody else holds the record's only lock.
WHILE_LOCKED = [
    Step(
        LOCKED,
        DUTY,
        (
            *("blow", *WHERE, "--kind", "K1", "--urgency", "U2", "--matter", "water-main-burst"),
            *("--text", "Another one.", "--unit", "water"),
        ),
        "whistle_submitted",
        whistle=LOCKED,
    ),
    Step("ack-while-locked", WATER, ("ack", LOCKED), "acknowledged", {"unit": "water"}, LOCKED),
]
AT_LAST = [
    Step(
        "cancel-locked", COMMANDER, ("cancel", LOCKED, "--reason", "false alarm"), "whistle_cancelled", whistle=LOCKED
    ),
    Step(
        "cancel",
        COMMANDER,
        ("cancel", NOISE, "--reason", "silence", "--cause", "withdrawn"),
        "whistle_cancelled",
        {"cause": "withdrawn"},
        NOISE,
    ),
]
STEPS = [*ON_BURST, *ON_NOISE, *ON_REJECTED, *AT_LAST]

# What nobody may do at the end of it, and why.
REFUSED: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "no office": ("no_authority", WATER, ("approve", REJECTED)),
    "not summoned": ("not_summoned", WATER, ("ack", NOISE)),
    "own approval": ("not_in_state", LEADER, ("approve", NOISE)),
    "too late": ("not_in_state", WATER, ("ack", BURST)),
    "nothing to answer": ("not_in_state", WATER, ("reply", BURST, "--text", "why")),
    "other content": ("key_reused", WATER, ("ack", BURST, "--key", "contact")),
    "not logged in": ("not_logged_in", "o-fire-head", ("ack", BURST)),
    "no such street": ("unknown_street", DUTY, ("blow", *DEMAND[2:], "--street", "nowhere")),
    "no such matter": ("unknown_matter", DUTY, ("blow", *DEMAND, "--matter", "nosie")),
    "no such unit": ("unknown_unit", DUTY, ("blow", *DEMAND, "--unit", "urban-cczI")),
    "no duty": ("unit_cannot_be_summoned", DUTY, ("blow", *DEMAND, "--unit", "water")),
    "nobody leads": ("lead_missing", DUTY, ("blow", *DEMAND, "--unit", "urban-cczl", "--unit", "police-cczl")),
    "two lead": ("lead_twice", DUTY, ("blow", *DEMAND, "--unit", "urban-cczl:lead", "--unit", "police-cczl:lead")),
    "twice": ("unit_twice", DUTY, ("blow", *DEMAND, "--unit", "urban-cczl:lead", "--unit", "urban-cczl")),
    "danger": ("converts_to_k1", DUTY, ("blow", *DEMAND, "--urgency", "U1")),
    "too long": ("too_large", LEADER, ("cancel", NOISE, "--reason", "x" * 2001)),
    "another street": ("no_authority", DUTY, ("blow", *DEMAND, "--street", "shxl", "--unit", "urban")),
}
