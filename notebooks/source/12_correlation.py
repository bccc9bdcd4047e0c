# %% [markdown]
# # 12 · Correlation and structure
#
# **You will be able to**
#
# - train a joint space without any negative: canonical correlation analysis (CCA), in closed form and with networks;
# - recognise when a large correlation means nothing, because the batch is too small;
# - turn a sentence into a Fisher vector, and say what such a vector cannot hold;
# - write three kinds of structure into a loss or a network: neighbours, decorrelation, and one layer applied again and again;
# - find a recall that is one rank too kind.
#
# ## The question
#
# Most losses of chapters 00 to 04 need negatives: a matching pair must score higher than other pairs. **Must a joint space be
# learned from negatives?** Correlation needs none. It asks for directions in which image and caption rise and fall together.
# And: **what other structure can a loss or a network use, besides the pairs?** Captions of
# one image are neighbours. The numbers of a layer can repeat each other. A network can run in both directions.
#
# This chapter follows six methods from 2015 to 2019. You build parts of five by hand; a table compares all six.

# %% tags=["parameters"]
import os

method = "dcca"  # the run that you measure: "fisher_vector", "dcca", "spe", "two_branch", "two_way_net" or "rrf_net"
size = "mini"  # 3,000 pictures to train on
epochs = 3  # of each network that is trained by steps
seed = 0
device = "auto"
if os.environ.get("ITM_FAST") == "1":  # the smallest size, for tests
    size = "tiny"

# %%
import torch

import itm_tutorial as itm
from itm_tutorial.chapters.ch12_correlation import answers, exercises, figures, live
from itm_tutorial.chapters.ch12_correlation.members import MEMBERS
from itm_tutorial.chapters.family import family_table
from itm_tutorial.data.text import tokenize
from itm_tutorial.encoders.fisher_vector import Mixture, normalised

# this takes a minute the first time, because features are extracted
corpus = itm.load_corpus("scenes", size=size, seed=seed)
train, test = corpus.train, corpus.test
print(corpus, "\nfeatures", list(itm.features(corpus).test.shape))

# %% [markdown]
# ## Train it
#
# Start this cell and read on. `linear_cca` and `fisher_vector` are solved in closed form, in one pass over the captions.
# `dcca` is trained by steps, with batches of up to 1,000 pairs. You will see why they are so large.

# %%
shared = {"seed": seed, "device": device}
largest = min(1000, len(train.captions) // 4)
settings = {"linear_cca": {"epochs": 1}, "fisher_vector": {"epochs": 1}, "dcca": {"epochs": 2 * epochs}}
models = {}
for name in dict.fromkeys([*settings, method]):
    models[name] = itm.create_model(name, corpus, seed=seed)
    batch = {"batch_size": largest} if name in settings else {}
    itm.fit(models[name], corpus, **settings.get(name, {"epochs": epochs}), **batch, **shared)
print("trained:", *models)

# %% [markdown]
# ## The picture to aim for
#
# Each dot is a pair from the test split. Its place from left to right comes from the image alone, its height from the caption
# alone: both are projected onto a **canonical direction**. If they agreed perfectly, all dots would lie on the dashed line.
#
# **Question.** How fast does the correlation fall? Could the first direction have a meaning?

# %%
images, captions = live.projections(models["dcca"], test)  # [n_captions, n_directions] each
chosen = [0, 3, images.shape[1] - 1]
figures.directions(images, captions, chosen)

# %% tags=["answer"]
itm.show.answer(answers.directions(images, captions, test.captions, chosen))

# %% [markdown]
# ## The idea
#
# Let the rows of $X$ and $Y$ be the features of $n$ pairs of image and caption, centred. Their covariances are
#
# $$S_{xx} = \frac{X^\top X}{n-1} + rI \qquad S_{yy} = \frac{Y^\top Y}{n-1} + rI \qquad S_{xy} = \frac{X^\top Y}{n-1}$$
#
# The small number $r$ is the **ridge**. It keeps the inverses below finite. A covariance alone is no good objective: vectors that
# are twice as long double it. **Whitening** divides out the own covariance of each side, and what remains is correlation.
#
# $$T = S_{xx}^{-1/2}\; S_{xy}\; S_{yy}^{-1/2} \qquad\qquad \text{total correlation} = \lVert T \rVert_* = \sum_i d_i$$
#
# The $d_i$ are the singular values of $T$: the correlations along the canonical directions. Their sum is the **trace norm**.
# If $X$ and $Y$ are fixed features, the best directions come from one singular value decomposition. This is linear CCA. If
# they are outputs of two networks, the total correlation is a loss, with a minus sign: this is DCCA (Yan and Mikolajczyk,
# 2015).
#
# Why does nothing collapse, without negatives? A constant output has no variance, so it correlates with nothing. The map says
# for each method what prevents a collapse.
#
# **Question.** Which methods need no negatives, and what do they have in their place?

# %%
figures.methods()

# %% [markdown]
# <details><summary>Answer</summary>
#
# DCCA, FV and 2WayNet. The first two whiten both sides. 2WayNet predicts each view from the other, and keeps the
# variance of its layers with batch normalisation and penalties.
#
# </details>

# %% [markdown]
# ## Build it: total correlation
#
# ### Exercise 1 (15 minutes, ★★★): total correlation
#
# `x` is `[n, x_dim]` and `y` is `[n, y_dim]`; row $i$ of both is one pair. `ridge` is $r$. Return the total
# correlation, one number.
#
# <details><summary>Hint 1</summary>Four steps: centre both views, three covariances, whiten the mixed one from both sides, add up its singular values.</details>
# <details><summary>Hint 2</summary>S_xx = x.T @ x / (len(x) - 1) + ridge * torch.eye(x.shape[1]) with centred x; S_xy gets no ridge.</details>
# <details><summary>Hint 3</summary>S^(-1/2) from values, vectors = torch.linalg.eigh(S): vectors @ torch.diag(values ** -0.5) @ vectors.T. Then torch.linalg.svdvals(root_x @ S_xy @ root_y).sum().item().</details>


# %% tags=["exercise"]
def total_correlation(x, y, ridge):
    # solution
    def inverse_root(s):
        values, vectors = torch.linalg.eigh(s)  # s = vectors diag(values) vectors.T
        return vectors @ torch.diag(values**-0.5) @ vectors.T

    x, y = x - x.mean(dim=0), y - y.mean(dim=0)
    s_xx = x.T @ x / (len(x) - 1) + ridge * torch.eye(x.shape[1])
    s_yy = y.T @ y / (len(y) - 1) + ridge * torch.eye(y.shape[1])
    s_xy = x.T @ y / (len(x) - 1)
    t = inverse_root(s_xx) @ s_xy @ inverse_root(s_yy)
    return torch.linalg.svdvals(t).sum().item()
    # end of solution


total_correlation = exercises.total_correlation.check(total_correlation)

# %% [markdown]
# Three views: `x` itself, `x` after an invertible linear map, and noise that has nothing to do with `x`. The last line
# has a small $T$ with the singular values 0.9 and 0.5, and two norms of it.
#
# **Question.** What do you expect for each line, with 5 numbers per row? Which one should worry you?

# %% tags=["nbval-check-output"]
g = torch.Generator().manual_seed(0)
x, noise = torch.randn(6, 5, generator=g), torch.randn(6, 5, generator=g)  # 6 pairs of 5 numbers
many, other = torch.randn(1000, 5, generator=g), torch.randn(1000, 5, generator=g)
turned = torch.tensor([[2.0, 1, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, 3, 0, 1], [0, 0, 0, 1, 0], [0, 1, 0, 0, 1]])
print(f"x and x, 1,000 pairs             {total_correlation(many, many, 0.0):.2f}")
print(f"x and a linear map of x          {total_correlation(many, many @ turned, 0.0):.2f}")
print(f"x and noise, 1,000 pairs         {total_correlation(many, other, 0.0):.1f}")
print(f"x and noise, 6 pairs             {total_correlation(x, noise, 1e-6):.1f}")
T = torch.diag(torch.tensor([0.9, 0.5]))
print(f"trace norm {torch.linalg.svdvals(T).sum():.2f}, Frobenius norm {T.norm():.2f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# A view correlates with itself in all 5 directions, and whitening undoes linear maps. Noise is near 0 if there are many
# pairs. But with 6 pairs of 5 numbers, *noise reaches the maximum*.
#
# The last line is a bug of the field. Two public versions of DCCA have an option to use all singular values, and then return
# the root of the sum of their squares: the Frobenius norm. Training works, and nothing warns you.
#
# </details>

# %% [markdown]
# The same at the size of your run: two views of 32 numbers. One curve is for noise. The other is for the outputs
# of your DCCA on test pairs.
#
# **Question.** From which batch size on does the total correlation tell true pairs from noise?

# %%
pairs = live.outputs(models["dcca"], test)  # [n_captions, 32] each
g, dim = torch.Generator().manual_seed(0), pairs[0].shape[1]
independent = [torch.randn(len(pairs[0]), dim, generator=g).double() for _ in range(2)]
sizes = (17, dim + 1, 64, 128, 256, 512, 1000)
curves = {"noise": live.correlation_curve(*independent, sizes), "pairs": live.correlation_curve(*pairs, sizes)}
figures.correlation_by_batch(curves, dim)

# %% tags=["answer"]
itm.show.answer(answers.batches(curves, dim))

# %% [markdown]
# Is it worth training networks, if linear CCA has a closed form? Compare your two runs direction by direction.
#
# **Question.** Where is the distance between training and test larger? Which model correlates more on test pairs?

# %%
names = {"linear CCA": "linear_cca", "DCCA": "dcca"}
found = {label: live.correlations(models[name], test) for label, name in names.items()}
rsum = {label: itm.evaluate(itm.score(models[name], test), test.image_of).rsum for label, name in names.items()}
figures.spectrum(found)

# %% tags=["answer"]
itm.show.answer(answers.deep_or_linear(found, rsum))

# %% [markdown]
# ## Build it: a sentence as a shift
#
# CCA needs one vector per sentence. The mean of its word vectors is one. Klein and others (2015) ask for more: **in which
# direction would this sentence move a model of all words?**
#
# The model is a mixture of $K$ Gaussians, fitted to the vectors of all words of the vocabulary. Component $k$ has weight
# $\tau_k$, mean $\mu_k$ and standard deviations $\sigma_k$. For a word $x$, let $\gamma_k(x)$ be the posterior: how
# probable it is that component $k$ made it. The derivative of the log-likelihood of $N$ words by the mean, scaled by its Fisher
# information, is
#
# $$G_{\mu_k} = \frac{1}{\sqrt{N \tau_k}} \sum_x \gamma_k(x)\, \frac{x - \mu_k}{\sigma_k}$$
#
# There is a second half for the deviations. Both together are the **Fisher vector** of the sentence. Then each number $v$
# becomes $\text{sign}(v)\sqrt{|v|}$, so that a few large ones do not decide everything, and the vector gets length 1.
#
# ### Exercise 2 (20 minutes, ★★★): the Fisher vector of the means
#
# `words` is `[n_words, dim]`, the sentence. The mixture is `weights` `[n_components]`, `means` and `deviations`
# `[n_components, dim]`. Return the half of the means, `[n_components, dim]`, with signed root and length 1.
#
# <details><summary>Hint 1</summary>First the posteriors: how likely each component is for each word. Then the sum over words of posterior times (word - mean) / deviation; then root and unit length.</details>
# <details><summary>Hint 2</summary>Posteriors from logarithms: with z = (words[:, None] - means) / deviations, (weights.log() - (z**2 / 2 + deviations.log()).sum(dim=2)).softmax(dim=1).</details>
# <details><summary>Hint 3</summary>gradient = (gamma[..., None] * z).sum(dim=0) / (len(words) * weights).sqrt()[:, None]; then gradient.sign() * gradient.abs().sqrt(), divided by its norm.</details>


# %% tags=["exercise"]
def fisher_means(words, weights, means, deviations):
    # solution
    z = (words[:, None] - means) / deviations  # [n_words, n_components, dim]
    log_p = weights.log() - (z**2 / 2 + deviations.log()).sum(dim=2)  # [n_words, n_components]
    gamma = log_p.softmax(dim=1)
    gradient = (gamma[..., None] * z).sum(dim=0) / (len(words) * weights).sqrt()[:, None]
    rooted = gradient.sign() * gradient.abs().sqrt()  # [n_components, dim]
    return rooted / rooted.norm()
    # end of solution


fisher_means = exercises.fisher_means.check(fisher_means)

# %% [markdown]
# A check by hand: one standard Gaussian in one dimension, and a sentence of two words, 1 and 3. Below it, your function
# on two sentences of the same words in another order, and on the first sentence said twice.
#
# **Question.** Compute $G_\mu$. Which of the cosines are 1?

# %% tags=["nbval-check-output"]
one = Mixture(1, 1)  # weight 1, mean 0, deviation 1
halves = one(torch.tensor([[[1.0], [3.0]]]), torch.ones(1, 2, dtype=torch.bool))
print("G of mean and deviation ", [round(v, 3) for v in halves[0].tolist()])
print("after root and length 1 ", [round(v, 4) for v in normalised(halves)[0].tolist()])
g = torch.Generator().manual_seed(0)
vector = {word: torch.randn(4, generator=g) for word in ("a", "red", "ball", "and", "blue", "cup")}
mixture = torch.tensor([0.4, 0.6]), torch.randn(2, 4, generator=g), torch.ones(2, 4)
sentence = "a red ball and a blue cup"
for text in ("a blue ball and a red cup", f"{sentence} {sentence}", "a red ball"):
    pair = [fisher_means(torch.stack([vector[word] for word in t.split()]), *mixture) for t in (sentence, text)]
    print(f"{(pair[0] * pair[1]).sum().item():.2f}  {text}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# $G_\mu = (1 + 3) / \sqrt{2} = 2.828$. The half of the deviations is $(0 + 8) / \sqrt{2 \cdot 2} = 4$. The cosine is 1 for
# the swapped colours and for the repeated sentence: a Fisher vector is a sum over words, so their order does not count, and
# the length 1 removes $N$. Fewer words give another vector.
#
# </details>

# %% [markdown]
# Now real words. The dots are the words of the test captions, in the plane of the two largest variances. The ellipses are three
# Gaussians, fitted to them. Diamonds are the words of one caption; each arrow shows where this caption would move a mean.
#
# **Question.** What kind of words does each component hold? Which mean moves most?

# %%
plane, planar = live.word_plane(live.caption_words(models["fisher_vector"], test), n_components=3)
caption = next(text for text in test.captions if len(tokenize(text)) >= 9)
inside = [word for word in tokenize(caption) if word in plane]
rows = torch.stack([plane[word] for word in inside])
shift = planar(rows[None], torch.ones(1, len(inside), dtype=torch.bool)).view(3, 2, 2)[:, 0]  # the half of the means
print(caption)
figures.shift(plane, inside, planar, shift)

# %% tags=["answer"]
itm.show.answer(answers.shift(shift, planar, plane, inside))

# %% [markdown]
# ## Build it: structure in a loss
#
# ### Neighbours
#
# SPE (Wang, Li and Lazebnik, 2016) uses distances and hinges. An image must be nearer to its caption than to others, and a
# caption nearer to its image. New is a third term: **captions of one image are neighbours**. For a caption $t$, the farthest other
# caption $s$ of the same image must be nearer than captions $t'$ of other images:
#
# $$[\,m + \max_s d(t, s) - d(t, t')\,]_+$$
#
# Of each anchor, only the ten largest hinges count, zeros too. The term needs two captions of an image in one batch, so the
# sampler `"siblings"` draws two captions of each image.
#
# ### Exercise 3 (10 minutes, ★★): the ten largest hinges
#
# `positive` is `[n_anchors]`, the distance of each anchor to its positive. `negatives` is `[n_anchors, n_negatives]`. Return the mean
# over anchors of the mean of their ten largest hinges; of all, where an anchor has fewer than ten negatives.
#
# <details><summary>Hint 1</summary>A distance is small for what belongs together: the hinge is margin + distance to the positive - distance to the negative, and at least 0.</details>
# <details><summary>Hint 2</summary>hinges = (margin + positive[:, None] - negatives).clamp(min=0), then topk(10, dim=1) for each anchor.</details>
# <details><summary>Hint 3</summary>Average all ten, zeros too: .values.mean(). With fewer than ten negatives, take k = min(10, n_negatives).</details>


# %% tags=["exercise"]
def ten_largest_hinges(positive, negatives, margin):
    # solution
    hinges = (margin + positive[:, None] - negatives).clamp(min=0)  # [n_anchors, n_negatives]
    k = min(10, hinges.shape[1])
    return hinges.topk(k, dim=1).values.mean()
    # end of solution


ten_largest_hinges = exercises.ten_largest_hinges.check(ten_largest_hinges)

# %% [markdown]
# The next cell trains SPE twice, on the same batches: without the neighbour term, and with a weight of 1. (The public code has
# 0.05.) The figure compares distances between captions of the test split.
#
# **Question.** Does the term move captions of one image closer together? Were they already closer without it?

# %%
some = test.image_of < 200
texts = [text for text, kept in zip(test.captions, some.tolist(), strict=True) if kept]
emb, r1, fits = {}, {}, {"epochs": epochs, "batch_size": min(128, len(train.captions) // 4)}
for label, weight in {"without the term": 0.0, "with the term": 1.0}.items():
    spe = itm.create_model("spe", corpus, neighbour_weight=weight, seed=seed)
    itm.fit(spe, corpus, **fits, **shared)
    emb[label] = spe.encode_captions(texts).detach().cpu()
    r1[label] = itm.evaluate(itm.score(spe, test), test.image_of).i2t.r1
figures.caption_distances(emb, test.image_of[some])

# %% tags=["answer"]
itm.show.answer(answers.distances(emb, test.image_of[some], r1))

# %% [markdown]
# Two-branch networks (Wang and others, 2019) compare this **embedding network** with a **similarity network**: it reads the
# element-wise product of both embeddings, and learns to answer yes or no for one pair. A fair comparison counts negatives.
#
# **Question.** A batch has 64 images with two captions each. How many negatives per positive pair does each network use?

# %% tags=["nbval-check-output"]
from itm_tutorial.models.two_branch import draw_pairs

positives = torch.arange(64)[:, None] == torch.arange(64).repeat_interleave(2)[None]  # [64 images, 128 captions]
print("positive pairs", int(positives.sum()), "and others", int((~positives).sum()))
for per_positive in (2, 20):
    labels = draw_pairs(positives, per_positive)
    print(f"similarity network, {per_positive:>2} per positive: {int((labels == -1).sum())} negatives")
print("embedding network: 10 images and 10 captions per positive, the worst:", 20 * int(positives.sum()))

# %% [markdown]
# <details><summary>Answer</summary>
#
# Two against twenty, and random ones against the worst. So a lead of the embedding network could come from its negatives. For
# this reason our claim also has a similarity network with twenty.
#
# </details>

# %% [markdown]
# ### Decorrelation
#
# 2WayNet (Eisenschtat and Wolf, 2017) predicts each view from the other with one network, which runs backwards with transposed
# weights. Its middle layer $h$ must be the same from both sides. All distances are squared, so there are no negatives, and
# a tiny $h$ would match perfectly. Three parts work against this: batch normalisation, a penalty $1/\gamma^2$ on its
# scales, and **decorrelation**. With $C = h^\top h / n$, which is not centred, this term is
#
# $$\lVert C \rVert_F - \lVert \text{diag}\, C \rVert$$
#
# ### Exercise 4 (10 minutes, ★★): decorrelation
#
# `h` is `[n, dim]`, the middle layer of a batch. Return the term, one number.
#
# <details><summary>Hint 1</summary>C = h^T h / n is one table for the batch, [dim, dim]. Nothing is subtracted from h first.</details>
# <details><summary>Hint 2</summary>Two lengths: that of all numbers of C (the Frobenius norm), and that of its diagonal alone.</details>
# <details><summary>Hint 3</summary>c.norm() - c.diagonal().norm(), with c = h.T @ h / len(h).</details>


# %% tags=["exercise"]
def decorrelation(h):
    # solution
    c = h.T @ h / len(h)  # [dim, dim]
    return c.norm() - c.diagonal().norm()
    # end of solution


decorrelation = exercises.decorrelation.check(decorrelation)

# %% [markdown]
# Five variants are trained: the full model, one without batch normalisation (so without scales to penalise), and one without
# decorrelation. Two of them are repeated with a large weight on the distance of $h_x$ and $h_y$: 10 in place of 0.25.
#
# **Question.** In which variants does the variance of $h$ fall below its start? The scale has powers of ten.

# %%
far = {"match_weight": 10.0}
variants = {"full": ("two_way_net", {}), "full, weight 10": ("two_way_net", far)}
variants |= {"no batch norm": ("two_way_net_plain", {}), "no batch norm, weight 10": ("two_way_net_plain", far)}
variants["no decorrelation"] = ("two_way_net_correlated", {})
fallen = live.variances(corpus, variants, **fits, **shared)
figures.variance_curves(fallen)

# %% tags=["answer"]
itm.show.answer(answers.variance(fallen))

# %% [markdown]
# ### One layer, four times
#
# RRF-Net (Liu and others, 2017) puts the structure into the network. A **residual layer** adds to its input, and the same layer
# is applied four times. Then all four states are fused by learned weights $a_t$:
#
# $$h_{t+1} = h_t + \text{relu}(W h_t + b) \qquad\qquad z = \sum_{t=1}^{4} a_t\, h_t$$
#
# The start $h_0$ is no part of the sum. (The paper also normalises in each step; here we leave this out.)
#
# ### Exercise 5 (15 minutes, ★★): fused states
#
# `start` is `[n, dim]`, $h_0$. `weight` `[dim, dim]` and `bias` `[dim]` are those of a linear layer, and `mix` `[4]` holds the $a_t$.
# Return $z$, `[n, dim]`.
#
# <details><summary>Hint 1</summary>One layer, applied four times: the same weight and bias in each step, on the state that the last step made.</details>
# <details><summary>Hint 2</summary>A step adds to the state: h = h + (h @ weight.T + bias).relu().</details>
# <details><summary>Hint 3</summary>Loop over the four numbers of mix; after each step add mix[t] * h. h_0 itself is not added.</details>


# %% tags=["exercise"]
def fused_states(start, weight, bias, mix):
    # solution
    h, fused = start, 0.0
    for share in mix:
        h = h + (h @ weight.T + bias).relu()  # [n, dim]
        fused = fused + share * h
    return fused
    # end of solution


fused_states = exercises.fused_states.check(fused_states)

# %% [markdown]
# **Question.** One number, $h_0 = 1$, $W = 1$, $b = 0$, all $a_t = 1/4$. What is $z$? And what would it be with $h_0$ among five
# states?

# %% tags=["nbval-check-output"]
z = fused_states(torch.ones(1, 1), torch.ones(1, 1), torch.zeros(1), torch.full((4,), 0.25))
print("fused", z.item(), "and with the start", (4 * z.item() + 1) / 5)
parts = {name: itm.create_model(name, corpus) for name in ("rrf_net", "rrf_net_unshared")}
print({name: sum(p.numel() for p in model.text_encoder.parameters()) for name, model in parts.items()})

# %% [markdown]
# <details><summary>Answer</summary>
#
# The states are 2, 4, 8 and 16, and their mean is 7.5; with $h_0$ it would be 6.2. Shared weights save three of four layers; the
# claim in the table below compares them with unshared ones.
#
# </details>

# %% [markdown]
# ## Measure it, and a bug of the field
#
# ### Exercise 6 (10 minutes, ★): recall at k
#
# `scores` is `[n_queries, n_items]`, and item $i$ is right for query $i$. Return the percentage of queries whose item is among the
# first `k`. An item that scores the same counts as better.
#
# <details><summary>Hint 1</summary>Item i is right for query i. Give each query the rank of its item, and decide whether ranks start at 0 or 1.</details>
# <details><summary>Hint 2</summary>(scores &gt;= scores.diagonal()[:, None]).sum(dim=1) counts the positive itself, so that the best rank is 1.</details>
# <details><summary>Hint 3</summary>With ranks from 1, a query is a hit if rank &lt;= k; with ranks from 0, if rank &lt; k. Then 100 times the mean.</details>


# %% tags=["exercise"]
def recall_at(scores, k):
    # solution
    positive = scores.diagonal()[:, None]  # [n_queries, 1]
    rank = (scores >= positive).sum(dim=1)  # the positive counts itself: ranks start at 1, and ties count against it
    return 100 * (rank <= k).float().mean().item()
    # end of solution


recall_at = exercises.recall_at.check(recall_at)

# %% [markdown]
# The public code of 2WayNet counts ranks from 0, and then asks whether the rank is `<= k`. So its R@1 counts the first *two* ranks,
# and its R@5 six. Here are four queries, whose items have the ranks 1, 2, 3 and 7, counted from 1.
#
# **Question.** What are R@1 and R@5, by both rules?

# %% tags=["nbval-check-output"]
ranks = torch.tensor([1, 2, 3, 7])
for k in (1, 5):
    right, too_kind = (ranks <= k).float().mean(), (ranks - 1 <= k).float().mean()
    print(f"R@{k}: {100 * right:.0f} %, one rank too kind {100 * too_kind:.0f} %")

# %% [markdown]
# <details><summary>Answer</summary>
#
# R@1 is 25 %, and 50 % by the other rule, which takes the second rank for a hit. R@5 is 75 % by both, because no item has rank 6.
# The fault hides where few items have the next rank.
#
# </details>

# %% [markdown]
# Now your `method`, with one caption per image: recall as it is, and one rank too kind.
#
# **Question.** Where does the fault add most, at $k = 1$, 5 or 10? Where would a reader notice it?

# %%
scores = itm.score(models[method], test)  # [n_images, n_captions]
square = scores[:, answers.first_captions(test.image_of)]  # [n_images, n_images]: the first caption of each image
honest, kind = ({k: recall_at(square, k + more) for k in (1, 5, 10)} for more in (0, 1))
for k in honest:
    print(f"R@{k:<3}{honest[k]:6.1f}   one rank too kind {kind[k]:6.1f}")

# %% tags=["answer"]
itm.show.answer(answers.kind_recall(honest, kind, method))

# %% [markdown]
# ## The family in one table
#
# The last column comes from the kept claims: each effect is a difference with its standard error over seeds. "does not hold" means
# that we measured the opposite, "too close to say" that the seeds do not decide.

# %%
family_table(MEMBERS)

# %% [markdown]
# ## Break it: the order of words
#
# tf-idf, the mean of word vectors and Fisher vectors do not read the order of words. The minimal pairs of chapter 00 show what this
# costs: two images that differ in one thing, and a caption that is true of one of them.
#
# **Question.** On which kinds of pairs must all these models guess, and why?

# %%
accuracy = {}
for name in dict.fromkeys(["fisher_vector", "linear_cca", method]):
    results = itm.evaluate_minimal_pairs(itm.score(models[name], test), test)
    accuracy[name] = {what: result.accuracy for what, result in results.items()}
    print(f"{name:<15}", {what: round(value) for what, value in accuracy[name].items()})

# %% tags=["answer"]
itm.show.answer(answers.word_order(accuracy))

# %% [markdown]
# ## The paper's numbers and yours
#
# The first rows are from the field's survey, on photographs of Flickr30K. The last row is your run.

# %%
table = itm.literature.results()
table = table[(table.dataset == "Flickr30K") & table.method.isin(["FV", "SPE", "2WayNet", "RRF-Net"])]
listed = {f"{m}, {note}": rows.value.tolist() for (m, note), rows in table.groupby(["method", "note"], sort=False)}
mine = itm.evaluate(scores, test.image_of)
listed[f"yours, {method}"] = [recall for side in (mine.i2t, mine.t2i) for recall in (side.r1, side.r5, side.r10)]
print(f"{'R@1, R@5, R@10 of':<22}{'image to text':>18}{'text to image':>20}")
for name, row in listed.items():
    print(f"{name:<22}" + "".join(f"{recall:7.1f}".replace("nan", "  –") for recall in row))
print(f"Headline: {method} rsum {mine.rsum:.0f}; linear CCA {rsum['linear CCA']:.0f}, DCCA {rsum['DCCA']:.0f}")

# %% [markdown]
# Your row is **not comparable**: your images are drawn, and the test set has another size. Inside the survey,
# look at 2WayNet and RRF-Net. 2WayNet has the higher R@1, 49.8 against 47.6, but its R@5 is lower by 10 points. A recall
# that is one rank too kind has this shape. This is no proof: we do not know whether the paper used the public code.
#
# Features matter too. SPE with mean word vectors reached 35.7 and 25.1 at R@1, and with Fisher vectors 40.3 and 29.7.
#
# ## Quiz
#
# **1. A batch has 100 pairs, the embeddings have 400 numbers, and the total correlation is 99. What does this mean?**
#
# <details><summary>The model has found nearly all that the views share</summary>No: pure noise reaches 99 there as well.</details>
# <details><summary>Nothing: so few pairs always reach the maximum</summary>Yes. With at most dim + 1 pairs, some linear map aligns any two views.</details>
# <details><summary>The ridge is too large</summary>No: a ridge lowers the total correlation.</details>
#
# **2. Why does DCCA not collapse to a constant, although it has no negatives?**
#
# <details><summary>Both sides are whitened, and a constant has no variance to be correlated</summary>Yes. A constant output has a total correlation of 0, the worst value.</details>
# <details><summary>The learning rate is small</summary>No: a collapse is a question of what the loss rewards.</details>
# <details><summary>The captions of other images in the batch push it away</summary>Not yet: other pairs enter the covariances, but no pair is a negative.</details>
#
# **3. Two captions use the same words in another order. What do their Fisher vectors have in common?**
#
# <details><summary>The half of the means only</summary>No: both halves are sums over words.</details>
# <details><summary>Nothing, because the posteriors differ</summary>No: a posterior belongs to a word, whatever stands beside it.</details>
# <details><summary>Everything: they are equal</summary>Yes. A sum does not depend on the order.</details>
#
# **4. SPE averages ten hinges per anchor, zeros too. What follows for an anchor with one violator?**
#
# <details><summary>It counts as much as an anchor with ten violators</summary>No: this would follow from a mean over the hinges above zero.</details>
# <details><summary>It counts a tenth of its hinge, so anchors that are nearly done weigh little</summary>Yes. The nine zeros are in the mean.</details>
# <details><summary>It is left out</summary>No: its one hinge is part of the mean.</details>
#
# **5. A paper reports R@1 = 50 with ranks from 0 and a test `rank <= 1`. What do you know about its R@1?**
#
# <details><summary>It is at most 50</summary>Yes. The 50 % include the queries whose item is second.</details>
# <details><summary>It is 25</summary>Not yet: nothing says that half of the hits are at the second rank.</details>
# <details><summary>It is 50, because all methods are measured alike</summary>No: others are measured by another rule.</details>
#
# ## Recap
#
# - A joint space can be learned without negatives, if something else prevents a collapse, such as whitening.
# - The total correlation is a sum of singular values. It means something only if the batch is much larger than the embedding.
# - A Fisher vector says how a sentence would move a mixture of word vectors. It does not see the order of words.
# - Structure beyond pairs can stand in a loss (neighbours, decorrelation) or in a network (tied weights, one layer applied again).
# - Count ranks from 0 with `<`, or from 1 with `<=`. Mixing them is one rank too kind, and it shows most at R@1.
#
# ## Where to go next
#
# - Set `method` to another name and run the notebook again. Which method has the highest rsum after as many epochs?
# - Train `dcca` with `batch_size=33`. What happens to the training loss, and what to rsum?
# - Create `fisher_vector_hybrid` or `mean_vector_cca`, and compare them with `fisher_vector` on the same minimal pairs.
