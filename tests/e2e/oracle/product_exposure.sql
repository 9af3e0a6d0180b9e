WITH windows AS (
    SELECT
        product_id,
        count(*) FILTER (in_30d) AS line_count_30d,
        count(*) FILTER (in_90d) AS line_count_90d,
        count(*) FILTER (in_30d AND is_on_display) AS displayed_line_count_30d,
        count(*) FILTER (in_90d AND is_on_display) AS displayed_line_count_90d,
        count(*) FILTER (in_30d AND is_in_mailer) AS mailed_line_count_30d,
        count(*) FILTER (in_90d AND is_in_mailer) AS mailed_line_count_90d,
        count(*) FILTER (in_30d AND discount_rate > 0) AS discounted_line_count_30d,
        count(*) FILTER (in_90d AND discount_rate > 0) AS discounted_line_count_90d,
        count(DISTINCT store_id) FILTER (in_30d) AS selling_store_count_distinct_30d,
        count(DISTINCT store_id) FILTER (in_90d) AS selling_store_count_distinct_90d
    FROM known_lines
    GROUP BY product_id
)
SELECT
    *,
    displayed_line_count_90d / nullif(line_count_90d, 0)::DOUBLE AS displayed_line_share_90d,
    mailed_line_count_90d / nullif(line_count_90d, 0)::DOUBLE AS mailed_line_share_90d
FROM windows
