# %% [markdown]
# # 02 · Lab: reading a sweep
#
# **You will be able to**
#
# - read a heat map of margin by negatives, for each batch size, with its spread;
# - tell a difference from noise by pairs of runs that share a seed;
# - say why the best cell of a grid promises more than it keeps.
#
# *About 15 minutes, and no training: the runs come from `02_vsepp_lab_1_sweep`.*
#
# ## The question
#
# A sweep gives a table with a row for each run. The eye goes to the highest number. Is it high because its setting is
# good, or because it was lucky? You first read a small table of made-up numbers, where you can check everything by hand; then the
# same steps read your own sweep.

# %%
import random
from statistics import mean

import pandas as pd

import itm_tutorial as itm
from itm_tutorial.chapters.ch02_vsepp import figures
from itm_tutorial.chapters.verdict import effect
from itm_tutorial.course.sweep_results import read_sweep

# %% tags=["parameters"]
folder = "runs/sweeps/vsepp"  # what the sweep left, in the course's folder
value = "rsum"  # the metric to show, such as "t2i_r1" or "best_epoch"

# %% [markdown]
# ## Seven made-up runs
#
# Two margins, two losses, two seeds; one run is missing. Which loss would you take, at which margin?

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
# A heat map begins as a mean over seeds for each cell.

# %% tags=["nbval-check-output"]
print(made_up.groupby(["margin", "negatives"])["rsum"].agg(["mean", "count"]).to_string())

# %% [markdown]
# **Question.** Which cell would you trust least, and what about it?

# %%
figures.heat_map(made_up, panels=None)

# %% [markdown]
# **Answer.** The framed one, the highest. It is a single run, with no spread at all, and seed 0 is the seed on which this table's other
# cells are *low*; or perhaps 430 was luck. The map cannot tell, and so it says how many seeds each cell has.
#
# ## Pairs, not piles
#
# At margin 0.1 the losses differ by 4.5 points, and the two seeds of one loss by 12. Is the difference noise? Both losses ran on the *same* seeds, with
# the same pictures, so subtract within a seed. What is easy or hard about a seed drops out.

# %% tags=["nbval-check-output"]
runs = made_up.pivot_table(index=["margin", "seed"], columns="negatives", values="rsum")
print((runs["max"] - runs["sum"]).dropna().to_string())

# %% [markdown]
# The course's rule, written before any run: a difference *holds* when its mean exceeds twice its standard error.

# %% tags=["nbval-check-output"]
found = effect("max beats sum at margin 0.1", [4.0, 5.0])
print(f"{found.mean:+.1f}, standard error {found.standard_error:.1f}: {found.verdict}")
piles = [404.0 - 412.0, 417.0 - 400.0]  # the same runs, paired crosswise
print(
    f"{mean(piles):+.1f}, standard error {effect('crosswise', piles).standard_error:.1f}: {effect('crosswise', piles).verdict}"
)

# %% [markdown]
# Same runs, same mean; only the pairing lets the difference be seen.
#
# ## The best of many
#
# Now suppose that no setting matters: eighteen cells, each a mean of three runs that differ by chance alone (standard deviation 6). What does the best cell
# show?

# %% tags=["nbval-check-output"]
luck = random.Random(0)
cells = [mean(luck.gauss(440, 6) for _ in range(3)) for _ in range(18)]
print(f"truth 440.0, mean of the cells {mean(cells):.1f}, best cell {max(cells):.1f}")

# %% [markdown]
# The best of many is too high, always, and the more cells the more so. A sweep *proposes* a setting; new seeds, and the test split once, decide.
#
# ## Your sweep
#
# Without a sweep, the next cell prints the command that makes it. Run it in a terminal, in the course's folder; this
# notebook can be run again at any time, also while the sweep is at work.

# %%
try:
    points = read_sweep(itm.in_course(folder))
    points["negatives"] = pd.Categorical(points["negatives"], ["sum_of_hinges", "top_k_hinges", "max_of_hinges"])
    print(f"{len(points)} points; {points['seconds'].sum() / 60:.0f} minutes of one worker")
except itm.ItmError as nothing_yet:
    points = None
    print(nothing_yet)

# %% [markdown]
# **Question.** Follow one column down: which margin suits it? Then one row across: where does the choice of negatives matter most? Do both again in the other
# panel.

# %%
figures.heat_map(points, value=value) if points is not None else print("no points, no heat map: itm sweep vsepp")

# %% [markdown]
# **Answer.** Look for four things.
#
# - **Does the best margin move from column to column?** Then a comparison of losses at one margin was unfair to one of them. Compare best
#   with best.
# - **Does the step from sum to maximum change from panel to panel?** The hardest of 511 is harder than the hardest of 31; it is also more often a
#   picture that the caption fits as well, and then the maximum pushes where it should not. The three hardest share that risk.
# - **Is a cell far below its neighbours, or its spread far above theirs?** Look at its `loss`: near 2 × batch × margin its embeddings lie nearly in one
#   point, the collapse that you worked out in `02_vsepp_lab_1_sweep`. Its recalls need not be zero, for the tiny differences that are left still
#   order the pictures. A mean of good runs and collapsed ones describes neither.
# - **Is a larger batch worse all over?** It had a sixteenth of the steps. That is the budget, not the loss.
#
# The map's grey spans lowest to highest: one low cell makes all others look alike. Read the numbers. The executed notebook of each point stands
# beside its metrics, with the warnings that training gave.
#
# ## What holds
#
# The largest hinge against the sum, paired by seed, cell by cell:

# %%
verdicts = []
if points is not None:
    by_loss = points.pivot_table(
        index=["batch_size", "margin", "seed"], columns="negatives", values=value, observed=False
    )
    gains = (by_loss["max_of_hinges"] - by_loss["sum_of_hinges"]).dropna()
    for (batch, margin), gain in gains.groupby(level=["batch_size", "margin"]):
        if len(gain) > 1:
            verdicts.append(effect(f"batch {batch}, margin {margin}", gain.tolist()))
for found in verdicts:
    print(f"{found.name:<25}{found.mean:+7.1f}, standard error {found.standard_error:4.1f}: {found.verdict}")

# %% [markdown]
# *Too close to say* with three seeds is an honest answer, and more seeds are the way out: lengthen `seed` in `course.toml` and run the command
# again. Do not run seeds until a verdict pleases you; decide how many beforehand. And where many cells are judged, some hold
# by luck: with three seeds and no true difference, about one in eleven.

# %%
held = sum(found.verdict == "holds" for found in verdicts)
print(f"Headline: max beats sum in {held} of {len(verdicts)} cells" if verdicts else "Headline: no sweep yet")

# %% [markdown]
# ## Where to go next
#
# - Set `value = "loss"` (the frame marks the highest, which is then the *worst*) and look for 2 × batch × margin; then `"best_epoch"`. Where it is the last one, the
#   cell was not done.
# - The chapter on VSE++ has a cure for the collapse, `warmup`. Give `02_vsepp_lab_1_sweep` a parameter `warmup`, pass it to `create_model`, put
#   it into the grid, and sweep again.
# - Choose a setting from your map, then train it on three *new* seeds and measure it on the test split. How much of its lead is left?
