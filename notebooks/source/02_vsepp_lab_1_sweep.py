# %% [markdown]
# # 02 · Lab: one point of a sweep
#
# **You will be able to**
#
# - say what margin, choice of negatives and batch size each do to a ranking loss;
# - turn a notebook into an experiment that a program can repeat: parameters in, metrics out;
# - run a grid of such experiments with one command, and stop and resume it.
#
# *About 15 minutes. The sweep itself takes about ten more on two cores, without you.*
#
# ## The question
#
# VSE++ changed one thing, which negatives the loss listens to, and reported a large gain. The gain was measured at one margin
# and one batch size. Would another margin have served the older loss as well? Does the hardest of 31 negatives teach what the
# hardest of 511 teaches? One run cannot say. This notebook trains *one* model, and is made so that a program can run it at
# every point of a grid. The notebook `02_vsepp_lab_2_results` reads what comes out.

# %%
import os
from pathlib import Path

import torch

import itm_tutorial as itm
from itm_tutorial.course.sweep import Point
from itm_tutorial.losses import create_loss
from itm_tutorial.storage import write_json

# %% [markdown]
# ## Parameters in
#
# The next cell is tagged `parameters`. Papermill puts another cell behind it, with the values of one point of the grid, and runs
# the notebook from top to bottom. By hand, you edit it.

# %% tags=["parameters"]
size = "mini"  # 3,000 pictures to train on; "tiny" is for a quick look
epochs = 10
seed = 0  # of the pictures, of the first weights and of the batches
device = "auto"
sentence = "bow"  # "gru" is what the paper has, and takes five times as long
margin = 0.2
negatives = "max_of_hinges"  # or "sum_of_hinges", or "top_k_hinges"
batch_size = 128
result = ""  # where to write the metrics, as JSON; empty prints them only
if os.environ.get("ITM_FAST") == "1":  # the smallest size, for tests
    size, epochs, batch_size = "tiny", 2, 16

# %% [markdown]
# ## What the three settings do
#
# Three pictures and their three captions; the positive pairs are on the diagonal. At a margin of 0.2, work out by hand what the first
# picture's two wrong captions cost. Then run the cell.

# %% tags=["nbval-check-output"]
toy = torch.tensor([[0.60, 0.55, 0.50], [0.45, 0.70, 0.68], [0.10, 0.50, 0.65]])  # [3 images, 3 captions]
positives = torch.eye(3, dtype=torch.bool)
for name in ("sum_of_hinges", "top_k_hinges", "max_of_hinges"):
    print(f"{name:<15}{create_loss(name, margin=0.2, k=1)(toy, positives).item():.2f}")

# %% [markdown]
# With `k = 1` the middle line is the maximum under another name. In a batch of three there are only two negatives to choose from;
# `k = 3`, the default, would be the sum. The **margin** decides how many of the hinges are open at all:

# %% tags=["nbval-check-output"]
for width in (0.05, 0.2, 0.5):
    costs = width - toy.diag()[:, None] + toy  # [n_images, n_captions]: above 0, the hinge is open
    print(f"margin {width:<5} open hinges: {int((costs[~positives] > 0).sum())} of 6")

# %% [markdown]
# With all hinges open, the sum pushes against every wrong caption alike, near or far. With few open, even the sum hears only the hard ones: a
# small margin makes the two losses alike. The **batch** decides from how many negatives the hardest is taken.

# %% tags=["nbval-check-output"]
for n in (32, 128, 512):
    print(f"batch of {n:>3}: {2 * n * (n - 1):>7,} hinges in the sum, {2 * n:>5,} in the maximum")

# %% [markdown]
# So the settings are not independent, and this is why a grid is worth its time. One thing can go wrong: when all embeddings lie in one
# point, all scores are equal and each hinge costs one margin. From there the hardest negative gives little to go by, and the maximum may
# stay. Its loss then stands at a number that you can compute beforehand:

# %% tags=["nbval-check-output"]
same = torch.zeros(32, 32)  # [32 images, 32 captions]: one score for all
for width in (0.05, 0.2, 0.5):
    stuck = create_loss("max_of_hinges", margin=width)(same, torch.eye(32, dtype=torch.bool))
    print(f"margin {width:<5} loss {stuck.item():.1f}")

# %% [markdown]
# ## Train and measure one point
#
# The validation split measures here, because the sweep is going to *choose*. What is chosen may be measured on the test split once, at
# the end.

# %%
corpus = itm.load_corpus("scenes", size=size, seed=seed)
model = itm.create_model("vsepp", corpus, seed=seed, loss=negatives, margin=margin, sentence=sentence)
history = itm.fit(model, corpus, epochs=epochs, batch_size=batch_size, seed=seed, device=device)

# %% [markdown]
# **Question.** Would this point look better, beside others, had it trained longer?

# %%
itm.show.training_curve(history)

# %% [markdown]
# **Answer.** If the right panel still climbs at its end, yes. All points get the same number of epochs, so a batch of 512 gets a
# sixteenth of the steps of a batch of 32. A sweep compares settings *at a budget*; keep the budget in mind when you read it.
#
# ## Figures out
#
# The metrics go where `result` says, all at once: a run that is killed leaves no half file.

# %%
report = itm.evaluate(itm.score(model, corpus.val), corpus.val.image_of)
metrics = {**report.as_dict(), "best_epoch": history.best_epoch, "loss": history.epochs[-1]["loss"]}
if result:
    write_json(Path(result), metrics)
print(report)
print(f"Headline: {negatives}, margin {margin}, batch {batch_size}: rsum {report.rsum:.0f} on val")

# %% [markdown]
# ## Run the grid
#
# In a terminal, in the course's folder:
#
# ```
# itm sweep vsepp
# ```
#
# The grid stands in `course.toml`. Each point is this notebook, run by papermill in a process of its own; the executed notebook and
# its metrics are kept in `runs/sweeps/vsepp`, under a name made of the point's own values:

# %% tags=["nbval-check-output"]
point = {"margin": 0.2, "negatives": "max_of_hinges", "batch_size": 512, "seed": 0}
print(Point(axes=point, parameters=point).stem)

# %% [markdown]
# Stop it whenever you like and start it again: what is there is kept. A point is run anew only when its file is damaged, or when the code of this
# notebook or a fixed parameter has changed. The final table lists each point that failed, with its cell and its
# error, and the other points are still run.
#
# ## Where to go next
#
# - Open `02_vsepp_lab_2_results`; it shows the points that are there, while the sweep is still running too.
# - Add 128 to `batch_size` in `course.toml` and run the command again: only the new points are run.
# - Set `sentence = "gru"` there: does the order of the losses stay? It takes about five times as long.
