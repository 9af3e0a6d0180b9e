-- At the first instant of each campaign, in the stores' zone: the households addressed by it whose baskets were known
-- by then, and whether they handed in one of its coupons on a day that lies whole inside the 14 × 24 hours from then on.
-- Null where these, and the four hours that redemptions take to land, outlast the data.
WITH addressed AS (
    SELECT DISTINCT household_id, campaign_id, day_begins(CAST(start_date AS DATE)) AS label_time
    FROM campaigns JOIN campaign_descriptions USING (campaign_id)
), first_bought AS (
    SELECT household_id, min(transaction_timestamp) AS first FROM transactions GROUP BY household_id
), handed_in AS (
    SELECT
        household_id,
        campaign_id,
        day_begins(CAST(redemption_date AS DATE)) AS begins,
        day_begins(CAST(redemption_date AS DATE) + 1) AS ends
    FROM coupon_redemptions
), data AS (
    SELECT max(ends) AS last FROM handed_in
)
SELECT
    a.household_id,
    a.campaign_id,
    a.label_time,
    CASE WHEN a.label_time + INTERVAL 14 DAYS + INTERVAL 4 HOURS <= last THEN EXISTS (
        SELECT 1 FROM handed_in AS h
        WHERE h.household_id = a.household_id AND h.campaign_id = a.campaign_id
            AND h.begins >= a.label_time AND h.ends <= a.label_time + INTERVAL 14 DAYS
    ) END AS has_redeemed
FROM addressed AS a
JOIN first_bought AS f ON f.household_id = a.household_id
CROSS JOIN data
WHERE f.first < a.label_time AND f.first + INTERVAL 4 HOURS <= a.label_time
