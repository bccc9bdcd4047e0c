# %% [markdown]
# # 03 · SCAN: which word looks at which region
#
# **You will be able to**
#
# - build stacked cross attention in five short steps, and say which dimension each of its sums runs over;
# - compare attention maps with the true boxes, and with three baselines: uniform attention, words of another caption,
#   an untrained model;
# - say what attention cannot see, what it costs, and how to search with it nevertheless.
#
# ## The question
#
# So far one vector stands for a whole picture and one for a whole sentence, and their score does not say what was
# recognised. SCAN (Lee, Chen, Hua, Hu and
# He, ECCV 2018) asked: **what if each word attends to its own part of the picture**? The score then adds up how well each
# word matches the part that it attends to. As before, the
# training data only says which caption belongs to which picture, not which word belongs to which part.

# %% tags=["parameters"]
import os

size = "mini"  # 3,000 pictures to train on
epochs = 3  # of SCAN, whose recipe has five; the baseline gets twice as many
galleries = (200, 2_000, 20_000)  # pictures to search in, for the measurement of time
seed = 0
device = "auto"
if os.environ.get("ITM_FAST") == "1":  # the smallest size, for tests
    size, epochs, galleries = "tiny", 2, (20, 200)

# %% [markdown]
# SCAN needs the picture in parts. Its parts are the regions of *bottom-up attention* (BUTD, Anderson and others, CVPR
# 2018): a detector, trained on other pictures to name objects and their attributes, gives its most confident boxes and
# one vector per box. Ours gives twelve regions per picture. **The next cell takes minutes the first time**, because the
# detector is trained and run on every picture. Later it takes a second.

# %%
import time

import torch
from torchvision.ops import box_iou

import itm_tutorial as itm
from itm_tutorial.chapters.ch03_scan import answers, exercises, figures
from itm_tutorial.data.text import tokenize
from itm_tutorial.interaction.cosine import cosine
from itm_tutorial.interaction.stacked_cross import stacked_cross_attention

corpus = itm.load_corpus("scenes", size=size, seed=seed)
shared = {"epochs": epochs, "batch_size": 32, "seed": seed, "device": device}
features = itm.features(corpus, kind="regions")
regions_of, boxes_of = features.test, features.boxes.test  # [n_images, 12, dim] and [n_images, 12, 4]
print(corpus, "\nregions", list(regions_of.shape), " boxes", list(boxes_of.shape))

# %% [markdown]
# ## Train it
#
# Start this cell and read on. It takes up to a minute, and the rest of the chapter uses the model. The loss is that of
# chapter 02, the hinge on the hardest negative, with all negatives in the first fifth of the training. Only the
# computation of the score is new.

# %%
model = itm.create_model("scan", corpus, seed=seed)
history = itm.fit(model, corpus, **shared)
print(f"kept: epoch {history.best_epoch} of {epochs}")

# %% [markdown]
# ## The picture to aim for
#
# One caption with its own picture. On the left, each word stands at the region that it attends to most. The small
# panels show one word each: colour marks the regions to which the word gives more than uniform attention. The dashed
# box is the thing that the word names. A drawn world knows these boxes. The model was trained without them.
#
# **Question.** Which words attend to what they name? What do the other words attend to?


# %%
def names_one(c):  # (word, box) of the words that name a single box; "left" names two
    pairs = corpus.test.groundings[c]
    return [(word, box) for word, box in pairs if [w for w, _ in pairs].count(word) == 1]


query = next(c for c in range(31, len(corpus.test.captions)) if len(names_one(c)) >= 4)
chosen = range(query, len(corpus.test.captions), len(corpus.test.captions) // 8)
seen = itm.attend(model, corpus.test, captions=list(chosen))
itm.show.attention(seen, corpus.test, 0)

# %% tags=["answer"]
itm.show.answer(answers.words_and_boxes(seen, corpus.test))

# %% [markdown]
# ## The idea
#
# With unit vectors $v_r$ for regions, $e_w$ for words, and $s_{rw} = v_r \cdot e_w$:
#
# $$\bar s_{rw} = \frac{[s_{rw}]_+}{\sqrt{\sum_{w'} [s_{rw'}]_+^2}} \qquad
# \alpha_{rw} = \frac{e^{\lambda \bar s_{rw}}}{\sum_{r'} e^{\lambda \bar s_{r'w}}} \qquad
# a_w = \sum_r \alpha_{rw} v_r \qquad S = \frac{1}{n} \sum_w \cos(e_w, a_w)$$
#
# In words: $\bar s_{rw}$ says how similar region $r$ is to word $w$, compared with the other words. $\alpha_{rw}$ is the
# attention that word $w$ gives to region $r$. The attended vector $a_w$ is the mean of the regions with these weights. The
# score $S$ is the mean cosine of each word with its attended vector. Note the two sums in the denominators: the one under
# the root runs over the *words*, and the one in the softmax runs over the *regions*.
#
# The next cell takes one picture and its caption from the trained model.

# %% tags=["nbval-check-output"]
caption, picture = corpus.test.captions[query], int(corpus.test.image_of[query])
with torch.no_grad():
    regions = model.encode_images(regions_of[[picture]]).cpu()[0]  # [n_regions, dim]
    words = model.encode_captions([caption]).words.cpu()[0]  # [n_words, dim]
tokens = ["<start>", *tokenize(caption), "<end>"]  # these two attend to regions like any word
similarities = regions @ words.T  # [n_regions, n_words]
print(f"{caption}\n{len(tokens)} words", [list(t.shape) for t in (regions, words, similarities)])

# %% [markdown]
# **Question.** These are the similarities $s_{rw}$ before normalisation. Some columns are high as a whole. Does this give
# any region an advantage? Would a row that is high as a whole?

# %%
figures.attention_matrix(similarities, tokens, means=True)

# %% tags=["answer"]
itm.show.answer(answers.rows_and_columns(similarities, tokens))

# %% [markdown]
# ## Build it
#
# ### Exercise 1 (10 minutes, ★★): rectify and normalise
#
# `similarities` is `[n_regions, n_words]`. Rectify each number, then divide each region's row by its length, so that the
# row has length 1. The paper's $[\cdot]_+$ sets negative numbers to 0, but the authors' code keeps a tenth of them. Follow
# the code.
#
# <details><summary>Hint 1</summary>Two steps: rectify each number by itself, then bring each region's row of words to length 1.</details>
# <details><summary>Hint 2</summary>torch.nn.functional.leaky_relu(similarities, 0.1) keeps a tenth of what is negative.</details>
# <details><summary>Hint 3</summary>Divide by .norm(dim=1, keepdim=True), and clamp it (min=1e-8) first: a row may be all zeros.</details>


# %% tags=["exercise"]
def normalised_similarities(similarities):
    # solution
    rectified = torch.nn.functional.leaky_relu(similarities, 0.1)  # [n_regions, n_words]
    lengths = rectified.norm(dim=1, keepdim=True)  # [n_regions, 1]: over the words
    return rectified / lengths.clamp(min=1e-8)
    # end of solution


normalised_similarities = exercises.normalised_similarities.check(normalised_similarities)

# %% [markdown]
# ### Exercise 2 (5 minutes, ★): attention
#
# `normalised` is `[n_regions, n_words]`, `smooth` is $\lambda$. Each word distributes a total weight of one over the
# regions.
#
# <details><summary>Hint 1</summary>The weights of one word, over all regions, sum to one: which dimension are the regions?</details>
# <details><summary>Hint 2</summary>Multiply by smooth before the softmax: lambda is an inverse temperature.</details>
# <details><summary>Hint 3</summary>(smooth * normalised).softmax(dim=0): the regions are the rows.</details>


# %% tags=["exercise"]
def attention_weights(normalised, smooth):
    # solution
    return (smooth * normalised).softmax(dim=0)  # [n_regions, n_words], each column sums to one
    # end of solution


attention_weights = exercises.attention_weights.check(attention_weights)

# %% [markdown]
# A toy: two regions and three words. The first region is similar to every word, the second only to the last word.
#
# **Question.** Before you run it: which region gets more weight from the last word if rows are normalised over the
# words, as in Exercise 1? And if columns are normalised over the regions?

# %% tags=["nbval-check-output"]
toy = torch.tensor([[0.6, 0.6, 0.6], [0.0, 0.0, 0.5]])  # [2 regions, 3 words]
over_regions = toy / toy.norm(dim=0, keepdim=True)
for name, normalised in (("over words", normalised_similarities(toy)), ("over regions", over_regions)):
    print(f"{name:<13}", [[round(a, 2) for a in row] for row in attention_weights(normalised, 9.0).tolist()])

# %% [markdown]
# <details><summary>Answer</summary>
#
# With the length over words, the last word attends mostly to the second region (0.98), although its similarity is lower
# (0.5 against 0.6): this region is similar to no other word. With the length over regions, the wrong axis, the first
# region keeps most of the weight of every word, 0.76 of the last.
#
# </details>

# %% [markdown]
# ### Exercise 3 (10 minutes, ★★): the cosine of a word with its attended vector
#
# `regions` is `[n_regions, dim]`, `words` `[n_words, dim]`, `weights` `[n_regions, n_words]`. Return
# each word's cosine with its attended vector, `[n_words]`.
#
# <details><summary>Hint 1</summary>First the attended vector of each word: the mean of the regions by its weights.</details>
# <details><summary>Hint 2</summary>weights.T @ regions is [n_words, dim]; its row w belongs to words[w].</details>
# <details><summary>Hint 3</summary>(attended * words).sum(1), divided by both lengths: a mean of unit vectors is shorter than 1.</details>


# %% tags=["exercise"]
def attended_cosine(regions, words, weights):
    # solution
    attended = weights.T @ regions  # [n_words, dim]: a mean of regions for each word
    product = (attended * words).sum(dim=1)  # [n_words]
    return product / (attended.norm(dim=1) * words.norm(dim=1)).clamp(min=1e-8)
    # end of solution


attended_cosine = exercises.attended_cosine.check(attended_cosine)

# %% [markdown]
# ### Exercise 4 (15 minutes, ★★★): the same cosine without the attended vector
#
# There is one attended vector for each picture *and* each word of each caption. With 1,000 pictures and 5,000 captions of
# ten words there are fifty million of them, and public code computes them all. You need none. Compute the same cosines
# from `similarities` (before rectifying), `weights`, and the regions' Gram matrix `gram` $= VV^\top$,
# `[n_regions, n_regions]`. A picture has one Gram matrix, whatever the caption. The words have length 1.
#
# <details><summary>Hint 1</summary>The attended vector is a sum over regions. Put it into the dot product, and into its own squared length.</details>
# <details><summary>Hint 2</summary>The product is (weights * similarities).sum(0). The squared length is a double sum over pairs of regions.</details>
# <details><summary>Hint 3</summary>(weights * (gram @ weights)).sum(0) is each attended vector's squared length; divide by its root.</details>


# %% tags=["exercise"]
def cosine_by_gram(similarities, weights, gram):
    # solution
    product = (weights * similarities).sum(dim=0)  # [n_words]
    squared = (weights * (gram @ weights)).sum(dim=0)  # [n_words]: each attended vector's squared length
    return product / squared.clamp(min=1e-16).sqrt()
    # end of solution


cosine_by_gram = exercises.cosine_by_gram.check(cosine_by_gram)

# %% [markdown]
# ### Exercise 5 (15 minutes, ★★): one score from many words
#
# `cosines` is `[n_captions, seq_len]`. `mask` is True where a position holds a word; the values of padding are arbitrary.
# Return `[n_captions]`: the mean over the words where `lse` is None, and
# $\frac{1}{\text{lse}} \log \sum_w e^{\text{lse} \cdot \cos_w}$ where `lse` is a number.
#
# <details><summary>Hint 1</summary>The mask says which cosines belong to a word: padding must not count, in either form.</details>
# <details><summary>Hint 2</summary>For the mean set padding to 0 and divide by the number of real words; for log-sum-exp use -inf: exp(0) is 1.</details>
# <details><summary>Hint 3</summary>(lse * cosines).masked_fill(~mask, -torch.inf).logsumexp(1) / lse; where lse is None, the mean.</details>


# %% tags=["exercise"]
def pooled(cosines, mask, lse):
    # solution
    if lse is None:
        return cosines.masked_fill(~mask, 0).sum(dim=1) / mask.sum(dim=1)  # [n_captions]
    return (lse * cosines).masked_fill(~mask, -torch.inf).logsumexp(dim=1) / lse
    # end of solution


pooled = exercises.pooled.check(pooled)

# %% [markdown]
# Three captions of 1, 3 and 9 words. Every word has a cosine of 0.5. (Papers call both $\lambda$ and `lse` a temperature;
# both are *inverse* temperatures.)
#
# **Question.** Should the three captions get the same score? Do they, with the mean and with log-sum-exp?

# %% tags=["nbval-check-output"]
lengths = torch.tensor([1, 3, 9])
alike, mask = torch.full((3, 9), 0.5), torch.arange(9)[None] < lengths[:, None]
for name, lse in (("mean", None), ("lse 6", 6.0), ("lse 20", 20.0)):
    print(f"{name:<7}", [round(score, 2) for score in pooled(alike, mask, lse).tolist()])

# %% [markdown]
# <details><summary>Answer</summary>
#
# Nothing but the length differs, so the scores should be equal, and with the mean they are. Log-sum-exp adds
# $\log(n) / \text{lse}$ for $n$ words: long captions score higher with every picture. Our default is the mean.
#
# </details>

# %% [markdown]
# The five steps together make a score. Here they are on random embeddings, beside the package's function, which computes
# all pairs at once:

# %% tags=["nbval-check-output"]
random = torch.Generator().manual_seed(0)
v, e = (torch.nn.functional.normalize(torch.randn(n, 64, generator=random), dim=1) for n in (12, 7))
weights = attention_weights(normalised_similarities(v @ e.T), 9.0)  # [12 regions, 7 words]
by_vector, by_gram = attended_cosine(v, e, weights), cosine_by_gram(v @ e.T, weights, v @ v.T)  # [7 words] each
yours = pooled(by_gram[None], torch.ones(1, 7, dtype=torch.bool), None)  # [1 caption]
package = stacked_cross_attention(v[None], e[None], torch.tensor([7]))  # [1 image, 1 caption]
print("with and without the attended vector:", torch.allclose(by_vector, by_gram, atol=1e-5))
print(f"yours {yours.item():.4f}, the package {package.item():.4f}")

# %% [markdown]
# ## Queries, keys and values
#
# Attention is written today with *queries*, *keys* and *values*, the terms of the transformer (Vaswani and others, 2017).
# SCAN fits into this scheme. Here are your weights of one word. The output is drawn as the mean of the regions' pixels; the
# model takes the mean of their vectors.
#
# **Question.** Which of the three are the words, and which are the regions? What does a transformer do differently?

# %%
word = names_one(query)[0][0]
with_lambda = attention_weights(normalised_similarities(similarities), 9.0)[:, word + 1]  # <start> stands first
sharp = corpus.test.display(picture)
figures.queries_keys_values(sharp, seen.boxes[0], with_lambda, tokens[word + 1])

# %% [markdown]
# <details><summary>Answer</summary>
#
# Words are the queries; regions are the keys and also the values. (In i2t, below, it is the other way round.) A
# transformer makes all three by learned projections of its tokens, $W_Q$, $W_K$ and $W_V$, so that a key can differ from
# its value, and divides $q \cdot k$ by $\sqrt d$ where SCAN multiplies by $\lambda$. Its output goes to the next layer;
# SCAN compares the output with the query. Queries from one modality and keys from another, as here, are called *cross
# attention*; in *self-attention* both come from the same sequence.
#
# </details>

# %% [markdown]
# ## What the detector finds
#
# A word cannot find what the detector has missed. In the figure, thin boxes are regions and thick boxes are the true things.
#
# **Question.** Which mistakes does the detector make? For which of them can attention compensate?

# %%
overlap = [box_iou(true, found) for true, found in zip(corpus.test.boxes, boxes_of, strict=True)]  # [n_true, 12] each
things = 100 * torch.cat([o.amax(1) for o in overlap]).ge(0.5).float().mean().item()
empty = 100 * torch.cat([o.amax(0) for o in overlap]).lt(0.5).float().mean().item()
print(f"true things with a region: {things:.0f} %; regions without a thing: {empty:.0f} %")
figures.regions_found(corpus.test, boxes_of, [picture, 1, 2, 3])

# %% tags=["answer"]
itm.show.answer(answers.detected(things, empty))

# %% [markdown]
# ## Measure it
#
# The baseline is VSE++ of chapter 02 on **the same regions**: it takes their mean. With other features, a gain could come
# from the detector. VSE++ gets twice the epochs, which are short, and larger batches: each model has its own recipe.
#
# **Question.** The pictures of a minimal pair differ in one thing: an object, the colours of two objects, their sides, or a
# count. Where should attention help? Where can it not help?

# %%
rival = itm.create_model("vsepp", corpus, features="regions", warmup=0.2, seed=seed)
itm.fit(rival, corpus, **{**shared, "epochs": 2 * epochs, "batch_size": min(128, 4 * shared["batch_size"])})
scores, quick = (itm.score(m, corpus.test) for m in (model, rival))  # [n_images, n_captions] each
parties = {"scan": scores, "vsepp": quick, "ceiling": itm.oracle_scores(corpus.test)}
rsums = {name: itm.evaluate(given, corpus.test.image_of).rsum for name, given in parties.items()}
print(*(f"{name} rsum {rsum:.0f} of 600" for name, rsum in rsums.items()), sep="; ")
pairs = {name: itm.evaluate_minimal_pairs(parties[name], corpus.test) for name in ("scan", "vsepp")}
figures.minimal_pairs(pairs)

# %% tags=["answer"]
itm.show.answer(answers.by_kind(pairs, rsums))

# %% [markdown]
# ## See what it learned
#
# ### Exercise 6 (10 minutes, ★★): the pointing game
#
# One map can mislead, so count over many words. `weights` is `[n_regions, n_words]`, `boxes` is `[n_regions, 4]` as (x0,
# y0, x1, y1), and `named[w]` is the box that word $w$ names, `[n_words, 4]`. A word is a hit if the region with its largest
# weight has its centre inside the named box. Return the hits in percent of the words.
#
# <details><summary>Hint 1</summary>For each word take the region with the largest weight, and ask where the centre of this region lies.</details>
# <details><summary>Hint 2</summary>boxes[weights.argmax(0)] is [n_words, 4]; the centre is the mean of the two corners.</details>
# <details><summary>Hint 3</summary>Inside means x and y above named[:, :2] and below named[:, 2:]; the mean over words, times 100, .item().</details>


# %% tags=["exercise"]
def pointing_game(weights, boxes, named):
    # solution
    top = boxes[weights.argmax(dim=0)]  # [n_words, 4]: the region that each word attends to most
    centre = (top[:, :2] + top[:, 2:]) / 2  # [n_words, 2]
    inside = (centre > named[:, :2]) & (centre < named[:, 2:])
    return 100 * inside.all(dim=1).double().mean().item()
    # end of solution


pointing_game = exercises.pointing_game.check(pointing_game)

# %% [markdown]
# The next cell runs your function on the one caption, then the package's on the whole test split, with three
# baselines: uniform attention; the same model with a word of the same class *from another caption*; the model before
# training.
#
# **Question.** Which of the three is the hardest to beat? What would it mean if the model did not beat it?

# %%
of_words, named = (list(column) for column in zip(*names_one(query), strict=True))
yours = pointing_game(seen.weights[0][:, of_words], seen.boxes[0], corpus.test.boxes[picture][named])
print(f"one caption, {len(named)} words: {yours:.0f} %")
attention = itm.evaluate_attention(model, corpus.test, seed=seed)
figures.pointing_game(attention)

# %% tags=["answer"]
itm.show.answer(answers.pointing(attention))

# %% [markdown]
# Now explore. Choose a caption or type your own, and try a wrong picture. Choose a word to see its regions, or a region
# to see its words.

# %%
explorer = figures.attention_explorer(model, corpus.test, chosen)
explorer

# %% [markdown]
# ## Break it: sides and counts
#
# Does attention solve *sides*, which chapter 00 left open? Two experiments on embeddings: the regions of a picture
# change places; one, two or three regions equal the word, among nine that are orthogonal to it.
#
# **Question.** What happens to the score in each experiment?

# %% tags=["nbval-check-output"]
moved, n_words = v[torch.randperm(12, generator=random)], torch.tensor([7])
before, after = (stacked_cross_attention(x[None], e[None], n_words).item() for x in (v, moved))
print(f"before {before:.4f}, regions exchanged {after:.4f}")
axes = torch.eye(10)  # a word is axes[0]; the others stand at right angles
for n in (1, 2, 3):
    many = torch.cat([axes[:1].expand(n, 10), axes[1:]])  # [n + 9 regions, 10]
    print(f"{n} dogs: {stacked_cross_attention(many[None], axes[None, :1], torch.tensor([1]), smooth=20.0).item():.3f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# The order of regions changes nothing: they are a *set*, and no coordinate enters the score. The only trace of *left of*
# is what a region's vector holds of its surroundings, such as the edge of a neighbour. Counts do not change it either: the
# mean of three equal vectors points in the same direction as one of them, and a cosine compares only directions.
#
# </details>

# %% [markdown]
# ## Change λ: from uniform attention to a single region
#
# $\lambda$ controls how sharp attention is. The next cell changes it in the trained model, without training again, and
# measures on the validation split.
#
# **Question.** Between which values of λ does rsum change most? Would the result of the pointing game change?

# %%
ways = {f"t2i, λ {smooth:g}": {"t2i": smooth} for smooth in (0.0, 4.0, 9.0, 100.0)}
ways |= {"i2t, λ 4": {"i2t": 4.0}, "both": {"t2i": 9.0, "i2t": 4.0}}
trained, of_lambda = model.smooth, {}
for name, way in ways.items():
    model.smooth = way
    rsum = itm.evaluate(itm.score(model, corpus.val), corpus.val.image_of).rsum
    print(f"{name:<12} rsum {rsum:4.0f}")
    of_lambda |= {way["t2i"]: rsum} if list(way) == ["t2i"] else {}
model.smooth = trained
asked = normalised_similarities(similarities)[:, word + 1]
figures.smoothing(asked, image=sharp, boxes=seen.boxes[0], word=tokens[word + 1])

# %% tags=["answer"]
itm.show.answer(answers.sharpness(of_lambda, trained["t2i"]))

# %% [markdown]
# The last two rows exchange the roles. In **i2t** each region attends to words: the length is taken over the regions and the
# softmax over the words. Every region then counts in the score, including those that no word names. The embeddings were
# trained for t2i, so this is no comparison of the two. `itm.create_model("scan_i2t", corpus)` trains i2t, and
# `"scan_both"` trains the mean of the two.
#
# ## What it costs
#
# With one vector per picture, a search is one matrix product. In cross attention the attended vectors depend on the query,
# so attention must be computed for every pair of query and picture. The usual remedy is a **shortlist**: a quick model
# selects $k$ pictures, and the expensive model re-ranks them.
#
# ### Exercise 7 (10 minutes, ★★): re-rank a shortlist
#
# `quick` is `[n_images]`, the quick model's scores. `expensive(images)` takes indices of images and returns one score per
# image. Return the indices of the $k$ images, best first.
#
# <details><summary>Hint 1</summary>The quick scores select k images; only these are scored again, and only the new scores decide their order.</details>
# <details><summary>Hint 2</summary>shortlist = quick.topk(k).indices, then expensive(shortlist) gives k scores, in the shortlist's order.</details>
# <details><summary>Hint 3</summary>argsort(descending=True) gives positions in the shortlist; shortlist[order] gives the images.</details>


# %% tags=["exercise"]
def rerank(quick, expensive, k):
    # solution
    shortlist = quick.topk(k).indices  # [k]: images
    order = expensive(shortlist).argsort(descending=True)  # [k]: positions in the shortlist
    return shortlist[order]
    # end of solution


rerank = exercises.rerank.check(rerank)

# %% [markdown]
# The next cell prints R@1 of *caption to images* for several $k$, and measures the time per query in galleries that repeat
# the test pictures.
#
# **Question.** How does time grow with the gallery for each method? What limits R@1 after a shortlist, however good the
# expensive model is?

# %%
recalls = {}
for k in (1, 5, 20, len(scores)):
    first = [rerank(quick[:, c], lambda some, c=c: scores[some, c], k)[0] for c in range(len(corpus.test.captions))]
    recalls[k] = 100 * (torch.stack(first) == corpus.test.image_of).float().mean().item()
print("R@1 by length of the shortlist:", *(f"{k}: {r1:.1f}" for k, r1 in recalls.items()), sep="  ")


@torch.inference_mode()
def seconds(run, times=5):
    run()  # once to warm up
    start = time.perf_counter()
    for _ in range(times):
        run()
    return (time.perf_counter() - start) / times


with torch.inference_mode():
    embeddings, vectors = (m.encode_images(regions_of) for m in (model, rival))
    spoken, text = (m.encode_captions([caption]) for m in (model, rival))
taken = {"one vector": {}, "cross attention": {}, "shortlist of 20": {}}
for n in galleries:
    many, flat = (x[torch.arange(n) % len(x)] for x in (embeddings, vectors))  # [n, 12, dim] and [n, dim]
    taken["one vector"][n] = seconds(lambda flat=flat: cosine(flat, text))
    taken["cross attention"][n] = seconds(lambda many=many: model.similarity(many, spoken))
    taken["shortlist of 20"][n] = seconds(
        lambda many=many, flat=flat: rerank(
            cosine(flat, text)[:, 0], lambda i: model.similarity(many[i], spoken)[:, 0], 20
        )
    )
figures.search_cost(taken)

# %% tags=["answer"]
itm.show.answer(answers.price(taken, recalls))

# %% [markdown]
# ## The paper's numbers and yours
#
# The first rows are from the field's survey, measured on photographs of Flickr30K. Below them are your two models, and
# our comparison over several seeds, trained longer than here.

# %%
listed = {}
table = itm.literature.results()
table = table[(table.dataset == "Flickr30K") & table.method.isin(["VSE++", "SCAN_t2i", "SCAN_i2t", "SCAN"])]
for (method, note), rows in table.groupby(["method", "note"], sort=False):
    listed[f"{method}, {note}"] = rows.value.tolist()  # R@1, R@5, R@10, i2t before t2i
for name, given in (("yours, scan", scores), ("yours, vsepp on regions", quick)):
    report = itm.evaluate(given, corpus.test.image_of)
    listed[name] = [recall for side in (report.i2t, report.t2i) for recall in (side.r1, side.r5, side.r10)]
print(f"{'R@1, R@5, R@10 of':<28}{'image to text':>18}{'text to image':>20}")
for name, row in listed.items():
    print(f"{name:<28}" + "".join(f"{recall:7.1f}" for recall in row))
try:
    print(answers.kept_claims(itm.claims.results("scan")["effects"]))
except itm.ItmError:
    print("our comparison over several seeds: not run yet")
print(f"Headline: scan rsum {rsums['scan']:.0f}, ceiling {rsums['ceiling']:.0f}")

# %% [markdown]
# Your numbers are **not comparable** with the rows from the survey: your pictures are drawn, they have twelve regions and
# not 36, and the test set has another size. Nor is the difference between VSE++ and SCAN in the survey the *gain of
# attention*. The image features changed as well, from a network over the whole picture to a detector trained with boxes and
# attributes. Only a baseline on the same regions, such as yours, separates the two effects. The row *SCAN* averages the
# scores of two models; the other rows are single models. Of `SCAN_t2i` and `SCAN_i2t` one is better at image to text, the
# other at text to image.
#
# ## Quiz
#
# **1. In t2i, you normalise the similarities over the regions and not over the words. What happens?**
#
# <details><summary>The weights of a word no longer sum to one over the regions</summary>No: the softmax ensures this for any input.</details>
# <details><summary>A region that is similar to all words gets the largest weight from all of them</summary>Yes. Only the length over the words compares a region's similarity to one word with its similarity to the others.</details>
# <details><summary>Nothing: both are normalisations</summary>No: rows and columns have different lengths. The toy with two regions shows the difference.</details>
#
# **2. λ is raised from 9 to 100 in a trained model. What happens to the result of the pointing game?**
#
# <details><summary>It stays the same</summary>Yes. The region with the largest weight stays the same; only the size of the weights changes.</details>
# <details><summary>It rises, since attention is sharper</summary>No: sharper attention has its maximum at the same region. Softmax keeps the order of its inputs.</details>
# <details><summary>It falls, since each word attends to only one region</summary>Not yet: the score may fall for this reason, but the pointing game uses only the largest weight.</details>
#
# **3. An attention map shows *dog* on the dog. What does this prove?**
#
# <details><summary>The model knows the word</summary>No: several of the twelve regions show the dog, so one such map can be chance.</details>
# <details><summary>Nothing, since attention is no explanation</summary>No: counted over many words and compared with a baseline, it is evidence.</details>
# <details><summary>Little, until hits are counted and compared with words from other captions</summary>Yes. Words of another caption hit boxes too; only what exceeds them is due to the word.</details>
#
# **4. Log-sum-exp pooling: of two captions whose cosines are all equal, the longer one scores higher. By how much?**
#
# <details><summary>By nothing: pooling is a kind of mean</summary>No: the sum inside the logarithm is not divided by the number of words.</details>
# <details><summary>By the logarithm of the ratio of lengths, divided by lse</summary>Yes. With lse 6, nine words score log(9) / 6 = 0.37 higher than one word.</details>
# <details><summary>By the ratio of their lengths</summary>Not yet: this would be a sum of cosines. Here the logarithm of the ratio counts, divided by lse.</details>
#
# **5. "A dog left of a cat" and "a cat left of a dog": why can SCAN hardly distinguish their pictures?**
#
# <details><summary>The detector misses one of the animals</summary>No: with perfect boxes the score would be the same, since no coordinate enters it.</details>
# <details><summary>The GRU cannot read the order of words</summary>No: it can. But no region's vector says where the region is.</details>
# <details><summary>Regions are a set without positions</summary>Yes. If regions change places, no score changes.</details>
#
# **6. Your quick model has R@20 of 80. What R@1 can a shortlist of 20 reach?**
#
# <details><summary>80 at most</summary>Yes. A picture that is not on the shortlist cannot be ranked first.</details>
# <details><summary>Exactly the R@1 that the expensive model has on the whole gallery</summary>No: it may be lower, or higher where the shortlist leaves out a wrong picture.</details>
# <details><summary>80 at least</summary>Not yet: the expensive model would have to be right on all these shortlists.</details>
#
# ## Recap
#
# - In SCAN each word is a query that attends to the regions of a picture, and the score is the mean cosine of each word with
#   its attended vector.
# - The similarities are normalised over the words and the softmax runs over the regions; the wrong axis changes the result.
# - An attention map always shows something, so we counted hits in true boxes and compared them with three baselines.
# - Regions are a set without positions, and a cosine of a mean cannot count: attention alone solves neither sides nor counts.
# - Attention costs a computation per pair, so that a quick model selects a shortlist, whose recall limits the result.
#
# ## Where to go next
#
# - `features="oracle"` gives regions at the true boxes: how much of the remaining error is due to the detector?
#   `features="grid"` needs no detector.
# - Train `scan_i2t`, or `pooling="lse"`, and draw the figure of minimal pairs again.
# - Give each region the four numbers of its box. Which row of the figure of minimal pairs should change?
# - Chapter 04 returns to one vector per picture and changes the loss.
