-- Only households that ever redeemed a coupon are seen here (S22).
SELECT
    household_id,
    count(*) FILTER (in_30d) AS redemption_count_30d,
    count(*) FILTER (in_90d) AS redemption_count_90d,
    count(*) FILTER (in_lifetime) AS redemption_count_lifetime,
    count(DISTINCT campaign_id) FILTER (in_30d) AS campaign_count_distinct_30d,
    count(DISTINCT campaign_id) FILTER (in_90d) AS campaign_count_distinct_90d,
    count(DISTINCT campaign_id) FILTER (in_lifetime) AS campaign_count_distinct_lifetime,
    count(*) FILTER (in_lifetime AND is_tailored) AS tailored_redemption_count_lifetime,
    sum(days_into_campaign) FILTER (in_lifetime)
        / (count(days_into_campaign) FILTER (in_lifetime))::DOUBLE AS days_into_campaign_mean_lifetime,
    (epoch_us(as_of()) - epoch_us(max(event_time) FILTER (in_lifetime))) / 864e8 AS days_since_last_redemption
FROM known_redemptions
GROUP BY household_id
