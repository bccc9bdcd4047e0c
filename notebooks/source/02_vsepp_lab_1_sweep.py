# %% [markdown]
# # 02 · Lab: one point of a sweep
#
# **You will be able to**
#
# - say how margin, choice of negatives and batch size each affect a ranking loss;
# - turn a notebook into an experiment that a program can repeat, with parameters as input and metrics as output;
# - run a grid of such experiments with one command, and stop and resume it.
#
# ## The question
#
# VSE++ changed which negatives the loss uses, and reported a large gain. The gain was measured at one margin
# and one batch size. Would another margin have improved the older loss as much? Is the hardest of 31 negatives as useful as the
# hardest of 511? One run cannot answer this. This notebook trains *one* model, and a program can run it at
# every point of a grid. The notebook `02_vsepp_lab_2_results` reads the results.

# %%
import os
from pathlib import Path

import torch

import itm_tutorial as itm
from itm_tutorial.chapters.ch02_vsepp import figures, sweep_answers
from itm_tutorial.chapters.ch02_vsepp.sample import sample_sweep
from itm_tutorial.course.sweep import Point
from itm_tutorial.losses import create_loss
from itm_tutorial.storage import write_json

# %% [markdown]
# ## Parameters as input
#
# The next cell is tagged `parameters`. Papermill inserts a cell after it with the values of one point of the grid, and runs
# the notebook from top to bottom. To run a point by hand, edit this cell.

# %% tags=["parameters"]
size = "mini"  # 3,000 pictures to train on; "tiny" is for a quick look
epochs = 10
seed = 0  # of the pictures, of the first weights and of the batches
device = "auto"
sentence = "bow"  # the paper uses "gru", which takes five times as long
margin = 0.2
negatives = "max_of_hinges"  # or "sum_of_hinges", or "top_k_hinges"
batch_size = 128
result = ""  # where to write the metrics, as JSON; empty prints them only
if os.environ.get("ITM_FAST") == "1":  # the smallest size, for tests
    size, epochs, batch_size = "tiny", 2, 16

# %% [markdown]
# ## What the three settings do
#
# The matrix holds the scores of three pictures and their three captions, with the positive pairs on the diagonal.
#
# **Question.** At a margin of 0.2, how much does each of the two negative captions of the first picture cost? Work it out by hand, then run the cell.

# %% tags=["nbval-check-output"]
toy = torch.tensor([[0.60, 0.55, 0.50], [0.45, 0.70, 0.68], [0.10, 0.50, 0.65]])  # [3 images, 3 captions]
positives = torch.eye(3, dtype=torch.bool)
for name in ("sum_of_hinges", "top_k_hinges", "max_of_hinges"):
    print(f"{name:<15}{create_loss(name, margin=0.2, k=1)(toy, positives).item():.2f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# 0.2 - 0.60 + 0.55 = 0.15, and 0.2 - 0.60 + 0.50 = 0.10. The sum adds both, and the maximum takes 0.15.
#
# </details>
#
# With `k = 1`, top-k is the same as the maximum. A batch of three has only two negatives per picture, so
# `k = 3`, the default, would be the sum. The **margin** determines how many hinges are above zero:

# %% tags=["nbval-check-output"]
for width in (0.05, 0.2, 0.5):
    costs = width - toy.diag()[:, None] + toy  # [n_images, n_captions]: above 0, the negative costs something
    print(f"margin {width:<5} hinges above zero: {int((costs[~positives] > 0).sum())} of 6")

# %% [markdown]
# If all hinges are above zero, the sum pushes every negative caption with the same force, near or far. If few are above zero, the sum uses only hard
# negatives too: a small margin makes the two losses similar. The **batch size** determines from how many negatives the hardest is taken.

# %% tags=["nbval-check-output"]
for n in (32, 128, 512):
    print(f"batch of {n:>3}: {2 * n * (n - 1):>7,} hinges in the sum, {2 * n:>5,} in the maximum")

# %% [markdown]
# So the three settings depend on each other, and only a grid shows how. One thing can go wrong: if all embeddings are equal,
# all scores are equal and each hinge costs one margin. The hardest negative then gives hardly any gradient, and training with the maximum may
# stay there. This is the collapse, and its loss can be computed beforehand:

# %% tags=["nbval-check-output"]
same = torch.zeros(32, 32)  # [32 images, 32 captions]: one score for all
for width in (0.05, 0.2, 0.5):
    stuck = create_loss("max_of_hinges", margin=width)(same, torch.eye(32, dtype=torch.bool))
    print(f"margin {width:<5} loss {stuck.item():.1f}")

# %% [markdown]
# ## Train and measure one point
#
# We measure on the validation split, because the sweep is used to *choose* a setting. The chosen setting is measured on the test split once, at
# the end.

# %%
corpus = itm.load_corpus("scenes", size=size, seed=seed)
model = itm.create_model("vsepp", corpus, seed=seed, loss=negatives, margin=margin, sentence=sentence)
history = itm.fit(model, corpus, epochs=epochs, batch_size=batch_size, seed=seed, device=device)

# %% [markdown]
# **Question.** Would more epochs have raised the rsum of this point?

# %%
itm.show.training_curve(history)

# %% tags=["answer"]
itm.show.answer(sweep_answers.about_budget(history))

# %% [markdown]
# ## Metrics as output
#
# The notebook writes its metrics to the file in `result`, in one step: a run that is killed leaves no half-written file.

# %%
report = itm.evaluate(itm.score(model, corpus.val), corpus.val.image_of)
metrics = {**report.as_dict(), "best_epoch": history.best_epoch, "loss": history.epochs[-1]["loss"]}
if result:
    write_json(Path(result), metrics)
print(report)
print(f"Headline: {negatives}, margin {margin}, batch {batch_size}: rsum {report.rsum:.0f} on val")

# %% [markdown]
# ## A grid of points
#
# This sweep comes with the course. Each cell is a mean over seeds.
#
# **Question.** For which margin and batch size does the choice of negatives matter most?

# %%
sample, about_sample = sample_sweep()
print(about_sample)
figures.heat_map(sample)

# %% tags=["answer"]
itm.show.answer(sweep_answers.about_sweep(sample))

# %% [markdown]
# ## Run your own grid
#
# In a terminal, in the folder of the course:
#
# ```
# itm sweep vsepp
# ```
#
# The grid is in `course.toml`. For each point, papermill runs this notebook in its own process. The executed notebook and
# its metrics are kept in `runs/sweeps/vsepp`, under a name made of the values of the point:

# %% tags=["nbval-check-output"]
point = {"margin": 0.2, "negatives": "max_of_hinges", "batch_size": 512, "seed": 0}
print(Point(axes=point, parameters=point).stem)

# %% [markdown]
# You can stop the sweep at any time and start it again: finished points are kept. A point is run again only if its file is damaged, or if the code of this
# notebook or a fixed parameter has changed. The final table lists each point that failed, with the cell and the
# error; a failure does not stop the other points.
#
# ## Recap
#
# - The margin determines how many hinges are above zero, and with a small margin sum and maximum are similar.
# - The batch size determines from how many negatives the maximum takes the hardest.
# - A loss of 2 × batch size × margin under the maximum means that the embeddings have collapsed.
# - A notebook with a `parameters` cell and a `result` file can be run by a program at every point of a grid.
# - A sweep chooses on the validation split and compares settings at the same number of epochs.
#
# ## Where to go next
#
# - Open `02_vsepp_lab_2_results`; it reads the points that are finished, also while the sweep is still running.
# - Add 128 to `batch_size` in `course.toml` and run the command again: only the new points are run.
# - Set `sentence = "gru"` there. Does the order of the losses stay the same? It takes about five times as long.
