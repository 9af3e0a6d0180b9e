WITH windows AS (
    SELECT
        household_id,
        coalesce(sum(sales_cents) FILTER (in_1d), 0) / 1e2 AS sales_value_sum_1d,
        coalesce(sum(sales_cents) FILTER (in_7d), 0) / 1e2 AS sales_value_sum_7d,
        coalesce(sum(sales_cents) FILTER (in_30d), 0) / 1e2 AS sales_value_sum_30d,
        coalesce(sum(sales_cents) FILTER (in_90d), 0) / 1e2 AS sales_value_sum_90d,
        coalesce(sum(sales_cents) FILTER (in_lifetime), 0) / 1e2 AS sales_value_sum_lifetime,
        count(*) FILTER (in_7d) AS line_count_7d,
        count(*) FILTER (in_30d) AS line_count_30d,
        count(*) FILTER (in_90d) AS line_count_90d,
        count(*) FILTER (in_lifetime) AS line_count_lifetime,
        coalesce(sum(quantity) FILTER (in_7d), 0)::BIGINT AS quantity_sum_7d,
        coalesce(sum(quantity) FILTER (in_30d), 0)::BIGINT AS quantity_sum_30d,
        coalesce(sum(quantity) FILTER (in_90d), 0)::BIGINT AS quantity_sum_90d,
        coalesce(sum(quantity) FILTER (in_lifetime), 0)::BIGINT AS quantity_sum_lifetime,
        count(DISTINCT basket_id) FILTER (in_30d) AS basket_id_count_distinct_30d,
        count(DISTINCT basket_id) FILTER (in_90d) AS basket_id_count_distinct_90d,
        -- Prices as whole hundredths of a cent, rounded once; one division of two integers.
        sum(half_even(unit_price * 1e4)::BIGINT) FILTER (in_7d AND quantity > 0)
            / (count(*) FILTER (in_7d AND quantity > 0) * 1e4) AS paid_unit_price_mean_7d,
        sum(half_even(unit_price * 1e4)::BIGINT) FILTER (in_30d AND quantity > 0)
            / (count(*) FILTER (in_30d AND quantity > 0) * 1e4) AS paid_unit_price_mean_30d,
        sum(half_even(unit_price * 1e4)::BIGINT) FILTER (in_90d AND quantity > 0)
            / (count(*) FILTER (in_90d AND quantity > 0) * 1e4) AS paid_unit_price_mean_90d,
        sum(half_even(unit_price * 1e4)::BIGINT) FILTER (in_lifetime AND quantity > 0)
            / (count(*) FILTER (in_lifetime AND quantity > 0) * 1e4) AS paid_unit_price_mean_lifetime
    FROM known_lines
    GROUP BY household_id
)
SELECT
    *,
    sales_value_sum_30d / nullif(basket_id_count_distinct_30d, 0) AS spend_per_basket_30d,
    sales_value_sum_7d / nullif(sales_value_sum_30d, 0) AS spend_trend
FROM windows
