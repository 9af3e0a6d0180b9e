-- Every Monday at noon: who had bought something that was known by then, and whether no basket of theirs followed in
-- the 30 days from then on. Null where these, and the four hours that a basket takes to land, outlast the data.
WITH baskets AS (
    SELECT DISTINCT household_id, transaction_timestamp AS bought FROM transactions
), data AS (
    SELECT max(bought) AS last FROM baskets
), mondays AS (
    SELECT unnest(generate_series(TIMESTAMP '2017-01-02 12:00:00', last, INTERVAL 7 DAYS)) AS label_time FROM data
), compared AS (
    SELECT
        household_id,
        label_time,
        count(*) FILTER (bought < label_time AND bought + INTERVAL 4 HOURS <= label_time) AS before,
        count(*) FILTER (bought >= label_time AND bought < label_time + INTERVAL 30 DAYS) AS after
    FROM baskets CROSS JOIN mondays
    GROUP BY household_id, label_time
)
SELECT
    household_id,
    label_time,
    CASE WHEN label_time + INTERVAL 30 DAYS + INTERVAL 4 HOURS <= last THEN after = 0 END AS has_churned
FROM compared CROSS JOIN data
WHERE before > 0
