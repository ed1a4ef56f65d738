-- Reservations of capacity by their time, where few of many meet a window (of all of them: the planner knows nothing of how
-- windows lie by an index of some); and those who are at risk, of whom there are few.

create index capacity_reservation_window on capacity_reservation using gist (tstzrange(from_at, to_at, '[]'));
create index capacity_reservation_at_risk on capacity_reservation (provider_id) where state = 'living' and at_risk;
