-- The delivered files as facts, read the way SEMANTICS says: once for all as-ofs. Instants are UTC.
-- Literals such as 1e2 are doubles in DuckDB; 100.0 would be a decimal.

-- One rounding for all (S24): half-even, of a double.
CREATE MACRO half_even(x) AS CASE
    WHEN x - floor(x) > 5e-1 THEN floor(x) + 1
    WHEN x - floor(x) < 5e-1 THEN floor(x)
    WHEN floor(x) % 2 = 0 THEN floor(x)
    ELSE floor(x) + 1
END;

-- The stores' zone: the instant at which a local day begins, and the wall clock at an instant.
CREATE MACRO day_begins(day) AS timezone('UTC', timezone('America/New_York', CAST(day AS TIMESTAMP)));
CREATE MACRO wall_clock(instant) AS timezone('America/New_York', timezone('UTC', instant));

-- A week of promotions begins on its Monday, and is known then (S6). A product that several rows name in one store and
-- week is displayed if any of them says so. Only what some basket line may look up is kept.
CREATE TABLE exposure AS
SELECT
    product_id,
    store_id,
    week,
    day_begins(DATE '2016-12-26' + CAST(7 * (week - 1) AS INTEGER)) AS begins,
    bool_or(display_location <> '0') AS is_displayed,
    bool_or(mailer_location <> '0') AS is_mailed
FROM promotions
SEMI JOIN transactions USING (product_id, store_id, week)
GROUP BY product_id, store_id, week;

CREATE TABLE lines AS
WITH delivered AS (
    SELECT
        household_id, store_id, basket_id, product_id, quantity, week,
        CAST(round(sales_value * 100) AS BIGINT) AS sales_cents,
        CAST(round(retail_disc * 100) AS BIGINT) AS retail_disc_cents,
        CAST(round(coupon_disc * 100) AS BIGINT) AS coupon_disc_cents,
        CAST(round(coupon_match_disc * 100) AS BIGINT) AS coupon_match_disc_cents,
        transaction_timestamp AS event_time,
        -- The tills deliver four hours after the sale.
        transaction_timestamp + INTERVAL 4 HOURS AS available_time,
        wall_clock(transaction_timestamp) AS at_the_till
    FROM transactions
)
SELECT
    d.* EXCLUDE (at_the_till),
    p.brand, p.department, p.product_category,
    e.is_displayed, e.is_mailed,
    CASE WHEN quantity <> 0 THEN (sales_cents / 1e2) / quantity END AS unit_price,
    sales_cents + coalesce(retail_disc_cents, 0) AS shelf_cents,
    CASE WHEN sales_cents + coalesce(retail_disc_cents, 0) <> 0
        THEN (coalesce(retail_disc_cents, 0) / 1e2) / ((sales_cents + coalesce(retail_disc_cents, 0)) / 1e2)
    END AS discount_rate,
    p.brand = 'Private' AS is_private_brand,
    isodow(at_the_till) IN (6, 7) AS is_weekend,
    hour(at_the_till) AS hour_of_day,
    coalesce(coupon_disc_cents, 0) + coalesce(coupon_match_disc_cents, 0) > 0 AS has_coupon,
    coalesce(e.is_displayed, FALSE) AS is_on_display,
    coalesce(e.is_mailed, FALSE) AS is_in_mailer,
    coalesce(e.is_displayed OR e.is_mailed, FALSE) AS is_exposed
FROM delivered AS d
LEFT JOIN products AS p USING (product_id)
LEFT JOIN exposure AS e
    ON e.product_id = d.product_id AND e.store_id = d.store_id AND e.week = d.week AND e.begins <= d.event_time;

-- A redemption is a local day: it happened when the day was over (S6), and was delivered four hours later.
CREATE TABLE redeemed AS
SELECT
    r.household_id, r.coupon_upc, r.campaign_id,
    CAST(r.redemption_date AS DATE) AS redemption_date,
    day_begins(CAST(r.redemption_date AS DATE) + 1) AS event_time,
    day_begins(CAST(r.redemption_date AS DATE) + 1) + INTERVAL 4 HOURS AS available_time,
    c.campaign_type,
    CAST(c.start_date AS DATE) AS start_date,
    coalesce(c.campaign_type = 'Type A', FALSE) AS is_tailored,
    CAST(r.redemption_date AS DATE) - CAST(c.start_date AS DATE) AS days_into_campaign
FROM coupon_redemptions AS r
LEFT JOIN campaign_descriptions AS c
    ON c.campaign_id = r.campaign_id
    AND day_begins(CAST(c.start_date AS DATE)) <= day_begins(CAST(r.redemption_date AS DATE) + 1);
