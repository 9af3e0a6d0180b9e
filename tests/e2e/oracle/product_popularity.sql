-- Ranks among all products seen; a percentile is the share of the other products with a smaller value.
WITH buyers AS (
    SELECT household_id_count_distinct_30d AS buyers, count(*) AS products,
        sum(count(*)) OVER (ORDER BY household_id_count_distinct_30d) - count(*) AS fewer
    FROM product_sales
    GROUP BY buyers
), items AS (
    SELECT quantity_sum_30d AS items, sum(count(*)) OVER (ORDER BY quantity_sum_30d) - count(*) AS fewer
    FROM product_sales
    GROUP BY items
), everyone AS (
    SELECT count(*) AS products FROM product_sales
)
SELECT
    s.product_id,
    (e.products - b.fewer - b.products + 1)::BIGINT AS household_id_count_distinct_30d_rank,
    b.fewer / (e.products - 1)::DOUBLE AS household_id_count_distinct_30d_percentile_rank,
    i.fewer / (e.products - 1)::DOUBLE AS quantity_sum_30d_percentile_rank
FROM product_sales AS s
JOIN buyers AS b ON b.buyers = s.household_id_count_distinct_30d
JOIN items AS i ON i.items = s.quantity_sum_30d
CROSS JOIN everyone AS e
