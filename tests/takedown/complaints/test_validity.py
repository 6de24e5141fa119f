from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import binomtest

from counterfeit_risk.takedown.complaints.notice import NotifierKind, Right
from counterfeit_risk.takedown.complaints.rights import Mark, MarkKind
from counterfeit_risk.takedown.complaints.validity import (
    ItemFacts,
    NoticeOutcome,
    NotifierRecord,
    Standing,
    UpheldShares,
    ValiditySettings,
    assess,
    estimate_validity,
    notifier_standing,
)

DEFAULTS = ValiditySettings()
MARK = Mark(
    *("Norvell", "EUIPO", "018", MarkKind.WORD),
    territories=frozenset({"EU"}),
    valid_from=date(2020, 1, 1),
    nice_classes=frozenset({18}),
)
NEW = NotifierRecord()
FLAWLESS = NotifierRecord(decided=100, upheld=100)
HOPELESS = NotifierRecord(decided=500, upheld=0)
FACTS = ItemFacts(NotifierKind.RIGHTS_HOLDER, NEW, Right.TRADEMARK, risk=0.5, marks=(MARK,), authorised=False)


@st.composite
def records(draw: st.DrawFn) -> NotifierRecord:
    decided = draw(st.integers(0, 10_000))
    upheld = draw(st.integers(0, decided))
    return NotifierRecord(decided, upheld, draw(st.integers(0, decided - upheld)))


facts = st.builds(
    ItemFacts,
    kind=st.sampled_from(NotifierKind),
    record=records(),
    right=st.sampled_from(Right),
    risk=st.none() | st.floats(0, 1),
    marks=st.sampled_from([(), (MARK,)]),
    authorised=st.booleans(),
)


@given(facts)
def test_a_validity_is_a_probability_and_every_outcome_has_a_reason(facts: ItemFacts) -> None:
    assessment = assess(facts, DEFAULTS)

    assert 0 <= assessment.validity <= 1
    assert assessment.reasons
    assert all(assessment.reasons)


@given(facts, st.floats(0, 1), st.floats(0, 1))
def test_validity_never_falls_as_the_risk_grows(facts: ItemFacts, one: float, other: float) -> None:
    lower, higher = (estimate_validity(replace(facts, risk=risk), DEFAULTS) for risk in sorted((one, other)))

    assert lower <= higher


@given(facts, st.integers(0, 1000), st.integers(0, 1000), st.integers(0, 1000))
def test_validity_never_falls_as_more_of_as_many_notices_are_upheld(
    facts: ItemFacts, one: int, other: int, failed: int
) -> None:
    decided = max(one, other) + failed
    lower, higher = (
        estimate_validity(replace(facts, record=NotifierRecord(decided, upheld)), DEFAULTS)
        for upheld in sorted((one, other))
    )

    assert lower <= higher


@given(facts)
def test_a_mark_never_lowers_the_validity_and_an_authorisation_never_raises_it(facts: ItemFacts) -> None:
    bare, full = (estimate_validity(replace(facts, marks=marks), DEFAULTS) for marks in ((), (MARK,)))
    free, authorised = (estimate_validity(replace(facts, authorised=there), DEFAULTS) for there in (False, True))

    assert bare <= full
    assert authorised <= free


@pytest.mark.parametrize("right", Right)
def test_a_notice_of_which_nothing_is_known_is_as_good_as_all_notices(right: Right) -> None:
    settings = ValiditySettings(mark_present=0)
    facts = replace(FACTS, right=right)

    for risk in (None, settings.prevalence):
        assert estimate_validity(replace(facts, risk=risk), settings) == pytest.approx(settings.upheld_shares.of(right))


def test_the_evidence_adds_up_in_log_odds() -> None:
    # odds: upheld 3 : 1, times risk 9 : 1 over prevalence 1 : 9, so 243 : 1
    settings = ValiditySettings(upheld_shares=UpheldShares(trademark=0.75), prevalence=0.1, mark_present=0)

    assert estimate_validity(replace(FACTS, risk=0.9), settings) == pytest.approx(243 / 244)


def test_few_decisions_say_little_and_many_say_what_they_are() -> None:
    settings = ValiditySettings(mark_present=0)
    validities = [
        estimate_validity(replace(FACTS, risk=None, record=NotifierRecord(decided, 0)), settings)
        for decided in (0, 1, 20, 10_000)
    ]

    assert validities == pytest.approx([0.73, 0.73 * 20 / 21, 0.73 / 2, 0.73 * 20 / 10_020])


@pytest.mark.parametrize("right", [Right.COPYRIGHT, Right.PATENT])
def test_of_a_copyright_or_a_patent_the_risk_says_nothing(right: Right) -> None:
    low, high = (assess(replace(FACTS, right=right, risk=risk), DEFAULTS) for risk in (0.0, 1.0))

    assert low == high


@given(facts)
def test_the_fast_lane_is_for_valid_notices_from_notifiers_of_good_standing(facts: ItemFacts) -> None:
    assessment = assess(facts, DEFAULTS)
    always = facts.kind in {NotifierKind.TRUSTED_FLAGGER, NotifierKind.AUTHORITY}
    good = always or notifier_standing(facts.record, DEFAULTS) is Standing.GOOD_FAITH

    if assessment.outcome is NoticeOutcome.FAST_LANE:
        assert good
        assert assessment.validity >= DEFAULTS.fast_lane_from
        assert not facts.authorised


@given(facts)
def test_unfounded_has_a_low_validity_and_more_than_the_record_against_it(facts: ItemFacts) -> None:
    assessment = assess(facts, DEFAULTS)

    if assessment.outcome is NoticeOutcome.UNFOUNDED:
        assert assessment.validity < DEFAULTS.unfounded_below
        assert facts.authorised or (facts.risk is not None and facts.risk < DEFAULTS.prevalence)


@given(facts)
def test_nobody_of_good_standing_is_unfounded_by_risk_alone(facts: ItemFacts) -> None:
    facts = replace(facts, authorised=False, record=FLAWLESS)

    assert assess(facts, DEFAULTS).outcome is not NoticeOutcome.UNFOUNDED


@given(facts)
def test_only_a_registered_right_can_lack_information_and_only_of_who_must_show_it(facts: ItemFacts) -> None:
    lacks = (
        not facts.authorised
        and not facts.marks
        and facts.right is not Right.COPYRIGHT
        and facts.kind not in {NotifierKind.CONSUMER, NotifierKind.AUTHORITY}
    )

    assert (assess(facts, DEFAULTS).outcome is NoticeOutcome.MORE_INFORMATION) is lacks


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({}, NoticeOutcome.REVIEW),
        ({"risk": 1.0}, NoticeOutcome.REVIEW),
        ({"record": FLAWLESS}, NoticeOutcome.FAST_LANE),
        ({"record": FLAWLESS, "risk": None}, NoticeOutcome.FAST_LANE),
        ({"record": FLAWLESS, "risk": 0.0}, NoticeOutcome.REVIEW),
        ({"kind": NotifierKind.TRUSTED_FLAGGER, "risk": None}, NoticeOutcome.FAST_LANE),
        ({"kind": NotifierKind.AUTHORITY}, NoticeOutcome.FAST_LANE),
        ({"kind": NotifierKind.AUTHORITY, "risk": 0.0, "record": HOPELESS}, NoticeOutcome.REVIEW),
        ({"risk": 0.0}, NoticeOutcome.UNFOUNDED),
        ({"risk": 0.0, "kind": NotifierKind.CONSUMER}, NoticeOutcome.UNFOUNDED),
        ({"risk": 0.01}, NoticeOutcome.REVIEW),
        ({"risk": 0.01, "record": HOPELESS}, NoticeOutcome.UNFOUNDED),
        ({"risk": 0.2, "record": HOPELESS}, NoticeOutcome.REVIEW),
        ({"risk": None, "record": HOPELESS}, NoticeOutcome.REVIEW),
        ({"marks": ()}, NoticeOutcome.MORE_INFORMATION),
        ({"marks": (), "record": FLAWLESS, "risk": 1.0}, NoticeOutcome.MORE_INFORMATION),
        ({"marks": (), "kind": NotifierKind.TRUSTED_FLAGGER}, NoticeOutcome.MORE_INFORMATION),
        ({"marks": (), "kind": NotifierKind.CONSUMER, "risk": 0.0}, NoticeOutcome.REVIEW),
        ({"marks": (), "kind": NotifierKind.AUTHORITY}, NoticeOutcome.REVIEW),
        ({"marks": (), "right": Right.COPYRIGHT}, NoticeOutcome.REVIEW),
        ({"authorised": True}, NoticeOutcome.UNFOUNDED),
        ({"authorised": True, "record": FLAWLESS}, NoticeOutcome.UNFOUNDED),
        ({"authorised": True, "marks": ()}, NoticeOutcome.UNFOUNDED),
        ({"authorised": True, "risk": 0.95}, NoticeOutcome.REVIEW),
        ({"authorised": True, "risk": 0.95, "right": Right.PATENT}, NoticeOutcome.UNFOUNDED),
        ({"authorised": True, "risk": None}, NoticeOutcome.UNFOUNDED),
        ({"authorised": True, "kind": NotifierKind.AUTHORITY, "risk": 0.0}, NoticeOutcome.REVIEW),
    ],
)
def test_where_a_notice_leads(changes: dict[str, object], outcome: NoticeOutcome) -> None:
    assert assess(replace(FACTS, **changes), DEFAULTS).outcome is outcome


@pytest.mark.parametrize(
    ("record", "standing"),
    [
        (NotifierRecord(), Standing.NEW),
        (NotifierRecord(19, 19), Standing.NEW),
        (NotifierRecord(19, 0), Standing.NEW),
        (NotifierRecord(20, 20), Standing.STANDARD),  # the lower bound is 0.88
        (NotifierRecord(25, 25), Standing.GOOD_FAITH),
        (NotifierRecord(1000, 900), Standing.STANDARD),
        (NotifierRecord(1000, 930), Standing.GOOD_FAITH),
        (NotifierRecord(1000, 930, 48), Standing.GOOD_FAITH),
        (NotifierRecord(1000, 930, 50), Standing.STANDARD),  # 50 of 980 were overturned
        (NotifierRecord(20, 0), Standing.STANDARD),  # the upper bound is 0.12
        (NotifierRecord(30, 0), Standing.RESTRICTED),
        (NotifierRecord(100, 27), Standing.STANDARD),  # what consumers usually reach
    ],
)
def test_standing_follows_the_record(record: NotifierRecord, standing: Standing) -> None:
    assert notifier_standing(record, DEFAULTS) is standing


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.01, 0.98))
def test_standing_rests_on_wilsons_interval(counts: tuple[int, int], share: float) -> None:
    upheld, decided = counts
    # two one-sided bounds of 95 % are the two ends of a 90 % interval
    interval = binomtest(upheld, decided).proportion_ci(0.9, method="wilson")
    settings = ValiditySettings(fewest_decided=1, good_upheld_share=share, restricted_upheld_share=share / 2)

    standing = notifier_standing(NotifierRecord(decided, upheld), settings)

    if abs(interval.low - share) > 1e-9:
        assert (standing is Standing.GOOD_FAITH) == (interval.low > share)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"authorisation_lapse": 0.05}, "must lie below unfounded_below"),
        ({"unfounded_below": 0.7}, "must lie below unfounded_below"),
        ({"restricted_upheld_share": 0.9}, "must lie below good_upheld_share"),
        ({"prevalence": 0}, "greater than 0"),
        ({"mark_absent": -1}, "greater than or equal to 0"),
        ({"wilson": 1.96}, "not permitted"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(values: dict[str, float], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ValiditySettings.model_validate(values)
