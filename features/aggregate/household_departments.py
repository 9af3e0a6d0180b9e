"""What a household spends by department, and the share of each department."""

from features.derived.basket_lines import basket_lines
from features.entities import household
from ziggurat.model import LIFETIME, AggregateView, count_distinct, expression, sum_of

# The departments with the most revenue; the rest is what the shares leave over.
_DEPARTMENTS = {
    "grocery": "GROCERY",
    "drug": "DRUG GM",
    "fuel": "FUEL",
    "produce": "PRODUCE",
    "meat": "MEAT",
    "packaged_meat": "MEAT-PCKGD",
    "deli": "DELI",
}

household_departments = AggregateView(
    "household_departments",
    entity=household,
    source=basket_lines,
    version=1,
    owner="crm",
    windows=("90d",),
    features=(
        sum_of("sales_value", unit="USD", quantum="0.01", at_least=0),
        *(
            sum_of(
                "sales_value",
                named=name,
                where=f"department = '{code}'",
                unit="USD",
                quantum="0.01",
                at_least=0,
            )
            for name, code in _DEPARTMENTS.items()
        ),
        *(
            expression(
                f"{name}_share",
                f"try_divide({name}_sum_90d, sales_value_sum_90d)",
                quantum="0.000001",
                at_least=0,
                at_most=1,
            )
            for name in _DEPARTMENTS
        ),
        sum_of(
            "sales_value",
            named="private_brand",
            where="is_private_brand",
            unit="USD",
            quantum="0.01",
            at_least=0,
        ),
        expression(
            "private_brand_share",
            "try_divide(private_brand_sum_90d, sales_value_sum_90d)",
            quantum="0.000001",
            at_least=0,
            at_most=1,
        ),
        count_distinct("product_category", unit="categories", windows=("90d", LIFETIME), at_least=0),
    ),
)
