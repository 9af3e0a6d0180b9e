-- Shares as whole millionths; those who bought nothing in 90 days have no share and are no part of the mean.
WITH everyone AS (
    SELECT
        sum(half_even(grocery_share * 1e6)::BIGINT) / (count(grocery_share) * 1e6) AS grocery,
        sum(half_even(drug_share * 1e6)::BIGINT) / (count(drug_share) * 1e6) AS drug,
        sum(half_even(fuel_share * 1e6)::BIGINT) / (count(fuel_share) * 1e6) AS fuel,
        sum(half_even(produce_share * 1e6)::BIGINT) / (count(produce_share) * 1e6) AS produce,
        sum(half_even(meat_share * 1e6)::BIGINT) / (count(meat_share) * 1e6) AS meat,
        sum(half_even(packaged_meat_share * 1e6)::BIGINT) / (count(packaged_meat_share) * 1e6) AS packaged_meat,
        sum(half_even(deli_share * 1e6)::BIGINT) / (count(deli_share) * 1e6) AS deli,
        sum(half_even(private_brand_share * 1e6)::BIGINT) / (count(private_brand_share) * 1e6) AS private_brand
    FROM household_departments
)
SELECT
    household_id,
    grocery_share / nullif(grocery, 0) AS grocery_share_ratio_to_mean,
    drug_share / nullif(drug, 0) AS drug_share_ratio_to_mean,
    fuel_share / nullif(fuel, 0) AS fuel_share_ratio_to_mean,
    produce_share / nullif(produce, 0) AS produce_share_ratio_to_mean,
    meat_share / nullif(meat, 0) AS meat_share_ratio_to_mean,
    packaged_meat_share / nullif(packaged_meat, 0) AS packaged_meat_share_ratio_to_mean,
    deli_share / nullif(deli, 0) AS deli_share_ratio_to_mean,
    private_brand_share - private_brand AS private_brand_share_difference_to_mean
FROM household_departments, everyone
