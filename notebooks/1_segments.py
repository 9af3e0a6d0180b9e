# %% [markdown]
# # Who shops here: from the pyramid to segments
#
# We look at what is published in the warehouse, follow one household through the four layers, and
# let Spark ML find groups of households that shop alike. The groups get their names from
# their own numbers, by a rule that is written below, so the names follow the data.
#
# Everything here reads published tables. Every number in the text was computed when this
# page was made.

# %%
import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from pyspark.ml import Pipeline
from pyspark.ml.clustering import KMeans, KMeansModel
from pyspark.ml.evaluation import ClusteringEvaluator
from pyspark.ml.feature import StandardScaler, VectorAssembler
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

import style
import ziggurat as zg

workspace = zg.open()

# %% [markdown]
# ## What is published
#
# Each layer reads the one before it. Raw holds what was delivered; derived adds columns to
# each row; aggregate has one row per household or product and as-of; cross-entity compares each
# of them with its group.

# %%
views = workspace.views()
views["layer"] = views["name"].str.split("/").str[0]
style.table(
    views.groupby("layer", sort=False).agg(
        tables=("name", "size"), columns=("columns", "sum")
    )
)

# %% tags=["fold"]
spend = workspace.view("household_spend").where("superseded_at is null")
known = spend.groupBy("event_time").count().orderBy("event_time").toPandas()
days = [
    f"{instant.isoformat()}Z".removesuffix("T00:00:00Z") for instant in known["event_time"]
]
TODAY = days[-1]
style.say(f"""
**{len(days)} as-ofs** stand, from {days[0]} to {TODAY}. The first knows
{known["count"].iloc[0]:,} households, the last {known["count"].iloc[-1]:,}. From here on,
today is **{TODAY}**: the newest of them.
""")

# %% [markdown]
# ## One household, through the layers
#
# We take the household in the middle: the median of lifetime spend among those whose age
# and income are known. Its last basket, as the till sent it (left) and with what derived
# adds to each line (right):

# %%
household_spend = (
    workspace.view("household_spend", as_of=TODAY)
    .toPandas()
    .set_index("household_id")
    .sort_index()
)
demographics = workspace.view("demographics").toPandas().set_index("household_id")
with_cohort = household_spend.loc[
    household_spend.index.isin(demographics.index), "sales_value_sum_lifetime"
]
HOUSEHOLD = int(with_cohort.sort_values(kind="stable").index[len(with_cohort) // 2])

lines = (
    workspace.view("basket_lines")
    .where("superseded_at is null")
    .where(F.col("household_id") == HOUSEHOLD)
)
lines = lines.where(F.col("event_time") < F.to_timestamp(F.lit(TODAY)))
last = lines.orderBy(F.desc("event_time"), "basket_id", "product_id").limit(6).toPandas()
raw = ["product_id", "quantity", "sales_value", "retail_disc"]
derived = ["department", "unit_price", "discount_rate", "is_exposed"]
style.table(
    last.loc[last["basket_id"] == last["basket_id"].iloc[0], [*raw, *derived]].set_index(
        "product_id"
    ),
    {"unit_price": "{:.2f}", "discount_rate": "{:.1%}"},
)

# %% [markdown]
# And what the upper layers hold about it, each value with the unit that its definition
# declares:

# %%
shown = {
    "household_spend": [
        "sales_value_sum_30d",
        "basket_id_count_distinct_30d",
        "spend_trend",
    ],
    "household_visits": [
        "days_since_last_visit",
        "days_between_visits",
        "evening_visit_share",
    ],
    "household_discounts": ["discount_share_90d", "coupon_line_count_90d"],
    "household_vs_cohort": ["cohort_members", "sales_value_sum_30d_percentile_rank"],
    "household_taste": [
        "produce_share_ratio_to_mean",
        "private_brand_share_difference_to_mean",
    ],
}
rows = []
for name, features in shown.items():
    view = workspace.definition(name)
    units = {feature.name: feature.unit for feature in view.published}
    values = (
        workspace.view(name, as_of=TODAY)
        .where(F.col("household_id") == HOUSEHOLD)
        .select(features)
        .toPandas()
    )
    rows += [
        (name, feature, values[feature].iloc[0], units[feature]) for feature in features
    ]
style.table(
    pd.DataFrame(rows, columns=["view", "feature", "value", "unit"]), {"value": "{:,.3g}"}
)

# %% [markdown]
# ## What households spend, as-of after as-of

# %% figure="spend-over-time" alt="Spend of 30 days at each as-of: the middle half of households, and one"
parts = [0.25, 0.5, 0.75]
over_time = spend.groupBy("event_time").agg(
    F.percentile("sales_value_sum_30d", F.array(*map(F.lit, parts))).alias("at")
)
over_time = over_time.orderBy("event_time").toPandas()
lower, middle, upper = np.array(over_time["at"].tolist()).T
own = spend.where(F.col("household_id") == HOUSEHOLD).orderBy("event_time").toPandas()

fig, ax = plt.subplots()
ax.fill_between(over_time["event_time"], lower, upper, color=style.BLUE, alpha=0.13, lw=0)
ax.plot(over_time["event_time"], middle, color=style.BLUE)
ax.plot(
    own["event_time"],
    own["sales_value_sum_30d"],
    color=style.ORANGE,
    marker="o",
    ms=3,
    lw=1.5,
)
end = over_time["event_time"].iloc[-1]
style.ends(
    ax,
    end,
    {
        "a quarter spends more": (upper[-1], style.BLUE),
        "median household": (middle[-1], style.BLUE),
        "a quarter spends less": (lower[-1], style.BLUE),
        f"household {HOUSEHOLD}": (own["sales_value_sum_30d"].iloc[-1], style.ORANGE),
    },
)
ax.set(
    title="Spend in the 30 days before each as-of",
    ylabel="USD per household",
    ylim=(0, None),
)
style.dollars(ax)
style.months(ax)

# %% [markdown]
# ## How unequal households are
#
# Spend and visits are skewed: most households are small, a few are very large. That decides
# how we scale them below.

# %% figure="distributions" alt="Histograms of spend, visits and recency; who brings the money"
visits = (
    workspace.view("household_visits", as_of=TODAY)
    .toPandas()
    .set_index("household_id")
    .sort_index()
)
ranked = household_spend["sales_value_sum_90d"].sort_values(ascending=False)
money = ranked.cumsum() / ranked.sum()
top = money.iloc[len(money) // 5 - 1]

fig, axes = plt.subplots(2, 2, figsize=(8, 5.2))
panels = (
    (
        axes[0, 0],
        household_spend["sales_value_sum_90d"],
        np.geomspace(1, 10_000, 33),
        "Spend in 90 days",
        "USD (log scale)",
    ),
    (
        axes[0, 1],
        visits["visit_count_distinct_90d"],
        np.arange(0, 63, 2),
        "Visits in 90 days",
        "visits (last bar: 60 and more)",
    ),
    (
        axes[1, 0],
        visits["days_since_last_visit"],
        np.arange(0, 93, 3),
        "Time since the last visit",
        "days (last bar: 90 and more)",
    ),
)
for ax, values, bins, title, unit in panels:
    some = values[values >= bins[0]]
    ax.hist(some.clip(upper=bins[-1]), bins=bins, color=style.BLUE, ec=style.GROUND, lw=0.6)
    style.mark(ax, values.median(), f"median {values.median():,.0f}")
    ax.set(title=title, xlabel=unit, ylabel="households")
axes[0, 0].set(xscale="log", xlim=(1, 10_000))
axes[0, 0].minorticks_off()
style.dollars(axes[0, 0], "x")
share = np.arange(1, len(money) + 1) / len(money)
axes[1, 1].plot(share, money, color=style.BLUE)
axes[1, 1].plot([0, 1], [0, 1], color=style.GREY, lw=1, ls=(0, (2, 3)))
axes[1, 1].plot(0.2, top, "o", color=style.ORANGE)
style.note(
    axes[1, 1], (0.2, top), f"a fifth of the households\nbrings {top:.0%} of the money"
)
axes[1, 1].set(
    title="Who brings the money",
    xlabel="share of households, largest first",
    ylabel="share of 90-day spend",
)
style.percents(axes[1, 1], "x")
style.percents(axes[1, 1])

# %% tags=["fold"]
quiet = visits["visit_count_distinct_90d"] == 0
style.say(f"""
**Null is never 0.** {quiet.sum():,} of {len(visits):,} households came in the past but not
in these 90 days. Their spend in the window *is* 0: we know it. Their discount share is
null: there is nothing to take a share of. Filling it with 0 would make them look like
people who refuse every offer. So they are no part of the clustering; they are a group of
their own, by definition.
""")

# %% [markdown]
# ## Beside their cohort
#
# `household_vs_cohort` compares a household with the others of its age and income. Where
# fewer than 20 others are in the cohort it publishes null instead of a comparison with
# very few; those cohorts are left out here too.

# %% figure="cohorts" alt="Spend of 90 days by cohort of age and income: median and middle half"
cohort = (
    workspace.view("household_vs_cohort", as_of=TODAY).toPandas().set_index("household_id")
)
beside = household_spend.join(demographics[["age", "income"]]).join(
    cohort["sales_value_sum_90d_ratio_to_mean"]
)
has_answered = beside["age"].notna() & beside["income"].notna()
beside["cohort"] = (beside["age"] + " years, " + beside["income"] + " USD").where(
    has_answered, "told us neither"
)
compared = beside[beside["sales_value_sum_90d_ratio_to_mean"].notna()].groupby("cohort")[
    "sales_value_sum_90d"
]
bands = compared.quantile(parts).unstack().assign(size=compared.size()).sort_values(0.5)

fig, ax = plt.subplots(figsize=(8, 0.9 + 0.3 * len(bands)))
for row, (name, band) in enumerate(bands.iterrows()):
    colour = style.ORANGE if name == "told us neither" else style.BLUE
    ax.plot(
        [band[0.25], band[0.75]],
        [row, row],
        color=colour,
        alpha=0.3,
        lw=7,
        solid_capstyle="butt",
    )
    ax.plot(band[0.5], row, "o", color=colour, ms=7)
    ax.annotate(
        f"${band[0.5]:,.0f}",
        (band[0.5], row),
        xytext=(7, 0),
        textcoords="offset points",
        va="center",
        weight="bold",
    )
ax.set_yticks(
    range(len(bands)), [f"{name} ({band['size']:,.0f})" for name, band in bands.iterrows()]
)
ax.set(
    title="Spend in 90 days by cohort: median, and the middle half",
    xlabel="USD per household",
    xlim=(0, None),
)
ax.tick_params(axis="y", length=0)
ax.spines["left"].set_visible(False)
style.dollars(ax, "x")

# %% tags=["fold"]
answered, silent = (
    beside.loc[rows, "sales_value_sum_90d"].median()
    for rows in (has_answered, ~has_answered)
)
style.say(f"""
{has_answered.sum():,} households told us their age and income; the other {(~has_answered).sum():,} form a
cohort of their own. The first spend a median of ${answered:,.0f} in 90 days, the others
${silent:,.0f}. That somebody answered says more than most answers do: whoever drops the
others trains on the {"best" if answered > silent else "smallest"} customers only.
""")

# %% [markdown]
# ## Segments
#
# Five measures say how a household shops: how often it comes, how much it takes each time,
# how long ago it was here, how much of its spend is discounted, and how much goes to the
# store's own brands. The first three are skewed, so we take their logarithm. All five are
# cut at their 1st and 99th percentile, so that no single household moves a centre far,
# and scaled alike, so that no unit outweighs another.

# %%
MEASURES = {
    "visits": ("visit_count_distinct_90d", "visits", "{:.0f}"),
    "basket": ("spend_per_basket_90d", "USD per visit", "${:.0f}"),
    "recency": ("days_since_last_visit", "days since visit", "{:.0f}"),
    "discount": ("discount_share_90d", "discount", "{:.0%}"),
    "own_brand": ("private_brand_share", "own brands", "{:.0%}"),
}
SKEWED = ("visits", "basket", "recency")
# Not clustered by; they check what the groups are said to be.
CHECKS = {
    "overdue": "in usual gaps",
    "pace": "pace",
    "produce_share": "produce",
}


def shoppers(as_of: str) -> DataFrame:
    """One row per household seen before `as_of`, with its measures; null where there is nothing to measure."""
    frame = workspace.view("household_spend", as_of=as_of).select(
        "household_id", "sales_value_sum_30d", "sales_value_sum_90d"
    )
    for view, columns in {
        "household_visits": [
            "visit_count_distinct_90d",
            "days_since_last_visit",
            "days_between_visits",
        ],
        "household_discounts": ["discount_share_90d"],
        "household_departments": ["private_brand_share", "produce_share"],
    }.items():
        frame = frame.join(
            workspace.view(view, as_of=as_of).select("household_id", *columns),
            "household_id",
            how="left",
        )
    per_visit = F.try_divide(
        F.col("sales_value_sum_90d"), F.col("visit_count_distinct_90d")
    )
    overdue = F.try_divide(F.col("days_since_last_visit"), F.col("days_between_visits"))
    pace = F.try_divide(F.col("sales_value_sum_30d") * 3, F.col("sales_value_sum_90d"))
    frame = frame.withColumns(
        {"spend_per_basket_90d": per_visit, "overdue": overdue, "pace": pace}
    )
    measures = [F.col(column).alias(name) for name, (column, _, _) in MEASURES.items()]
    return frame.select(
        "household_id", F.col("sales_value_sum_90d").alias("spend"), *measures, *CHECKS
    )


def prepared(frame: DataFrame) -> DataFrame:
    """The households that bought something in 90 days, skewed measures as logarithms; always in one order."""
    bought = frame.where(F.col("visits") > 0).dropna(subset=list(MEASURES))
    logs = {name: F.log1p(name) for name in SKEWED}
    return bought.withColumns(logs).orderBy("household_id").coalesce(1)


households = shoppers(TODAY).cache()
inside = prepared(households)
edges = (
    inside.select(
        *(
            F.percentile(name, F.array(F.lit(0.01), F.lit(0.99))).alias(name)
            for name in MEASURES
        )
    )
    .first()
    .asDict()
)


def cut(frame: DataFrame) -> DataFrame:
    """Each measure held between today's 1st and 99th percentile."""
    return frame.withColumns(
        {
            name: F.greatest(F.lit(low), F.least(F.lit(high), name))
            for name, (low, high) in edges.items()
        }
    )


scale = Pipeline(
    stages=[
        VectorAssembler(inputCols=list(MEASURES), outputCol="measures"),
        StandardScaler(inputCol="measures", outputCol="features", withMean=True),
    ]
).fit(cut(inside))
scaled = scale.transform(cut(inside)).select("household_id", "features").cache()
inside_count, outside_count = scaled.count(), households.count() - scaled.count()
style.say(
    f"{inside_count:,} households are in the clustering; {outside_count:,} bought nothing in 90 days."
)

# %% [markdown]
# How many groups? The silhouette says how much closer a household is to its own group than
# to the next one. Two groups (busy and not busy) often win, and are of little use. So we require
# at least four, and take **the most groups that keep 80% of the best silhouette**. Shopping
# is a continuum: no number of groups is the right one, and no group is far from the others.

# %% figure="silhouette" alt="Silhouette by number of groups, with the number that we take"
judge = ClusteringEvaluator(featuresCol="features")


def grouped(k: int) -> KMeansModel:
    """The tightest of two starts, each from a fixed seed."""
    starts = [KMeans(k=k, seed=seed, maxIter=40, tol=1e-3).fit(scaled) for seed in (1, 2)]
    return min(starts, key=lambda model: model.summary.trainingCost)


models = {k: grouped(k) for k in range(2, 7)}
silhouettes = {k: judge.evaluate(model.transform(scaled)) for k, model in models.items()}
enough = 0.8 * max(silhouettes.values())
K = max([4, *(k for k, silhouette in silhouettes.items() if silhouette >= enough)])

fig, ax = plt.subplots(figsize=(8, 2.6))
ax.plot(silhouettes.keys(), silhouettes.values(), color=style.BLUE, marker="o")
ax.axhline(enough, color=style.GREY, lw=1, ls=(0, (2, 3)))
ax.annotate(
    "80% of the best",
    (min(models), enough),
    xytext=(0, -4),
    textcoords="offset points",
    va="top",
    color=style.QUIET,
)
ax.plot(K, silhouettes[K], "o", color=style.ORANGE, ms=9)
style.note(ax, (K, silhouettes[K]), f"{K} groups", up=True)
_ = ax.set(
    title="How well the groups stand apart",
    xlabel="number of groups",
    ylabel="silhouette",
    ylim=(0, 1.3 * max(silhouettes.values())),
    xticks=list(models),
)

# %% [markdown]
# ### Names that follow the numbers
#
# Each name is a claim about a median, against the median of all households in the
# clustering. The names are given from top to bottom, each once, to the group that meets its
# claim most clearly. A group that meets none is in between.

# %%
CLAIMS = pd.DataFrame(
    [
        ("Deal seekers", "discount", 1.3),
        ("Own-brand buyers", "own_brand", 1.5),
        ("Slipping away", "overdue", 1.5),
        ("Big baskets", "basket", 1.4),
        ("Regulars", "visits", 1.5),
        ("Occasional", "recency", 1.5),
    ],
    columns=["name", "median of", "at least × everyone's"],
).set_index("name")
style.table(CLAIMS)

# %%
people = households.join(
    models[K].transform(scaled).select("household_id", "prediction"),
    "household_id",
    how="left",
)
people = people.toPandas().set_index("household_id").sort_index()
measured = [*MEASURES, *CHECKS]
medians = people.groupby("prediction")[measured].median()
times = medians / people.loc[people["prediction"].notna(), measured].median()
names: dict[int, str] = {}
for name, (measure, least) in CLAIMS.iterrows():
    fitting = times.loc[times.index.difference(list(names)), measure]
    if fitting.max() >= least:
        names[fitting.idxmax()] = name
unnamed = medians.index.difference(list(names))
names |= {group: f"In between {number}" for number, group in enumerate(unnamed, start=1)}
GONE = "Gone quiet"
people["segment"] = people["prediction"].map(names).fillna(GONE)

# %% tags=["fold"]
spent = people.groupby("segment")["spend"].sum().sort_values(ascending=False)
clustered = list(spent.index.drop(GONE, errors="ignore"))
order = [*clustered, *spent.index.intersection([GONE])]
colours = dict(zip(clustered, style.PALETTE, strict=False)) | {GONE: style.GREY}
shown_columns = [
    "spend",
    "visits",
    "basket",
    "recency",
    "overdue",
    "pace",
    "discount",
    "own_brand",
    "produce_share",
]
segments = people.groupby("segment")[shown_columns].median().loc[order]
segments.insert(0, "households", people["segment"].value_counts())
units = {"spend": "USD"} | {name: unit for name, (_, unit, _) in MEASURES.items()} | CHECKS
forms = {name: form for name, (_, _, form) in MEASURES.items()}
forms |= {
    "households": "{:,}",
    "spend": "${:,.0f}",
    "overdue": "{:.1f}",
    "pace": "{:.0%}",
    "produce_share": "{:.1%}",
}
style.table(
    segments.rename(columns=units),
    {units.get(name, name): form for name, form in forms.items()},
)

# %% [markdown]
# All of these are medians, of 90 days where a window is meant; discount, own brands and
# produce are shares of the money. The *usual gap* is a household's own average time between
# visits: above 1 it is overdue. The *pace* is what it spent in 30 days against a third of
# its 90 days: below 100% it is slowing down.

# %% figure="size-and-money" alt="Each segment's share of the households and of the money"
crowd = people["segment"].value_counts(normalize=True).reindex(order)
money_of = (spent / spent.sum()).reindex(order)

fig, ax = plt.subplots(figsize=(8, 0.8 + 0.36 * len(order)))
for row, name in enumerate(order):
    ax.plot(
        [crowd[name], money_of[name]], [row, row], color=colours[name], alpha=0.35, lw=4
    )
    ax.plot(crowd[name], row, "o", ms=9, mfc=style.GROUND, mec=colours[name], mew=2)
    ax.plot(money_of[name], row, "o", ms=10, color=colours[name])
    outward = 1 if money_of[name] > crowd[name] else -1
    style.beside(ax, (money_of[name], row), f"{money_of[name]:.0%}", outward)
    style.beside(ax, (crowd[name], row), f"{crowd[name]:.0%}", -outward, quiet=True)
ax.annotate(
    "share of households",
    (crowd[order[0]], 0),
    xytext=(0, 11),
    textcoords="offset points",
    ha="center",
    color=style.QUIET,
)
ax.annotate(
    "share of the money",
    (money_of[order[0]], 0),
    xytext=(0, 11),
    textcoords="offset points",
    ha="center",
    weight="bold",
)
style.rows_of(ax, order)
_ = ax.set(
    title="Who they are, and what they bring",
    xlim=(-0.06, max(crowd.max(), money_of.max()) + 0.1),
    ylim=(len(order) - 0.4, -0.9),
    xticks=[],
)

# %% tags=["fold"]
core = list(
    (spent / spent.sum())
    .cumsum()
    .loc[lambda running: running.shift(fill_value=0) < 0.8]
    .index
)
slowing = segments.loc[clustered, "pace"].idxmin()
style.say(f"""
**{" and ".join(core)}** are {crowd[core].sum():.0%} of the households and bring
{money_of[core].sum():.0%} of the money. **{slowing}** slow down most: half of them spent
less than {segments.loc[slowing, "pace"]:.0%} of their usual pace in the last 30 days.
**{GONE}** are {crowd.get(GONE, 0):.0%} of all.
""")

# %% figure="map" alt="Every household by visits and by spend per visit, coloured by segment"
fig, ax = plt.subplots(figsize=(8, 5))
rng = np.random.default_rng(1)
for name in clustered:
    some = people[people["segment"] == name]
    ax.scatter(
        some["visits"] * np.exp(rng.normal(0, 0.03, len(some))),
        some["basket"],
        s=9,
        color=colours[name],
        alpha=0.35,
        lw=0,
    )
for name in clustered:
    style.named_point(
        ax, segments.loc[name, "visits"], segments.loc[name, "basket"], name, colours[name]
    )
ax.set(
    title="Each household once; large dots are medians",
    xlabel="visits in 90 days (log scale)",
    ylabel="USD per visit (log scale)",
    xscale="log",
    yscale="log",
    xlim=(0.85, 230),
    ylim=(1.5, 300),
)
ax.set_xticks([1, 3, 10, 30, 100], ["1", "3", "10", "30", "100"])
ax.set_yticks([3, 10, 30, 100, 300], ["$3", "$10", "$30", "$100", "$300"])
ax.minorticks_off()

# %% figure="profiles" alt="Each segment's medians beside everyone's"
fig, ax = plt.subplots(figsize=(8, 0.7 + 0.5 * (len(order) - 1)))
for row, name in enumerate(clustered):
    group = next(key for key, value in names.items() if value == name)
    for column, (measure, (_, _, form)) in enumerate(MEASURES.items()):
        depth = float(np.clip(0.5 + np.log2(times.loc[group, measure]) / 4, 0, 1))
        style.cell(
            ax,
            column,
            row,
            depth,
            style.LESS_MORE,
            form.format(medians.loc[group, measure]),
            f"{times.loc[group, measure]:.1f} × everyone's",
        )
style.grid_of(ax, [unit for _, unit, _ in MEASURES.values()], clustered)
_ = ax.set_title("Medians: blue is more than everyone's, red is less")

# %% [markdown]
# ## Do the segments say anything about tomorrow?
#
# A description alone is easy. So we go back about four weeks, put the households of that day
# into today's segments, and look at what they did afterwards. It was not known then: that
# as-of holds only what was known at its cut.

# %%
newest = known["event_time"].iloc[-1]
before = known["event_time"].iloc[
    (known["event_time"].iloc[:-1] - (newest - pd.Timedelta(days=28))).abs().argmin()
]
THEN = f"{before.isoformat()}Z".removesuffix("T00:00:00Z")
gap = (newest - before) / pd.Timedelta(days=1)

past = shoppers(THEN).cache()
placed = (
    models[K]
    .transform(scale.transform(cut(prepared(past))))
    .select("household_id", "prediction")
)
past = (
    past.select("household_id")
    .join(placed, "household_id", how="left")
    .toPandas()
    .set_index("household_id")
    .sort_index()
)
then = past["prediction"].map(names).fillna(GONE)
now = people["segment"].reindex(then.index)
moved = pd.crosstab(then, now, normalize="index").reindex(
    index=order, columns=order, fill_value=0
)
lost = (people["recency"].reindex(then.index) >= gap).groupby(then).mean().reindex(order)

# %% figure="moves" alt="Where the households of each segment stand now, and how many never came back"
fig, ax = plt.subplots(figsize=(8, 0.8 + 0.42 * len(order)))
for row, name in enumerate(order):
    for column, other in enumerate(order):
        style.cell(
            ax,
            column,
            row,
            float(moved.loc[name, other]),
            style.SOME_MANY,
            f"{moved.loc[name, other]:.0%}",
        )
style.grid_of(ax, [name.replace(" ", "\n") for name in order], order)
_ = ax.set(
    title=f"Where the households of {THEN} stand on {TODAY}",
    ylabel="segment then",
    xlabel="segment now",
)

# %% figure="not-seen-since" alt="Share of each segment that has not come since"
fig, ax = plt.subplots(figsize=(8, 0.7 + 0.3 * len(order)))
ax.barh(range(len(order)), lost, color=[colours[name] for name in order], height=0.68)
for row, share in enumerate(lost):
    ax.annotate(
        f"{share:.0%}",
        (share, row),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        weight="bold",
    )
style.rows_of(ax, order)
_ = ax.set(
    title=f"Not seen in the {gap:.0f} days since {THEN}, by segment then",
    xlim=(0, 1),
    ylim=(len(order) - 0.5, -0.5),
    xticks=[],
)

# %% tags=["fold"]
stay = pd.Series(np.diag(moved), index=order)[clustered]
most, least = lost[clustered].idxmax(), lost[clustered].idxmin()
style.say(f"""
**{stay.idxmax()}** is the most stable segment: {stay.max():.0%} of its households are still
in it after {gap:.0f} days. From **{most}**, {lost[most]:.0%} have not come since; from
**{least}**, {lost[least]:.0%}. The segment of a household today says something about its
next weeks.
""")

# %% [markdown]
# How much can be known of that, household by household, is the question of the [next
# page](2_churn.md).
