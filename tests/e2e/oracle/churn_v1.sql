-- What each row of `spine` saw: of every view the newest snapshot of its household that was out by its label time.
SELECT
    s.*,
    visits.days_since_last_visit AS household_visits__days_since_last_visit,
    visits.days_between_visits AS household_visits__days_between_visits,
    visits.visit_count_distinct_7d AS household_visits__visit_count_distinct_7d,
    visits.visit_count_distinct_30d AS household_visits__visit_count_distinct_30d,
    visits.visit_count_distinct_90d AS household_visits__visit_count_distinct_90d,
    visits.weekend_visit_share AS household_visits__weekend_visit_share,
    visits.evening_visit_share AS household_visits__evening_visit_share,
    visits.store_count_distinct_90d AS household_visits__store_count_distinct_90d,
    spend.sales_value_sum_7d AS household_spend__sales_value_sum_7d,
    spend.sales_value_sum_30d AS household_spend__sales_value_sum_30d,
    spend.sales_value_sum_90d AS household_spend__sales_value_sum_90d,
    spend.spend_per_basket_30d AS household_spend__spend_per_basket_30d,
    spend.spend_trend AS household_spend__spend_trend,
    spend.paid_unit_price_mean_90d AS household_spend__paid_unit_price_mean_90d,
    discounts.discount_share_90d AS household_discounts__discount_share_90d,
    discounts.coupon_line_count_90d AS household_discounts__coupon_line_count_90d,
    discounts.exposed_line_share_90d AS household_discounts__exposed_line_share_90d,
    departments.grocery_share AS household_departments__grocery_share,
    departments.produce_share AS household_departments__produce_share,
    departments.private_brand_share AS household_departments__private_brand_share,
    departments.product_category_count_distinct_90d AS household_departments__product_category_count_distinct_90d,
    coupons.redemption_count_lifetime AS household_coupons__redemption_count_lifetime,
    coupons.days_since_last_redemption AS household_coupons__days_since_last_redemption,
    cohort.sales_value_sum_30d_percentile_rank AS household_vs_cohort__sales_value_sum_30d_percentile_rank,
    cohort.sales_value_sum_90d_ratio_to_mean AS household_vs_cohort__sales_value_sum_90d_ratio_to_mean,
    taste.grocery_share_ratio_to_mean AS household_taste__grocery_share_ratio_to_mean,
    visits.event_time AS saw__household_visits,
    spend.event_time AS saw__household_spend,
    discounts.event_time AS saw__household_discounts,
    departments.event_time AS saw__household_departments,
    coupons.event_time AS saw__household_coupons,
    cohort.event_time AS saw__household_vs_cohort,
    taste.event_time AS saw__household_taste
FROM spine AS s
ASOF LEFT JOIN household_visits AS visits
    ON visits.household_id = s.household_id AND visits.out_at <= s.label_time
ASOF LEFT JOIN household_spend AS spend
    ON spend.household_id = s.household_id AND spend.out_at <= s.label_time
ASOF LEFT JOIN household_discounts AS discounts
    ON discounts.household_id = s.household_id AND discounts.out_at <= s.label_time
ASOF LEFT JOIN household_departments AS departments
    ON departments.household_id = s.household_id AND departments.out_at <= s.label_time
ASOF LEFT JOIN household_coupons AS coupons
    ON coupons.household_id = s.household_id AND coupons.out_at <= s.label_time
ASOF LEFT JOIN household_vs_cohort AS cohort
    ON cohort.household_id = s.household_id AND cohort.out_at <= s.label_time
ASOF LEFT JOIN household_taste AS taste
    ON taste.household_id = s.household_id AND taste.out_at <= s.label_time
