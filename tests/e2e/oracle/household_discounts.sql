WITH windows AS (
    SELECT
        household_id,
        coalesce(sum(retail_disc_cents) FILTER (in_30d), 0) / 1e2 AS retail_disc_sum_30d,
        coalesce(sum(retail_disc_cents) FILTER (in_90d), 0) / 1e2 AS retail_disc_sum_90d,
        coalesce(sum(retail_disc_cents) FILTER (in_lifetime), 0) / 1e2 AS retail_disc_sum_lifetime,
        coalesce(sum(coupon_disc_cents) FILTER (in_30d), 0) / 1e2 AS coupon_disc_sum_30d,
        coalesce(sum(coupon_disc_cents) FILTER (in_90d), 0) / 1e2 AS coupon_disc_sum_90d,
        coalesce(sum(coupon_disc_cents) FILTER (in_lifetime), 0) / 1e2 AS coupon_disc_sum_lifetime,
        coalesce(sum(coupon_match_disc_cents) FILTER (in_30d), 0) / 1e2 AS coupon_match_disc_sum_30d,
        coalesce(sum(coupon_match_disc_cents) FILTER (in_90d), 0) / 1e2 AS coupon_match_disc_sum_90d,
        coalesce(sum(coupon_match_disc_cents) FILTER (in_lifetime), 0) / 1e2 AS coupon_match_disc_sum_lifetime,
        coalesce(sum(shelf_cents) FILTER (in_90d), 0) / 1e2 AS shelf_value_sum_90d,
        count(*) FILTER (in_30d AND has_coupon) AS coupon_line_count_30d,
        count(*) FILTER (in_90d AND has_coupon) AS coupon_line_count_90d,
        count(*) FILTER (in_lifetime AND has_coupon) AS coupon_line_count_lifetime,
        count(*) FILTER (in_90d AND is_exposed) AS exposed_line_count_90d,
        count(*) FILTER (in_90d) AS all_line_count_90d
    FROM known_lines
    GROUP BY household_id
)
SELECT
    *,
    retail_disc_sum_90d / nullif(shelf_value_sum_90d, 0) AS discount_share_90d,
    exposed_line_count_90d / nullif(all_line_count_90d, 0)::DOUBLE AS exposed_line_share_90d
FROM windows
