WITH windows AS (
    SELECT
        household_id,
        coalesce(sum(sales_cents) FILTER (in_90d), 0) / 1e2 AS sales_value_sum_90d,
        coalesce(sum(sales_cents) FILTER (in_90d AND department = 'GROCERY'), 0) / 1e2 AS grocery_sum_90d,
        coalesce(sum(sales_cents) FILTER (in_90d AND department = 'DRUG GM'), 0) / 1e2 AS drug_sum_90d,
        coalesce(sum(sales_cents) FILTER (in_90d AND department = 'FUEL'), 0) / 1e2 AS fuel_sum_90d,
        coalesce(sum(sales_cents) FILTER (in_90d AND department = 'PRODUCE'), 0) / 1e2 AS produce_sum_90d,
        coalesce(sum(sales_cents) FILTER (in_90d AND department = 'MEAT'), 0) / 1e2 AS meat_sum_90d,
        coalesce(sum(sales_cents) FILTER (in_90d AND department = 'MEAT-PCKGD'), 0) / 1e2 AS packaged_meat_sum_90d,
        coalesce(sum(sales_cents) FILTER (in_90d AND department = 'DELI'), 0) / 1e2 AS deli_sum_90d,
        coalesce(sum(sales_cents) FILTER (in_90d AND is_private_brand), 0) / 1e2 AS private_brand_sum_90d,
        count(DISTINCT product_category) FILTER (in_90d) AS product_category_count_distinct_90d,
        count(DISTINCT product_category) FILTER (in_lifetime) AS product_category_count_distinct_lifetime
    FROM known_lines
    GROUP BY household_id
)
SELECT
    *,
    grocery_sum_90d / nullif(sales_value_sum_90d, 0) AS grocery_share,
    drug_sum_90d / nullif(sales_value_sum_90d, 0) AS drug_share,
    fuel_sum_90d / nullif(sales_value_sum_90d, 0) AS fuel_share,
    produce_sum_90d / nullif(sales_value_sum_90d, 0) AS produce_share,
    meat_sum_90d / nullif(sales_value_sum_90d, 0) AS meat_share,
    packaged_meat_sum_90d / nullif(sales_value_sum_90d, 0) AS packaged_meat_share,
    deli_sum_90d / nullif(sales_value_sum_90d, 0) AS deli_share,
    private_brand_sum_90d / nullif(sales_value_sum_90d, 0) AS private_brand_share
FROM windows
