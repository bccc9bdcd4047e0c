# %% [markdown]
# # 15 · Attention after SCAN
#
# **You will be able to**
#
# - place eleven methods by what they compute for a pair, and say what that costs;
# - build three parts by hand: a memory step, a scaling with a fovea, a plan of optimal transport;
# - compare attention maps with the truth, and recall with milliseconds per pair;
# - recognise three faults that leave the loss falling.
#
# ## The question
#
# SCAN (chapter 03) lets each word attend to all regions, once. Its successors added looks, gates, graphs, transport, transformers.
# **What does each of them compute for one pair of image and caption, and what does that buy?** You build parts of three methods,
# find the faults of three others, and run any of the eleven by a parameter.

# %% tags=["parameters"]
import os

method = "imram"  # your run: "vsrn", "cvse", "hoad", "got", "gsmn", "caan", "adapt", "imram", "camp", "mmca" or "rve"
size = "mini"  # 3,000 pictures to train on
epochs = 2  # with one caption per picture in each
seed = 0
device = "auto"
if os.environ.get("ITM_FAST") == "1":  # the smallest size, for tests
    size = "tiny"

# %% tags=["nbval-check-output"]
from dataclasses import replace

import torch
from torch.nn.functional import normalize

import itm_tutorial as itm
from itm_tutorial.chapters.ch15_attention import answers, exercises, figures, live
from itm_tutorial.chapters.ch15_attention.kept_runs import kept_alphas, kept_pointing, kept_points
from itm_tutorial.chapters.ch15_attention.measures.got import reading
from itm_tutorial.chapters.ch15_attention.members import MEMBERS
from itm_tutorial.chapters.family import family_table
from itm_tutorial.chapters.small_galleries import first_images
from itm_tutorial.course.reality_check.page import FILE as CHECK
from itm_tutorial.data.parsing import parser_for

# this takes minutes the first time, because the detector of chapter 03 is trained
corpus = itm.load_corpus("scenes", size=size, seed=seed)
test, regions_of = corpus.test, itm.features(corpus, kind="regions").test  # [n_images, n_regions, dim]
print(corpus, "\nregions", list(regions_of.shape[1:]))

# %% [markdown]
# ## Train it
#
# Start this cell and read on. It trains SCAN, five methods of this chapter, and yours. They are small, and an epoch shows each
# picture with one of its captions: enough to look at, but no benchmark.

# %%
small = replace(corpus, splits={"train": corpus.train, "val": first_images(corpus.val, 50)})
shared = {"epochs": epochs, "batch_size": 32, "sampler": "images", "seed": seed, "device": device}
settings = {"scan": {}, "imram": {"embed_size": 32}, "adapt": {}, "gsmn": {"blocks": 4, "kernels": 4}, "got": {}}
settings["mmca"] = {"embed_size": 32, "heads": 1, "hidden": 32, "filters": 16}
training = {"mmca": {"batch_size": 16, "learning_rate": 4e-3}, "camp": {"epochs": 2 * epochs, "learning_rate": 8e-3}}
models = {}
for name in dict.fromkeys([*settings, method]):
    options = {"embed_size": 64, "word_dim": 64, **settings.get(name, {})}
    models[name] = itm.create_model(name, corpus, seed=seed, **options)
    itm.fit(models[name], small, **{**shared, **training.get(name, {})})
print("trained:", *models)

# %% [markdown]
# ## The picture to aim for
#
# What depends on the image alone or on the caption alone is computed once and stored; the map does not count it. What depends on
# both is paid for every pair: five million times for 1,000 images and 5,000 captions.
#
# **Question.** Which methods can search a large index? Which one costs most?

# %%
figures.zoo()

# %% [markdown]
# <details><summary>Answer</summary>
#
# VSRN, CVSE, and ADAPT without its fovea need dot products of one vector per side. RVE costs most: it sorts the regions by the
# words of the caption, so a recurrent network over 36 regions runs for every pair. SCAN and four others stay with numbers, one per
# region and word. The expensive kinds make new *vectors* for each pair.
#
# </details>
#
# ## The idea
#
# Let $v_r$ be a region and $h_w$ a word, both of unit length, $s_{rw} = \cos(v_r, h_w)$, and $z_{rw}$ the positive part of
# $s_{rw}$, divided by its length over the words. Then SCAN is
#
# $$\alpha_{rw} = \text{softmax}_r(\lambda z_{rw}) \qquad c_w = \sum_r \alpha_{rw} v_r \qquad S = \frac{1}{n}\sum_w \cos(h_w, c_w)$$
#
# The vector $c_w$ is never needed: $h_w \cdot c_w = \sum_r \alpha_{rw} s_{rw}$, and $|c_w|^2$ follows from $\alpha$ and the dot
# products of the regions with each other, their **Gram matrix**. So SCAN is cheap on the map. Its successors
#
# - look *again* (IMRAM), or change one side by the other before they compare (CAMP, ADAPT, MMCA, RVE);
# - use the *structure* within a side (GSMN, GOT, CAAN);
# - enrich each side *before* they meet (VSRN, CVSE), or punish what nobody asked for (HOAD).
#
# ## Build it: look again
#
# IMRAM (Chen and others, 2020) attends $K$ times. A gated memory writes what was found into the query:
#
# $$g = \sigma(W_g [x; c]) \qquad o = \tanh(W_o [x; c]) \qquad x^* = g \odot x + (1 - g) \odot o$$
#
# The refined query $x$ only decides *where* to look next. The score of step $k$, $F_k$, is the mean cosine of $c$ with the
# *original* query, and $S = F_1 + \dots + F_K$.
#
# ### Exercise 1 (20 minutes, ★★★): IMRAM's steps
#
# Unit vectors `queries` `[n_queries, dim]` and `keys` `[n_keys, dim]`; `w_gate` and `w_content` `[dim, 2 dim]`, which read
# $[x; c]$, without biases; `smooth` is $\lambda$. Attend as SCAN does; the length of $z$ is taken over the queries. Return
# $F_1 \dots F_K$, `[n_steps]`.
#
# <details><summary>Hint 1</summary>A step has four parts: cosines of x and keys, weights, attended vectors, the next x. Use two names: `queries` stays as it is, x changes.</details>
# <details><summary>Hint 2</summary>z = (normalize(x, dim=1) @ keys.T).relu(); its length is taken over the queries, dim=0; alpha = (smooth * normalize(z, dim=0)).softmax(dim=1). The score of the step is the mean cosine of `queries` and alpha @ keys.</details>
# <details><summary>Hint 3</summary>both = torch.cat([x, attended], dim=1); gate = (both @ w_gate.T).sigmoid(); content = (both @ w_content.T).tanh(); x = gate * x + (1 - gate) * content. Return torch.stack of the scores.</details>


# %% tags=["exercise"]
def memory_scores(queries, keys, w_gate, w_content, smooth, n_steps):
    # solution
    x, scores = queries, []
    for _ in range(n_steps):
        z = (normalize(x, dim=1) @ keys.T).relu()  # [n_queries, n_keys]
        alpha = (smooth * normalize(z, dim=0)).softmax(dim=1)  # the length of z is taken over the queries
        attended = alpha @ keys  # [n_queries, dim]
        scores.append(torch.cosine_similarity(queries, attended, dim=1).mean())  # with the original queries
        both = torch.cat([x, attended], dim=1)
        gate, content = (both @ w_gate.T).sigmoid(), (both @ w_content.T).tanh()
        x = gate * x + (1 - gate) * content
    return torch.stack(scores)
    # end of solution


memory_scores = exercises.memory_scores.check(memory_scores)

# %% [markdown]
# If the memory changes nothing, all steps are equal, $S = K F_1$, and all rankings stay. Does training stay the same, too?
#
# ### Exercise 2 (15 minutes, ★★): what a sum does to the margin
#
# `scores` `[n, n]` are those of one step; pair $i$ is image $i$ with caption $i$. For $K = 1$ to `n_steps`, let
# $S = K \cdot$ `scores` and count the hinges $[m - S^+ + S^-]_+$ above 0, over all negatives in both directions. Return
# `[n_steps]`.
#
# <details><summary>Hint 1</summary>On paper: with S = K s, a hinge is [m - K s+ + K s-]+. Take K out of the bracket. What is left inside?</details>
# <details><summary>Hint 2</summary>[m - K s+ + K s-]+ = K [m / K - s+ + s-]+: it is active where s- - s+ &gt; -m / K. For an image compare a row with its diagonal entry, for a caption a column.</details>
# <details><summary>Hint 3</summary>gap = torch.stack([scores - own[:, None], scores - own]) with own = scores.diagonal(), the diagonal filled with -inf; for K = 1 ... n_steps count (gap &gt; -margin / K).sum(), and torch.stack the counts.</details>


# %% tags=["exercise"]
def active_hinges(scores, margin, n_steps):
    # solution
    own = scores.diagonal()
    above = torch.stack([scores - own[:, None], scores - own])  # negative - positive: by image, by caption
    above = above.masked_fill(torch.eye(len(scores), dtype=torch.bool), -torch.inf)
    return torch.stack([(above > -margin / steps).sum() for steps in range(1, n_steps + 1)])
    # end of solution


active_hinges = exercises.active_hinges.check(active_hinges)

# %% [markdown]
# **Question.** First line: two words and two regions. If the refined query were scored, would the numbers fall or rise? Second
# line: hinges for $K = 1, 2, 3$, with margin 0.2. What must a comparison of $K = 3$ with $K = 1$ control?

# %% tags=["nbval-check-output"]
words, regions = torch.tensor([[0.8, 0.6], [0.1, 0.995]]), torch.eye(2)
content = torch.tensor([[0.0, 0, 1, 0], [0, 0, 0, 1]])  # o = tanh(c)
steps = memory_scores(words, regions, torch.zeros(2, 4), content, 2.0, 3)
print("F_1, F_2, F_3:", [round(value, 4) for value in steps.tolist()])
toy = torch.tensor([[0.5, 0.35, 0.2], [0.42, 0.5, 0.28], [0.1, 0.45, 0.5]])
print("active hinges:", active_hinges(toy, 0.2, 3).tolist())

# %% [markdown]
# <details><summary>Answer</summary>
#
# They would rise: 0.9772, 0.9879, 0.9938. The memory writes the attended vector into the query, so the query agrees with it,
# whatever the image shows. The hinge is $K\,[m/K - s^+ + s^-]_+$: with $K$ equal steps the margin acts like $m / K$. The controls
# of our claim are $K = 3$ without an update, and $K = 1$ with a third of the margin.
#
# </details>
#
# ## Build it: change one side by the other
#
# In ADAPT (Wehrmann and others, 2020), the caption $t$ scales and shifts each **channel** (each number) of all regions $n_r$, as
# in **FiLM**. Then each channel weighs the regions for itself; the authors call this the **fovea**:
#
# $$x_r = (1 + \gamma) \odot n_r + \beta \qquad m = \text{softmax}_r(\lambda x_r) \qquad S = \cos\Big(\frac{1}{R}\sum_r m_r \odot x_r,\; t\Big)$$
#
# $\gamma$ and $\beta$ are linear maps of $t$. Without the fovea, all that the caption sees of an image is the *mean* of its regions.
#
# ### Exercise 3 (10 minutes, ★★): scale, shift and fovea
#
# `items` is `[n_regions, dim]`; `caption`, `gamma` and `beta` are `[dim]`; `smooth` is $\lambda$. Return $S$, one number.
#
# <details><summary>Hint 1</summary>Three lines: scale and shift the regions, weigh them in each channel, compare their mean with the caption.</details>
# <details><summary>Hint 2</summary>x = items * (1 + gamma) + beta. The fovea asks in each channel which regions have a large number there: a softmax over the regions, for each column of x.</details>
# <details><summary>Hint 3</summary>weights = (smooth * x).softmax(dim=0); pooled = (weights * x).mean(dim=0); torch.cosine_similarity(pooled, caption, dim=0).</details>


# %% tags=["exercise"]
def foveal_score(items, caption, gamma, beta, smooth):
    # solution
    x = items * (1 + gamma) + beta  # [n_regions, dim]
    weights = (smooth * x).softmax(dim=0)  # one softmax over the regions per channel
    pooled = (weights * x).mean(dim=0)  # [dim]
    return torch.cosine_similarity(pooled, caption, dim=0)
    # end of solution


foveal_score = exercises.foveal_score.check(foveal_score)

# %% [markdown]
# Your run: what the fovea takes from three channels, by $1 + \gamma$. Thin lines are the regions of one image, the diamond is its
# caption. The printed toy is one pair with a fovea ($\lambda = 1$) and without ($\lambda = 0$).
#
# **Question.** What does a channel take for $1 + \gamma = 0$? What can the caption ask for by a negative value?

# %%
n_seen = min(500, len(test.captions))
query = next(c for c in range(31, n_seen) if len({w for w, _ in test.groundings[c]}) >= 4)
adapt, picture = models["adapt"], int(test.image_of[query])
with torch.no_grad():
    items = adapt.encode_images(regions_of[[picture]])[0].cpu()  # [n_regions, dim]
    scale = adapt.scale_and_shift(adapt.encode_captions([test.captions[query]]).vectors)[0][0].cpu()  # 1 + gamma, [dim]
order = scale.argsort().tolist()
shown = [order[0], order[len(order) // 2], order[-1]]
pair = torch.tensor([[1.0, 0.0], [-1.0, 1.0]]), *torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.5, 0.5]])
print("toy:", [round(float(foveal_score(*pair, smooth)), 4) for smooth in (1.0, 0.0)], "\n" + test.captions[query])
figures.channel_curves(items, scale, adapt.smooth, shown)

# %% tags=["answer"]
itm.show.answer(answers.channels(items, scale, adapt.smooth, shown))

# %% [markdown]
# ## Build it: transport
#
# In attention, ten words may all look at one region. GOT (Chen and others, 2020) asks for a **transport plan** $T$ instead: each
# word and each region has a mass, and the plan moves all of it as cheaply as it can. A move costs
# $C_{rw} = 1 - \cos(v_r, h_w)$. With $A = e^{-C / \beta}$, begin with $T = 1$ and $\sigma = 1/n_w$, and repeat
#
# $$Q = A \odot T \qquad \delta = \frac{1/R}{Q\sigma} \qquad \sigma = \frac{1/n_w}{Q^\top\delta} \qquad
# T = \text{diag}(\delta)\, Q\, \text{diag}(\sigma)$$
#
# GOT adds the cost of the plan to SCAN's loss, and a second cost, of pairs of words on pairs of regions.
#
# ### Exercise 4 (15 minutes, ★★): a plan of transport
#
# `cost` is `[n_regions, n_words]`. Return $T$ after `n_steps`, of the same shape.
#
# <details><summary>Hint 1</summary>Q = A * T with A = exp(-cost / beta); then delta and sigma scale rows and columns to their masses, 1 / n_regions and 1 / n_words; the new plan is Q with scaled rows and columns.</details>
# <details><summary>Hint 2</summary>delta = 1 / n_regions / (Q @ sigma), then sigma = 1 / n_words / (Q.T @ delta), with the new delta. Keep sigma for the next step.</details>
# <details><summary>Hint 3</summary>for _ in range(n_steps): Q = kernel * plan; the two lines above; plan = delta[:, None] * Q * sigma. Begin with plan = torch.ones_like(cost) and sigma = torch.full_like(cost[0], 1 / n_words).</details>


# %% tags=["exercise"]
def transport_plan(cost, beta, n_steps):
    # solution
    n_regions, n_words = cost.shape
    kernel, plan = (-cost / beta).exp(), torch.ones_like(cost)
    sigma = torch.full_like(cost[0], 1 / n_words)
    for _ in range(n_steps):
        product = kernel * plan  # with the plan of the step before: this makes the method proximal
        delta = 1 / n_regions / (product @ sigma)  # [n_regions]: rows get the masses of the regions
        sigma = 1 / n_words / (product.T @ delta)  # [n_words]: columns get the masses of the words
        plan = delta[:, None] * product * sigma
    return plan
    # end of solution


transport_plan = exercises.transport_plan.check(transport_plan)

# %% [markdown]
# In Sinkhorn's method, $Q$ is $A$ alone, without the plan of the step before.
#
# **Question.** Two regions, two words. To which number does the first cell of each plan go?

# %% tags=["nbval-check-output"]
toy = torch.tensor([[0.1, 0.4], [0.5, 0.3]])
sinkhorn = list(figures.plans_after(toy).values())[-1]  # after 20 steps, beta 0.5
for n_steps in (1, 5, 20):
    print(f"proximal, after {n_steps:>2}: {transport_plan(toy, 0.5, n_steps)[0, 0]:.4f}")
print(f"Sinkhorn, after 20: {sinkhorn[0, 0]:.4f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# To 0.5: the whole mass of region 1 goes to word 1, exact transport, whatever $\beta$ is. Sinkhorn stays near the plan of the first
# step; only a small $\beta$ makes it sharp.
#
# </details>
#
# Now a caption of the test split, and your GOT.
#
# **Question.** Where does the mass of *a* and *the* go? How do the plans sharpen?

# %%
with torch.no_grad():
    v = models["got"].encode_images(regions_of[[picture]])[0].cpu()  # [n_regions, dim]
    h = models["got"].encode_captions([test.captions[query]]).words[0, 1:-1].cpu()  # [n_words, dim]
cost = 1 - v @ h.T
found = figures.plans_after(cost)
figures.plans(found, cost, itm.attend(models["got"], test, [query]).words[0])

# %% tags=["answer"]
itm.show.answer(answers.moved(found, cost))

# %% [markdown]
# ## Break it: three faults of the field
#
# ### Messages that never leave
#
# In GSMN (Liu and others, 2020), a word hears its neighbours in the dependency tree: $x_i$ becomes
# $\text{relu}(\sum_j e_{ij} W_k x_j + b)$, for each kernel $k$. In the public code, $x_j$ is the node's *own* $x_i$.
#
# ### Exercise 5 (10 minutes, ★★): pass messages
#
# `x` is `[n_nodes, n_blocks]`, `edges` `[n_nodes, n_nodes]`: row $i$ holds the weights of what node $i$ hears. `weight` is
# `[n_kernels, width, n_blocks]`, `bias` `[n_kernels * width]`. Return `[n_nodes, n_kernels * width]`, kernel after kernel.
#
# <details><summary>Hint 1</summary>Node i hears node j with the weight edges[i, j]. Its output must change if you change x of a node that it hears, and must not if you change one that it does not hear.</details>
# <details><summary>Hint 2</summary>W_k is the same for all nodes, so you may sum first: heard = edges @ x, [n_nodes, n_blocks].</details>
# <details><summary>Hint 3</summary>All W_k below each other: weight.flatten(0, 1), [n_kernels * width, n_blocks]. Return (heard @ weight.flatten(0, 1).T + bias).relu().</details>


# %% tags=["exercise"]
def node_messages(x, edges, weight, bias):
    # solution
    heard = edges @ x  # [n_nodes, n_blocks]: row i sums over the nodes j that node i hears
    return (heard @ weight.flatten(0, 1).T + bias).relu()  # [n_nodes, n_kernels * width]
    # end of solution


node_messages = exercises.node_messages.check(node_messages)

# %% [markdown]
# Does structure help? A control of our claim is a random tree in which each word has as many neighbours (the numbers).
#
# **Question.** How many edges do the two trees share? What would you conclude if random trees worked as well?

# %%
parse = parser_for(corpus)([test.captions[query]])[0]
figures.tree_and_twin(parse.words, parse.heads, seed)

# %% tags=["answer"]
itm.show.answer(answers.trees(parse.words, parse.heads, seed))

# %% [markdown]
# ### The easiest negative
#
# In CAMP (Wang and others, 2019), a network says with which probability $m_{ij}$ image $i$ and caption $j$ belong together. As
# printed, the loss takes the maximum of $\log(1 - m)$ over the negatives.
#
# ### Exercise 6 (10 minutes, ★★): the hardest negative
#
# `matches` is $m$, `[n, n]`; pair $i$ is image $i$ with caption $i$. Return the sum over pairs of $-2 \log m^+$, and of
# $-\log(1 - m)$ for the hardest caption of each image, and for the hardest image of each caption: one number.
#
# <details><summary>Hint 1</summary>log(1 - m) falls as m rises. So the hardest negative, the one with the largest m, has the smallest log(1 - m).</details>
# <details><summary>Hint 2</summary>Take the positives out first: negatives = matches.masked_fill(torch.eye(len(matches)).bool(), 0). The hardest caption of each image is negatives.amax(dim=1), the hardest image of each caption negatives.amax(dim=0).</details>
# <details><summary>Hint 3</summary>-2 * matches.diagonal().log().sum() - (1 - hardest captions).log().sum() - (1 - hardest images).log().sum().</details>


# %% tags=["exercise"]
def hardest_bce(matches):
    # solution
    own = torch.eye(len(matches), dtype=torch.bool)
    negatives = matches.masked_fill(own, 0)  # so that no positive is taken for a negative
    hardest = torch.cat([negatives.amax(dim=1), negatives.amax(dim=0)])  # captions of images, images of captions
    return -2 * matches.diagonal().log().sum() - (1 - hardest).log().sum()
    # end of solution


hardest_bce = exercises.hardest_bce.check(hardest_bce)

# %% [markdown]
# ### The wrong axis
#
# In VSRN (Li and others, 2019), the regions of one image hear each other before they meet any caption. In the public code, a
# length is taken over the wrong dimension.
#
# ### Exercise 7 (15 minutes, ★★): regions hear each other
#
# `regions` is `[n_images, n_regions, dim]`; `phi`, `psi`, `message` and `out` are `[dim, dim]`. Scale each region to unit length,
# $v$. With $R_{ij} = (\phi v_i) \cdot (\psi v_j)$ within an image, return $\text{out}(\sum_j \frac{R_{ij}}{N}\,
# \text{message}\, v_j) + v_i$; $N$ is the number of regions.
#
# <details><summary>Hint 1</summary>Write the shapes beside each line. Dimension 0 counts images, 1 regions, 2 numbers per region; a region never hears one of another image.</details>
# <details><summary>Hint 2</summary>v = normalize(regions, dim=2): each region has unit length. R = (v @ phi.T) @ (v @ psi.T).mT is [n_images, n_regions, n_regions]; it is divided by the number of regions, v.shape[1], without a softmax.</details>
# <details><summary>Hint 3</summary>Return (R / v.shape[1]) @ (v @ message.T) @ out.T + v.</details>


# %% tags=["exercise"]
def reason(regions, phi, psi, message, out):
    # solution
    v = normalize(regions, dim=2)  # [n_images, n_regions, dim]: the length of each region, not of each channel
    affinity = (v @ phi.T) @ (v @ psi.T).mT / v.shape[1]  # R / N, [n_images, n_regions, n_regions]
    return affinity @ (v @ message.T) @ out.T + v
    # end of solution


reason = exercises.reason.check(reason)

# %% [markdown]
# **Question.** The three faults beside the cure. Which test would have found each of them?

# %% tags=["nbval-check-output"]
x, edges = torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([[0.6, 0.8, 0.0], [0.8, 0.6, 0.0], [0.0, 0.0, 1.0]])
other, one = torch.tensor([[1.0], [5.0], [3.0]]), torch.ones(1, 1, 1)  # node 1 has changed, and node 0 hears it
for name, heard in (("messages", edges), ("public code", torch.diag(edges.sum(dim=1)))):
    before, after = (node_messages(some, heard, one, torch.zeros(1))[0].item() for some in (x, other))
    print(f"GSMN, {name:<11} node 0 before {before:.1f}, after {after:.1f}")
m = torch.tensor([[0.8, 0.3, 0.1], [0.6, 0.7, 0.2], [0.1, 0.4, 0.9]])
negative = (1 - m).log().masked_fill(torch.eye(3, dtype=torch.bool), -torch.inf)
printed = -2 * m.diagonal().log().sum() - negative.amax(dim=0).sum() - negative.amax(dim=1).sum()
print(f"CAMP, hardest     {hardest_bce(m).item():.4f}\nCAMP, as printed  {printed.item():.4f}")
image, eye = torch.tensor([[[3.0, 0.0], [4.0, 1.0]]]), torch.eye(2)
right, wrong = reason(image, eye, eye, eye, 0 * eye), normalize(image, dim=1)  # v alone
print("VSRN, lengths    ", *(f"{some.norm(dim=2)[0].tolist()[1]:.2f}" for some in (right, wrong)))

# %% [markdown]
# <details><summary>Answer</summary>
#
# GSMN: change one neighbour. If the node stays the same, no message has passed, and all trees give the same scores. CAMP: compute a
# small case by hand. The maximum of $\log(1 - m)$ belongs to the *smallest* $m$. The authors' code takes the hardest negative; the
# fault is in print. VSRN: look at the lengths of the regions, which must all be 1. Any of the three losses can still fall.
#
# </details>
#
# ## See what it learned: five maps and the truth
#
# One caption, one row per noun, the true boxes on the left, which no model has seen. For GOT you see the plan, for IMRAM its last
# step.
#
# **Question.** Which method shows the same map in every row, and why? Is a sharp map a right one?

# %%
seen = {name: itm.attend(one, test, range(n_seen)) for name, one in models.items() if hasattr(one, "attention")}
five = {name: seen[name] for name in ("scan", "imram", "adapt", "gsmn", "got")}
figures.attention_beside_truth(five, test, i=query)

# %% tags=["answer"]
itm.show.answer(answers.looks(five, test, query))

# %% [markdown]
# ## Measure it: the pointing game
#
# A noun points at the region with its largest weight; the centre must lie in a box that the noun names (chapter 03). VSRN, CVSE and
# HOAD give no map.
#
# **Question.** Which of your runs point best? Does its plan help GOT to point?

# %%
seen["got, attention"] = itm.attend(reading(models["got"], "attention"), test, range(n_seen))
pointed = {name: live.pointing(one, test) for name, one in seen.items()}
methods, controls = kept_pointing()
chance = {"a region at random": [pointed["scan"].uniform]}
own = {f"your run: {name}": [one.model] for name, one in pointed.items()}
figures.found_by(own | methods, chance | controls, "pointing game, nouns")

# %% tags=["answer"]
itm.show.answer(answers.pointed(pointed, methods))

# %% [markdown]
# ## Try it
#
# Move the slider over methods. IMRAM has three places, one for each step.
#
# **Question.** For which captions do the steps of IMRAM look at different regions?

# %%
looking = {name: models[name] for name in seen if name in models and name != "imram"}
looking |= figures.steps_of(models["imram"])
explorer = figures.method_explorer(looking, test, range(query, query + 8))
explorer

# %% [markdown]
# ## The family in one table
#
# The last column comes from the kept claims: differences with their standard errors over seeds, and a verdict.

# %%
family_table(MEMBERS)

# %% [markdown]
# ## Measure it: what a pair may cost
#
# In MMCA (Wei and others, 2020), $S = i_0 \cdot c_0 + \alpha\; i_1 \cdot c_1$. The first product needs one embedding per side, the
# second a transformer that reads both sides together, for each pair. So let the first make a shortlist (chapter 03), and compute the
# second for that alone. What can be missed?
#
# ### Exercise 8 (10 minutes, ★★): which captions may still win?
#
# `cheap` is $i_0 \cdot c_0$, `[n_images, n_captions]`; the second cosine lies between $-1$ and $1$. Return bool, of the same
# shape: True where a caption may be among the first `k` of its image by $S$.
#
# <details><summary>Hint 1</summary>On paper: S lies between cheap - alpha and cheap + alpha. By how much can the difference of two captions change, if one gains all and the other loses all?</details>
# <details><summary>Hint 2</summary>A caption is out if k others surely beat it: their worst S, cheap - alpha, is above its best, cheap + alpha. Compare it with the k-th largest cheap score of its image.</details>
# <details><summary>Hint 3</summary>kth = cheap.topk(k, dim=1).values[:, -1:]; a caption may be among the first k where cheap &gt;= kth - 2 * alpha.</details>


# %% tags=["exercise"]
def worth_rescoring(cheap, alpha, k):
    # solution
    kth = cheap.topk(k, dim=1).values[:, -1:]  # [n_images, 1]: at least this, less alpha, have k captions
    return cheap + alpha >= kth - alpha
    # end of solution


worth_rescoring = exercises.worth_rescoring.check(worth_rescoring)

# %% [markdown]
# Left: rsum after reranking, by the $\alpha$ of one trained model. Right: the recall that shortlists of ten allow.
#
# **Question.** Does the second score help? How many captions does your bound keep, and how many does the shortlist take?

# %%
gallery, kept = first_images(test, 100), kept_alphas()
sweep = live.alpha_sweep(models["mmca"], gallery, (0.1, 0.2, 0.4, 0.8), k=10)
bound = worth_rescoring(sweep.cheap, 0.2, 10)
names = {"i2t": "image to captions", "t2i": "caption to images"}
mine = {alpha: [value] for alpha, value in sweep.rsum.items()}, [sweep.cheap_rsum]
figures.rsum_by_alpha(*(kept or (*mine, {names[way]: [value] for way, value in sweep.allowed.items()})))

# %% tags=["answer"]
itm.show.answer(answers.shortlist(sweep, 0.2, bound, 10, bool(kept)))

# %% [markdown]
# Recall against time: on the line stand the methods that no other one beats in both.
#
# **Question.** What would you choose for a million images? And for a shortlist of 100?

# %%
reports, points = {}, []
for name, one in models.items():
    scores, milliseconds = live.timed_scores(one, gallery)
    reports[name] = itm.evaluate(scores, gallery.image_of)
    points.append(figures.Point(name, milliseconds, reports[name].rsum))
    if name == "mmca":
        points.append(figures.Point("mmca, shortlists", milliseconds * sweep.share, sweep.rsum[0.2], shortlist=True))
last, kept = reports[method], kept_points(CHECK)
print(
    f"Headline: {method} rsum {last.rsum:.0f}, R@1 {last.i2t.r1:.1f} and {last.t2i.r1:.1f} of {len(gallery.images)} images"
)
figures.pareto(kept or points)

# %% tags=["answer"]
itm.show.answer(answers.front(kept or points, bool(kept)))

# %% [markdown]
# ## The paper's numbers and yours
#
# The field's survey: Flickr30K, regions of one detector (BUTD), R@1 from image to text and back.

# %% tags=["nbval-check-output"]
table = itm.literature.results(edition="2025")
names = ["SCAN", "CAMP", "VSRN", "CAAN", "DP-RNN", "HOAD", "GOT", "IMRAM", "MMCA", "GSMN", "ADAPT", "CVSE"]
table = table[(table.dataset == "Flickr30K") & (table.metric == "R@1") & table.method.isin(names)]
for (name, note), rows in table.groupby(["method", "note"], sort=False):
    print(f"{name:<7} {note:<15} " + "  ".join(f"{value:5.1f}" for value in rows.value))

# %% tags=["answer"]
itm.show.answer(answers.beside_papers(reports))

# %% [markdown]
# Read such a table with care. GSMN's last row and DP-RNN (our RVE) average two models, and so does SCAN's *AVE+LSE*. GOT begins from
# a weaker SCAN than that. VSRN stands there with two results, and MMCA reads words with BERT.
#
# ## Quiz
#
# **1. A model with three equal steps trains differently from one with a single step. Why?**
#
# <details><summary>Its ranking of the captions is another one</summary>No: three times a score is ranked like the score itself.</details>
# <details><summary>It has more weights to learn</summary>Not yet: equal steps need no additional weights at all.</details>
# <details><summary>The margin stays, but all differences of scores are three times as large</summary>Yes. It acts like a third of the margin on one step.</details>
#
# **2. Which part of ADAPT decides which regions a channel looks at?**
#
# <details><summary>The scale, since the shift is the same for all regions</summary>Yes. A constant drops out of a softmax over the regions.</details>
# <details><summary>The shift, since it moves all regions at once</summary>No: what moves all alike cannot prefer one of them.</details>
# <details><summary>Both of them in the same way</summary>Not yet: look at what the softmax ignores.</details>
#
# **3. Random trees with the same degrees do as well as dependency trees. What follows?**
#
# <details><summary>The parser has made many mistakes</summary>Not yet: a perfect parser may not matter, either.</details>
# <details><summary>What helps is something other than the grammar of the caption</summary>Yes. It may be the additional network, or any mixing of words.</details>
# <details><summary>Messages are useless</summary>No: random messages may help as much as true ones do.</details>
#
# **4. A reranked model cannot exceed which number?**
#
# <details><summary>The recall of the expensive model on all pairs</summary>No: a shortlist can keep out some of its errors.</details>
# <details><summary>The R@1 of the cheap model that made the list</summary>No: a better order within the list raises R@1.</details>
# <details><summary>The share of queries whose positive is on the list</summary>Yes. What is not on the list cannot be found again.</details>
#
# ## Recap
#
# - Place a method by what it must compute per pair: one dot product, numbers per region and word, vectors, or matrices.
# - IMRAM scores with the original words, and a sum over steps changes the margin: compare with both controls.
# - ADAPT's caption scales channels, and a fovea chooses regions per channel; GOT's plan must use all regions and all words.
# - A fault can leave the loss falling: change a neighbour, compute by hand, look at lengths.
# - Recall alone decides nothing: put milliseconds beside it, and let a cheap score make the shortlist.
#
# ## Where to go next
#
# - Set `method` to another name. Where does its run stand in the two figures of results?
# - Train `itm.create_model("imram", corpus, memory="none")`, the control. What does it reach?
# - Train `gsmn` with `graph="random"`. Can one seed tell the two apart?
