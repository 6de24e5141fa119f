from datetime import UTC, datetime
from counterfeit_risk.takedown.complaints.appeals import Appeal
from counterfeit_risk.takedown.complaints.tables import Appellant
from counterfeit_risk.takedown.states import Verdict
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
def test_x(queue, load, make_score):
    load(make_score("a", photo_hashes=("p1",)), make_score("b", photo_hashes=("p2",)))
    for _ in range(2):
        l = queue.next_case("ada", NOW); queue.decide(l.case.case_id, "ada", Verdict.COUNTERFEIT if l.case.case_id==2 else Verdict.UNSURE, "s", l.token, NOW)
    queue.appeal(2, Appeal("bazaar/b", Appellant.SELLER, "g"), "desk", NOW)
    load(make_score("c", photo_hashes=("p1","p2")))
    l = queue.next_case("bob", NOW)
    print(l.case.case_id, [s.listing_key for s in l.case.snapshots])
    queue.decide(l.case.case_id, "bob", Verdict.GENUINE, "s", l.token, NOW)
    from sqlalchemy import select
    from counterfeit_risk.takedown.complaints.tables import AppealRow
    from counterfeit_risk.takedown.database import reading
    with reading(queue._engine) as s: print([(r.case_id, r.outcome) for r in s.scalars(select(AppealRow))])
