# %% [markdown]
# # 02 · Lab: reading a sweep
#
# **You will be able to**
#
# - read a heat map of margin by negatives for each batch size, with its spread over seeds;
# - tell a difference from noise by comparing runs that share a seed;
# - say why the best cell of a grid is too optimistic.
#
# This lab trains nothing. It reads a sweep that comes with the course, and then yours from `02_vsepp_lab_1_sweep`.
#
# ## The question
#
# A sweep gives a table with one row per run. Is the highest number high because its setting is
# good, or because of chance? First you read a small table of made-up numbers, which you can check by hand. Then you read a
# real sweep in the same steps.

# %%
import random
from statistics import mean

import pandas as pd

import itm_tutorial as itm
from itm_tutorial.chapters.ch02_vsepp import figures, sweep_answers
from itm_tutorial.chapters.ch02_vsepp.sample import sample_sweep, with_losses_in_order
from itm_tutorial.chapters.verdict import effect
from itm_tutorial.course.sweep_results import read_sweep

# %% tags=["parameters"]
folder = "runs/sweeps/vsepp"  # of your sweep, in the folder of the course
value = "rsum"  # the metric to show, such as "t2i_r1" or "best_epoch"

# %% [markdown]
# ## Seven made-up runs
#
# The table has two margins, two losses and two seeds; one run is missing. Which loss would you choose, and at which margin?

# %% tags=["nbval-check-output"]
made_up = pd.DataFrame(
    {
        "margin": [0.1, 0.1, 0.1, 0.1, 0.2, 0.2, 0.2],
        "negatives": ["sum", "sum", "max", "max", "sum", "sum", "max"],
        "seed": [0, 1, 0, 1, 0, 1, 0],
    }
)
made_up["rsum"] = [400.0, 412.0, 404.0, 417.0, 410.0, 422.0, 430.0]
print(made_up.to_string(index=False))

# %% [markdown]
# A heat map shows the mean over seeds for each cell.

# %% tags=["nbval-check-output"]
print(made_up.groupby(["margin", "negatives"])["rsum"].agg(["mean", "count"]).to_string())

# %% [markdown]
# **Question.** Which cell do you trust least, and why?

# %%
figures.heat_map(made_up, panels=None)

# %% [markdown]
# <details><summary>Answer</summary>
#
# The framed cell, which is also the highest: it is a mean of one run, so nothing is known about its spread. The other cells are lower for seed 0 than for
# seed 1, so its second run might be higher still; or 430 was chance. The map cannot tell, so it gives the number of seeds in each cell.
#
# </details>
#
# ## Compare runs in pairs
#
# At margin 0.1 the losses differ by 4.5 points, and the two seeds of one loss by 12. Is the difference noise? Both losses ran on the *same* seeds, with
# the same pictures. So subtract within each seed: this removes the part that depends on the seed alone.

# %% tags=["nbval-check-output"]
runs = made_up.pivot_table(index=["margin", "seed"], columns="negatives", values="rsum")
print((runs["max"] - runs["sum"]).dropna().to_string())

# %% [markdown]
# This course fixed its rule before any run: a difference *holds* if its mean exceeds twice its standard error.

# %% tags=["nbval-check-output"]
found = effect("max beats sum at margin 0.1", [4.0, 5.0])
print(f"{found.mean:+.1f}, standard error {found.standard_error:.1f}: {found.verdict}")
crossed = [404.0 - 412.0, 417.0 - 400.0]  # the same runs, each with the other seed's run
other = effect("the same with seeds crossed", crossed)
print(f"{other.mean:+.1f}, standard error {other.standard_error:.1f}: {other.verdict}")

# %% [markdown]
# The runs and the mean are the same; only with pairs of the same seed is the standard error small enough.
#
# ## The best of many
#
# Now suppose that the setting has no effect: eighteen cells, each a mean of three runs that differ by chance alone (standard deviation 6).
#
# **Question.** How far above the truth is the best cell?

# %% tags=["nbval-check-output"]
luck = random.Random(0)
cells = [mean(luck.gauss(440, 6) for _ in range(3)) for _ in range(18)]
print(f"truth 440.0, mean of the cells {mean(cells):.1f}, best cell {max(cells):.1f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# 7.0 points here. The maximum of many noisy means is too high on average, and more so with more cells.
#
# </details>
#
# So a sweep only *proposes* a setting. New seeds, and the test split once, decide.
#
# ## A real sweep
#
# This sweep comes with the course: fewer epochs than `itm sweep vsepp` and other batch sizes, measured on the validation split.
#
# **Question.** For each batch size: which margin is best for each loss, and at which margin does the choice of negatives matter most?

# %%
sample, about_sample = sample_sweep()
print(about_sample)
figures.heat_map(sample, value=value)

# %% tags=["answer"]
itm.show.answer(sweep_answers.about_sweep(sample, value))

# %% [markdown]
# Two cautions. If a cell is far below its neighbours, or its spread is far larger, look at its `loss`: near 2 × batch size × margin its embeddings have
# collapsed, and a mean of good and collapsed runs describes neither. If a larger batch is worse everywhere, it may have had too few steps: that is the
# budget and not the loss.
#
# ## Your sweep
#
# If you have no sweep yet, the next cell prints the command that runs it, in a terminal, in the folder of the course. You can run this
# notebook again at any time, also while the sweep is running.

# %%
try:
    points = with_losses_in_order(read_sweep(itm.in_course(folder)))
    print(f"{len(points)} points; {points['seconds'].sum() / 60:.0f} minutes of one worker")
except itm.ItmError as nothing_yet:
    points = None
    print(nothing_yet)

# %% [markdown]
# **Question.** Does your sweep agree with ours?

# %%
figures.heat_map(points, value=value) if points is not None else print("no points, no heat map: itm sweep vsepp")

# %% tags=["answer"]
none = "You have no sweep yet, so there is nothing to compare: run `itm sweep vsepp`, then this notebook again."
itm.show.answer(sweep_answers.about_sweep(points, value) if points is not None else none)

# %% [markdown]
# ## What holds
#
# The maximum against the sum, paired by seed, for each batch size and margin: in your sweep if there is one, else in ours.

# %%
judged, verdicts = sample if points is None else points, []
by_loss = judged.pivot_table(index=["batch_size", "margin", "seed"], columns="negatives", values=value, observed=False)
gains = (by_loss["max_of_hinges"] - by_loss["sum_of_hinges"]).dropna()
for (batch, margin), gain in gains.groupby(level=["batch_size", "margin"]):
    if len(gain) > 1:
        verdicts.append(effect(f"batch {batch}, margin {margin}", gain.tolist()))
for found in verdicts:
    print(f"{found.name:<25}{found.mean:+7.1f}, standard error {found.standard_error:4.1f}: {found.verdict}")

# %% [markdown]
# *Too close to say* is an honest answer, and more seeds can resolve it: lengthen `seed` in `course.toml` and run the command
# again. Do not add seeds until you like the verdict; decide beforehand how many to run. And if many cells are judged, some hold
# by chance: with three seeds and no true difference, about one in eleven.

# %%
held, whose = sum(found.verdict == "holds" for found in verdicts), "our" if points is None else "your"
print(f"Headline: max beats sum in {held} of {len(verdicts)} cells of {whose} sweep")

# %% [markdown]
# ## Recap
#
# - A heat map shows means, so read the number of seeds and the spread in each cell too.
# - Subtract runs that share a seed before you judge a difference between two settings.
# - A difference holds if its mean exceeds twice its standard error, a rule that is fixed before the runs.
# - The best cell of a grid is too optimistic, because the maximum of many noisy means is too high.
# - Compare two losses at the best margin of each and at the same budget.
#
# ## Where to go next
#
# - Set `value = "loss"` (the frame then marks the *worst* cell) and look for 2 × batch size × margin. Then set `value = "best_epoch"`: where the best epoch is
#   the last one, the run would have gained from more epochs.
# - Chapter 02 has a cure for the collapse, `warmup`. Give `02_vsepp_lab_1_sweep` a parameter `warmup`, pass it to `create_model`, add
#   it to the grid, and run the sweep again.
# - Choose a setting from your map, train it on three *new* seeds and measure it on the test split. How much of its lead is left?
