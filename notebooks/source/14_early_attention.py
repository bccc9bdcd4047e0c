# %% [markdown]
# # 14 · Attention before SCAN
#
# **You will be able to**
#
# - write attention whose query is a memory, and store several steps as one vector;
# - say which methods can index images, and which run a network per pair;
# - predict what a penalty on attention maps rewards, and when it has no gradient;
# - join predicted concepts with the whole picture by a gate;
# - count multiply-adds, and search with a shortlist.
#
# ## The question
#
# SCAN (chapter 03) compares every word with every region, once per pair. Attention was used for matching before it. **What
# decides where to look?** It can be the image alone, or the pair, but then it must be computed again for each caption.
#
# In DAN (2017), each side looks several times, alone. sm-LSTM (2017) looks at a *pair*. SCO (2018) has no attention: it names
# concepts. You build parts of all three.

# %% tags=["parameters"]
import os

method = "dan"  # the run that you measure: "dan", "sm_lstm", "sco" or a variant such as "dan_uniform"
size = "mini"  # 3,000 pictures to train on
epochs = 1  # of dan; sco takes twice as many, and sm_lstm four with one caption per image
seed = 0
device = "auto"
if os.environ.get("ITM_FAST") == "1":  # the smallest size, for tests
    size = "tiny"

# %% tags=["nbval-check-output"]
from dataclasses import replace

import torch

import itm_tutorial as itm
from itm_tutorial.chapters.ch14_early_attention import answers, exercises, figures, live
from itm_tutorial.chapters.ch14_early_attention.members import MEMBERS
from itm_tutorial.chapters.family import family_table
from itm_tutorial.chapters.small_galleries import first_images

corpus = itm.load_corpus("scenes", size=size, seed=seed)
test = corpus.test
print(corpus)

# %% [markdown]
# ## Train it
#
# Start this cell and read on. It trains small versions of all three. Each epoch is validated on 50 images alone, because sm-LSTM
# runs a network for each pair.

# %%
small = replace(corpus, splits={"train": corpus.train, "val": first_images(corpus.val, 50)})
sizes = {"embed_size": 64, "word_dim": 64}
settings = {  # method -> its options, and how it is trained
    "dan": (sizes, {"epochs": epochs, "learning_rate": 5e-3}),
    "sm_lstm": ({"penalty": 0.003}, {"epochs": 4 * epochs, "learning_rate": 3e-3, "sampler": "images"}),
    "sco": ({**sizes, "hidden_size": 64}, {"epochs": 2 * epochs, "learning_rate": 4e-3}),
}
models = {}
for name in dict.fromkeys([*settings, method]):
    options, fit = next(both for known, both in settings.items() if name.startswith(known))
    models[name] = itm.create_model(name, corpus, seed=seed, warmup=1.0, **options)  # all negatives count
    itm.fit(models[name], small, seed=seed, device=device, **fit)
print("trained:", *models)

# %% [markdown]
# ## The picture to aim for
#
# DAN looks at a test image in two steps. The number is the largest weight; its region is framed if it has twice the weight of
# uniform attention. Dashed boxes are objects that a caption names. The control has equal weights.
#
# **Question.** Does the second look go where the first one went? What would change for another caption?

# %%
query = next(c for c in range(31, len(test.captions)) if len({w for w, _ in test.groundings[c]}) >= 4)
picture, view = int(test.image_of[query]), live.picture_view(models["dan"], test, query)
uniform = itm.create_model("dan_uniform", corpus, seed=seed)  # its weights are equal with or without training
steps = {name: live.image_maps(some, test, picture) for name, some in (("DAN", models["dan"]), ("uniform", uniform))}
figures.step_maps(view, steps)

# %% tags=["answer"]
itm.show.answer(answers.steps(steps))

# %% [markdown]
# ## The idea
#
# Let $v_r$ be the regions of an image and $s_w$ the word states of a caption. Each side has a **memory**, $m$ and $n$. In step
# $k$, $m$ decides which regions count:
#
# $$h_r = \tanh(W_v^k v_r) \odot \tanh(W_m^k m) \qquad a = \text{softmax}_r(w^k \cdot h_r) \qquad
# v^k = \tanh\Big(P^k \sum_r a_r v_r\Big) \qquad m \leftarrow m + v^k$$
#
# The caption does the same with its words and weights, but without $P^k$ and the last $\tanh$: $u^k = \sum_w b_w s_w$. Both begin
# with a mean: $v^0 = \tanh(P^0 \frac{1}{R} \sum_r v_r)$ and $u^0 = \frac{1}{N} \sum_w s_w$. The score is
#
# $$S(i, c) = \sum_{k=0}^{K} v^k \cdot u^k = [v^0; \dots; v^K] \cdot [u^0; \dots; u^K]$$
#
# A sum of dot products is *one* dot product of longer vectors. So DAN is searched like a model with one embedding per image, in
# an index that is $K + 1$ times as wide.
#
# In the map, what a method introduced is framed and bold.
#
# **Question.** Which column tells you whether an image can be stored before any caption is known?

# %%
figures.methods()

# %% [markdown]
# <details><summary>Answer</summary>
#
# *What crosses*. Nothing crosses in DAN and SCO, so both can store their images. In sm-LSTM each step reads the state of the
# pair.
#
# </details>

# %% [markdown]
# ## Build it: DAN
#
# ### Exercise 1 (20 minutes, ★★): one step, with a memory as its query
#
# `items` is `[n, n_items, item_dim]`, `memory` is `[n, memory_dim]`, and `mask` `[n, n_items]` is True for real items. The
# weights are `item_map` `[hidden, item_dim]`, `memory_map` `[hidden, memory_dim]` and `logit` `[hidden]`. Return the weighted sum
# of the items, `[n, item_dim]`.
#
# <details><summary>Hint 1</summary>The memory is one vector per image or caption. Map it, take its tanh, and multiply the tanh of every mapped item by it, number by number.</details>
# <details><summary>Hint 2</summary>hidden = (items @ item_map.T).tanh() * (memory @ memory_map.T).tanh()[:, None] has the shape [n, n_items, hidden]; hidden @ logit gives one number per item.</details>
# <details><summary>Hint 3</summary>Fill the logits where mask is False with -torch.inf, take softmax(dim=1), and sum weights[..., None] * items over dim=1.</details>


# %% tags=["exercise"]
def memory_step(items, memory, mask, item_map, memory_map, logit):
    # solution
    asked = (memory @ memory_map.T).tanh()  # [n, hidden]
    hidden = (items @ item_map.T).tanh() * asked[:, None]  # [n, n_items, hidden]
    logits = (hidden @ logit).masked_fill(~mask, -torch.inf)  # [n, n_items]
    return (logits.softmax(dim=1)[..., None] * items).sum(dim=1)  # [n, item_dim]
    # end of solution


memory_step = exercises.memory_step.check(memory_step)

# %% [markdown]
# ### Exercise 2 (25 minutes, ★★★): all steps as one vector
#
# `regions` is `[n_images, n_regions, image_dim]`. The weights of $K$ steps are `item_maps` `[K, hidden, image_dim]`,
# `memory_maps` `[K, hidden, dim]`, `logits` `[K, hidden]` and `maps` `[K + 1, dim, image_dim]`, the matrices $P^0$ to $P^K$.
# Return $v^0$ to $v^K$ side by side, `[n_images, (K + 1) * dim]`.
#
# <details><summary>Hint 1</summary>Begin with v^0 = tanh(P^0 mean of the regions), the first vector and the first memory. Each step attends, makes v^k, and adds it to the memory.</details>
# <details><summary>Hint 2</summary>In step k, use item_maps[k], memory_maps[k] and logits[k] as in memory_step, then v^k = (attended @ maps[k + 1].T).tanh(). All weights belong to one step alone.</details>
# <details><summary>Hint 3</summary>memory = memory + vectors[-1] after each step, and torch.cat(vectors, dim=1) of all K + 1 vectors at the end.</details>


# %% tags=["exercise"]
def image_steps(regions, item_maps, memory_maps, logits, maps):
    # solution
    memory = (regions.mean(dim=1) @ maps[0].T).tanh()  # [n, dim], v^0
    vectors = [memory]
    for k in range(len(item_maps)):
        asked = (memory @ memory_maps[k].T).tanh()  # [n, hidden]
        hidden = (regions @ item_maps[k].T).tanh() * asked[:, None]  # [n, n_regions, hidden]
        weights = (hidden @ logits[k]).softmax(dim=1)  # [n, n_regions]
        attended = (weights[..., None] * regions).sum(dim=1)
        vectors.append((attended @ maps[k + 1].T).tanh())  # v^k
        memory = memory + vectors[-1]
    return torch.cat(vectors, dim=1)  # [n, (K + 1) * dim]
    # end of solution


image_steps = exercises.image_steps.check(image_steps)

# %% [markdown]
# A toy with $K = 2$: two regions $(1, 0)$ and $(0, 1)$, two words $(1, 0)$ and $(0, 0.5)$, all matrices the identity, and
# $w = (2, -1)$.
#
# **Question.** Compute $v^0 \cdot u^0$. Does the wide product agree with the sum over the steps?

# %% tags=["nbval-check-output"]
eye, logit, both = torch.eye(2), torch.tensor([2.0, -1.0]), torch.ones(1, 2, dtype=torch.bool)
regions, words = eye[None], torch.tensor([[[1.0, 0.0], [0.0, 0.5]]])  # one image, one caption
image = image_steps(regions, eye.expand(2, 2, 2), eye.expand(2, 2, 2), logit.expand(2, 2), eye.expand(3, 2, 2))
looks = [words.mean(dim=1)]
for _ in range(2):
    looks.append(memory_step(words, sum(looks), both, eye, eye, logit))
caption = torch.cat(looks, dim=1)
print("per step", [round(dot, 4) for dot in (image * caption).view(3, 2).sum(dim=1).tolist()])
print(f"one product, {image.shape[1]} wide: {(image @ caption.T).item():.4f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# $v^0 = \tanh(0.5, 0.5) = (0.4621, 0.4621)$ and $u^0 = (0.5, 0.25)$, so the first dot product is 0.3466. The sum of the three is
# the wide product, 1.3898. `image_steps` has no caption among its inputs, so no caption can change an image's vector.
#
# </details>

# %% [markdown]
# The scores are no cosines, so the margin must fit their size: the paper has 100, at $K = 2$ and 512 numbers per vector.
#
# ## Break it: a bug of the field
#
# An LSTM often reads captions *sorted by length*, and its states are put back afterwards. One public port of DAN puts them back
# with the permutation itself, not with its inverse. Another takes $u^0$ as the mean over the padded length.
#
# ### Exercise 3 (15 minutes, ★★): the mean word
#
# `sorted_states` is `[n_captions, seq_len, dim]`: row $i$ belongs to caption `order[i]`. `lengths` `[n_captions]` are in the
# order in which captions were given. What stands behind a caption's end is arbitrary. Return the mean word states $u^0$, in the
# order given.
#
# <details><summary>Hint 1</summary>There are two tasks: bring the rows back to the order of the captions, and take each mean over real words alone.</details>
# <details><summary>Hint 2</summary>Row i belongs to caption order[i]. Caption c stands in row order.argsort()[c]: the inverse of a permutation.</details>
# <details><summary>Hint 3</summary>states = sorted_states[order.argsort()]; multiply by torch.arange(seq_len) &lt; lengths[:, None], sum over the words, and divide by lengths[:, None].</details>


# %% tags=["exercise"]
def mean_words(sorted_states, order, lengths):
    # solution
    states = sorted_states[order.argsort()]  # argsort of a permutation is its inverse
    mask = torch.arange(states.shape[1]) < lengths[:, None]  # [n_captions, seq_len]
    return (states * mask[..., None]).sum(dim=1) / lengths[:, None]
    # end of solution


mean_words = exercises.mean_words.check(mean_words)

# %% [markdown]
# The first port also counts recall in slices: rank 1, plus `[1:5]`, plus `[6:10]`.
#
# ### Exercise 4 (10 minutes, ★): recall from counts
#
# `counts` is int64 `[n_ranks]`: `counts[0]` queries have their first positive at rank 1, `counts[1]` at rank 2, and so on. Return
# R@1, R@5 and R@10 in percent, as one tensor.
#
# <details><summary>Hint 1</summary>R@5 counts the ranks 1, 2, 3, 4 and 5. At which places of counts do they stand?</details>
# <details><summary>Hint 2</summary>Rank r stands at place r - 1, and a slice ends before its last place: counts[:5] holds the ranks 1 to 5.</details>
# <details><summary>Hint 3</summary>100 * torch.stack([counts[:k].sum() for k in (1, 5, 10)]) / counts.sum()</details>


# %% tags=["exercise"]
def recalls_from_counts(counts):
    # solution
    found = counts.cumsum(dim=0)  # [n_ranks]: place k - 1 counts the ranks 1 to k
    places = torch.tensor([1, 5, 10]).clamp(max=len(counts)) - 1
    return 100 * found[places] / counts.sum()
    # end of solution


recalls_from_counts = exercises.recalls_from_counts.check(recalls_from_counts)

# %% [markdown]
# Now the three faults: random orders of a batch, the mean of the states 1 and 3 with padding, and the ranks of 100 queries.
#
# **Question.** Would a test with two captions find the first fault? Which recalls does the third one change?

# %% tags=["nbval-check-output"]
random = torch.Generator().manual_seed(0)
for n in (2, 3, 8, 128):
    wrong = sum(live.permutation_faults(torch.randperm(n, generator=random)) for _ in range(200)) / (200 * n)
    print(f"batch of {n:>3}: {100 * wrong:5.1f} % of the captions get another one's states")
for seq_len in (2, 4, 20):
    states = torch.zeros(1, seq_len, 1)
    states[0, :2, 0] = torch.tensor([1.0, 3.0])
    own = mean_words(states, torch.tensor([0]), torch.tensor([2])).item()
    print(f"padded to {seq_len:>2}: mean {own:.1f}, over the padded length {states.mean().item():.1f}")
counts = torch.tensor([40, 14, 8, 6, 5, 9, 4, 3, 2, 1, 8])  # queries at rank 1, 2, ...
sliced = 100 * torch.stack([counts[a:b].sum() for a, b in ((0, 1), (1, 5), (6, 10))]).cumsum(dim=0) / counts.sum()
print("R@1, R@5, R@10", recalls_from_counts(counts).tolist(), "by slices", sliced.tolist())

# %% [markdown]
# <details><summary>Answer</summary>
#
# No: every permutation of two is its own inverse. In a batch of 128 nearly all captions are exchanged, and nothing fails. The
# second fault makes $u^0$ depend on the other captions of the batch. The third loses the sixth rank, so that only R@10 is too
# low.
#
# </details>

# %% [markdown]
# ## Build it: sm-LSTM
#
# sm-LSTM lets the *pair* decide. Each of $T$ steps makes a **saliency map** over regions and one over words, and compares what
# both select. The result goes to an LSTM, whose state enters the next maps. The equations of the paper were not readable to us;
# **these forms are ours:**
#
# $$e_r = a \cdot \tanh(A v_r + M \bar v + H h_{t-1}) \qquad p_t = \text{softmax}_r(e)$$
#
# $$l_t = \tanh\Big(P \sum_r p_{t,r} v_r\Big) \odot \tanh\Big(Q \sum_w q_{t,w} s_w\Big) \qquad (h_t, c_t) = \text{LSTM}(l_t, h_{t-1}, c_{t-1})
# \qquad S = w \cdot h_T$$
#
# The map $q_t$ over words is made like $p_t$. The mean region $\bar v$ is the **global context**. A penalty asks that each region
# and each word of a matching pair receives a total weight of 1:
#
# $$\sum_r \Big(1 - \sum_t p_{t,r}\Big)^2 + \sum_w \Big(1 - \sum_t q_{t,w}\Big)^2$$
#
# ### Exercise 5 (10 minutes, ★): the coverage penalty
#
# `maps` is `[T, n, n_items]`, the maps of one side, and `mask` `[n, n_items]` is True for real items. Return the penalty of this
# side per pair, `[n]`.
#
# <details><summary>Hint 1</summary>First add up what one item received in all steps. An item that received 1 in total costs nothing.</details>
# <details><summary>Hint 2</summary>maps.sum(dim=0) has the shape [n, n_items]. Square each difference from 1, before anything else is summed.</details>
# <details><summary>Hint 3</summary>((1 - maps.sum(dim=0)).square() * mask).sum(dim=1): the mask leaves padding out, which would cost 1 each.</details>


# %% tags=["exercise"]
def coverage_penalty(maps, mask):
    # solution
    reached = maps.sum(dim=0)  # [n, n_items], over the steps
    return ((1 - reached).square() * mask).sum(dim=1)
    # end of solution


coverage_penalty = exercises.coverage_penalty.check(coverage_penalty)

# %% [markdown]
# Three regions, $T = 2$, and three ways to look. For each, the penalty with the square and without it, and the largest gradient
# on a logit.
#
# **Question.** What is the penalty without the square, for any maps? Which way is cheapest with it?

# %% tags=["nbval-check-output"]
ways = {"same twice": ((0.8, 0.1, 0.1), (0.8, 0.1, 0.1)), "one, then two": ((0.8, 0.1, 0.1), (0.1, 0.8, 0.1))}
ways["all equally"] = ((1 / 3,) * 3,) * 2
real = torch.ones(1, 3, dtype=torch.bool)
for name, maps in ways.items():
    for what, penalty in (("squared", coverage_penalty), ("plain", lambda p, mask: (1 - p.sum(dim=0)).sum(dim=1))):
        logits = torch.tensor(maps)[:, None].log().requires_grad_()  # [T, 1, 3]
        value = penalty(logits.softmax(dim=2), real).sum()
        value.backward()
        print(f"{name:<14}{what:<8}{value.item():6.2f}  largest gradient {logits.grad.abs().max().item():.2f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# Each map sums to 1, so without the square the penalty is $R - T = 1$, a constant. With it, looking twice at one region is
# expensive. But with more regions than steps, *equal* weights are cheapest. So its weight must be small, here 0.003.
#
# </details>

# %% [markdown]
# The maps of your sm-LSTM, for the caption from above. A control, not drawn, has the same weights, but its attention does not
# read the state.
#
# **Question.** What changes from step to step? What must the control's maps be?

# %%
fixed = itm.create_model("sm_lstm_fixed", corpus, seed=seed)
fixed.load_state_dict(models["sm_lstm"].state_dict())
pairs = {"sm-LSTM": live.saliency(models["sm_lstm"], test, query), "state not read": live.saliency(fixed, test, query)}
own = pairs["sm-LSTM"]
figures.map_pairs(view, own.tokens, {"sm-LSTM": own.regions}, {"sm-LSTM": own.words})

# %% tags=["answer"]
itm.show.answer(answers.pairs(pairs))

# %% [markdown]
# ## Build it: SCO
#
# A **concept** is a common noun, adjective or verb of the training captions, such as *dog*, *red* or *stands*. Here too, the
# forms are ours. SCO predicts that a picture shows a concept if at least one region does:
#
# $$p_c = 1 - \prod_r \big(1 - \sigma(w_c \cdot v_r + b_c)\big)$$
#
# This is called **noisy-or**. The targets come from training captions, in a loss with a large weight; at test time no caption is
# read. Let $\hat p$ be a linear map of all $p_c$ at length 1, and $\hat g$ one of the mean region. A **gate** joins both:
#
# $$\gamma = \sigma(U_p\, \hat p + U_g\, \hat g + b) \qquad\qquad v = \gamma \odot \hat p + (1 - \gamma) \odot \hat g$$
#
# Concepts have no order. So in training $v$ must also *write* the caption (chapter 13).
#
# ### Exercise 6 (10 minutes, ★): does any region show it?
#
# `logits` is `[n_images, n_regions, n_concepts]`. Return the probability that at least one region shows a concept,
# `[n_images, n_concepts]`.
#
# <details><summary>Hint 1</summary>A concept is absent from the picture if every region fails to show it. What is the probability of that, if regions are independent?</details>
# <details><summary>Hint 2</summary>1 - logits.sigmoid() is the probability that a region does not show a concept; multiply it over the regions with .prod(dim=1).</details>
# <details><summary>Hint 3</summary>1 - (1 - logits.sigmoid()).prod(dim=1)</details>


# %% tags=["exercise"]
def concept_probability(logits):
    # solution
    absent = 1 - logits.sigmoid()  # [n_images, n_regions, n_concepts]: this region does not show it
    return 1 - absent.prod(dim=1)
    # end of solution


concept_probability = exercises.concept_probability.check(concept_probability)

# %% [markdown]
# ### Exercise 7 (10 minutes, ★★): the gate
#
# `concepts` and `context` are `[n_images, dim]`, the weights `from_concepts` and `from_context` `[dim, dim]`, and `bias` `[dim]`.
# Return $v$, `[n_images, dim]`; it is not normalised here.
#
# <details><summary>Hint 1</summary>The gate has one number per dimension, between 0 and 1. It reads both vectors: 1 takes the concepts, 0 the context.</details>
# <details><summary>Hint 2</summary>gate = (concepts @ from_concepts.T + context @ from_context.T + bias).sigmoid(), of shape [n_images, dim].</details>
# <details><summary>Hint 3</summary>gate * concepts + (1 - gate) * context, number by number; nothing is normalised here.</details>


# %% tags=["exercise"]
def gated_fusion(concepts, context, from_concepts, from_context, bias):
    # solution
    gate = (concepts @ from_concepts.T + context @ from_context.T + bias).sigmoid()  # [n_images, dim]
    return gate * concepts + (1 - gate) * context
    # end of solution


gated_fusion = exercises.gated_fusion.check(gated_fusion)

# %% [markdown]
# Three regions with probabilities 0.3, 0.6 and 0.2; then four gates between the concepts $(1, 1)$ and the context $(0, 0)$.
#
# **Question.** Is $p_c$ larger than 0.6? What can the last gate do that one number per image cannot?

# %% tags=["nbval-check-output"]
three = torch.tensor([0.3, 0.6, 0.2]).logit().view(1, 3, 1)
print(f"noisy-or {concept_probability(three).item():.3f}, largest {three.sigmoid().amax().item():.3f}")
zero, one, none = torch.zeros(2, 2), torch.ones(1, 2), torch.zeros(1, 2)
for name, bias in (("closed", (-30, -30)), ("open", (30, 30)), ("half", (0, 0)), ("by dimension", (30, -30))):
    print(f"{name:<13}", gated_fusion(one, none, zero, zero, torch.tensor(bias).float())[0].round(decimals=2).tolist())

# %% [markdown]
# <details><summary>Answer</summary>
#
# Larger: $1 - 0.7 \cdot 0.4 \cdot 0.8 = 0.776$. A maximum would ignore the weaker regions. The last gate takes one dimension from
# each side.
#
# </details>

# %% [markdown]
# The likeliest concepts of the picture from above (filled bars are named by its captions), and the gate per dimension.
#
# **Question.** Are the concepts that no caption names wrong? Do all dimensions prefer the same side?

# %%
sco = models["sco"]
shown, named = live.shown_concepts(sco, test), live.named_by(sco, test, picture)
figures.concepts_and_gate(shown.concepts[picture], sco.concepts, named, shown.gate, picture)

# %% tags=["answer"]
itm.show.answer(answers.fusion(shown.concepts[picture], sco.concepts, named, shown.gate))

# %% [markdown]
# ## Measure it: what a pair costs
#
# What is stored, and what is left to do when a caption comes?
#
# ### Exercise 8 (20 minutes, ★★): a table of costs
#
# All vectors and states have `dim` numbers. Return an int64 table `[4, 2]`: the rows DAN, sm-LSTM, SCO and SCAN; the columns
# numbers stored per image, and multiply-adds per pair. Count dot products. sm-LSTM stores the regions and their mean; in each
# step count the weighted sums of the regions and of the words, and the LSTM's maps of its input and of its state to four gates of
# `dim` numbers each. For SCAN count the dot products of all regions with all words.
#
# <details><summary>Hint 1</summary>What must be known of an image before any caption comes, and what is left to do when one does? DAN and SCO leave one dot product each.</details>
# <details><summary>Hint 2</summary>DAN keeps steps + 1 vectors. sm-LSTM keeps every region and their mean; in each step it weights n_regions + n_words vectors, and its LSTM has two maps of dim to 4 * dim numbers.</details>
# <details><summary>Hint 3</summary>Rows of [stored, per pair]: [(steps + 1) * dim] * 2; [(n_regions + 1) * dim, steps * ((n_regions + n_words) * dim + 8 * dim**2)]; [dim, dim]; [n_regions * dim, n_regions * n_words * dim].</details>


# %% tags=["exercise"]
def costs(steps, n_regions, n_words, dim):
    # solution
    dan = [(steps + 1) * dim, (steps + 1) * dim]
    sm_lstm = [(n_regions + 1) * dim, steps * ((n_regions + n_words) * dim + 8 * dim**2)]
    sco = [dim, dim]
    scan = [n_regions * dim, n_regions * n_words * dim]
    return torch.tensor([dan, sm_lstm, sco, scan])
    # end of solution


costs = exercises.costs.check(costs)

# %% [markdown]
# ### Exercise 9 (15 minutes, ★★): where two costs cross
#
# DAN maps all regions once in each step, `steps * n_regions * dim**2` multiply-adds, and then needs `(steps + 1) * dim` per
# caption. SCAN needs `n_regions * n_words * dim` per caption, and nothing before. For how many captions per image do both cost
# the same? Return a number.
#
# <details><summary>Hint 1</summary>Write the cost per image as a function of the number of captions n: once + n * (per pair). The lines cross where both are equal.</details>
# <details><summary>Hint 2</summary>steps * n_regions * dim**2 + n * (steps + 1) * dim = n * n_regions * n_words * dim. Solve for n.</details>
# <details><summary>Hint 3</summary>n = steps * n_regions * dim**2 / (n_regions * n_words * dim - (steps + 1) * dim)</details>


# %% tags=["exercise"]
def crossing_point(steps, n_regions, n_words, dim):
    # solution
    once = steps * n_regions * dim**2  # per image, whatever the number of captions
    saved = n_regions * n_words * dim - (steps + 1) * dim  # per caption
    return once / saved
    # end of solution


crossing_point = exercises.crossing_point.check(crossing_point)

# %% [markdown]
# The cost per image, with 36 regions, 12 words, 512 numbers per vector and two steps.
#
# **Question.** Which method would you choose for one caption per image, and which for 5,000?

# %%
work = live.work_per_image(2, 36, 12, 512)
print(f"by your function, DAN and SCAN cross at {crossing_point(2, 36, 12, 512):.1f} captions per image")
figures.cost_lines(work, 5000, ("DAN, K = 2", "SCAN"))

# %% tags=["answer"]
itm.show.answer(answers.costs(work, 5000))

# %% [markdown]
# ### A shortlist
#
# The cheapest model, here SCO, chooses the $k$ best images of each caption, and sm-LSTM ranks these again. What it leaves out is
# lost.
#
# ### Exercise 10 (10 minutes, ★★): what a shortlist allows
#
# `scores` `[n_images, n_captions]` are those of a cheap model, `image_of` is `[n_captions]`, and `k` the length of a shortlist of
# images. Return the largest R@1 from text to image, in percent, that any expensive model could reach.
#
# <details><summary>Hint 1</summary>The expensive model, sm-LSTM here, sees only the k best images of the cheap one. Suppose that it is perfect: which captions can still not find their image?</details>
# <details><summary>Hint 2</summary>scores.topk(k, dim=0).indices has the shape [k, n_captions]: the shortlist of each caption is a column.</details>
# <details><summary>Hint 3</summary>100 * (scores.topk(k, dim=0).indices == image_of).any(dim=0).float().mean().item()</details>


# %% tags=["exercise"]
def shortlist_recall(scores, image_of, k):
    # solution
    shortlists = scores.topk(k, dim=0).indices  # [k, n_captions]: the images that will be scored again
    return 100 * (shortlists == image_of).any(dim=0).float().mean().item()
    # end of solution


shortlist_recall = exercises.shortlist_recall.check(shortlist_recall)

# %% [markdown]
# **Question.** With ten images per caption, which R@1 is possible, and does sm-LSTM get there? What would you change first, the
# list or the model?

# %%
cheap = itm.score(sco, test)  # [n_images, n_captions]
again, report = itm.rerank(models["sm_lstm"], test, cheap, k=10, direction="t2i")
before, after = (itm.evaluate(some, test.image_of).t2i.r1 for some in (cheap, again))
print(f"by your function, at most {shortlist_recall(cheap, test.image_of, 10):.1f}\n{report}")
print(f"R@1 from text to image: SCO {before:.1f}, ranked again by sm-LSTM {after:.1f}")

# %% tags=["answer"]
itm.show.answer(answers.shortlist(report, before, after))

# %% [markdown]
# ## The family in one table
#
# The last column comes from the kept claims, with standard errors over seeds. "does not hold" means that we measured the
# opposite, "too close to say" that the seeds do not decide ([results pages](../docs/results/README.md)).

# %%
family_table(MEMBERS)

# %% [markdown]
# Each claim has a control. For DAN it is **uniform attention**: only the choice of items is gone. For sm-LSTM, attention does not
# read the state, while the LSTM still runs: the difference is the effect of looking *again*. For SCO, the targets are the
# concepts of *another image*.
#
# ## The paper's numbers and yours
#
# The first rows are from the field's survey, on photographs of Flickr30K. The last rows are your runs, on 100 test images.

# %%
table = itm.literature.results(edition="2025")
table = table[(table.dataset == "Flickr30K") & table.method.isin(["DAN", "sm-LSTM", "SCO"])]
listed = {}
for (name, note, both), rows in table.groupby(["method", "note", "ensemble"], sort=False):
    listed[f"{name}, {note}{', two models' if both else ''}"] = rows.value[rows.metric.isin(["R@1", "R@10"])].tolist()
gallery = first_images(test, 100)
for name, model in models.items():
    mine = itm.evaluate(itm.score(model, gallery), gallery.image_of)
    listed[f"yours, {name}"] = [mine.i2t.r1, mine.i2t.r10, mine.t2i.r1, mine.t2i.r10]
print(f"{'R@1, R@10 of':<28}{'image to text':>14}{'text to image':>16}")
print("\n".join(f"{name:<28}" + "".join(f"{recall:7.1f}" for recall in row) for name, row in listed.items()))
i2t, _, t2i, _ = listed[f"yours, {method}"]
print(f"Headline: {method} R@1 {i2t:.1f} and {t2i:.1f} on {len(gallery.images)} test images")

# %% [markdown]
# Your rows are **not comparable** with the others: your images are drawn, and the gallery has 100 of them. Do not compare your
# rows with each other either: the models were not trained for equally many updates.
#
# Inside the survey, compare DAN with VggNet and with ResNet: R@1 rises by 13.6 and by 7.6. With VggNet, the three methods are
# much closer: 41.4 to 44.2 from image to text.
#
# ## Quiz
#
# **1. Why can DAN be searched with an index, although it looks in several steps?**
#
# <details><summary>Its attention is fast enough to run for each pair</summary>No: its attention never runs for a pair.</details>
# <details><summary>Each side looks alone, and a sum of dot products is one dot product</summary>Yes. The vectors of all steps stand side by side in the index.</details>
# <details><summary>It keeps the last step alone</summary>No: all steps count, and the mean, k = 0, too.</details>
#
# **2. The penalty of sm-LSTM has lost its square. What happens?**
#
# <details><summary>The maps spread over all regions faster</summary>No: each map sums to 1 whatever it looks at.</details>
# <details><summary>The loss explodes, since the penalty can be negative</summary>Not yet: it can be negative, but it is constant.</details>
# <details><summary>Nothing: the penalty is a constant and has no gradient</summary>Yes. It is the number of items minus T.</details>
#
# **3. SCO predicts "umbrella" for a picture whose captions never say so. What do you conclude?**
#
# <details><summary>The prediction is wrong</summary>No: captions leave out most of what a picture shows.</details>
# <details><summary>Nothing yet: a picture may show what no caption names</summary>Yes. Captions are incomplete as labels, so look at the picture.</details>
# <details><summary>The captions should be an input of the concepts</summary>No: then the answer would leak into the image embedding.</details>
#
# **4. A shortlist of ten allows an R@1 of 80. Ranked again, R@1 is 50. Where is most to gain?**
#
# <details><summary>In the expensive model: it loses 30 of 80</summary>Yes. A longer list could add at most 20.</details>
# <details><summary>In a longer shortlist</summary>Not yet: it raises the bound, which the model does not reach.</details>
# <details><summary>Nowhere: 50 is what a shortlist of ten allows</summary>No: it allows 80, as the first number says.</details>
#
# ## Recap
#
# - Attention needs a query: a memory of its own side, or the state of a pair.
# - DAN's sides never meet before the score, so its $K + 1$ vectors form one index.
# - sm-LSTM looks at a pair again and again, which costs a network per pair.
# - SCO predicts concepts, joins them with the context by a gate per dimension, and learns order by writing.
# - A shortlist makes an expensive model affordable, and is the upper bound of its recall.
#
# ## Where to go next
#
# - Set `method = "dan_uniform"`. How much of DAN's recall is left?
# - Rank again with `k=50`, or rank DAN's list. Which moves, the bound or the result?
# - Set `method = "sco_context"`, which has no concepts. Compare it with `sco`.
