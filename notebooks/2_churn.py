# %% [markdown]
# # Who will stay away: a churn model on what was known
#
# We ask of each household, every Monday at noon: will it buy nothing in the next 30 days?
# The platform answers both halves of the question. The label reads what came after, and is null
# where the data end too early. The features read what came before, and hold only what had
# been published by the label time. If the two are not kept apart, a churn model looks better
# in its test than it is in use.
#
# Every number in the text was computed when this page was made.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import QuantileTransformer

import style
import ziggurat as zg

workspace = zg.open()

# %% [markdown]
# ## The label

# %%
published = (
    workspace.view("household_visits")
    .where("superseded_at is null")
    .select("event_time")
    .distinct()
)
days = sorted(
    f"{row.event_time.isoformat()}Z".removesuffix("T00:00:00Z")
    for row in published.collect()
)
FIRST, TODAY = days[0], days[-1]
outcome = workspace.labels("churn_30d", start=FIRST)
spine = workspace.spine("churn_30d")

# %% figure="balance" alt="Share of households that stay away, by label time"
HORIZON = pd.Timedelta(days=30)
labels = (
    spine.select("label_time", "has_churned").toPandas().astype({"has_churned": "float64"})
)
weekly = labels.groupby("label_time")["has_churned"].agg(["mean", "count"])
labelled, unlabelled = weekly[weekly["count"] > 0], weekly[weekly["count"] == 0]

fig, ax = plt.subplots(figsize=(8, 2.8))
ax.plot(labelled.index, labelled["mean"], color=style.BLUE, marker="o", ms=3.5)
if len(unlabelled):
    half = pd.Timedelta(days=3.5)
    first, last = unlabelled.index[0] - half, unlabelled.index[-1] + half
    ax.axvspan(first, last, color=style.EDGE, alpha=0.6, lw=0)
    middle = first + (last - first) / 2
    ax.text(middle, 0.02, "not known\nyet", ha="center", color=style.QUIET)
ax.set(
    title="Households that buy nothing in the 30 days after each Monday",
    ylim=(0, 1.4 * labelled["mean"].max()),
)
style.percents(ax)
style.months(ax)

# %% tags=["fold"]
base = outcome.positives / (outcome.rows - outcome.unknown)
style.say(f"""
{outcome.rows:,} rows in the spine: one per Monday and household seen before it, since
{FIRST}. {base:.1%} of those with a known outcome stayed away. {outcome.unknown:,} rows, the
last {len(unlabelled)} Mondays, have none: their 30 days reach past the end of the data. Null is
never "no": counting them as loyal would teach the model that nobody leaves in December.
""")

# %% [markdown]
# ## The training set
#
# `training_set` joins each row of the spine to the newest snapshot that was published by
# its label time, in the order of columns that the service `churn_v1` declares. Nothing that
# came later is in it. Stored under a name, with `build_training_set`, it has a certificate
# that says how that was checked.

# %%
everything = workspace.training_set("churn_v1", spine).toPandas()
rows = everything[everything["has_churned"].notna()]
rows = rows.sort_values(["label_time", "household_id"], ignore_index=True)
FEATURES = [column for column in rows.columns if "__" in column]
rows[FEATURES] = rows[FEATURES].astype("float64")
churned = rows["has_churned"].astype(bool).to_numpy()
style.say(f"{len(rows):,} labelled rows, {len(FEATURES)} features.")

# %% figure="nulls" alt="Features that are null together: how often, and how many stay away then"
base = churned.mean()
nulls = rows[FEATURES].isna()
together = nulls.mean().round(3)[lambda share: share > 0].sort_values(kind="stable")
groups = together.index.to_series().groupby(together).agg(list)
names = [
    f"{columns[0].split('__')[1]}{f' and {len(columns) - 1} more' if columns[1:] else ''}"
    for columns in groups
]

fig, (left, right) = plt.subplots(1, 2, figsize=(8, 0.8 + 0.32 * len(groups)), sharey=True)
left.barh(range(len(groups)), groups.index, color=style.GREY, height=0.66)
for row, (share, columns) in enumerate(groups.items()):
    leaving = churned[nulls[columns[0]]].mean()
    right.plot([base, leaving], [row, row], color=style.BLUE, alpha=0.35, lw=4)
    right.plot(leaving, row, "o", color=style.BLUE, ms=8)
    style.beside(left, (share, row), f"{share:.1%}", 1)
    style.beside(right, (leaving, row), f"{leaving:.0%}", 1 if leaving > base else -1)
right.axvline(base, color=style.GREY, lw=1, ls=(0, (2, 3)))
right.annotate(
    f"all rows: {base:.0%}",
    (base, -0.8),
    xytext=(5, 0),
    textcoords="offset points",
    color=style.QUIET,
)
style.rows_of(left, names)
style.rows_of(right, names)
left.set(title="Null in", xlim=(0, 1.2), xticks=[])
right.set(
    title="Of those, stay away",
    xlim=(-0.08, 1),
    ylim=(-1, len(groups) - 0.4),
    xticks=[],
)

# %% [markdown]
# A null has a meaning: no visit in the window, so no share and no price; no coupon ever;
# too few others in the cohort to compare with; or no feature at all, as the household came
# for the first time after the newest snapshot. And a null is no 0: the right side shows how
# many of those households stay away. The gradient boosting below takes nulls as they are.


# %% [markdown]
# ## A split that time would allow
#
# We test on the last third of the label times. An outcome is known only 30 days after its
# label time, so the training rows stop 30 days before the first test row: a model
# trained on that day could have had no more. The rows in between are not used.

# %% figure="split" alt="Training rows, the gap of 30 days, and test rows on a time axis"
times = np.sort(rows["label_time"].unique())
first_test = pd.Timestamp(times[len(times) * 2 // 3])
is_test = (rows["label_time"] >= first_test).to_numpy()
is_train = (rows["label_time"] + HORIZON <= first_test).to_numpy()

fig, ax = plt.subplots(figsize=(8, 1.7))
for height, chosen, colour, name in (
    (1, is_train, style.BLUE, "train"),
    (0, is_test, style.ORANGE, "test"),
):
    at = rows["label_time"][chosen]
    ax.plot([at.min(), at.max()], [height] * 2, color=colour, lw=12, solid_capstyle="butt")
    ax.plot(
        [at.max(), at.max() + HORIZON],
        [height] * 2,
        color=colour,
        lw=12,
        alpha=0.3,
        solid_capstyle="butt",
    )
    ax.annotate(
        f"{name}: {chosen.sum():,} rows",
        (at.min(), height),
        xytext=(0, 11),
        textcoords="offset points",
        weight="bold",
    )
ax.set(
    title="Label times, and the 30 days in which the last of them come true (pale)",
    yticks=[],
    ylim=(-0.5, 1.8),
)
ax.spines["left"].set_visible(False)
style.months(ax)

# %% [markdown]
# ## What it is worth
#
# A model must beat what a shop assistant knows: *who has not been here for long, stays
# away*. So the gradient boosting is compared with recency alone, and with a plain
# logistic regression on all features.

# %%
RECENCY = "household_visits__days_since_last_visit"


def boosting() -> HistGradientBoostingClassifier:
    """Shallow trees: more room does not help out of time."""
    return HistGradientBoostingClassifier(
        max_iter=80, max_depth=3, min_samples_leaf=200, early_stopping=False, random_state=1
    )


def logistic() -> Pipeline:
    """On ranks, so that no few large values bend the line; whether a value is null counts."""
    return make_pipeline(
        QuantileTransformer(n_quantiles=100, subsample=None, random_state=1),
        SimpleImputer(strategy="median", add_indicator=True),
        LogisticRegression(max_iter=500),
    )


MODELS = {
    "Days since last visit alone": ([RECENCY], logistic()),
    "Logistic regression": (FEATURES, logistic()),
    "Gradient boosting": (FEATURES, boosting()),
}
colours = dict(zip(MODELS, (style.GREY, style.ORANGE, style.BLUE), strict=True))
scores = {
    name: model.fit(rows.loc[is_train, columns], churned[is_train]).predict_proba(
        rows.loc[is_test, columns]
    )[:, 1]
    for name, (columns, model) in MODELS.items()
}
truth = churned[is_test]


def lift(score: np.ndarray) -> float:
    """Churners among the tenth with the highest scores, against churners among all."""
    top = np.argsort(-score, kind="stable")[: len(score) // 10]
    return float(truth[top].mean() / truth.mean())


comparison = pd.DataFrame(
    {
        "ROC AUC": {name: roc_auc_score(truth, score) for name, score in scores.items()},
        "average precision": {
            name: average_precision_score(truth, score) for name, score in scores.items()
        },
        "Brier score": {
            name: brier_score_loss(truth, score) for name, score in scores.items()
        },
        "lift, top tenth": {name: lift(score) for name, score in scores.items()},
    }
).rename_axis("out of time")
style.table(
    comparison,
    {
        "ROC AUC": "{:.3f}",
        "average precision": "{:.3f}",
        "Brier score": "{:.4f}",
        "lift, top tenth": "{:.1f} ×",
    },
)

# %% tags=["fold"]
best = comparison["ROC AUC"].idxmax()
assistant, boosted = "Days since last visit alone", "Gradient boosting"
style.say(f"""
By chance, average precision would be {truth.mean():.3f} and ROC AUC 0.5. The shop
assistant's rule is good already: {comparison.loc[assistant, "ROC AUC"]:.3f}. The features
lift that to {comparison.loc[best, "ROC AUC"]:.3f} ({best.lower()}). Among the tenth with
the highest scores of the gradient boosting, {lift(scores[boosted]) * truth.mean():.0%}
stayed away, {lift(scores[boosted]):.1f} times as many as in an arbitrary tenth.
""")

# %% figure="calibration-and-gain" alt="Predicted against observed churn; churners found by share of households"
fig, (left, right) = plt.subplots(1, 2, figsize=(8, 3.7))
left.plot([0, 1], [0, 1], color=style.GREY, lw=1, ls=(0, (2, 3)))
right.plot([0, 1], [0, 1], color=style.GREY, lw=1, ls=(0, (2, 3)))
for name, side in ((assistant, -1), (boosted, 1)):
    score = scores[name]
    tenth = pd.qcut(score, 10, duplicates="drop", labels=False)
    points = pd.DataFrame({"predicted": score, "observed": truth}).groupby(tenth).mean()
    left.plot(
        points["predicted"], points["observed"], color=colours[name], marker="o", ms=4
    )
    last = (points["predicted"].iloc[-1], points["observed"].iloc[-1])
    style.beside(left, last, "recency alone" if name == assistant else "boosting", side)
    found = np.cumsum(truth[np.argsort(-score, kind="stable")]) / truth.sum()
    right.plot(np.arange(1, len(found) + 1) / len(found), found, color=colours[name])
fifth = found[len(found) // 5]
right.plot(0.2, fifth, "o", color=style.BLUE)
style.note(
    right, (0.2, fifth), f"a fifth of the households\nholds {fifth:.0%} of the churners"
)
left.set(
    title="Is 30% really 30%?",
    xlabel="predicted, by tenth of the score",
    ylabel="observed",
)
right.set(
    title="Whom one finds",
    xlabel="share of households, highest score first",
    ylabel="share of the churners",
)
for ax in (left, right):
    style.percents(ax, "x")
    style.percents(ax)

# %% figure="by-week" alt="ROC AUC at each test Monday for recency alone and gradient boosting"
at_test = rows["label_time"][is_test].to_numpy()
by_week = pd.DataFrame(
    {
        name: {
            pd.Timestamp(t): roc_auc_score(truth[at_test == t], scores[name][at_test == t])
            for t in np.unique(at_test)
        }
        for name in MODELS
    }
)

fig, ax = plt.subplots(figsize=(8, 2.8))
for name in MODELS:
    ax.plot(by_week.index, by_week[name], color=colours[name], marker="o", ms=3.5)
ax.set(
    title="ROC AUC at each test Monday",
    ylim=(by_week.min().min() - 0.03, by_week.max().max() + 0.03),
)
style.weeks(ax)
style.ends(
    ax,
    by_week.index[-1],
    {name: (by_week[name].iloc[-1], colours[name]) for name in MODELS},
)

# %% [markdown]
# ## What carries it
#
# Each feature in turn is shuffled among the test rows. The ROC AUC then falls by what
# the model takes from that feature alone; features that hold the same information share
# their importance.

# %% figure="importance" alt="Loss of ROC AUC when a feature is shuffled, eight most important features"
some = np.random.default_rng(1).choice(np.flatnonzero(is_test), size=3000, replace=False)
shuffled = permutation_importance(
    MODELS[boosted][1],
    rows.loc[some, FEATURES],
    churned[some],
    scoring="roc_auc",
    n_repeats=3,
    random_state=1,
)
top = pd.Series(shuffled.importances_mean, index=FEATURES).sort_values().tail(8)

fig, ax = plt.subplots(figsize=(8, 2.8))
ax.hlines(range(len(top)), 0, top, color=style.BLUE, alpha=0.35, lw=4)
ax.plot(top, range(len(top)), "o", color=style.BLUE, ms=7)
for row, value in enumerate(top):
    style.beside(ax, (value, row), f"{value:.3f}", 1)
style.rows_of(ax, [column.replace("__", "  ") for column in top.index])
ax.set(
    title="ROC AUC lost when a feature is shuffled",
    xlim=(0, 1.15 * top.max()),
    xticks=[],
)

# %% [markdown]
# Why is recency alone not enough? Because the same number of days means different things. Here are
# the observed outcomes, without any model, for households of different rhythm:

# %% figure="rhythm" alt="Observed churn by days since the last visit, for three rhythms of visiting"
seen = pd.cut(rows[RECENCY], [0, 3, 7, 14, 21, 30, 45, 60], right=False)
middle = [1.5, 5, 10.5, 17.5, 25.5, 37.5, 52.5]
rhythms = {
    "20 and more": (20, np.inf, style.BLUE),
    "8 to 19": (8, 20, style.DARK_ORANGE),
    "1 to 7 visits in 90 days": (1, 8, style.PINK),
}
many = rows["household_visits__visit_count_distinct_90d"]

fig, ax = plt.subplots(figsize=(8, 3.4))
for name, (low, high, colour) in rhythms.items():
    inside = (many >= low) & (many < high)
    group = (
        pd.Series(churned).groupby(seen.where(inside), observed=False).agg(["mean", "size"])
    )
    line = pd.Series(group["mean"].to_numpy(), index=middle)[group["size"].to_numpy() >= 50]
    ax.plot(line.index, line, color=colour, marker="o", ms=4)
    end = (line.index[-1], line.iloc[-1])
    ax.annotate(
        name, end, xytext=(7, 7), textcoords="offset points", color=colour, weight="bold"
    )
ax.set(
    title="Share that stays away for 30 more days",
    xlabel="days since the last visit",
    xlim=(0, 75),
    xticks=[0, 7, 14, 21, 30, 45, 60],
    ylim=(0, 1.15 * ax.get_ylim()[1]),
)
style.percents(ax)

# %% [markdown]
# ## What a leak would look like
#
# Two mistakes are so common that we make them here on purpose, on a third of the
# households, to be quick. The first splits the rows at random: the same household is in
# train and in test, a week apart, with almost the same 30 days ahead of it. The second takes
# the visits as they were four weeks later, as happens when features are computed at the
# end of a month for a label that began with it.

# %%
third = rows[rows["household_id"] % 3 == 0]
answer = third["has_churned"].astype(bool).to_numpy()
is_late = (third["label_time"] >= first_test).to_numpy()
is_early = (third["label_time"] + HORIZON <= first_test).to_numpy()
is_drawn = np.random.default_rng(1).random(len(third)) < 2 / 3
visits = [column for column in FEATURES if column.startswith("household_visits__")]
later = everything[["household_id", "label_time", *visits]].astype(
    dict.fromkeys(visits, "float64")
)
later["label_time"] -= pd.Timedelta(days=28)
leaky = third.drop(columns=visits).merge(
    later, on=["household_id", "label_time"], how="left"
)


def auc(frame: pd.DataFrame, train: np.ndarray, test: np.ndarray) -> float:
    """Of a boosting with room to learn by heart."""
    model = HistGradientBoostingClassifier(
        max_iter=60, early_stopping=False, random_state=1
    )
    model.fit(frame.loc[train, FEATURES], answer[train])
    return roc_auc_score(answer[test], model.predict_proba(frame.loc[test, FEATURES])[:, 1])


honest = auc(third, is_early, is_late)
leaks = pd.DataFrame(
    [
        (
            "split by time, features as they were known",
            honest,
            "what it would have been worth",
        ),
        (
            "rows split at random",
            auc(third, is_drawn, ~is_drawn),
            "knows next Monday's rows",
        ),
        (
            "visits as of four weeks later",
            auc(leaky, is_early, is_late),
            "has seen the outcome",
        ),
    ],
    columns=["how", "ROC AUC", "the model"],
).set_index("how")
style.table(leaks, {"ROC AUC": "{:.3f}"})

# %% [markdown]
# A score that is too good is the sign: on the day when it is needed, neither is possible.
# The platform makes the second mistake impossible: what was not available at the label time
# is not joined, late facts and corrections included. To avoid the first is your own task.

# %% [markdown]
# ## Today
#
# Today's model may know every label whose 30 days were over today, and no other. It scores
# the batch frame: one row per household, with the columns that the online store will serve,
# in their order, and the age of each view's snapshot.

# %%
known = (rows["label_time"] + HORIZON <= pd.Timestamp(TODAY).tz_localize(None)).to_numpy()
model = boosting().fit(rows.loc[known, FEATURES], churned[known])
batch = (
    workspace.batch_frame("churn_v1", as_of=TODAY)
    .toPandas()
    .sort_values("household_id", ignore_index=True)
)
batch["risk"] = model.predict_proba(batch[FEATURES].astype("float64"))[:, 1]

BANDS = {
    "safe (below 10%)": 0.1,
    "watch (10 to 30%)": 0.3,
    "at risk (30 to 60%)": 0.6,
    "nearly lost (60% and more)": 1.01,
}
batch["band"] = pd.cut(batch["risk"], [0, *BANDS.values()], labels=list(BANDS), right=False)
SPEND = "household_spend__sales_value_sum_90d"
batch["stake"] = batch["risk"] * batch[SPEND] / 3
bands = batch.groupby("band", observed=False).agg(
    households=("risk", "size"),
    expected=("risk", "sum"),
    spend=(SPEND, "median"),
    stake=("stake", "sum"),
)
titles = {
    "expected": "expected to stay away",
    "spend": "median USD in 90 days",
    "stake": "USD at stake in 30 days",
}
style.table(
    bands.rename(columns=titles),
    {
        "households": "{:,}",
        titles["expected"]: "{:,.0f}",
        titles["spend"]: "${:,.0f}",
        titles["stake"]: "${:,.0f}",
    },
)

# %% [markdown]
# *At stake* is the risk times what the household spends in 30 days, by its last 90.

# %% figure="risk" alt="Households by risk of staying away, and the money at stake"
fig, (left, right) = plt.subplots(1, 2, figsize=(8, 2.4), sharey=True)
shades = [style.BLUE, style.SKY, style.ORANGE, style.RED]
for ax, column, form in ((left, "households", "{:,.0f}"), (right, "stake", "${:,.0f}")):
    ax.barh(range(len(bands)), bands[column], color=shades, height=0.66)
    for row, value in enumerate(bands[column]):
        style.beside(ax, (value, row), form.format(value), 1)
    style.rows_of(ax, list(bands.index))
    ax.set(xlim=(0, 1.3 * bands[column].max()), xticks=[], ylim=(len(bands) - 0.5, -0.5))
left.set_title("Households")
_ = right.set_title("USD at stake in 30 days")

# %% tags=["fold"]
ages = batch[[column for column in batch.columns if column.endswith("__age")]].max() / 3600
first = batch.nlargest(100, "stake")
style.say(f"""
As of {TODAY}, {batch["risk"].sum():,.0f} of {len(batch):,} households are expected to stay
away. The model learnt from {known.sum():,} rows, none with a label time after
{rows.loc[known, "label_time"].max():%Y-%m-%d}, and the oldest snapshot in the frame was
{ages.max():.0f} hours old when the frame was out. Those that are nearly lost spent a median
of ${bands["spend"].iloc[-1]:,.0f} in their last 90 days: there is little left to lose. The
hundred households with most at stake hold {first["stake"].sum() / batch["stake"].sum():.0%}
of it, at a median risk of {first["risk"].median():.0%}.
""")

# %% [markdown]
# ## What the score says, and what not
#
# A risk of 40% means: of the households that look like this one, about 40 in 100 bought
# nothing in the next 30 days. It does not say why, nor that a coupon would have brought
# them back; that takes an experiment, with households that are left alone. And "stays away"
# means away from these stores for 30 days: a household that comes every six weeks is not lost.
