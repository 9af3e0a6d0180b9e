WITH windows AS (
    SELECT
        household_id,
        count(DISTINCT basket_id) FILTER (in_7d) AS visit_count_distinct_7d,
        count(DISTINCT basket_id) FILTER (in_30d) AS visit_count_distinct_30d,
        count(DISTINCT basket_id) FILTER (in_90d) AS visit_count_distinct_90d,
        count(DISTINCT basket_id) FILTER (in_lifetime) AS visit_count_distinct_lifetime,
        count(DISTINCT basket_id) FILTER (in_90d AND is_weekend) AS weekend_visit_count_distinct_90d,
        count(DISTINCT basket_id) FILTER (in_90d AND hour_of_day >= 18) AS evening_visit_count_distinct_90d,
        count(DISTINCT store_id) FILTER (in_90d) AS store_count_distinct_90d,
        count(DISTINCT store_id) FILTER (in_lifetime) AS store_count_distinct_lifetime,
        epoch_us(min(event_time) FILTER (in_lifetime)) AS first_us,
        epoch_us(max(event_time) FILTER (in_lifetime)) AS last_us
    FROM known_lines
    GROUP BY household_id
)
SELECT
    * EXCLUDE (first_us, last_us),
    (epoch_us(as_of()) - last_us) / 864e8 AS days_since_last_visit,
    ((last_us - first_us) / 864e8) / nullif(visit_count_distinct_lifetime - 1, 0) AS days_between_visits,
    weekend_visit_count_distinct_90d / nullif(visit_count_distinct_90d, 0)::DOUBLE AS weekend_visit_share,
    evening_visit_count_distinct_90d / nullif(visit_count_distinct_90d, 0)::DOUBLE AS evening_visit_share
FROM windows
