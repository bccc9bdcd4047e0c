# %% [markdown]
# # 04 · TIMAM: finding people, birds and flowers
#
# **You will be able to**
#
# - build CMPM, a loss without margin or mining, in three short steps, and name the three bugs that copies of it have;
# - search for a *person* and not for a picture, and measure it so that nobody is cheated;
# - put an adversary between images and captions, and check with a judge of your own whether it did its work.
#
# *About 90 minutes with the exercises; about three minutes of that is the computer's, and more the first time.*
#
# ## The question
#
# A witness says: *a woman with a red umbrella, in jeans*. Cameras have seen her five times. So far each caption had one
# right picture, and the other four would have counted as wrong. Here a caption belongs to a **person**: every picture
# of her is right, and so is whatever anybody wrote of any of them. Birds and flowers pose the same question with a
# species in place of a person. TIMAM (Sarafianos, Xu and Kakadiaris, ICCV 2019) asked: **can images and captions be
# made so alike that a judge cannot tell which is which**, and does this help to find people? It stands on CMPL (Zhang
# and Lu, ECCV 2018), whose loss you build first.

# %% tags=["parameters"]
import os

size = "mini"  # 2,379 pictures of 800 people to train on
epochs = 5  # of CMPL; twice as many are its recipe
game_epochs = 4  # of each run with and without an adversary; ten are the recipe
bird_epochs = 2
seed = 0
device = "auto"
if os.environ.get("ITM_FAST") == "1":  # the smallest size, for tests
    size, epochs, game_epochs, bird_epochs = "tiny", 2, 2, 1

# %% tags=["nbval-check-output"]
import torch
from IPython.display import display
from torch.nn.functional import normalize

import itm_tutorial as itm
from itm_tutorial.chapters.ch04_timam import exercises, figures
from itm_tutorial.chapters.ch04_timam.claims import ADVERSARIES, FULL
from itm_tutorial.evaluation.class_metrics import search_by_class
from itm_tutorial.evaluation.modality_gap import modality_gap, modality_probe
from itm_tutorial.extraction.features import split_features
from itm_tutorial.losses.projection import cmpm

people, birds, flowers = (itm.load_corpus(name, size=size, seed=seed) for name in ("people", "birds", "flowers"))
print("\n".join(map(str, (people, birds, flowers))))

# %% [markdown]
# Three worlds with one more column than before: `identity` says whom, or which species, each picture shows. The test
# shows nobody that training has shown; the last column counts who is on both sides.

# %% tags=["nbval-check-output"]
for corpus in (people, birds, flowers):
    known, new = (set(split.identity.tolist()) for split in (corpus.train, corpus.test))
    print(f"{corpus.name:<8} {len(known):>3} in training, {len(new):>3} in the test, {len(known & new)} in both")
    print("  ", corpus.test.captions[1])

# %% [markdown]
# ## Train it
#
# Start this cell and read on: it takes most of a minute. `cmpl` reads a picture in stripes from head to foot, a
# sentence with an LSTM in both directions, and gives one vector each. Its embeddings before training are kept for later.
#
# **Question.** Meanwhile look at the worlds. Each number stands twice: what do its two pictures have in common, and what not?

# %%
display(figures.worlds({world.name: world.train for world in (people, birds, flowers)}))


@torch.inference_mode()
def embeddings(model, split):
    model.eval()
    sides = model.encode_images(split_features(split, model.features)), model.encode_captions(split.captions)
    return tuple(side.cpu() for side in sides)  # [n_images, dim] and [n_captions, dim]


model = itm.create_model("cmpl", people, seed=seed)
untrained = embeddings(model, people.test)
history = itm.fit(model, people, epochs=epochs, seed=seed, device=device)
print(f"kept: epoch {history.best_epoch} of {epochs}")

# %% [markdown]
# **Answer.** A person keeps clothes, hair and bag, and changes side, light and what stands in front. A species keeps the
# colours of its parts, and never its pose.
#
# ## The picture to aim for
#
# Three descriptions of people whom the model has never seen, and the first eight pictures that it finds for each.
#
# **Question.** Where a picture without a tick stands before one with a tick: what has this person in common with the
# description, and what not?

# %%
test, gallery = people.test, people.test.identity  # [n_images]: whom each picture shows
described = gallery[test.image_of]  # [n_captions]: whom each caption describes
asked = range(1, len(test.captions), len(test.captions) // 3)[:3]
found = [itm.search(model, test, test.captions[c], k=8) for c in asked]
figures.identity_gallery(test, found, described[list(asked)].tolist())

# %% [markdown]
# **Answer.** Most often the clothes are right and a detail is not: a bag, the hair, a print. The world holds look-alikes
# on purpose, and a short caption may be true of several people. Count the ticks, not the first one alone: all pictures
# of the right person count, from behind or at dusk.
#
# ## The idea
#
# In a batch, let $x_i$ be the embedding of an image, $z_j$ that of a caption, $\bar z_j = z_j / \lVert z_j \rVert$, and
# $y_{ij} = 1$ where both are of one person. Then
#
# $$p_{ij} = \frac{e^{x_i \cdot \bar z_j}}{\sum_k e^{x_i \cdot \bar z_k}} \qquad
# q_{ij} = \frac{y_{ij}}{\sum_k y_{ik}} \qquad
# \mathcal{L} = \frac{1}{n} \sum_{i,j} p_{ij} \log \frac{p_{ij}}{q_{ij} + \varepsilon}$$
#
# In words: each image divides a weight of 1 among the captions, by a softmax over its projections on them; it should
# divide it evenly among those of its person. Every pair counts, so there is nothing to mine, and a person who comes three
# times is no accident but the point. The same is done from captions to images, and both are added.
#
# ## Build it
#
# ### Exercise 1 (10 minutes, ★★): how far along
#
# `images` is `[n_images, dim]`, `captions` `[n_captions, dim]`. Give $p$, `[n_images, n_captions]`. Only what is
# projected *on* gets length 1. The image keeps its length, and with it a say in how sure it is.
#
# <details><summary>Hint 1</summary>The projection of an image embedding on a caption is a dot product with the caption's direction.</details>
# <details><summary>Hint 2</summary>Only the captions get length 1: captions / captions.norm(dim=1, keepdim=True).</details>
# <details><summary>Hint 3</summary>(images @ directions.T).softmax(dim=1): each image divides a weight of 1 among the captions.</details>


# %% tags=["exercise"]
def projection_shares(images, captions):
    # solution
    directions = captions / captions.norm(dim=1, keepdim=True)  # [n_captions, dim], each of length 1
    return (images @ directions.T).softmax(dim=1)  # [n_images, n_captions], each row sums to one
    # end of solution


projection_shares = exercises.projection_shares.check(projection_shares)

# %% [markdown]
# ### Exercise 2 (5 minutes, ★): what it should be
#
# `match` is `[n_images, n_captions]`, True where both are of one person. Give $q$. A public copy of the loss divides
# by something else, which nobody noticed for long: while each person comes once, both are the same.
#
# <details><summary>Hint 1</summary>Each row must be a distribution: among how many right captions is the 1 divided?</details>
# <details><summary>Hint 2</summary>match.sum(dim=1, keepdim=True) counts the right captions of each image.</details>
# <details><summary>Hint 3</summary>match.float() / match.sum(dim=1, keepdim=True).</details>


# %% tags=["exercise"]
def matching_targets(match):
    # solution
    return match.float() / match.sum(dim=1, keepdim=True)  # [n_images, n_captions], each row sums to one
    # end of solution


matching_targets = exercises.matching_targets.check(matching_targets)

# %% [markdown]
# ### Exercise 3 (10 minutes, ★★): one direction
#
# `probabilities` and `targets` are `[n_images, n_captions]`. Give $\mathcal{L}$ with $\varepsilon = 10^{-8}$, a scalar tensor.
# Mind which of the two weighs the logarithm.
#
# <details><summary>Hint 1</summary>KL(p || q) is the mean, under p, of the logarithm of p over q.</details>
# <details><summary>Hint 2</summary>A wrong caption has q = 0: add 1e-8 to q before you divide.</details>
# <details><summary>Hint 3</summary>(probabilities * (probabilities / (targets + 1e-8)).log()).sum(dim=1).mean().</details>


# %% tags=["exercise"]
def divergence(probabilities, targets):
    # solution
    terms = probabilities * (probabilities / (targets + 1e-8)).log()  # [n_images, n_captions]
    return terms.sum(dim=1).mean()
    # end of solution


divergence = exercises.divergence.check(divergence)

# %% [markdown]
# First the public copy's bug, on a batch where one person comes twice: it divides by the row's *L2 norm*. Before you
# run it: what is the divergence of a perfect answer from itself, and what from the copy's targets?

# %% tags=["nbval-check-output"]
who = torch.tensor([0, 0, 1])  # whom three images show, and their captions describe
match = who[:, None] == who  # [3 images, 3 captions]
perfect, copied = matching_targets(match), normalize(match.float(), dim=1)
for name, targets in (("by the sum", perfect), ("by the L2 norm", copied)):
    sums = [round(total, 2) for total in targets.sum(dim=1).tolist()]
    print(f"{name:<15} rows sum to {sums}, a perfect answer costs {divergence(perfect + 1e-12, targets):z.2f}")

# %% [markdown]
# A divergence below zero: the copy's targets are no distribution, so that the loss pays for people who repeat.
#
# Now the direction, and your loss beside the package's. A row gives some of its weight to a wrong caption.

# %% tags=["nbval-check-output"]
q = torch.tensor([[1.0, 0.0]])
for negative in (0.1, 0.01, 0.001):
    p = torch.tensor([[1 - negative, negative]])
    print(f"{negative:<6} KL(p || q) {divergence(p, q):.3f}   KL(q || p) {-p[0, 0].log():.3f}")
random = torch.Generator().manual_seed(0)
x, z = (3 * torch.randn(3, 16, generator=random) for _ in range(2))
yours = sum(divergence(projection_shares(*pair), matching_targets(match)) for pair in ((x, z), (z, x)))
print(f"both directions: yours {yours:.3f}, the package {cmpm(x, z, match):.3f}")

# %% [markdown]
# In CMPM's direction each unit of weight on a wrong caption costs about $-\log 10^{-8} \approx 18$: that is what
# $\varepsilon$ is for, and why it must not be changed in passing. Turned round, wrong captions cost nothing but what
# they take from the right ones, and *all* right ones must have some. It trains too, as another loss.
#
# **Question.** Here are $p$ of the trained model, on all pictures of three people of the test and a caption
# of each, and $q$. Is the weight on the
# framed cells evenly divided? Must it be, for the search to succeed?

# %%
rows = torch.isin(gallery, gallery.unique()[:3]).nonzero().flatten()  # the pictures of three people
columns = torch.searchsorted(test.image_of, rows)  # the first caption of each
trained = embeddings(model, test)  # [n_images, dim] and [n_captions, dim]
probabilities = projection_shares(trained[0][rows], trained[1][columns])
figures.projection_weights(probabilities, gallery[rows][:, None] == described[columns])

# %% [markdown]
# **Answer.** Look at the rows whose weight sits on one or two framed cells: $\mathrm{KL}(p \,\Vert\, q)$ punishes weight
# outside the frames, and is lenient with uneven weight inside them. The search asks for no more: one right picture in
# front is enough. Weight outside is what costs a rank; where two people trade it, they are alike, and neighbours in
# this world often differ in one thing only.
#
# ## Who is it? The second loss
#
# A person of the training split is also a *class*: a classifier that both sides share should name her from a picture
# and from a caption. Dual-Path calls this the instance loss, CMPL classifies projections, and our `timam` scaled
# cosines, the norm-softmax.
#
# ### Exercise 4 (5 minutes, ★): logits of the norm-softmax
#
# `embeddings` is `[n, dim]`, `weight` `[n_people, dim]`. Give the cosines times `scale`.
#
# <details><summary>Hint 1</summary>A logit is a cosine times scale: of which two vectors?</details>
# <details><summary>Hint 2</summary>Both the embeddings and the rows of weight get length 1, over dim=1.</details>
# <details><summary>Hint 3</summary>scale * embeddings @ weight.T, after x / x.norm(dim=1, keepdim=True) on both.</details>


# %% tags=["exercise"]
def norm_softmax_logits(embeddings, weight, scale):
    # solution
    embeddings = embeddings / embeddings.norm(dim=1, keepdim=True)  # [n, dim]
    weight = weight / weight.norm(dim=1, keepdim=True)  # [n_people, dim]
    return scale * embeddings @ weight.T  # [n, n_people]
    # end of solution


norm_softmax_logits = exercises.norm_softmax_logits.check(norm_softmax_logits)

# %% [markdown]
# ### Exercise 5 (10 minutes, ★★): the maximum over real words
#
# The caption embedding of CMPL is, dimension by dimension, the maximum over words. `states` is `[n_captions, seq_len, dim]`, `lengths`
# `[n_captions]`; behind the end of a short caption stand zeros.
#
# <details><summary>Hint 1</summary>Padding is zero, and zero is larger than every negative number: it must not take part.</details>
# <details><summary>Hint 2</summary>torch.arange(states.shape[1])[None] &gt;= lengths[:, None] says what is padding, [n_captions, seq_len].</details>
# <details><summary>Hint 3</summary>states.masked_fill(padding[..., None], -torch.inf).amax(dim=1).</details>


# %% tags=["exercise"]
def max_over_words(states, lengths):
    # solution
    places = torch.arange(states.shape[1])  # [seq_len]
    padding = places[None] >= lengths[:, None]  # [n_captions, seq_len]
    return states.masked_fill(padding[..., None], -torch.inf).amax(dim=1)  # [n_captions, dim]
    # end of solution


max_over_words = exercises.max_over_words.check(max_over_words)

# %% [markdown]
# A caption of two words, by itself and beside one of six. Does it matter who else is in the batch?

# %% tags=["nbval-check-output"]
alone = -torch.rand(1, 2, 4, generator=random)  # [1 caption, 2 words, dim], all negative
beside = torch.cat([torch.nn.functional.pad(alone, (0, 0, 0, 4)), torch.rand(1, 6, 4, generator=random)])
n_words = torch.tensor([2, 6])
plain = torch.allclose(beside.amax(dim=1)[0], alone.amax(dim=1)[0])
masked = torch.allclose(max_over_words(beside, n_words)[0], alone.amax(dim=1)[0])
print(f"the same embedding alone and in a batch? plain maximum: {plain}, yours: {masked}")

# %% [markdown]
# With the plain maximum, what you find depends on who asks with you. The same copy of the code turned its backward LSTM
# round along the *batch* in place of the words, so that a sentence was read with its neighbours. Both bugs train, and
# show up only as a few points that are missing. People who ran it reported R@1 of 38 to 41 in place of 49.
#
# ## Measure it
#
# ### Exercise 6 (10 minutes, ★★): recall of people
#
# `scores` is `[n_images, n_captions]`, `shown` `[n_images]` whom each picture shows, `described` `[n_captions]` whom
# each caption describes. In percent: how many captions have *any* picture of their person among the first $k$?
#
# <details><summary>Hint 1</summary>A caption has found its person when any of the first k pictures shows this person.</details>
# <details><summary>Hint 2</summary>scores.topk(k, dim=0).indices is [k, n_captions]; shown[...] says who these pictures show.</details>
# <details><summary>Hint 3</summary>(shown[found] == described).any(dim=0) for each caption; the mean, times 100, .item().</details>


# %% tags=["exercise"]
def person_recall(scores, shown, described, k):
    # solution
    found = scores.topk(k, dim=0).indices  # [k, n_captions]: images
    hits = (shown[found] == described).any(dim=0)  # [n_captions]
    return 100 * hits.double().mean().item()
    # end of solution


person_recall = exercises.person_recall.check(person_recall)

# %% [markdown]
# Three rows: by picture, as in the chapters before; by person; and what an oracle reaches that reads the true scene,
# since descriptions leave things out. The last column is the package's R@1, to check yours.

# %%
scores, oracle = itm.score(model, test), itm.oracle_scores(test)  # [n_images, n_captions] each
pictures = torch.arange(len(gallery))
for name, given, shown in (("picture", scores, pictures), ("person", scores, gallery), ("ceiling", oracle, gallery)):
    recalls = (f"R@{k} {person_recall(given, shown, shown[test.image_of], k):5.1f}" for k in (1, 5, 10))
    print(f"{name:<8}", *recalls, f"  {itm.evaluate(given, test.image_of, identity=shown).t2i.r1:5.1f}")

# %% [markdown]
# The same scores, and another question: never put a recall by picture beside one by person. The distance to the
# ceiling is the model's; what is above the ceiling is the language's.
#
# ## See what it learned
#
# The embeddings of the first forty pictures and their captions, on the two directions in which they differ most. Numbers
# stand at four people.
#
# **Question.** Where were images and captions before training? Has training mixed them, or only brought each person's
# own together?

# %%
near = test.image_of < 40
places = {"before": untrained, "after": trained}
stages = {name: (images[:40], captions[near]) for name, (images, captions) in places.items()}
figures.embedding_map(stages, groups=(gallery[:40], described[near]))

# %% [markdown]
# **Answer.** Before training the two sides are two clouds, as far apart as chance put them. Afterwards numbers of one
# kind stand nearer together. But compare the *gaps*, the distance between the two middles, before you say that the
# clouds have merged: a loss that ranks needs the right one to be the nearest, not to be near. And two directions of 128
# are a shadow, of which the title says how much it holds.
#
# ## Break it: people you know
#
# ### Exercise 7 (5 minutes, ★): who goes to the test
#
# `identity` is `[n_images]`, `order` all people in random order. Give a mask, bool `[n_images]`, of the test's
# pictures: those of the first `n_test` people of `order`.
#
# <details><summary>Hint 1</summary>Choose people first; then every picture of a chosen person goes to the test.</details>
# <details><summary>Hint 2</summary>order[:n_test] are the people of the test.</details>
# <details><summary>Hint 3</summary>torch.isin(identity, order[:n_test]).</details>


# %% tags=["exercise"]
def held_out(identity, order, n_test):
    # solution
    return torch.isin(identity, order[:n_test])  # bool [n_images]
    # end of solution


held_out = exercises.held_out.check(held_out)

# %% [markdown]
# What would a split of *pictures* hide? Now the same model searches as many people of the training split, whom it was
# trained to distinguish. First think: what should R@1 be?

# %%
known = people.train.identity
order = known.unique()[torch.randperm(len(known.unique()), generator=random)]
mask = held_out(known, order, len(gallery.unique()))  # as many people as the test has
theirs = itm.score(model, people.train)[mask][:, mask[people.train.image_of]]
whom = known[people.train.image_of]
familiar = person_recall(theirs, known[mask], whom[mask[people.train.image_of]], 1)
print(
    f"R@1 among people that it knows {familiar:.1f}, among strangers {person_recall(scores, gallery, described, 1):.1f}"
)

# %% [markdown]
# The galleries are as large, and the difference is what the model knows *of these people*. Here it has seen the very
# pictures, which is more than a split by pictures gives away; but that one too has its people on both sides, and
# rewards a classifier of faces it has met. A witness describes somebody new.
#
# ## Turn it: an adversary
#
# TIMAM's third part is a game. A discriminator sees embeddings and guesses which are images; the encoders try to make it
# fail. You train `timam` twice, with the game and without. To judge both alike, we do not ask the discriminator, which
# one of them lacks: after every epoch a fresh *judge*, a straight cut through the validation embeddings, learns on half of
# the people and is asked about the other half.
#
# **Question.** What should the judge's line do if the game is won by the encoders? And R@1?


# %%
def judged(model, row=None):
    images, captions = embeddings(model, people.val)
    judge = modality_probe(images, captions, people.val.image_of, people.val.identity)
    return judge, modality_gap(images, captions)


games = {}
for name, adversary in (("without adversary", False), ("with adversary", True)):
    rival = itm.create_model("timam", people, bert=None, adversary=adversary, seed=seed)
    epochs_of = games[name] = [judged(rival)]
    note = [lambda model, row, kept=epochs_of: kept.append(judged(model))]
    itm.fit(rival, people, epochs=game_epochs, seed=seed, device=device, callbacks=note)
    print(f"R@1 {name}: {person_recall(itm.score(rival, test), gallery, described, 1):.1f}")
figures.modality_game(games)

# %% [markdown]
# **Answer.** If the encoders won, the judge's line would fall to guessing and the gap to 0. Mind that the gap
# falls *without* the game as well: CMPM alone brings the middles together, and only a difference between the two lines
# could be the adversary's. One pair of short runs is one draw.
#
# So here are three seeds of the full recipe for each weight of the adversary, kept from `itm claims timam`, which trains
# all of it again. The network is a judge of the discriminator's own kind, but fresh.
#
# **Question.** From which weight on does a fresh judge see less? What does the search pay for it, or gain? And of the bars
# below, which would you call different? Find the two that fail completely, and say why.

# %%
kept = itm.claims.results("timam")["figures"]
r1 = itm.claims.per_model(kept, "t2i", "r1")  # model -> R@1 by person, one per seed
judges = {judge: itm.claims.per_model(kept, "probe", judge) for judge in ("line", "network")}
seen = {judge: {w: found[name] for w, name in ADVERSARIES.items()} for judge, found in judges.items()}
display(figures.adversary_weights(seen, {w: r1[name] for w, name in ADVERSARIES.items()}))
versions = ("triplet, sum", "triplet, max", "cmpm", "cmpl", FULL, "without the adversary", "without identification")
versions += ("timam", "without matching", "one classifier for both", "a classifier each")
figures.loss_ablation({name: r1[name] for name in versions}, "R@1 by person")

# %% [markdown]
# **Answer.** The line sees less from the smallest weight on, yet is far from a coin; and the network, which no more took
# part in the game, sees nearly all that it saw before. R@1 stays where it was: what it moves lies within its spread. So
# the adversary does a part of what it is there for, and on these people that part was of no use to the search.
#
# The hardest hinge, chapter 02's, is ahead of CMPL, and CMPC and identification move R@1 by no more than seeds
# do. `timam` itself reads through a frozen BERT that was trained here for a minute, and knows less than words learned on
# the task. `without matching` fails since nothing but the game is left to say how the
# two sides lie to each other, and a game knows no right pairs: without the adversary, identification alone reaches some
# 28. And `a classifier each` is at chance, though both sides name their people well: each has its own order of them.
#
# Now try it yourself: tick what the person wears, or describe them.

# %%
explorer = figures.person_explorer(model, test)
explorer

# %% [markdown]
# ## Birds: a class, described by many
#
# Of a species there are many pictures and many descriptions. The field's metric takes *one* vector per class, the
# mean over all its captions, and checks the first 50 pictures. It is called AP@50.
#
# ### Exercise 8 (10 minutes, ★★): AP@50
#
# `scores` is `[n_images, n_classes]`, `identity` `[n_images]` the class of each picture. Of the $k$ best pictures of
# each class, what fraction shows it? Give the mean over classes, in percent.
#
# <details><summary>Hint 1</summary>For each class take the k pictures with the highest scores: what fraction of them shows it?</details>
# <details><summary>Hint 2</summary>identity[scores.topk(k, dim=0).indices] is [k, n_classes]: the class of each picture found.</details>
# <details><summary>Hint 3</summary>Compare with torch.arange(n_classes); the mean over both dimensions, times 100, .item().</details>


# %% tags=["exercise"]
def precision_at_k(scores, identity, k):
    # solution
    found = identity[scores.topk(k, dim=0).indices]  # [k, n_classes]: the class of each picture found
    hits = found == torch.arange(scores.shape[1])  # [k, n_classes]
    return 100 * hits.double().mean().item()
    # end of solution


precision_at_k = exercises.precision_at_k.check(precision_at_k)

# %% [markdown]
# Train on birds, and test on species that training never showed. Mind the best possible value, below 100 where a
# species has fewer than 50 pictures.
#
# **Question.** Below, one sentence per bird replaces the mean of hundreds. Which is harder?

# %%
ornithologist = itm.create_model("cmpl", birds, seed=seed)
itm.fit(ornithologist, birds, epochs=bird_epochs, seed=seed, device=device)
seen, caption_emb = (normalize(side, dim=1) for side in embeddings(ornithologist, birds.test))
species = birds.test.identity.unique(return_inverse=True)[1]  # [n_images], from 0 on
of_caption, k = species[birds.test.image_of], min(50, len(seen))
texts = torch.stack(
    [caption_emb[of_caption == s].mean(dim=0) for s in range(int(species.max()) + 1)]
)  # [n_species, dim]
package = search_by_class(seen, caption_emb, birds.test.image_of, birds.test.identity, k=k)
print(f"AP@{k}: yours {precision_at_k(seen @ texts.T, species, k):.1f}, the package {package.precision:.1f}")
print(f"best possible {package.best:.1f}; pictures that name their species {package.image_r1:.1f}")
texts_of = birds.test.captions
halves = torch.arange(len(caption_emb)).chunk(2)  # the longest sentence of each says most
sentences = [max(half.tolist(), key=lambda c: len(texts_of[c])) for half in halves]
hits = [itm.search(ornithologist, birds.test, texts_of[c], k=8) for c in sentences]
figures.identity_gallery(birds.test, hits, birds.test.identity[birds.test.image_of[sentences]].tolist())

# %% [markdown]
# **Answer.** One sentence leaves out most of the bird, and fits several species; the mean of all leaves out little. So
# AP@50 says how well *classes* are described, R@1 how well a person speaks. Read AP@50 beside its best possible value, and
# beware of namesakes: public code has a function of that name which is another metric, and one called MAP which is
# off by one.
#
# ## The paper's numbers and yours
#
# As the field's survey lists them: R@1 of finding people on CUHK-PEDES, AP@50 of finding birds (CUB) and flowers, all
# photographs.

# %%
listed = itm.literature.results()
listed = listed[(listed.direction == "t2i") & listed.method.isin(["Dual-Path", "CMPM", "CMPL", "TIMAM"])]
listed = listed[listed.dataset.isin(["CUHK-PEDES", "CUB", "Flowers"]) & listed.metric.isin(["R@1", "AP@50"])]
for (method, note), rows in listed.groupby(["method", "note"], sort=False):
    print(f"{method:<10} {note:<13}", *(f" {d} {v:.1f}" for d, v in zip(rows.dataset, rows.value, strict=True)))
print(f"{'yours':<24} people {person_recall(scores, gallery, described, 1):.1f}  birds {package.precision:.1f}")
print(itm.literature.cite("sarafianos2019timam"), itm.literature.cite("zhang2018cmpl"), sep="; ")
print(f"Headline: cmpl finds {person_recall(scores, gallery, described, 1):.0f} % of people first")

# %% [markdown]
# Yours are **not comparable** with the upper rows: drawings, 200 people, few epochs. Nor may the upper rows be read as
# *the adversary's gain*. Between CMPL and TIMAM the image backbone changed, from a MobileNet to a ResNet, and the
# word vectors, from learned ones to BERT's. Compare the two rows of Dual-Path, which differ in the backbone alone. Only a
# pair of runs that differ in nothing else, such as your two, shows what the adversary gives.
#
# ## Quiz
#
# **1. A person comes three times in the batch, and targets are divided by the L2 norm. What do they sum to?**
#
# <details><summary>To one, like any normalised vector</summary>No: its squares sum to one, and the loss needs the numbers themselves to.</details>
# <details><summary>To the root of three</summary>Yes. Three entries of 0.58, and a divergence that may fall below zero.</details>
# <details><summary>To three</summary>Not yet: that is the mask before it is divided by anything at all.</details>
#
# **2. Why does CMPM leave the length of what is projected?**
#
# <details><summary>A length of one would cost time</summary>No: it costs next to nothing. It is about what the softmax can say.</details>
# <details><summary>The search uses it too</summary>No: the search takes cosines. Length counts in training alone.</details>
# <details><summary>It is an inverse temperature that each embedding sets itself</summary>Yes. A long embedding gives sharp probabilities, a short one nearly even ones.</details>
#
# **3. In KL(p || q), half of a row's weight goes to a wrong caption. What does it cost, about?**
#
# <details><summary>Nine nats</summary>Yes. Half a unit at 18 each, less the little that the entropy gives back.</details>
# <details><summary>Log 2</summary>No: that is the other direction, in which only the probability of the right caption counts.</details>
# <details><summary>It is infinite</summary>Not yet: without the 1e-8 in q it would be, which is why it is there.</details>
#
# **4. You split 3,000 pictures of 1,000 people at random. What is wrong with R@1 on the test?**
#
# <details><summary>Nothing, as no picture is on both sides</summary>No: their people are, and a classifier of people has learned them by heart.</details>
# <details><summary>It is too low, since people repeat</summary>No: who repeats is easier to find, as any of the pictures counts.</details>
# <details><summary>It measures how well known people are recognised</summary>Yes. The task is to find somebody whom training has never shown.</details>
#
# **5. The discriminator's accuracy falls to 50 %. Are images and captions alike?**
#
# <details><summary>This discriminator cannot tell them apart</summary>Yes. Another may, so train a fresh judge on the finished embeddings.</details>
# <details><summary>They are: the game is won</summary>No: one opponent is beaten, maybe since it learned too slowly.</details>
# <details><summary>They are not, or R@1 would be 100</summary>No: the sides may look alike on the whole while each person's own are far apart.</details>
#
# **6. A species has 30 pictures in the test. What AP@50 can it reach?**
#
# <details><summary>100, if all 30 stand in front</summary>No: what is counted is the fraction of fifty, and twenty of these must be wrong.</details>
# <details><summary>60</summary>Yes. Thirty of fifty, and that is why the best possible value stands beside it.</details>
# <details><summary>30</summary>Not yet: it is a fraction of the first fifty pictures, in percent.</details>
#
# ## Where to go next
#
# - Train `cmpl` for its ten epochs, and `itm.create_model("cmpl", people, classification=False)`: what is CMPC worth?
# - The adversary's weight is an option: `itm.create_model("timam", people, bert=None, adversary_weight=3.0)`. What breaks?
# - Train on `flowers`: a class that is described by its petals, and the same three lines of code.
