# %% [markdown]
# # 21 · After 2020
#
# **You will be able to**
#
# - say what changed from DeViSE (2013) to CLIP (2021), and what did not;
# - write CLIP's loss, SigLIP's loss in chunks, and a zero-shot classifier made of prompts;
# - tell what a temperature, a bias and the size of a batch do;
# - measure retrieval where a query has several right answers;
# - put a published CLIP beside the course's own models.
#
# ## The question
#
# Since 2021 most systems begin with a model such as CLIP, trained on hundreds of millions of pairs. **How does it relate to all the
# methods before, and which of its parts can be understood on a laptop?** You build its losses, train small versions, and look at what
# they know and do not know.

# %% tags=["parameters"]
import os

method = "siglip_features"  # your run: "siglip_features", "gpo", "sgraf", "pcme" or "clip_features"
size = "mini"  # 3,000 pictures to train on
epochs = 4
seed = 0
device = "auto"
if os.environ.get("ITM_FAST") == "1":  # the smallest size, for tests
    size, epochs = "tiny", 2

# %% tags=["nbval-check-output"]
from dataclasses import replace
from math import exp

import torch
from torch.nn.functional import normalize

import itm_tutorial as itm
from itm_tutorial.chapters.ch21_after_2020 import answers, exercises, figures, live
from itm_tutorial.chapters.ch21_after_2020.kept_runs import effects, kept_batches
from itm_tutorial.chapters.ch21_after_2020.measures.word_order import same_words
from itm_tutorial.chapters.ch21_after_2020.measures.zero_shot import LABEL, ONE, TEMPLATES, caption_vectors
from itm_tutorial.chapters.ch21_after_2020.members import MEMBERS
from itm_tutorial.chapters.declaration import Arm
from itm_tutorial.chapters.family import family_table
from itm_tutorial.chapters.runner import Trained
from itm_tutorial.chapters.small_galleries import first_images
from itm_tutorial.evaluation.r_precision import evaluate_relevant
from itm_tutorial.evaluation.true_matches import compare_with_truth, true_matches
from itm_tutorial.evaluation.zero_shot import fill

corpus = itm.load_corpus("scenes", size=size, seed=seed)
print(corpus)

# %% [markdown]
# ## Train it
#
# Start this cell and read on. It trains a model with CLIP's loss on features of a frozen backbone (and records every epoch), one with
# learned pooling, and your method. All are small.

# %%
shared = {"seed": seed, "device": device}
settings = {  # method -> its options, and how it is trained
    "clip_features": ({"features": "global", "sentence": "bow", "embed_size": 256}, {"epochs": epochs}),
    "siglip_features": ({"features": "global", "sentence": "bow", "embed_size": 256}, {"epochs": epochs}),
    "gpo": ({"embed_size": 128, "word_dim": 64}, {"epochs": 3, "sampler": "images"}),
    "sgraf": ({}, {"epochs": 2, "sampler": "images"}),
    "pcme": ({"embed_size": 64, "word_dim": 64}, {"epochs": 3, "sampler": "images"}),
}
models, record = {}, live.Record(corpus.val)
for name in dict.fromkeys(["clip_features", "gpo", method]):
    options, training = settings[name]
    models[name] = itm.create_model(name, corpus, seed=seed, **options)
    watch = [record] if name == "clip_features" else []
    record(models[name]) if watch else None  # before training
    itm.fit(models[name], corpus, callbacks=watch, **training, **shared)
print("trained:", *models)

# %% [markdown]
# ## The picture to aim for
#
# Four systems, from the first to today's. A shaded cell differs from the one above it.
#
# **Question.** Which column never changes? Which change costs most?

# %%
figures.from_devise_to_clip()

# %% [markdown]
# <details><summary>Answer</summary>
#
# The score stays a dot product of one vector per side, so all of them can be searched with one index. What changed is what the
# vectors are trained on: class labels, then captions that people wrote for a few thousand photographs, then 400 million pairs from the
# web. The batch grew with the data, and a loss over the whole batch took the place of a margin. Most of the cost is in data and
# batches, not in the formula.
#
# </details>
#
# ## The idea
#
# Let $v_i$ and $t_j$ be unit vectors of images and captions, and $\theta$ a number that is learned. CLIP (Radford and others, 2021)
# reads each row and each column of the batch as a classification:
#
# $$\ell_{ij} = e^{\theta}\, v_i \cdot t_j \qquad L = -\frac{1}{2B}\sum_i \Big(\log \text{softmax}_j(\ell_{ij})\big|_{j=i} + \log
# \text{softmax}_j(\ell_{ji})\big|_{j=i}\Big)$$
#
# SigLIP (Zhai and others, 2023) asks about each pair alone, with $z_{ij} = 1$ for positive pairs and $-1$ for all others:
#
# $$L = -\frac{1}{B} \sum_{i,j} \log \sigma\big(z_{ij}\,(e^{\theta}\, v_i \cdot t_j + b)\big)$$
#
# ## Build it: two directions
#
# ### Exercise 1 (10 minutes, ★): CLIP's loss
#
# `scores` `[n, n]` holds cosines, pair $i$ on the diagonal; `scale` is $e^{\theta}$. Return the mean of both cross-entropies.
#
# <details><summary>Hint 1</summary>Each row is a classification: which of the captions belongs to image i? The right class of row i is i. Each column is one too.</details>
# <details><summary>Hint 2</summary>logits = scale * scores. torch.nn.functional.cross_entropy(logits, torch.arange(len(logits))) is the mean over rows.</details>
# <details><summary>Hint 3</summary>The columns are the rows of logits.T. Return half the sum of both cross-entropies.</details>


# %% tags=["exercise"]
def clip_loss(scores, scale):
    # solution
    logits, own = scale * scores, torch.arange(len(scores))
    rows = torch.nn.functional.cross_entropy(logits, own)  # each image chooses among the captions
    columns = torch.nn.functional.cross_entropy(logits.T, own)  # each caption chooses among the images
    return (rows + columns) / 2
    # end of solution


clip_loss = exercises.clip_loss.check(clip_loss)

# %% tags=["nbval-check-output"]
two = torch.tensor([[1.0, 0.2], [0.9, 0.5]])
print(f"two pairs at a scale of 2: {clip_loss(two, 2.0).item():.4f}")
matrix = torch.tensor([[0.60, 0.52, 0.45], [0.20, 0.70, 0.35], [0.05, 0.30, 0.50]])
print(f"three pairs, temperature 0.1: {clip_loss(matrix, 10.0).item():.4f}")

# %% [markdown]
# The figure shows what eight losses ask of one score matrix. Red scores will be lowered, blue ones raised; the numbers are
# $\partial L / \partial S$. Colours are scaled within a panel. The softmax of the package adds both directions, so its value is twice
# yours.
#
# **Question.** Which losses leave scores alone? Where does the softmax with a low temperature put its gradient?

# %%
figures.loss_gradients(matrix)

# %% tags=["answer"]
itm.show.answer(answers.eight_losses(matrix))

# %% [markdown]
# ## A bug of the field: the temperature that starts at 0.07
#
# CLIP's $\theta$ starts at $\log(1 / 0.07)$, so the scale starts at 14.3. After each step $\theta$ itself is clamped, so that
# $1 \le e^{\theta} \le 100$.
#
# ### Exercise 2 (8 minutes, ★): one step of the scale
#
# Start from `temperature`; `gradient` is $\partial L / \partial \theta$, `rate` the learning rate. Take one step of gradient descent on
# $\theta$, clamp, and return the new scale.
#
# <details><summary>Hint 1</summary>The optimiser never sees the temperature. What it moves is theta, the logarithm of the scale.</details>
# <details><summary>Hint 2</summary>theta starts at log(1 / temperature). One step of gradient descent: theta - rate * gradient.</details>
# <details><summary>Hint 3</summary>Clamp theta between 0 and log(100): theta.clamp(0, math.log(100)). Return theta.exp().</details>


# %% tags=["exercise"]
def scale_after_step(temperature, gradient, rate):
    # solution
    theta = (1 / temperature).log() - rate * gradient  # theta, not the scale, is what the optimiser moves
    return theta.clamp(0, torch.tensor(100.0).log().item()).exp()
    # end of solution


scale_after_step = exercises.scale_after_step.check(scale_after_step)

# %% [markdown]
# Several public versions of CLIP store 0.07 where $\log(1/0.07)$ belongs. The scale then starts at $e^{0.07} = 1.07$. The cell trains
# both, equal in everything else.
#
# **Question.** Which warning tells you of this mistake? Does the loss still fall?

# %%
starts, slipped = {"log(1 / 0.07)": 0.07, "0.07": exp(-0.07)}, {}
for name, temperature in starts.items():
    options, training = settings["clip_features"]
    model = itm.create_model("clip_features", corpus, seed=seed, temperature=temperature, **options)
    history = itm.fit(model, corpus, **training, **shared)
    losses = [round(row["loss"], 2) for row in history.epochs]
    slipped[name] = model.loss_function.scale().item(), max(row["rsum"] for row in history.epochs)
    print(f"theta starts at {name:<13} loss {losses}, scale {slipped[name][0]:.1f}, rsum {slipped[name][1]:.0f}")

# %% tags=["answer"]
itm.show.answer(answers.slip(slipped, effects("temperature")))

# %% [markdown]
# ## Build it: each pair alone
#
# A softmax needs a whole row before it can say anything. A sigmoid needs one pair, so SigLIP's loss can be added up over chunks of
# captions, and a batch may be larger than its score matrix in memory.
#
# ### Exercise 3 (15 minutes, ★★): the sigmoid loss by chunks
#
# Row $i$ of `image_emb` and of `caption_emb` `[n, dim]` belong together. Score at most `columns` captions at a time; divide the sum by
# $n$.
#
# <details><summary>Hint 1</summary>No term of the loss needs another pair, so each chunk of captions can be scored, added to the total and forgotten.</details>
# <details><summary>Hint 2</summary>In the chunk that begins with caption `first`, caption first + k belongs to image first + k: the positive pairs do not begin at row 0.</details>
# <details><summary>Hint 3</summary>own = torch.arange(n)[:, None] == first + torch.arange(logits.shape[1]); add -logsigmoid(torch.where(own, logits, -logits)).sum() to the total. At the end divide by the number of captions.</details>


# %% tags=["exercise"]
def sigmoid_by_chunks(image_emb, caption_emb, scale, bias, columns):
    # solution
    total = 0.0
    for first in range(0, len(caption_emb), columns):
        logits = scale * image_emb @ caption_emb[first : first + columns].T + bias  # [n, at most columns]
        own = torch.arange(len(image_emb))[:, None] == first + torch.arange(logits.shape[1])  # image i, caption i
        total = total - torch.nn.functional.logsigmoid(torch.where(own, logits, -logits)).sum()
    return total / len(caption_emb)
    # end of solution


sigmoid_by_chunks = exercises.sigmoid_by_chunks.check(sigmoid_by_chunks)

# %% [markdown]
# The published bias starts at $-10$: with it, $\sigma(-10)$ is nearly 0, and the many negatives are silent at first. It is the prior of
# a batch of about 22,000 pairs, because $e^{10} \approx 22{,}026$.
#
# **Question.** In a batch of 64 with all cosines 0, what fraction of the gradient comes from positive pairs, for $b = 0$, $-4.14$ and
# $-10$?

# %% tags=["nbval-check-output"]
nothing = torch.zeros(64, 8)
print(f"loss for b = -10, one chunk or many: {sigmoid_by_chunks(nothing, nothing, 10.0, -10.0, 64):.4f}", end=", ")
print(f"{sigmoid_by_chunks(nothing, nothing, 10.0, -10.0, 5):.4f}")
for bias in (0.0, -4.14, -10.0):
    negative = torch.tensor(bias).sigmoid()  # the gradient of -log sigmoid(-x) is sigmoid(x)
    positive, others = (1 - negative).item(), 63 * negative.item()  # per image: one positive pair, 63 others
    print(f"b = {bias:6.2f}: positive pairs have {100 * positive / (positive + others):5.1f} % of the gradient")

# %% [markdown]
# <details><summary>Answer</summary>
#
# With $b = 0$ the 63 negatives of an image have 98.4 % of the gradient: the first steps push everything apart. With the log odds of the
# batch, $-\log 63 = -4.14$, both sides have one half. With $-10$ the positives have 99.7 %: the first steps pull pairs together. Whether
# that is better must be measured; the page of results has both.
#
# </details>
#
# **Question.** Four losses, four sizes of the batch, each caption seen equally often. Which loss gains from a large batch?

# %%
kept = kept_batches()
figures.recall_by_batch(kept) if kept else print("not measured yet")

# %% tags=["answer"]
itm.show.answer(answers.batches(kept))

# %% [markdown]
# ## See what it learned: the space during training
#
# The first run of this notebook was recorded. Above: cosines of positive and of other pairs. Below: the **modality gap**, the distance
# between the mean image and the mean caption, and the scale.
#
# **Question.** What happens to the gap, and why does the loss not mind it?

# %%
figures.space_over_training(record.moments)

# %% tags=["answer"]
itm.show.answer(answers.space(record.moments))

# %% [markdown]
# ## Use it: zero-shot classification
#
# A model of images and texts can name things that nobody labelled: write each class as a text, and take the nearest. For that, the
# image encoder must not have learned from labels. So this cell trains CLIP's two transformers from scratch, on raw pixels of scenes with
# two or three things. Start it and read on.

# %%
small = itm.load_corpus("scenes", size=size, seed=seed, image_size=64)
models["clip"] = itm.create_model("clip", small, seed=seed)
history = itm.fit(models["clip"], small, epochs=epochs, **shared)
print("loss", *(f"{row['loss']:.2f}" for row in history.epochs))

# %% [markdown]
# CLIP averages several templates: *a photo of a cat*, *a cat in the snow*, and so on.
#
# ### Exercise 4 (8 minutes, ★): an ensemble of prompts
#
# `template_emb` is `[n_templates, n_classes, dim]`, of any length. Return one unit vector per class in which all templates count alike.
#
# <details><summary>Hint 1</summary>Templates give embeddings of different lengths. A longer one would count more in the mean.</details>
# <details><summary>Hint 2</summary>Scale each embedding to unit length, normalize(template_emb, dim=2), and then take the mean over the templates.</details>
# <details><summary>Hint 3</summary>The mean of unit vectors is shorter than 1: return normalize(mean, dim=1).</details>


# %% tags=["exercise"]
def prompt_ensemble(template_emb):
    # solution
    each = normalize(template_emb, dim=2)  # a template with long embeddings counts no more than another
    return normalize(each.mean(0), dim=1)  # [n_classes, dim]
    # end of solution


prompt_ensemble = exercises.prompt_ensemble.check(prompt_ensemble)

# %% [markdown]
# Now the model sees single, larger things of 69 kinds.
#
# **Question.** Does it name them? What do templates add?

# %%
objects = itm.load_corpus("objects", size=size, seed=seed)
names, hits = objects.classes.names, {}
with torch.no_grad():
    seen = models["clip"].encode_images(objects.test.images.to(models["clip"].device))  # [n_images, dim]
    for name, templates in {"the label alone": LABEL, "one template": ONE, "seven templates": TEMPLATES}.items():
        texts = [[fill(template, label) for label in names] for template in templates]
        class_emb = prompt_ensemble(torch.stack([caption_vectors(models["clip"], some) for some in texts]))
        ranked = seen @ class_emb.T  # [n_images, n_classes]
        hits[name] = 100 * (ranked.argmax(1).cpu() == objects.test.identity).double().mean().item()
rows = range(0, len(objects.test.images), max(1, len(objects.test.images) // 5))[:5]
truth = [names[objects.test.identity[row]] for row in rows]
figures.zero_shot_guesses([objects.test.images[row] for row in rows], truth, live.guesses(ranked[list(rows)], names))

# %% tags=["answer"]
itm.show.answer(answers.prompts(hits, 100 / len(names), effects("zero_shot")))

# %% [markdown]
# ## Break it: the order of words
#
# Does such a model read *a red car and a blue dog* otherwise than *a blue car and a red dog*? The answer lets it choose between the
# true caption and a changed one, on the caption's own image.
#
# **Question.** What does the model prefer? Why can it retrieve nevertheless?

# %% tags=["answer"]
own = same_words(Trained(Arm("clip", "clip"), models["clip"], small, seed))["prefers"]
retrieves = itm.evaluate(itm.score(models["clip"], small.test), small.test.image_of).rsum
itm.show.answer(answers.order(own, retrieves, effects("word_order")))

# %% [markdown]
# ## Build it: pooling that is learned
#
# Not everything after 2020 is scale. VSE$\infty$ (Chen and others, 2021) asks how region vectors become one vector. Each number is
# sorted over the regions, and a weight $\theta_k$ belongs to each *rank*: the mean has $\theta_k = 1/N$, the maximum
# $\theta = (1, 0, \dots, 0)$.
#
# ### Exercise 5 (12 minutes, ★★): generalised pooling
#
# `vectors` `[n, size, dim]`, `mask` bool `[n, size]` (False for padding, anywhere), `weights` `[n, size]`, 0 from the number of real
# vectors on. Return `[n, dim]`.
#
# <details><summary>Hint 1</summary>Each number of the vectors is sorted by itself: the largest first number of the set may come from one region, the largest second number from another.</details>
# <details><summary>Hint 2</summary>Padding must not be among the largest: fill it with minus infinity before the sort. masked_fill(~mask[:, :, None], -torch.inf), then sort(dim=1, descending=True).values.</details>
# <details><summary>Hint 3</summary>Behind the real vectors now stands minus infinity, and 0 times infinity is NaN: set it to 0. Then multiply by weights[:, :, None] and sum over dim=1.</details>


# %% tags=["exercise"]
def generalised_pooling(vectors, mask, weights):
    # solution
    filled = vectors.masked_fill(~mask[:, :, None], -torch.inf)  # padding goes to the end of the sort
    largest_first = filled.sort(dim=1, descending=True).values  # each number of the vectors by itself
    largest_first = largest_first.masked_fill(largest_first == -torch.inf, 0)  # 0 times infinity would be NaN
    return (weights[:, :, None] * largest_first).sum(1)  # [n, dim]
    # end of solution


generalised_pooling = exercises.generalised_pooling.check(generalised_pooling)

# %% [markdown]
# **Question.** After your short training: is the learned pooling of regions nearer to the mean or to the maximum? And that of words?

# %%
pools = {"regions": models["gpo"].image_encoder.pool, "words": models["gpo"].text_encoder.pool}
sizes = {"regions": 12, "words": 8}  # vectors per set
figures.pooling_weights(pools, sizes)

# %% tags=["answer"]
weights = {side: figures.weights_of(pool, sizes[side]) for side, pool in pools.items()}
itm.show.answer(answers.pooling(weights, effects("gpo")))

# %% [markdown]
# ## Measure it: several right answers
#
# R@1 counts one image per caption as right. A drawn world knows *all* images of which a caption is true. Metric learning counts them
# with **mAP@R**: $R$ is the number of right answers, $P(r)$ the fraction of the first $r$ that are right, and
#
# $$\text{AP@R} = \frac{1}{R} \sum_{r=1}^{R} \text{rel}(r)\, P(r)$$
#
# ### Exercise 6 (10 minutes, ★★): mAP@R
#
# `relevant` is bool `[n_items]`, in the order of the ranking. Return AP@R.
#
# <details><summary>Hint 1</summary>R is the number of relevant items, relevant.sum(). Only the first R ranks count.</details>
# <details><summary>Hint 2</summary>P(r) is the number of relevant items among the first r, divided by r: relevant.float().cumsum(0) / torch.arange(1, n + 1).</details>
# <details><summary>Hint 3</summary>Add up P(r) over those of the first R ranks that hold a relevant item, and divide by R, not by how many were found.</details>


# %% tags=["exercise"]
def map_at_r(relevant):
    # solution
    n_relevant = int(relevant.sum())  # R
    found = relevant[:n_relevant].float()  # nothing after rank R counts
    precision = found.cumsum(0) / torch.arange(1, n_relevant + 1)  # P(r)
    return (found * precision).sum() / n_relevant
    # end of solution


map_at_r = exercises.map_at_r.check(map_at_r)

# %% [markdown]
# **Question.** How many of the model's "errors" are none?

# %%
scores = itm.score(models["clip_features"], corpus.test)
print(evaluate_relevant(scores, true_matches(corpus.test)))
none = live.errors_that_are_none(scores, corpus.test)
figures.true_errors(none, corpus.test) if none else print("no such error among these captions")

# %% tags=["answer"]
itm.show.answer(answers.true_errors(none, compare_with_truth(scores, corpus.test)))

# %% [markdown]
# ## Build it: a head for the hard cases
#
# ALBEF and BLIP (2021, 2022) put a network behind two cheap encoders: it reads an image and a caption *together* and says whether they
# match. It learns from hard negatives, drawn from the batch in proportion to $e^{\text{score}}$, and at test time it ranks only a
# shortlist.
#
# ### Exercise 7 (10 minutes, ★★): drawing a hard negative
#
# `scores` `[n_queries, n_items]`, `positives` bool. Return the probability of each item to be drawn; 0 for positives.
#
# <details><summary>Hint 1</summary>The softmax of a row must not see the positives: whatever their score is, the probabilities of the negatives sum to one.</details>
# <details><summary>Hint 2</summary>exp(-infinity) is 0: fill the positives with minus infinity before the softmax.</details>
# <details><summary>Hint 3</summary>Return scores.masked_fill(positives, -torch.inf).softmax(1).</details>


# %% tags=["exercise"]
def hard_negative_probabilities(scores, positives):
    # solution
    return scores.masked_fill(positives, -torch.inf).softmax(1)  # the softmax sees negatives alone
    # end of solution


hard_negative_probabilities = exercises.hard_negative_probabilities.check(hard_negative_probabilities)

# %% [markdown]
# The cell trains such a model and ranks shortlists of eight images. Half of the run draws negatives at random, because a head that knows
# nothing yet does not learn from hard ones in so short a time.
#
# **Question.** Does the head improve R@1 on a shortlist of eight? How much could it at most?

# %%
gallery, rounds = first_images(corpus.test, 100), {"mini": 3}.get(size, epochs)
albef = itm.create_model("albef", corpus, seed=seed, embed_size=64, features="regions")
itm.fit(albef, corpus, epochs=rounds, learning_rate=1e-3, **shared)
models["albef"], cheap = albef, itm.score(albef, gallery)
by_head, shortlist = itm.rerank(albef.by("itm"), gallery, cheap, 8, "t2i")
by_both, _ = itm.rerank(albef.by("sum"), gallery, cheap, 8, "t2i")
cosine, head, both = (itm.evaluate(some, gallery.image_of) for some in (cheap, by_head, by_both))
print(f"caption to image, R@1: cosine {cosine.t2i.r1:.1f}, head {head.t2i.r1:.1f}, both {both.t2i.r1:.1f}")

# %% tags=["answer"]
itm.show.answer(answers.reranked(cosine, head, both, shortlist))

# %% [markdown]
# ## Published models beside the course's own
#
# `dual_encoder` makes a published CLIP or SigLIP a model of the course: the same `score`, `evaluate`, `search` and minimal pairs.
# Nothing is downloaded unless you ask; `docs/pretrained.md` lists the weights, their sizes and licences. Here its weights are random and
# tiny, so its recall means nothing. The scores are CLIP's logits, and equal those of the `transformers` library for the same network
# (the tests compare them for CLIP and SigLIP).
#
# **Question.** What would you have to change in this cell to score OpenAI's CLIP?

# %% tags=["nbval-check-output"]
published = itm.create_model("dual_encoder", corpus, seed=seed)  # weights="openai/clip-vit-base-patch32" after fetching
some, network = replace(first_images(corpus.test, 8), fingerprint=None), published.network  # nothing is cached
with torch.no_grad():
    pixels = torch.stack([network.fitted(image) for image in some.images])  # at the network's own size
    image_emb = normalize(network.encode_images(pixels), dim=1)
    tokens = published.tokenize(some.captions)
    caption_emb = normalize(network.encode_captions(tokens.ids, tokens.lengths), dim=1)
logits = network.network.logit_scale.exp() * image_emb @ caption_emb.T
print("scores are exp(theta) times the cosine:", bool(torch.allclose(itm.score(published, some), logits, atol=1e-4)))

# %% [markdown]
# <details><summary>Answer</summary>
#
# Fetch the weights once, with `fetch_dual_encoder("openai/clip-vit-base-patch32")`, and give this name as `weights`. Then
# `itm.fit(model, corpus)` trains one linear map per side on frozen embeddings, and `itm.unfreeze(model)` gives a model whose encoders
# are trained too.
#
# New models report their results in **MTEB**'s tasks between images and texts. `MTEBSearch(model)` from `retrieval.mteb_search` brings
# any model of the course there: `mteb.evaluate(MTEBSearch(model), mteb.get_task("Flickr30kT2IRetrieval"))`.
#
# </details>
#
# ## The family in one table
#
# The last column comes from the kept claims: differences with their standard errors over seeds, and a verdict.

# %%
reports = {name: itm.evaluate(itm.score(models[name], gallery), gallery.image_of) for name in models if name != "clip"}
last = reports[method]
print(
    f"Headline: {method} rsum {last.rsum:.0f}, R@1 {last.i2t.r1:.1f} and {last.t2i.r1:.1f} of {len(gallery.images)} images"
)
family_table(MEMBERS)

# %% [markdown]
# ## The paper's numbers and yours
#
# Zero-shot retrieval as the papers report it: R@1 from image to text and back. Nobody trained on these photographs.

# %% tags=["nbval-check-output"]
print("Flickr30K, 1,000 images  CLIP 88.0 / 68.7   ALIGN 88.6 / 75.7")
print("COCO, 5,000 images       CLIP 58.4 / 37.8   ALIGN 58.6 / 45.6")

# %% tags=["answer"]
itm.show.answer(answers.beside_papers(reports))

# %% [markdown]
# ## Quiz
#
# **1. What does a low temperature do in CLIP's loss?**
#
# <details><summary>It gives nearly all of the gradient to the hardest negatives</summary>Yes. In the limit only the largest score of a row counts, as in VSE++.</details>
# <details><summary>It makes all negatives count alike</summary>No: that is what a high temperature does.</details>
# <details><summary>It makes the embeddings shorter</summary>Not yet: embeddings have unit length whatever the temperature is.</details>
#
# **2. Why can SigLIP's loss be computed in chunks, and CLIP's not as easily?**
#
# <details><summary>Each pair is judged alone, and no sum over a row is needed before</summary>Yes. A softmax needs the whole row or column first.</details>
# <details><summary>A sigmoid is cheaper to compute than an exponential</summary>No: both need one exponential per pair.</details>
# <details><summary>SigLIP has no negatives at all</summary>Not yet: all other pairs of the batch are its negatives.</details>
#
# **3. Templates are averaged without scaling each embedding. What goes wrong?**
#
# <details><summary>The mean is no unit vector any more</summary>Not yet: that alone could be repaired at the end.</details>
# <details><summary>Templates with long embeddings count more than others</summary>Yes. Scale each one, average, and scale again.</details>
# <details><summary>Classes with long names are lost</summary>No: every class is written in every template.</details>
#
# **4. A model's first image for a caption is not the one it was written for. Is that an error?**
#
# <details><summary>Yes, always, since the data set says so</summary>No: the data set only says for which image a caption was written.</details>
# <details><summary>Only if the caption is not true of the image that was found</summary>Yes. R@1 by the pairing counts many true answers as errors.</details>
# <details><summary>Only if the score is low</summary>Not yet: the truth does not depend on the model's score.</details>
#
# ## Recap
#
# - From DeViSE to CLIP the score stayed a dot product; data, batch, encoders and loss changed.
# - A softmax compares within the batch, a sigmoid judges pairs alone; temperature and bias say how sure a model starts.
# - Prompts make a classifier of any such model: scale each template's embedding, average, scale again.
# - Contrastive training does not ask for word order, and a model that retrieves well may not know it.
# - Count all right answers (mAP@R) before you trust small differences of R@1.
#
# ## Where to go next
#
# - Set `method` to another name. Where does it stand in the headline?
# - Read [CLIP](https://arxiv.org/abs/2103.00020) and its [code](https://github.com/openai/CLIP), and
#   [SigLIP](https://arxiv.org/abs/2303.15343) with its [code](https://github.com/google-research/big_vision).
# - If you have a folder with published weights: `itm.create_model("dual_encoder", corpus, weights="path/of/the/folder")`, and
#   `itm.evaluate(itm.score(model, corpus.test), corpus.test.image_of)`.
