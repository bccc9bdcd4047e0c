# %% [markdown]
# # 03 · SCAN: which word looks at which region
#
# **You will be able to**
#
# - build stacked cross attention in five short steps, and say over what each of its sums runs;
# - test an attention map against the truth, and against three controls;
# - say what attention cannot see, what it costs, and how to search with it all the same.
#
# *About 90 minutes with the exercises; about three minutes of that is the computer's, and more the first time.*
#
# ## The question
#
# So far one vector stands for a whole picture and one for a whole sentence. A red ball, a brown dog and a lake share
# one vector, and the score is one number from which nobody can tell what was recognised. SCAN (Lee, Chen, Hua, Hu and
# He, ECCV 2018) asked: **what if each word attends to its own part of the picture**, and the score adds up how well each
# word matches what it finds there? Nobody says which word belongs to which part; the only teacher is, as before, which caption
# belongs to which picture.

# %% tags=["parameters"]
import os

size = "mini"  # 3,000 pictures to train on
epochs = 3  # of SCAN; five are its recipe, and its rival has twice as many
galleries = (200, 2_000, 20_000)  # pictures to search in, when time is taken
seed = 0
device = "auto"
if os.environ.get("ITM_FAST") == "1":  # the smallest size, for tests
    size, epochs, galleries = "tiny", 2, (20, 200)

# %%
import time

import torch
from torchvision.ops import box_iou

import itm_tutorial as itm
from itm_tutorial.chapters.ch03_scan import exercises, figures
from itm_tutorial.data.text import tokenize
from itm_tutorial.interaction.cosine import cosine
from itm_tutorial.interaction.stacked_cross import stacked_cross_attention
from itm_tutorial.show.figures import KINDS

corpus = itm.load_corpus("scenes", size=size, seed=seed)
shared = {"epochs": epochs, "batch_size": 32, "seed": seed, "device": device}
print(corpus)

# %% [markdown]
# A picture has to come in parts. SCAN's are those of *bottom-up attention* (BUTD, Anderson and others, CVPR 2018): a
# detector, taught on other pictures to find things and to name kind and attributes, gives its best boxes and one vector
# for what stands in each. Ours gives twelve per picture. **The next cell takes minutes the first time**, when the
# detector is trained and run on every picture, and a second from then on.

# %%
features = itm.features(corpus, kind="regions")
regions_of, boxes_of = features.test, features.boxes.test
print("regions", list(regions_of.shape), " boxes", list(boxes_of.shape))  # [n_images, 12, dim] and [n_images, 12, 4]

# %% [markdown]
# ## Train it
#
# Start this cell and read on: it takes up to a minute, and the rest of the chapter is about what it does. The loss is
# that of chapter 02, the hardest negative, with all negatives in the first fifth of the run. Only the way to a score is
# new.

# %%
model = itm.create_model("scan", corpus, seed=seed)
history = itm.fit(model, corpus, **shared)
print(f"kept: epoch {history.best_epoch} of {epochs}")

# %% [markdown]
# ## The picture to aim for
#
# One caption beside its own picture. Each panel is clear where its word attends. The dashed box is the thing that the
# word names. A drawn world knows these boxes; the model was trained without them.
#
# **Question.** Which words attend to what they name? What do the others attend to?


# %%
def names_one(c):  # (word, box) of the words that name a single box; "left" names two
    pairs = corpus.test.groundings[c]
    return [(word, box) for word, box in pairs if [w for w, _ in pairs].count(word) == 1]


query = next(c for c in range(31, len(corpus.test.captions)) if len(names_one(c)) >= 4)
chosen = range(query, len(corpus.test.captions), len(corpus.test.captions) // 8)
seen = itm.attend(model, corpus.test, captions=list(chosen))
itm.show.attention(seen, corpus.test, 0)

# %% [markdown]
# **Answer.** Trust the ticks: a word has one if the region it attends to most has its centre in a dashed box. Nouns,
# colours and patterns have something to find; *left* names two things, and either counts. *View* names nothing and
# *lake* a place, for which there is no region. Yet their weights sum to one as well: a word must attend to something. So a
# map always shows *something*, and a fine one proves little. Below you count.
#
# ## The idea
#
# With unit vectors $v_r$ for regions, $e_w$ for words, and $s_{rw} = v_r \cdot e_w$:
#
# $$\bar s_{rw} = \frac{[s_{rw}]_+}{\sqrt{\sum_{w'} [s_{rw'}]_+^2}} \qquad
# \alpha_{rw} = \frac{e^{\lambda \bar s_{rw}}}{\sum_{r'} e^{\lambda \bar s_{r'w}}} \qquad
# a_w = \sum_r \alpha_{rw} v_r \qquad S = \frac{1}{n} \sum_w \cos(e_w, a_w)$$
#
# In words: $\bar s_{rw}$ says how similar each region is to each word; $\alpha_{rw}$ is the attention of each word to the
# regions; $a_w$ is their mean by these weights; and $S$ is the mean cosine of each word with its $a_w$. Two sums are easily
# confused. The root runs over the *words*, which are the queries; the softmax runs over the *regions*, which are the keys.
#
# We take one picture and its caption out of the trained model.

# %% tags=["nbval-check-output"]
caption, picture = corpus.test.captions[query], int(corpus.test.image_of[query])
with torch.no_grad():
    regions = model.encode_images(regions_of[[picture]]).cpu()[0]  # [n_regions, dim]
    words = model.encode_captions([caption]).words.cpu()[0]  # [n_words, dim]
tokens = ["<start>", *tokenize(caption), "<end>"]  # these two attend to regions like any word
similarities = regions @ words.T  # [n_regions, n_words]
print(f"{caption}\n{len(tokens)} words", [list(t.shape) for t in (regions, words, similarities)])

# %% [markdown]
# **Question.** These are plain similarities. Look along the rows: does a region that is like everything gain anything
# by it?

# %%
figures.attention_matrix(similarities, tokens)

# %% [markdown]
# **Answer.** It would: a row of high numbers wins many columns, whatever they ask for. This is what the root is for. It
# divides each row by its own length over the words, so that a region must decide *for whom* it is there.
#
# ## Build it
#
# ### Exercise 1 (10 minutes, ★★): rectify and normalise
#
# `similarities` is `[n_regions, n_words]`. Rectify, then bring each region's row to length 1. Where the paper writes
# $[\cdot]_+$ its authors' code keeps a tenth of what is negative; follow the code. Which axis the length runs over is
# what most rewritings get wrong.
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
# `normalised` is `[n_regions, n_words]`, `smooth` is $\lambda$. Each word divides a weight of one among the regions.
#
# <details><summary>Hint 1</summary>Each word divides a weight of one among the regions: which dimension are they?</details>
# <details><summary>Hint 2</summary>Multiply by smooth before the softmax: lambda is an inverse temperature.</details>
# <details><summary>Hint 3</summary>(smooth * normalised).softmax(dim=0): the regions are the rows.</details>


# %% tags=["exercise"]
def attention_weights(normalised, smooth):
    # solution
    return (smooth * normalised).softmax(dim=0)  # [n_regions, n_words], each column sums to one
    # end of solution


attention_weights = exercises.attention_weights.check(attention_weights)

# %% [markdown]
# Two regions, three words. The first region is like every word, the second like the last alone. Before you run it: to
# which region does the last word give more, with the right norm and with the wrong one?

# %% tags=["nbval-check-output"]
toy = torch.tensor([[0.6, 0.6, 0.6], [0.0, 0.0, 0.5]])  # [2 regions, 3 words]
over_regions = toy / toy.norm(dim=0, keepdim=True)
for name, normalised in (("over words", normalised_similarities(toy)), ("over regions", over_regions)):
    print(f"{name:<13}", [[round(a, 2) for a in row] for row in attention_weights(normalised, 9.0).tolist()])

# %% [markdown]
# Over words the specialist wins its word, though its similarity is lower. Over regions, the wrong way, the jack of all
# trades keeps it.
#
# ### Exercise 3 (10 minutes, ★★): does a word like what it sees?
#
# `regions` is `[n_regions, dim]`, `words` `[n_words, dim]`, `weights` `[n_regions, n_words]`. Give each word's cosine
# with its attended vector, `[n_words]`.
#
# <details><summary>Hint 1</summary>First the attended vector of each word: the mean of the regions by its weights.</details>
# <details><summary>Hint 2</summary>weights.T @ regions is [n_words, dim]; row w belongs with words[w].</details>
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
# ### Exercise 4 (15 minutes, ★★★): the same, without making the vector
#
# An attended vector belongs to one picture *and* one word of one caption. With 1,000 pictures and 5,000 captions of ten
# words these are fifty million, and public code makes them all. You need none. From `similarities` (before rectifying),
# `weights` and the regions' Gram matrix `gram` $= VV^\top$, `[n_regions, n_regions]`, of which a picture has one
# whatever the caption, give the same cosines. The words have length 1.
#
# <details><summary>Hint 1</summary>The attended vector is a sum over regions. Put it into the dot product, and into its own squared length.</details>
# <details><summary>Hint 2</summary>The product is (weights * similarities).sum(0). The squared length is a double sum over pairs of regions.</details>
# <details><summary>Hint 3</summary>(weights * (gram @ weights)).sum(0) is the squared length of each word's; divide by its root.</details>


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
# `cosines` is `[n_captions, seq_len]`, and `mask` says which of them belong to words; the values of
# padding are arbitrary. Give `[n_captions]`: where `lse` is None, the mean over the words; where it is a number,
# $\frac{1}{\text{lse}} \log \sum_w e^{\text{lse} \cdot \cos_w}$.
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
# Three captions whose every word has a cosine of 0.5, of 1, 3 and 9 words. What should a fair score say? (Papers call
# both $\lambda$ and `lse` a temperature; they are two numbers, and both are *inverse* temperatures.)

# %% tags=["nbval-check-output"]
lengths = torch.tensor([1, 3, 9])
alike, mask = torch.full((3, 9), 0.5), torch.arange(9)[None] < lengths[:, None]
for name, lse in (("mean", None), ("lse 6", 6.0), ("lse 20", 20.0)):
    print(f"{name:<7}", [round(score, 2) for score in pooled(alike, mask, lse).tolist()])

# %% [markdown]
# Log-sum-exp pays a bonus of $\log(n) / \text{lse}$ for $n$ words, so that long captions score higher with every
# picture. The mean is our default.
#
# Five steps make a score. Here they are on made-up embeddings, beside the package, which does all pairs at once:

# %% tags=["nbval-check-output"]
random = torch.Generator().manual_seed(0)
v, e = (torch.nn.functional.normalize(torch.randn(n, 64, generator=random), dim=1) for n in (12, 7))
weights = attention_weights(normalised_similarities(v @ e.T), 9.0)  # [12 regions, 7 words]
by_vector, by_gram = attended_cosine(v, e, weights), cosine_by_gram(v @ e.T, weights, v @ v.T)  # [7 words] each
yours = pooled(by_gram[None], torch.ones(1, 7, dtype=torch.bool), None)  # [1 caption]
package = stacked_cross_attention(v[None], e[None], torch.tensor([7]))  # [1 image, 1 caption]
print("with and without the vector:", torch.allclose(by_vector, by_gram, atol=1e-5))
print(f"yours {yours.item():.4f}, the package {package.item():.4f}")

# %% [markdown]
# ## What the detector finds
#
# What the detector missed, no word can find. Thin boxes are regions, thick ones the true things.
#
# **Question.** What does the detector get wrong? Which of its mistakes can attention forgive?

# %%
overlap = [box_iou(true, found) for true, found in zip(corpus.test.boxes, boxes_of, strict=True)]  # [n_true, 12] each
print(f"true things with a region: {100 * torch.cat([o.amax(1) for o in overlap]).ge(0.5).float().mean():.0f} %")
print(f"regions that hold no thing: {100 * torch.cat([o.amax(0) for o in overlap]).lt(0.5).float().mean():.0f} %")
figures.regions_found(corpus.test, boxes_of, [picture, 1, 2, 3])

# %% [markdown]
# **Answer.** A scene has fewer than twelve things, so many regions hold a part, a pair or a piece of sky. Attention
# forgives these: no word need choose them. It cannot forgive a thing without a region; the first number says how many
# there are.
#
# ## Measure it
#
# Its rival is VSE++ of chapter 02 on **the same regions**, as their mean: else a gain might be the detector's. It has
# twice the epochs, which are short, and larger batches: each model by its own recipe.
#
# **Question.** On which kind of minimal pair should attention help: colours swapped, sides, counts, a replaced object? On which
# can it not?

# %%
rival = itm.create_model("vsepp", corpus, features="regions", warmup=0.2, seed=seed)
itm.fit(rival, corpus, **{**shared, "epochs": 2 * epochs, "batch_size": min(128, 4 * shared["batch_size"])})
scores, quick = (itm.score(m, corpus.test) for m in (model, rival))  # [n_images, n_captions] each
parties = {"scan": scores, "vsepp": quick, "ceiling": itm.oracle_scores(corpus.test)}
minimal_pairs = {}
for name, given in parties.items():
    print(f"{name:<8} rsum {itm.evaluate(given, corpus.test.image_of).rsum:.0f} of 600")
    if name != "ceiling":
        of_kind = itm.evaluate_minimal_pairs(given, corpus.test)
        minimal_pairs |= {f"{KINDS[kind]}, {name}": found for kind, found in of_kind.items()}
itm.show.minimal_pair_accuracy(minimal_pairs)

# %% [markdown]
# **Answer.** Compare the two rows of one kind, and call them different only where their bars lie apart. A region keeps
# a thing and its colour together, which the mean of all regions mixes: look at the colours. For sides and counts, look
# whether either row clears the line; below you see why that is hard. The ceiling is what an oracle reaches that reads the true
# scene: captions leave things out, so no model could do better.
#
# ## See what it learned
#
# ### Exercise 6 (10 minutes, ★★): the pointing game
#
# A map convinces anybody; a count is better. `weights` is `[n_regions, n_words]`, `boxes` `[n_regions, 4]` as (x0, y0,
# x1, y1), and `named[w]` the box that word $w$ names, `[n_words, 4]`. In percent: how many words have, as the region
# with the largest weight, one whose centre lies inside the named box?
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
# Yours on the one caption, then the package on the whole split, beside three controls: uniform attention;
# the same model with a word of the same class *from another caption*; the model before training.
#
# **Question.** Which of the three is the hardest to beat? What would it mean if the model did not beat it?

# %%
of_words, named = (list(column) for column in zip(*names_one(query), strict=True))
yours = pointing_game(seen.weights[0][:, of_words], seen.boxes[0], corpus.test.boxes[picture][named])
print(f"one caption, {len(named)} words: {yours:.0f} %")
attention = itm.evaluate_attention(model, corpus.test, seed=seed)
figures.pointing_game(attention)

# %% [markdown]
# **Answer.** Read it off, class by class. Another caption's word is the fairest control: the same model and picture,
# only the word is wrong. If the model were no better than that, its words would not attend to *what they name* but to
# whatever stands out, and the lead over it is what was learned. A relation names two things, so that chance alone gets
# far. And remember that training never used the position of anything.
#
# Now try it yourself: choose a caption, then a word to see its regions, or a region to see which words attend to it.

# %%
explorer = figures.attention_explorer(seen, corpus.test)
explorer

# %% [markdown]
# ## Break it: sides and counts
#
# Chapter 00 left *sides* to this chapter. Bad news: the score does not know where regions are, nor how many agree. Two
# experiments on embeddings: the regions of a picture change places; a word meets one, two, three regions like itself, among
# nine at right angles to it.

# %% tags=["nbval-check-output"]
moved, n_words = v[torch.randperm(12, generator=random)], torch.tensor([7])
before, after = (stacked_cross_attention(x[None], e[None], n_words).item() for x in (v, moved))
print(f"before {before:.4f}, regions exchanged {after:.4f}")
axes = torch.eye(10)  # a word is axes[0]; the others stand at right angles
for n in (1, 2, 3):
    many = torch.cat([axes[:1].expand(n, 10), axes[1:]])  # [n + 9 regions, 10]
    print(f"{n} dogs: {stacked_cross_attention(many[None], axes[None, :1], torch.tensor([1]), smooth=20.0).item():.3f}")

# %% [markdown]
# No coordinate ever enters: regions are a *set*. What a region's vector carries of its surroundings, a neighbour's edge
# perhaps, is all that *left of* has to go by. And a mean of three dogs points where one dog points, so a cosine cannot
# count them; only a region that holds a group could answer to *three*. Look again at relations and counts in your
# minimal-pair figure.
#
# ## Turn it: from everywhere to one place
#
# $\lambda$ says how sharply a word chooses. The table changes it in the trained model, without training again, on the
# validation split.
#
# **Question.** Where does λ do most for rsum? The pointing game has no column: why would all but the first row be the
# same?

# %%
ways = {f"t2i, λ {smooth:g}": {"t2i": smooth} for smooth in (0.0, 4.0, 9.0, 100.0)}
ways |= {"i2t, λ 4": {"i2t": 4.0}, "both": {"t2i": 9.0, "i2t": 4.0}}
trained = model.smooth
for name, way in ways.items():
    model.smooth = way
    rsum = itm.evaluate(itm.score(model, corpus.val), corpus.val.image_of).rsum
    inside = itm.evaluate_attention(model, corpus.val).mass["model"] if list(way) == ["t2i"] else {}
    table = (f"  inside, {kind} {mass:.0f} %" for kind, mass in list(inside.items())[:2])
    print(f"{name:<12} rsum {rsum:4.0f}", *table)
model.smooth = trained
word = names_one(query)[0][0]
asked = normalised_similarities(similarities)[:, word + 1]  # <start> stands first
figures.smoothing(asked, image=corpus.test.images[picture], boxes=seen.boxes[0], word=tokens[word + 1])

# %% [markdown]
# **Answer.** With λ = 0 every word sees the plain mean of the regions: attention is switched off, and rsum shows what
# it was worth. The model's embeddings were trained with 9. Beyond it little happens to the score, as most words have chosen
# by then. The *order* of weights does not depend on λ: the largest stays the largest.
#
# The last two rows turn the roles round: in **i2t** each region attends to words. The norm then runs over the regions and
# the softmax over the words, and every region has a say, also those that no word names. These are embeddings trained for
# t2i, so do not conclude that i2t is worse:
# `itm.create_model("scan_i2t", corpus)` trains it, `"scan_both"` the mean of the two.
#
# ## What it costs
#
# With one vector per picture, a search is one matrix product. In cross attention the attended vectors depend on the query,
# so attention must be computed anew for every picture. The usual way out is a **shortlist**: a quick model chooses $k$ pictures,
# the expensive one puts these in order.
#
# ### Exercise 7 (10 minutes, ★★): a shortlist, read again
#
# `quick` is `[n_images]`, the quick model's scores. `expensive(images)` takes image numbers and gives one score each.
# Return the $k$ images, best first.
#
# <details><summary>Hint 1</summary>The quick scores choose k images; only these are scored again, and the new scores alone set their order.</details>
# <details><summary>Hint 2</summary>shortlist = quick.topk(k).indices, then expensive(shortlist) gives k scores, in the shortlist's order.</details>
# <details><summary>Hint 3</summary>argsort(descending=True) gives places in the shortlist; shortlist[order] turns them into images.</details>


# %% tags=["exercise"]
def rerank(quick, expensive, k):
    # solution
    shortlist = quick.topk(k).indices  # [k]: images
    order = expensive(shortlist).argsort(descending=True)  # [k]: places in the shortlist
    return shortlist[order]
    # end of solution


rerank = exercises.rerank.check(rerank)

# %% [markdown]
# First the price in recall: R@1 of *caption to images* for several $k$. Then the time that scoring takes per query, in
# galleries that repeat the test pictures.
#
# **Question.** How does each line grow? What limits a shortlist's R@1, however good the expensive model is?

# %%
for k in (1, 5, 20, len(scores)):
    first = [rerank(quick[:, c], lambda some, c=c: scores[some, c], k)[0] for c in range(len(corpus.test.captions))]
    print(f"shortlist of {k:>5}: R@1 {100 * (torch.stack(first) == corpus.test.image_of).float().mean():.1f}")


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
print("cross attention takes", *(f"{taken['cross attention'][n] / taken['one vector'][n]:.0f} ×" for n in galleries))
figures.search_cost(taken)

# %% [markdown]
# **Answer.** Both scales are powers: a straight rise means that time grows with the gallery. The line above the
# figure says how many times more a pair costs with attention than with two vectors. The shortlist pays for twenty
# pictures whatever the gallery; what grows is its quick part. But what the quick model leaves out nobody can bring
# back: R@1 after a shortlist of $k$ is at most the quick model's R@k. Compare 20 with all.
#
# ## The paper's numbers and yours
#
# As the field's survey lists them, on photographs of Flickr30K.

# %%
listed = {}
table = itm.literature.results()
table = table[(table.dataset == "Flickr30K") & table.method.isin(["VSE++", "SCAN_t2i", "SCAN_i2t", "SCAN"])]
for (method, note), rows in table.groupby(["method", "note"], sort=False):
    listed[f"{method}, {note}"] = rows.value.tolist()  # R@1, R@5, R@10, i2t before t2i
for name, given in (("yours, scan", scores), ("yours, vsepp on regions", quick)):
    report = itm.evaluate(given, corpus.test.image_of)
    listed[name] = [recall for side in (report.i2t, report.t2i) for recall in (side.r1, side.r5, side.r10)]
print(f"{'R@1, R@5, R@10 of':<28}{'sentences':>18}{'images':>20}")
for name, row in listed.items():
    print(f"{name:<28}" + "".join(f"{recall:7.1f}" for recall in row))
try:
    for claim in itm.claims.results("scan")["effects"]:
        print(f"{claim['name']}: {claim['mean']:.1f} ± {2 * claim['standard_error']:.1f}, {claim['verdict']}")
except itm.ItmError:
    print("our claims about SCAN over several seeds: not run yet")
rsums = {name: itm.evaluate(given, corpus.test.image_of).rsum for name, given in parties.items()}
print(itm.literature.cite("lee2018scan"), itm.literature.cite("anderson2018butd"), sep="; ")
print(f"Headline: scan rsum {rsums['scan']:.0f}, ceiling {rsums['ceiling']:.0f}")

# %% [markdown]
# Yours are **not comparable** with the upper rows: drawings, twelve regions in place of 36, a test of another size. Nor
# may the upper rows be read as *attention's gain*. Between VSE++ and SCAN the image features changed as well, from a network
# over the whole picture to a detector trained with boxes and attributes. Only a rival on the same regions, such as yours,
# separates the two effects. The row *SCAN* is a pair of models whose scores were averaged, which stands beside single ones, not
# among them. And look at `SCAN_t2i` against `SCAN_i2t`: one is ahead at finding sentences, the other at finding images.
# Which is better has no answer without the direction.
#
# ## Quiz
#
# **1. You normalise the similarities over regions in place of words, in t2i. What happens?**
#
# <details><summary>Weights no longer sum to one over the regions</summary>No: the softmax sees to that, whatever it is given.</details>
# <details><summary>A region that is like all words wins all of them</summary>Yes. Only the norm over words makes a region decide for whom it is there.</details>
# <details><summary>Nothing, a norm is a norm</summary>No: rows and columns have different lengths. Your toy of two regions shows the turn.</details>
#
# **2. λ is raised from 9 to 100. What becomes of the pointing game?**
#
# <details><summary>It stays as it is</summary>Yes. The largest weight stays the largest; what changes is how much of the rest there is.</details>
# <details><summary>It rises, since attention is sharper</summary>No: sharper is not elsewhere. Softmax keeps the order of its inputs.</details>
# <details><summary>It falls, since words see one region alone</summary>Not yet: the score may suffer by that, but the game uses the largest weight only.</details>
#
# **3. A map of attention shows *dog* on the dog. What does this prove?**
#
# <details><summary>The model knows the word</summary>No: with twelve regions, some of them on the dog, one map may be luck.</details>
# <details><summary>Nothing, since attention is no explanation</summary>No: counted over many words, it is evidence. One map is an anecdote.</details>
# <details><summary>Little, until it is counted against a word from another caption</summary>Yes. That control attends to things too; what is above it was learned.</details>
#
# **4. Log-sum-exp pooling: of two captions with equal cosines throughout, the longer one wins. By how much?**
#
# <details><summary>By nothing: pooling is a kind of mean</summary>No: the sum inside the logarithm is not divided by the number of words.</details>
# <details><summary>By the logarithm of the ratio of lengths, divided by lse</summary>Yes. With lse 6 and nine words against one, that is over a third of the cosine's range above 0.</details>
# <details><summary>By the ratio of their lengths</summary>Not yet: that would be a sum of cosines. The logarithm damps it, and lse divides it.</details>
#
# **5. "A dog left of a cat" and "a cat left of a dog": why does SCAN hardly tell their pictures apart?**
#
# <details><summary>The detector misses one of the animals</summary>No: with perfect boxes the score would be the same, as they never enter.</details>
# <details><summary>The GRU cannot read order</summary>No: it can. But what it has read finds nothing in the picture that answers to it.</details>
# <details><summary>Regions are a set without places</summary>Yes. Exchange them, and no score changes.</details>
#
# **6. Your quick model has R@20 of 80. What R@1 can a shortlist of 20 reach?**
#
# <details><summary>80 at most</summary>Yes. A picture that is not on the list cannot come first.</details>
# <details><summary>As much as the expensive model alone has, and no more</summary>No: it may be less, and sometimes more, where the list leaves out what deceived it.</details>
# <details><summary>80 at least</summary>Not yet: that would need the expensive model to be right on every list that holds the answer.</details>
#
# ## Where to go next
#
# - `features="oracle"` gives regions at the true boxes: how much of what is missing is the detector's fault? `features="grid"` needs no detector at all.
# - Train `scan_i2t`, or `pooling="lse"`, and draw the minimal-pair figure again.
# - Give regions their boxes: four more numbers per region. Which row of the minimal-pair figure should change?
# - Chapter 04 goes back to one vector and changes the loss instead.
