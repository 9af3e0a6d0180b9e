-- Products that the catalogue gives no category are one category; equals share the better rank.
WITH members AS (
    SELECT s.product_id, p.product_category AS category, s.quantity_sum_30d AS items,
        half_even(s.sales_value_sum_30d * 1e2)::BIGINT AS cents_30d,
        half_even(s.sales_value_sum_90d * 1e2)::BIGINT AS cents_90d
    FROM product_sales AS s
    LEFT JOIN products AS p USING (product_id)
), categories AS (
    SELECT category, count(*) AS products, sum(cents_30d)::DOUBLE AS cents_30d, sum(cents_90d)::DOUBLE AS cents_90d
    FROM members
    GROUP BY category
), sold AS (
    -- How many products of the category sold more than so many items.
    SELECT category, items, sum(count(*)) OVER (PARTITION BY category ORDER BY items DESC) - count(*) AS better
    FROM members
    GROUP BY category, items
)
SELECT
    m.product_id,
    c.products AS category_members,
    s.better::BIGINT + 1 AS quantity_sum_30d_rank,
    m.cents_30d / nullif(c.cents_30d, 0) AS sales_value_sum_30d_share_of_total,
    m.cents_90d / nullif(c.cents_90d, 0) AS sales_value_sum_90d_share_of_total
FROM members AS m
JOIN categories AS c ON c.category IS NOT DISTINCT FROM m.category
JOIN sold AS s ON s.category IS NOT DISTINCT FROM m.category AND s.items = m.items
