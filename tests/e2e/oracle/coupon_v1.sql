-- What each row of `spine` saw: the plan of its campaign, also one that begins at that very instant; of every view the
-- newest snapshot of its household that was out by its label time, unless that was nine days old; demographics as such.
WITH seen AS (
    SELECT s.*, plan.campaign_type, plan.event_time AS saw__campaign_descriptions, coupons AS c, coupons.event_time AS
        saw__household_coupons, discounts AS d, discounts.event_time AS saw__household_discounts, visits AS v,
        visits.event_time AS saw__household_visits, spend AS p, spend.event_time AS saw__household_spend
    FROM spine AS s
    ASOF LEFT JOIN campaign_descriptions AS plan
        ON plan.campaign_id = s.campaign_id AND plan.out_at <= s.label_time
    ASOF LEFT JOIN household_coupons AS coupons
        ON coupons.household_id = s.household_id AND coupons.out_at <= s.label_time
    ASOF LEFT JOIN household_discounts AS discounts
        ON discounts.household_id = s.household_id AND discounts.out_at <= s.label_time
    ASOF LEFT JOIN household_visits AS visits
        ON visits.household_id = s.household_id AND visits.out_at <= s.label_time
    ASOF LEFT JOIN household_spend AS spend
        ON spend.household_id = s.household_id AND spend.out_at <= s.label_time
), kept AS (
    SELECT * REPLACE (
        CASE WHEN saw__household_coupons > label_time - INTERVAL 9 DAYS THEN c END AS c,
        CASE WHEN saw__household_discounts > label_time - INTERVAL 9 DAYS THEN d END AS d,
        CASE WHEN saw__household_visits > label_time - INTERVAL 9 DAYS THEN v END AS v,
        CASE WHEN saw__household_spend > label_time - INTERVAL 9 DAYS THEN p END AS p
    ) FROM seen
)
SELECT
    k.* EXCLUDE (campaign_type, c, d, v, p),
    k.campaign_type AS campaign_descriptions__campaign_type,
    c.redemption_count_30d AS household_coupons__redemption_count_30d,
    c.redemption_count_90d AS household_coupons__redemption_count_90d,
    c.redemption_count_lifetime AS household_coupons__redemption_count_lifetime,
    c.campaign_count_distinct_30d AS household_coupons__campaign_count_distinct_30d,
    c.campaign_count_distinct_90d AS household_coupons__campaign_count_distinct_90d,
    c.campaign_count_distinct_lifetime AS household_coupons__campaign_count_distinct_lifetime,
    c.tailored_redemption_count_lifetime AS household_coupons__tailored_redemption_count_lifetime,
    c.days_into_campaign_mean_lifetime AS household_coupons__days_into_campaign_mean_lifetime,
    c.days_since_last_redemption AS household_coupons__days_since_last_redemption,
    d.coupon_disc_sum_90d AS household_discounts__coupon_disc_sum_90d,
    d.coupon_line_count_90d AS household_discounts__coupon_line_count_90d,
    d.discount_share_90d AS household_discounts__discount_share_90d,
    v.days_since_last_visit AS household_visits__days_since_last_visit,
    v.visit_count_distinct_30d AS household_visits__visit_count_distinct_30d,
    p.sales_value_sum_30d AS household_spend__sales_value_sum_30d,
    p.spend_trend AS household_spend__spend_trend,
    told.age AS demographics__age,
    told.income AS demographics__income,
    told.household_size AS demographics__household_size,
    told.household_id AS saw__demographics
FROM kept AS k
LEFT JOIN demographics AS told ON told.household_id = k.household_id AND k.label_time IS NOT NULL
