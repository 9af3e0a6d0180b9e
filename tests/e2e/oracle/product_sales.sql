WITH windows AS (
    SELECT
        product_id,
        coalesce(sum(quantity) FILTER (in_7d), 0)::BIGINT AS quantity_sum_7d,
        coalesce(sum(quantity) FILTER (in_30d), 0)::BIGINT AS quantity_sum_30d,
        coalesce(sum(quantity) FILTER (in_90d), 0)::BIGINT AS quantity_sum_90d,
        coalesce(sum(quantity) FILTER (in_lifetime), 0)::BIGINT AS quantity_sum_lifetime,
        coalesce(sum(sales_cents) FILTER (in_7d), 0) / 1e2 AS sales_value_sum_7d,
        coalesce(sum(sales_cents) FILTER (in_30d), 0) / 1e2 AS sales_value_sum_30d,
        coalesce(sum(sales_cents) FILTER (in_90d), 0) / 1e2 AS sales_value_sum_90d,
        coalesce(sum(sales_cents) FILTER (in_lifetime), 0) / 1e2 AS sales_value_sum_lifetime,
        count(*) FILTER (in_7d) AS line_count_7d,
        count(*) FILTER (in_30d) AS line_count_30d,
        count(*) FILTER (in_90d) AS line_count_90d,
        count(*) FILTER (in_lifetime) AS line_count_lifetime,
        count(DISTINCT household_id) FILTER (in_30d) AS household_id_count_distinct_30d,
        count(DISTINCT household_id) FILTER (in_90d) AS household_id_count_distinct_90d,
        sum(half_even(unit_price * 1e4)::BIGINT) FILTER (in_30d AND quantity > 0)
            / (count(*) FILTER (in_30d AND quantity > 0) * 1e4) AS unit_price_mean_30d,
        sum(half_even(unit_price * 1e4)::BIGINT) FILTER (in_90d AND quantity > 0)
            / (count(*) FILTER (in_90d AND quantity > 0) * 1e4) AS unit_price_mean_90d
    FROM known_lines
    GROUP BY product_id
)
SELECT *, quantity_sum_7d / nullif(quantity_sum_30d, 0)::DOUBLE AS sales_trend
FROM windows
