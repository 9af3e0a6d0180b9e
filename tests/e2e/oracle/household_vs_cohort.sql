-- A cohort is everybody of the same age and income; who told neither belongs to one cohort of their own. The household
-- itself is no part of its cohort's mean, and a cohort of fewer than 20 others says nothing.
WITH members AS (
    SELECT
        s.household_id, d.age, d.income,
        s.sales_value_sum_30d, half_even(s.sales_value_sum_30d * 1e2)::BIGINT AS cents_30d,
        s.sales_value_sum_90d, half_even(s.sales_value_sum_90d * 1e2)::BIGINT AS cents_90d,
        s.basket_id_count_distinct_30d AS baskets
    FROM household_spend AS s
    LEFT JOIN demographics AS d USING (household_id)
), cohorts AS (
    SELECT age, income, count(*) AS households, sum(cents_30d) AS cents_30d, sum(cents_90d) AS cents_90d, sum(baskets) AS baskets
    FROM members
    GROUP BY age, income
), others AS (
    SELECT
        m.*,
        c.households - 1 AS others,
        (c.cents_30d - m.cents_30d) / ((c.households - 1) * 1e2) AS mean_30d,
        (c.cents_90d - m.cents_90d) / ((c.households - 1) * 1e2) AS mean_90d,
        (c.baskets - m.baskets) / (c.households - 1)::DOUBLE AS mean_baskets,
        (SELECT count(*) FROM members AS o
            WHERE o.age IS NOT DISTINCT FROM m.age AND o.income IS NOT DISTINCT FROM m.income
            AND o.cents_30d < m.cents_30d) AS below_30d,
        (SELECT count(*) FROM members AS o
            WHERE o.age IS NOT DISTINCT FROM m.age AND o.income IS NOT DISTINCT FROM m.income
            AND o.cents_90d < m.cents_90d) AS below_90d
    FROM members AS m
    JOIN cohorts AS c ON c.age IS NOT DISTINCT FROM m.age AND c.income IS NOT DISTINCT FROM m.income
)
SELECT
    household_id,
    others AS cohort_members,
    CASE WHEN others >= 20 THEN sales_value_sum_30d / nullif(mean_30d, 0) END AS sales_value_sum_30d_ratio_to_mean,
    CASE WHEN others >= 20 THEN sales_value_sum_90d / nullif(mean_90d, 0) END AS sales_value_sum_90d_ratio_to_mean,
    CASE WHEN others >= 20 THEN baskets / nullif(mean_baskets, 0) END AS basket_id_count_distinct_30d_ratio_to_mean,
    CASE WHEN others >= 20 THEN below_30d / others::DOUBLE END AS sales_value_sum_30d_percentile_rank,
    CASE WHEN others >= 20 THEN below_90d / others::DOUBLE END AS sales_value_sum_90d_percentile_rank
FROM others
