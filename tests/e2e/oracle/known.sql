-- What the snapshots of one instant may see: it happened before T, and was known four hours after T (S11).
-- An event exactly w before T is inside the window of w; one at T is not there at all (S20).
CREATE OR REPLACE TEMP TABLE known_lines AS
SELECT
    *,
    event_time >= as_of() - INTERVAL 1 DAY AS in_1d,
    event_time >= as_of() - INTERVAL 7 DAYS AS in_7d,
    event_time >= as_of() - INTERVAL 30 DAYS AS in_30d,
    event_time >= as_of() - INTERVAL 90 DAYS AS in_90d,
    event_time >= TIMESTAMP '2017-01-01' AS in_lifetime
FROM lines
WHERE event_time < as_of() AND available_time <= as_of() + INTERVAL 4 HOURS;

CREATE OR REPLACE TEMP TABLE known_redemptions AS
SELECT
    *,
    event_time >= as_of() - INTERVAL 30 DAYS AS in_30d,
    event_time >= as_of() - INTERVAL 90 DAYS AS in_90d,
    event_time >= TIMESTAMP '2017-01-01' AS in_lifetime
FROM redeemed
WHERE event_time < as_of() AND available_time <= as_of() + INTERVAL 4 HOURS;
