# %% [markdown]
# # The error museum
#
# Twelve mistakes of image-text matching, half of them found in public code. Each exhibit has a **symptom**, its **cause**,
# a cell that provokes the mistake and mends it, and a **cure**. The cell prints the number with the mistake, then the
# number without it; both are measured when this page is made.
#
# | what you see | exhibit |
# | --- | --- |
# | the loss does not fall | [1](#the-collapse), [2](#a-learning-rate-that-is-too-high) |
# | the loss falls below zero | [3](#targets-that-are-no-distribution) |
# | R@1 is 100 % | [4](#ties-that-count-as-hits), [5](#scores-that-are-nan) |
# | R@1 is at chance | [6](#five-captions-per-image-in-order) |
# | R@1 is higher than it should be | [7](#recall-in-folds), [8](#ranks-that-start-at-0) |
# | R@1 changes from one evaluation to the next | [9](#dropout-in-the-test), [10](#padding-in-a-maximum) |
# | nothing, until you look at the negatives or at the attention | [11](#true-captions-as-negatives), [12](#a-norm-over-the-wrong-axis) |

# %%
import torch
from torch.nn.functional import normalize, pad

import itm_tutorial as itm
from itm_tutorial.losses.projection import cmpm

corpus = itm.load_corpus("scenes", size="tiny", seed=0)
random = torch.Generator().manual_seed(0)
image_of = torch.arange(200).repeat_interleave(5)  # 200 images with five captions each
positives = image_of == torch.arange(200)[:, None]  # [n_images, n_captions]
scores = torch.randn(200, 1000, generator=random) + 3 * positives  # made up: a positive is 3 higher on average
measured = {}  # exhibit -> the number with the mistake, and the number without it


def recall_at_1(scores, image_of):
    """Caption to images, in percent; a tie counts against the model."""
    own = scores[image_of, torch.arange(len(image_of))]
    return 100 * ((scores >= own).sum(0) == 1).double().mean().item()


def report(exhibit, what, mistake, mended):
    measured[exhibit] = (mistake, mended)
    print(f"{what}: {mistake:.2f} with the mistake, {mended:.2f} without it")


# %% [markdown]
# ## The collapse
#
# **Symptom.** The loss of the hardest negative stays near 2 × batch size × margin, and the scores hardly differ.
#
# **Cause.** At the start the hardest negative often scores above the positive. The quickest way to make the largest hinge
# smaller is then to make all embeddings alike.

# %%
plateau = 2 * 16 * 0.2  # batch size 16, margin 0.2
at_the_end = []
for options in ({}, {"warmup": 0.5}):
    model, losses = itm.create_model("vsepp", corpus, sentence="bow", seed=0, **options), []
    model.loss_function.register_forward_hook(lambda module, given, loss, kept=losses: kept.append(loss.item()))
    itm.fit(model, corpus, epochs=6, batch_size=16, learning_rate=0.03, seed=0)
    at_the_end.append(sum(losses[-18:]) / 18 / plateau)  # the last epoch
report("collapse", "loss of the last epoch, as a fraction of the plateau", *at_the_end)

# %% [markdown]
# **Cure.** Train with the sum of all hinges first (`warmup=0.2`), lower the learning rate, or start from trained weights.
# Chapter 02 compares the three.
#
# ## A learning rate that is too high
#
# **Symptom.** The loss does not fall, with any loss function.
#
# **Cause.** A step that is too long leaves the region in which the gradient is valid. The next gradient points back, and
# the weights jump from side to side.

# %%
at_the_end = []
for rate in (1.0, 0.006):
    model, losses = itm.create_model("vse", corpus, seed=0), []
    model.loss_function.register_forward_hook(lambda module, given, loss, kept=losses: kept.append(loss.item()))
    itm.fit(model, corpus, epochs=4, batch_size=32, learning_rate=rate, seed=0)
    at_the_end.append(sum(losses[-9:]) / 9 / losses[0])  # the last epoch
report("learning rate", "loss of the last epoch, as a fraction of the first batch's", *at_the_end)

# %% [markdown]
# **Cure.** Try three rates, each a third of the one before, on the validation split. Clip the gradient's length.
#
# ## Targets that are no distribution
#
# **Symptom.** CMPM falls below zero, although a KL divergence cannot.
#
# **Cause.** A public copy of the loss divides each row of the match matrix by its L2 norm. Where a person occurs more than
# once in the batch, the row then sums to more than one. While each person occurs once, the mistake has no effect.

# %%
match = torch.tensor([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])  # two images of one person, one of another


def divergence(targets):  # of a perfect answer
    p = match / match.sum(1, keepdim=True)
    return (p * ((p + 1e-8) / (targets + 1e-8)).log()).sum(1).mean().item()


report(
    "targets", "loss of a perfect answer", divergence(normalize(match)), divergence(match / match.sum(1, keepdim=True))
)
print("the package's loss of random embeddings:", f"{cmpm(torch.randn(3, 8), torch.randn(3, 8), match.bool()):.2f}")

# %% [markdown]
# **Cure.** Divide by the row's sum, and test the loss with a person who occurs twice.
#
# ## Ties that count as hits
#
# **Symptom.** A model that gives every pair the same score has an R@1 of 100 %.
#
# **Cause.** The rank counts only the images that score *higher* than the positive, and a constant model has none.

# %%
constant = torch.full((200, 1000), 0.5)
higher = (constant > constant[image_of, torch.arange(1000)]).sum(0)
report(
    "ties", "R@1 of constant scores, in percent", 100 * (higher == 0).double().mean(), recall_at_1(constant, image_of)
)

# %% [markdown]
# **Cure.** Let a tie count against the model: count the images that score *at least* as high, the positive included.
#
# ## Scores that are NaN
#
# **Symptom.** R@1 jumps to 100 % in one epoch and stays there.
#
# **Cause.** A division by a length of zero gives NaN. Every comparison with NaN is false, so no image stands before the
# positive.

# %%
broken = torch.full((200, 1000), torch.nan)
higher = (broken > broken[image_of, torch.arange(1000)]).sum(0)
try:
    itm.evaluate(broken, image_of)
except itm.ItmError as refused:
    print("the package refuses:", refused)
report("nan", "R@1, in percent", 100 * (higher == 0).double().mean(), recall_at_1(scores, image_of))

# %% [markdown]
# **Cure.** Check `scores.isfinite().all()` before you evaluate, and clamp lengths before you divide by them.
#
# ## Five captions per image, in order
#
# **Symptom.** R@1 is at chance, although the loss on the training split falls as it should.
#
# **Cause.** The evaluator takes caption `c` to belong to image `c // 5`. It raises no error on captions in another order,
# or with another number of captions per image.

# %%
order = torch.randperm(1000, generator=random)
shuffled, whose = scores[:, order], image_of[order]
report("order", "R@1, in percent", recall_at_1(shuffled, torch.arange(1000) // 5), recall_at_1(shuffled, whose))

# %% [markdown]
# **Cure.** Carry `image_of` with the captions, and read the pairing from it alone.
#
# ## Recall in folds
#
# **Symptom.** R@1 is far above that of others who trained the same model.
#
# **Cause.** The test split was searched in parts, such as the five folds of "MSCOCO 1K". Each caption then competes with
# fewer images.

# %%
folds = [recall_at_1(scores[i : i + 40][:, 5 * i : 5 * (i + 40)], image_of[:200]) for i in range(0, 200, 40)]
report("folds", "R@1, in percent", sum(folds) / 5, recall_at_1(scores, image_of))

# %% [markdown]
# **Cure.** Write the number of images beside every recall, and compare only recalls with the same number.
#
# ## Ranks that start at 0
#
# **Symptom.** R@1 is a few points too high, R@10 hardly.
#
# **Cause.** The first place has the rank 0, and the code asks for `rank <= k`. R@1 then holds two ranks, R@10 eleven.

# %%
ranks = (scores > scores[image_of, torch.arange(1000)]).sum(0)  # from 0 on
report("rank", "R@1, in percent", 100 * (ranks <= 1).double().mean(), 100 * (ranks < 1).double().mean())

# %% [markdown]
# **Cure.** Test the metric on a matrix whose recalls you know: one query, its positive in second place, R@1 = 0.
#
# ## Dropout in the test
#
# **Symptom.** Two evaluations of the same weights give different scores.
#
# **Cause.** The model is still in training mode, so that dropout hides a part of every feature.

# %%
model = itm.create_model("vsepp", corpus, dropout=0.5, warmup=0.5, seed=0)
itm.fit(model, corpus, epochs=4, batch_size=32, learning_rate=0.006, seed=0)
images = itm.features(corpus).train


def largest_change(model):  # of an image's embedding, between two evaluations
    with torch.no_grad():
        first, second = model.encode_images(images), model.encode_images(images)
    return (first - second).abs().max().item()


report("dropout", "largest change of an embedding", largest_change(model.train()), largest_change(model.eval()))

# %% [markdown]
# **Cure.** Call `model.eval()` before every evaluation; `itm.score` does.
#
# ## Padding in a maximum
#
# **Symptom.** The embedding of a caption depends on the other captions of its batch, so that R@1 changes with the batch
# size of the evaluation.
#
# **Cause.** Short captions are filled up with zeros. The maximum over words takes such a zero wherever all words are
# negative.

# %%
words = -torch.rand(1, 2, 8, generator=random)  # [1 caption, 2 words, dim], all negative
alone, padded = words.amax(1), pad(words, (0, 0, 0, 4))  # beside a caption of six words
mask = torch.arange(6)[None, :, None] >= 2  # True for padding
masked = padded.masked_fill(mask, -torch.inf).amax(1)
report("padding", "change of the embedding", (padded.amax(1) - alone).abs().max(), (masked - alone).abs().max())

# %% [markdown]
# **Cure.** Give padding the value minus infinity before a maximum, and leave it out of a mean. Test that an embedding is
# the same alone and in a batch.
#
# ## True captions as negatives
#
# **Symptom.** Many of the hardest negatives describe their image correctly. On a small data set they are a large part.
#
# **Cause.** A batch of shuffled captions holds several captions of one image. The code masks the diagonal alone, so these
# count as negatives. They score highest, because they are true.

# %%
batch = torch.randperm(1000, generator=random)[:128]
pairs, shown = scores[image_of[batch]][:, batch], image_of[batch]  # [128, 128]
same = shown[:, None] == shown[None]
false = []
for mask in (torch.eye(128, dtype=torch.bool), same):
    hardest = pairs.masked_fill(mask, -torch.inf).argmax(1)
    false.append(100 * same[torch.arange(128), hardest].double().mean())
report("same image", "hardest negatives that are true captions, in percent", *false)

# %% [markdown]
# **Cure.** Mask all captions of the same image, or draw each image once per epoch (`sampler="images"`).
#
# ## A norm over the wrong axis
#
# **Symptom.** In SCAN, words of every kind attend to the same region.
#
# **Cause.** The similarities are normalised over the regions in place of the words. A region that is similar to every word
# then wins all words.

# %%
things = torch.eye(12)  # each word names one of twelve things
words = normalize(torch.cat([things.repeat(10, 1), 0.1 * torch.randn(120, 12, generator=random)], dim=1))
regions = torch.cat([0.2 * things, 0.98 * things.flip(0)], dim=1)  # each shows its thing a little
regions[0] = torch.arange(24).lt(12) / 12**0.5  # region 0 resembles every word
similarities = (regions @ words.T).clamp(min=0)  # [n_regions, n_words]
greedy = []
for axis in (0, 1):
    weights = (9 * normalize(similarities, dim=axis)).softmax(0)
    greedy.append(100 * (weights.argmax(0) == 0).double().mean())
report("axis", "words that attend to region 0, in percent", *greedy)

# %% [markdown]
# **Cure.** Name the axes in a comment, `[n_regions, n_words]`, and test both norms on a toy whose answer you know. Chapter
# 03 builds it.
