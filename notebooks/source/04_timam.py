# %% [markdown]
# # 04 · TIMAM: finding people, birds and flowers
#
# **You will be able to**
#
# - build CMPM, a loss without margin and without hard negatives, in three short steps, and name the three bugs that copies of it have;
# - search for a *person* in place of a picture, and measure this search fairly;
# - explain the game between two encoders and a discriminator, and test with a classifier of your own what it achieved.
#
# ## The question
#
# A witness says: *a woman with a red umbrella, in jeans*. Cameras have taken five pictures of her. In the chapters so
# far each caption had one right picture, so the other four would count as wrong. Here a caption belongs to a **person**:
# every picture of that person is right, and so is every caption of one of these pictures. Birds and flowers pose the
# same question with a species in place of a person. TIMAM (Sarafianos, Xu and Kakadiaris, ICCV 2019) asked: **can the
# embeddings of images and captions be made so similar that a classifier cannot tell them apart**, and does this help to
# find people? It builds on CMPL (Zhang and Lu, ECCV 2018), whose loss you build first.

# %% tags=["parameters"]
import os

size = "mini"  # 2,379 pictures of 800 people to train on
epochs = 5  # of CMPL; its recipe has ten
bird_epochs = 2
seed = 0
device = "auto"
if os.environ.get("ITM_FAST") == "1":  # the smallest size, for tests
    size, epochs, bird_epochs = "tiny", 2, 1

# %% [markdown]
# Three drawn worlds with one more column than before: `identity` is the number of the person, or of the species, in each
# picture. Nobody in the test split occurs in the training split; the last number of each line checks this.

# %% tags=["nbval-check-output"]
import torch
from IPython.display import display
from torch.nn.functional import normalize

import itm_tutorial as itm
from itm_tutorial.chapters.ch04_timam import answers, exercises, figures
from itm_tutorial.chapters.ch04_timam.kept_runs import by_variant, by_weight
from itm_tutorial.evaluation.class_metrics import search_by_class
from itm_tutorial.evaluation.modality_gap import modality_gap, modality_probe
from itm_tutorial.extraction.features import split_features
from itm_tutorial.losses.projection import cmpm

people, birds, flowers = (itm.load_corpus(name, size=size, seed=seed) for name in ("people", "birds", "flowers"))
for corpus in (people, birds, flowers):
    known, new = (set(split.identity.tolist()) for split in (corpus.train, corpus.test))
    print(f"{corpus.name:<8} {len(known):>3} in training, {len(new):>3} in the test, {len(known & new)} in both")
    print("  ", corpus.test.captions[1])

# %% [markdown]
# ## Train it
#
# Start this cell and read on: it takes most of a minute. `cmpl` reads a picture in horizontal stripes, from head to foot,
# and a sentence with a bidirectional LSTM. It gives one vector for each picture and each sentence. The cell also keeps
# the embeddings before training, for a later figure.
#
# **Question.** Meanwhile, look at the three worlds. Two pictures in a row have the same number. What do they share, and what differs?

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
# <details><summary>Answer</summary>
#
# The pictures of a person share the clothes, the hair and the bag. The side from which we see the person, the light and
# the background differ. The pictures of a species share the colours and shapes of its parts. Pose and background are
# drawn anew for each picture, so two pictures may have the same pose by chance.
#
# </details>

# %% [markdown]
# ## The picture to aim for
#
# Three descriptions of people whom the model has never seen, and the first eight pictures that it finds for each. A
# tick marks a picture of the described person.
#
# **Question.** Where a picture without a tick stands before one with a tick: which parts of the description fit it, and
# which do not?

# %%
test, gallery = people.test, people.test.identity  # [n_images]: the person in each picture
described = gallery[test.image_of]  # [n_captions]: the person that each caption describes
asked = range(1, len(test.captions), len(test.captions) // 3)[:3]
found = [itm.search(model, test, test.captions[c], k=8) for c in asked]
figures.identity_gallery(test, found, described[list(asked)].tolist())

# %% tags=["answer"]
itm.show.answer(answers.gallery(test, found, asked))

# %% [markdown]
# ## The idea
#
# In a batch of $n$ images, let $x_i$ be the embedding of an image, $z_j$ that of a caption, $\bar z_j = z_j / \lVert z_j \rVert$
# its direction, and $y_{ij} = 1$ where both are of one person, else 0. Then
#
# $$p_{ij} = \frac{e^{x_i \cdot \bar z_j}}{\sum_k e^{x_i \cdot \bar z_k}} \qquad
# q_{ij} = \frac{y_{ij}}{\sum_k y_{ik}} \qquad
# \mathcal{L} = \frac{1}{n} \sum_{i,j} p_{ij} \log \frac{p_{ij}}{q_{ij} + \varepsilon}$$
#
# In words: for each image, a softmax over its projections on the captions gives a distribution $p$ over the captions. The
# target $q$ divides the probability evenly among the captions of the same person. The loss is the divergence of $p$ from $q$.
# Every pair of the batch counts, so no hard negatives have to be chosen, and a person may occur in a batch several
# times. The same loss is computed from captions to images, and both are added. This is **CMPM**, cross-modal projection matching.
#
# The figure shows the three steps for one image of person A, two captions of A and one caption of another person, B.
#
# **Question.** Which caption adds most to the loss? It has the smallest probability: why does it cost so much?

# %%
image = torch.tensor([1.5, 2.0])
captions = torch.tensor([[0.3, 1.1], [0.9, 0.4], [1.0, -0.1]])  # [3 captions, 2]
match = torch.tensor([True, True, False])  # which captions are of the image's person
figures.cmpm_steps(image, captions, match)

# %% tags=["answer"]
itm.show.answer(answers.cmpm_steps(image, captions, match))

# %% [markdown]
# ## Build it
#
# ### Exercise 1 (10 minutes, ★★): probabilities from projections
#
# `images` is `[n_images, dim]`, `captions` is `[n_captions, dim]`. Return $p$, `[n_images, n_captions]`. Only the captions
# are divided by their length. The image keeps its length, which decides how sharp its distribution is.
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
# ### Exercise 2 (5 minutes, ★): the targets
#
# `match` is bool `[n_images, n_captions]`, True where both are of one person. Return $q$. A public copy of the loss divides
# by another number. Where each person comes once in a batch both numbers are equal, so the mistake stayed in the code.
#
# <details><summary>Hint 1</summary>Each row must be a distribution: by how many matching captions is the 1 divided?</details>
# <details><summary>Hint 2</summary>match.sum(dim=1, keepdim=True) counts the matching captions of each image.</details>
# <details><summary>Hint 3</summary>match.float() / match.sum(dim=1, keepdim=True).</details>


# %% tags=["exercise"]
def matching_targets(match):
    # solution
    return match.float() / match.sum(dim=1, keepdim=True)  # [n_images, n_captions], each row sums to one
    # end of solution


matching_targets = exercises.matching_targets.check(matching_targets)

# %% [markdown]
# ### Exercise 3 (10 minutes, ★★): the divergence
#
# `probabilities` and `targets` are `[n_images, n_captions]`. Return $\mathcal{L}$ with $\varepsilon = 10^{-8}$, a scalar tensor.
# Check which of the two distributions multiplies the logarithm.
#
# <details><summary>Hint 1</summary>KL(p || q) is the mean, under p, of the logarithm of p over q.</details>
# <details><summary>Hint 2</summary>A caption that does not match has q = 0: add 1e-8 to q before you divide.</details>
# <details><summary>Hint 3</summary>(probabilities * (probabilities / (targets + 1e-8)).log()).sum(dim=1).mean().</details>


# %% tags=["exercise"]
def divergence(probabilities, targets):
    # solution
    terms = probabilities * (probabilities / (targets + 1e-8)).log()  # [n_images, n_captions]
    return terms.sum(dim=1).mean()
    # end of solution


divergence = exercises.divergence.check(divergence)

# %% [markdown]
# The mistake of the public copy: targets divided by the row's **L2 norm**, in a batch where one person comes twice.
#
# **Question.** Before you run it: what should a perfect answer, $p = q$, cost?

# %% tags=["nbval-check-output"]
who = torch.tensor([0, 0, 1])  # the people in three images, and in their captions
match = who[:, None] == who  # bool [3 images, 3 captions]
perfect, copied = matching_targets(match), normalize(match.float(), dim=1)
for name, targets in (("by the sum", perfect), ("by the L2 norm", copied)):
    sums = [round(total, 2) for total in targets.sum(dim=1).tolist()]
    print(f"{name:<15} rows sum to {sums}, a perfect answer costs {divergence(perfect + 1e-12, targets):z.2f}")

# %% tags=["answer"]
costs = [divergence(perfect + 1e-12, targets).item() for targets in (perfect, copied)]
itm.show.answer(answers.copied_targets(*costs))

# %% [markdown]
# Some copies use the **other direction**, $\mathrm{KL}(q \,\Vert\, p)$. Here one caption matches and another has a small
# probability. The last line compares your whole loss with the package's.
#
# **Question.** Before you run it: which direction punishes a small probability on a wrong caption?

# %% tags=["nbval-check-output"]
q = torch.tensor([[1.0, 0.0]])
for negative in (0.1, 0.01, 0.001):
    p = torch.tensor([[1 - negative, negative]])
    print(f"{negative:<6} KL(p || q) {divergence(p, q):.3f}   KL(q || p) {-p[0, 0].log():.3f}")
random = torch.Generator().manual_seed(0)
x, z = (3 * torch.randn(3, 16, generator=random) for _ in range(2))
yours = sum(divergence(projection_shares(*pair), matching_targets(match)) for pair in ((x, z), (z, x)))
print(f"both directions: yours {yours:.3f}, the package {cmpm(x, z, match):.3f}")

# %% tags=["answer"]
itm.show.answer(answers.directions(negative, divergence(p, q).item(), -p[0, 0].log().item()))

# %% [markdown]
# Now the real model. The rows of the next figure are all test pictures of three people, the columns are one caption of each
# picture. The frames mark the pairs of one person.
#
# **Question.** Is the probability in the framed cells divided evenly, as in the targets? Does the search need this?

# %%
rows = torch.isin(gallery, gallery.unique()[:3]).nonzero().flatten()  # the pictures of three people
columns = torch.searchsorted(test.image_of, rows)  # the first caption of each
trained = embeddings(model, test)  # [n_images, dim] and [n_captions, dim]
probabilities = projection_shares(trained[0][rows], trained[1][columns])
match = gallery[rows][:, None] == described[columns]
figures.projection_weights(probabilities, match, test, rows.tolist(), columns.tolist())

# %% tags=["answer"]
itm.show.answer(answers.projection_weights(probabilities, match))

# %% [markdown]
# ## Name the person: the second loss
#
# Each person of the training split is also a *class*. One classifier for both sides should predict the person from a
# picture and from a caption. Dual-Path calls this the instance loss. CMPL classifies projections (CMPC, cross-modal projection
# classification); our `timam` classifies scaled cosines, the norm-softmax. TIMAM calls this part *identification*.
#
# ### Exercise 4 (5 minutes, ★): logits of the norm-softmax
#
# `embeddings` is `[n, dim]`, `weight` is `[n_people, dim]`. Return the cosine of each embedding with each row of
# `weight`, times `scale`.
#
# <details><summary>Hint 1</summary>A logit is scale times the cosine between an embedding and the row of a person.</details>
# <details><summary>Hint 2</summary>Divide both the embeddings and the rows of weight by their lengths, which are norms over dim=1.</details>
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
# The caption embedding of CMPL is the maximum over words, taken for each dimension. `states` is `[n_captions, seq_len, dim]`,
# `lengths` is `[n_captions]`. A short caption is padded with zeros up to `seq_len`. Return `[n_captions, dim]`.
#
# <details><summary>Hint 1</summary>Padding holds zeros, and zero is larger than every negative number. Exclude padding from the maximum.</details>
# <details><summary>Hint 2</summary>torch.arange(states.shape[1])[None] &gt;= lengths[:, None] is True for padding, [n_captions, seq_len].</details>
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
# A caption of two words, first alone and then in a batch with a caption of six words.
#
# **Question.** Before you run it: should its embedding depend on the other captions of the batch?

# %% tags=["nbval-check-output"]
alone = -torch.rand(1, 2, 4, generator=random)  # [1 caption, 2 words, dim], all negative
beside = torch.cat([torch.nn.functional.pad(alone, (0, 0, 0, 4)), torch.rand(1, 6, 4, generator=random)])
n_words = torch.tensor([2, 6])
plain = torch.allclose(beside.amax(dim=1)[0], alone.amax(dim=1)[0])
masked = torch.allclose(max_over_words(beside, n_words)[0], alone.amax(dim=1)[0])
print(f"the same embedding alone and in a batch? plain maximum: {plain}, yours: {masked}")

# %% tags=["answer"]
itm.show.answer(answers.padding(plain, masked))

# %% [markdown]
# ## Measure it
#
# ### Exercise 6 (10 minutes, ★★): recall of people
#
# `scores` is `[n_images, n_captions]`, `shown` is `[n_images]`, the person in each picture, and `described` is
# `[n_captions]`, the person that each caption describes. Return the percentage of captions for which *any* picture of the person
# is among the first $k$. **Ties count against the model**: a picture of another person with the same score comes first.
#
# <details><summary>Hint 1</summary>Compare the best picture of the right person with the pictures of all others: how many of them come before it?</details>
# <details><summary>Hint 2</summary>match = shown[:, None] == described[None]; best = scores.masked_fill(~match, -torch.inf).amax(dim=0).</details>
# <details><summary>Hint 3</summary>before = ((scores &gt;= best) &amp; ~match).sum(dim=0); then 100 * (before &lt; k).double().mean().item().</details>


# %% tags=["exercise"]
def person_recall(scores, shown, described, k):
    # solution
    match = shown[:, None] == described[None]  # bool [n_images, n_captions]
    best = scores.masked_fill(~match, -torch.inf).amax(dim=0)  # [n_captions]: the best picture of the person
    before = ((scores >= best) & ~match).sum(dim=0)  # [n_captions]: pictures of others that come before it
    return 100 * (before < k).double().mean().item()
    # end of solution


person_recall = exercises.person_recall.check(person_recall)

# %% [markdown]
# Three rows: recall by picture, as in the chapters before; recall by person; and the ceiling, the recall by person of an oracle that reads
# the true scene. The oracle fails where a description leaves out what distinguishes two people. The last column is R@1 as the package
# computes it, by the same rule.

# %%
scores, oracle = itm.score(model, test), itm.oracle_scores(test)  # [n_images, n_captions] each
pictures = torch.arange(len(gallery))
for name, given, shown in (("picture", scores, pictures), ("person", scores, gallery), ("ceiling", oracle, gallery)):
    recalls = (f"R@{k} {person_recall(given, shown, shown[test.image_of], k):5.1f}" for k in (1, 5, 10))
    print(f"{name:<8}", *recalls, f"  package {itm.evaluate(given, test.image_of, identity=shown).t2i.r1:5.1f}")

# %% [markdown]
# The first two rows come from the same scores and answer two questions, so never compare a recall by picture with one by
# person. A better model can reduce the distance from the second row to the ceiling. The distance from the ceiling to 100 is due
# to the descriptions.
#
# ## See what it learned
#
# The embeddings of the first forty pictures and of their captions, projected on the two directions in which they vary
# most (their first two principal components). The numbers 1 to 4 mark four people.
#
# **Question.** How far apart were images and captions before training? Did training bring the two sides together, or each
# person's own embeddings, or both?

# %%
near = test.image_of < 40
sides = {"before": untrained, "after": trained}
stages = {name: (images[:40], captions[near]) for name, (images, captions) in sides.items()}
groups = (gallery[:40], described[near])
figures.embedding_map(stages, groups=groups)

# %% tags=["answer"]
itm.show.answer(answers.embedding_map(stages, groups))

# %% [markdown]
# ## Break it: people that the model knows
#
# ### Exercise 7 (5 minutes, ★): split by people
#
# `identity` is `[n_images]`, the person in each picture. `order` contains all people in random order. Return a mask, bool
# `[n_images]`, that is True for the pictures of the first `n_test` people of `order`.
#
# <details><summary>Hint 1</summary>Choose people first. Then every picture of a chosen person goes to the test split.</details>
# <details><summary>Hint 2</summary>order[:n_test] are the people of the test.</details>
# <details><summary>Hint 3</summary>torch.isin(identity, order[:n_test]).</details>


# %% tags=["exercise"]
def held_out(identity, order, n_test):
    # solution
    return torch.isin(identity, order[:n_test])  # bool [n_images]
    # end of solution


held_out = exercises.held_out.check(held_out)

# %% [markdown]
# What would a split by *pictures* hide? The same model now searches among as many people of the training split, whom it was
# trained to distinguish.
#
# **Question.** Before you run it: should R@1 be higher or lower than among new people?

# %%
known = people.train.identity
order = known.unique()[torch.randperm(len(known.unique()), generator=random)]
mask = held_out(known, order, len(gallery.unique()))  # as many people as the test has
theirs = itm.score(model, people.train)[mask][:, mask[people.train.image_of]]
whom = known[people.train.image_of]
familiar = person_recall(theirs, known[mask], whom[mask[people.train.image_of]], 1)
strangers = person_recall(scores, gallery, described, 1)
print(f"R@1 among people of the training split {familiar:.1f}, among new people {strangers:.1f}")

# %% tags=["answer"]
itm.show.answer(answers.known_people(familiar, strangers))

# %% [markdown]
# Here the model has seen the very pictures, which a split by pictures avoids. But that split too has the same people on both
# sides, and rewards a model that recognises people it was trained on. A witness describes somebody new.
#
# ## Extend it: an adversary
#
# The third part of TIMAM is a game between the encoders and a **discriminator**, a small network that sees one embedding
# and says whether it is of an image or of a caption. The encoders have a loss that is small when the discriminator
# errs. If they win, images and captions have the same distribution.
#
# The discriminator's own accuracy only shows whether *this* discriminator was misled. A fair test is a **fresh judge**: a new
# classifier that took no part in the game. It learns on the embeddings of half of the people and is tested on the other half; guessing gives
# 50 %. Our first judge is linear. It examines `cmpl`, which never played the game: before training, after it, and after it with
# the mean of each side subtracted.
#
# **Question.** Subtracting the means costs nothing. Can the judge still tell the sides apart afterwards, and what happens to R@1?

# %%
display(figures.adversary_game())
centred = tuple(normalize(side, dim=1) - normalize(side, dim=1).mean(dim=0) for side in trained)
judged = {}  # name -> accuracy of the judge, gap between the means, R@1
for name, both in {"untrained": untrained, "trained": trained, "centred": centred}.items():
    accuracy, gap = modality_probe(*both, test.image_of, gallery), modality_gap(*both)
    judged[name] = accuracy, gap, person_recall(model.similarity(*both), gallery, described, 1)
    print(f"{name:<10} judge {accuracy:5.1f} %   gap {gap:.2f}   R@1 {judged[name][2]:5.1f}")

# %% tags=["answer"]
itm.show.answer(answers.centred(judged))

# %% [markdown]
# Does the game itself help? One short run with it and one without differ by chance, so we read runs that were kept:
# three seeds of the full recipe for each weight of the adversary, made by `itm claims timam`. The second judge is a network like the
# discriminator, trained afresh. Large marks are means, small ones are seeds.
#
# **Question.** At which weights do the judges do worse than without an adversary? Does R@1 change by more than the seeds
# differ?
#
# The bars below show the other parts of TIMAM, from the same kept runs. In the upper group the encoders are CMPL's and the loss
# changes. In the lower group one part of TIMAM is left out at a time.
#
# **Question.** Which differences are larger than the error lines? Two variants fail completely: which, and why?

# %%
kept = itm.claims.results("timam")
display(figures.adversary_weights(*by_weight(kept["figures"])))
r1 = itm.claims.per_model(kept["figures"], "t2i", "r1")  # variant -> R@1 by person, one per seed
figures.loss_ablation(by_variant(kept["figures"]), "R@1 by person", chance=r1["chance"][0])

# %% tags=["answer"]
itm.show.answer(answers.adversary(kept))

# %% tags=["answer"]
itm.show.answer(answers.ablation(kept))

# %% [markdown]
# Now try a search of your own: tick what the person wears, or type a description and press Enter.

# %%
explorer = figures.person_explorer(model, test)
explorer

# %% [markdown]
# ## Birds: a class described by many captions
#
# A species has many pictures and many descriptions. The field's metric uses *one* vector per class, the mean of the
# embeddings of all its captions, and looks at the first 50 pictures found. It is called AP@50.
#
# ### Exercise 8 (10 minutes, ★★): AP@50
#
# `scores` is `[n_images, n_classes]`, `identity` is `[n_images]`, the class of each picture. For each class, which fraction of
# the $k$ pictures with the highest scores shows it? Return the mean over classes, in percent.
#
# <details><summary>Hint 1</summary>For each class take the k pictures with the highest scores: what fraction of them shows it?</details>
# <details><summary>Hint 2</summary>identity[scores.topk(k, dim=0).indices] is [k, n_classes]: the class of each picture found.</details>
# <details><summary>Hint 3</summary>Compare it with torch.arange(n_classes), take the mean over both dimensions, and multiply by 100.</details>


# %% tags=["exercise"]
def precision_at_k(scores, identity, k):
    # solution
    found = identity[scores.topk(k, dim=0).indices]  # [k, n_classes]: the class of each picture found
    hits = found == torch.arange(scores.shape[1])  # [k, n_classes]
    return 100 * hits.double().mean().item()
    # end of solution


precision_at_k = exercises.precision_at_k.check(precision_at_k)

# %% [markdown]
# The model is trained on birds and tested on species that training never showed. The best possible AP@50 is below 100
# where a species has fewer than 50 pictures. Below the numbers, two single sentences search the same pictures.
#
# **Question.** Which finds the species better: one sentence, or the mean over all captions of the species?

# %%
ornithologist = itm.create_model("cmpl", birds, seed=seed)
itm.fit(ornithologist, birds, epochs=bird_epochs, seed=seed, device=device)
seen, caption_emb = (normalize(side, dim=1) for side in embeddings(ornithologist, birds.test))
species = birds.test.identity.unique(return_inverse=True)[1]  # [n_images], from 0 on
of_caption, k = species[birds.test.image_of], min(50, len(seen))
means = [caption_emb[of_caption == s].mean(dim=0) for s in range(int(species.max()) + 1)]
package = search_by_class(seen, caption_emb, birds.test.image_of, birds.test.identity, k=k)
print(
    f"AP@{k}: yours {precision_at_k(seen @ torch.stack(means).T, species, k):.1f}, the package {package.precision:.1f}"
)
print(f"best possible {package.best:.1f}; pictures that find their species first {package.image_r1:.1f} %")
print(f"Headline: cmpl finds {strangers:.1f} % of people first; AP@{k} of birds is {package.precision:.1f}")
texts = birds.test.captions
halves = torch.arange(len(texts)).chunk(2)  # the longest sentence of each half
sentences = [max(half.tolist(), key=lambda c: len(texts[c])) for half in halves]
hits = [itm.search(ornithologist, birds.test, texts[c], k=8) for c in sentences]
wanted = birds.test.identity[birds.test.image_of[sentences]].tolist()
figures.identity_gallery(birds.test, hits, wanted)

# %% tags=["answer"]
itm.show.answer(answers.birds(hits, birds.test.identity, wanted, package))

# %% [markdown]
# ## The paper's numbers and yours
#
# As the field's survey lists them: R@1 of finding people on CUHK-PEDES, and AP@50 of finding birds (CUB) and flowers. All
# three are data sets of photographs. Yours are in the line *Headline* above.

# %% tags=["nbval-check-output"]
listed = itm.literature.results()
listed = listed[(listed.direction == "t2i") & listed.method.isin(["Dual-Path", "CMPM", "CMPL", "TIMAM"])]
listed = listed[listed.dataset.isin(["CUHK-PEDES", "CUB", "Flowers"]) & listed.metric.isin(["R@1", "AP@50"])]
for (method, note), rows in listed.groupby(["method", "note"], sort=False):
    print(f"{method:<10} {note:<13}", *(f" {d} {v:.1f}" for d, v in zip(rows.dataset, rows.value, strict=True)))
print(itm.literature.cite("sarafianos2019timam"), itm.literature.cite("zhang2018cmpl"), sep="; ")

# %% [markdown]
# Your numbers are **not comparable** with the papers': they come from drawings, 200 people and few epochs. The papers' rows
# do not show *the adversary's gain* either. Between CMPL and TIMAM the image backbone changed from a MobileNet to a
# ResNet, and the word vectors from learned ones to BERT's. The two rows of Dual-Path differ in the backbone alone. Only runs that differ in nothing but
# the adversary, such as the kept ones above, show what it adds.
#
# ## Quiz
#
# **1. A person comes three times in the batch, and targets are divided by the L2 norm. What do the targets of one of the person's images sum to?**
#
# <details><summary>To 1, like any normalised vector</summary>No: their squares sum to 1. The loss needs the numbers themselves to sum to 1.</details>
# <details><summary>To the square root of 3</summary>Yes. Each of the three entries is 0.58, so they sum to 1.73, and the divergence may fall below 0.</details>
# <details><summary>To 3</summary>Not yet: this is the sum of the mask before it is divided by anything.</details>
#
# **2. Why does CMPM not normalise the embedding that is projected?**
#
# <details><summary>Normalising would cost time</summary>No: it costs next to nothing. The reason is how sharp the softmax can be.</details>
# <details><summary>The search uses the length too</summary>No: the search uses cosines. The length matters in training alone.</details>
# <details><summary>Its length is an inverse temperature that each embedding sets itself</summary>Yes. A long embedding gives sharp probabilities, a short one nearly uniform ones.</details>
#
# **3. An image has one right caption. Half of its probability p is on a wrong caption. What does this cost in KL(p || q), about?**
#
# <details><summary>8.5 nats</summary>Yes. The wrong half costs 0.5 · log(0.5 / 1e-8) = 8.9, and the right half gives back 0.5 · log 2 = 0.35.</details>
# <details><summary>Log 2</summary>No: this is the other direction, in which only the probability of the right caption counts.</details>
# <details><summary>It is infinite</summary>Not yet: without the 1e-8 added to q it would be, which is why it is added.</details>
#
# **4. You split 3,000 pictures of 1,000 people at random by picture. What is wrong with R@1 on the test split?**
#
# <details><summary>Nothing, as no picture is in both splits</summary>No: the same people are in both splits, and a classifier of people has learned them.</details>
# <details><summary>It is too low, since people repeat</summary>No: a person with several pictures is easier to find, as any of the pictures counts.</details>
# <details><summary>It measures how well known people are recognised</summary>Yes. The task is to find somebody whom training has never shown.</details>
#
# **5. The discriminator's accuracy falls to 50 %. Are the embeddings of images and captions distributed alike?**
#
# <details><summary>Only this discriminator cannot tell them apart</summary>Yes. Another one may, so train a fresh judge on the finished embeddings.</details>
# <details><summary>They are, because the encoders have won</summary>No: they misled one opponent, which may have learned too slowly.</details>
# <details><summary>They are not, or R@1 would be 100</summary>No: the two sides may be distributed alike while each caption is far from its own pictures.</details>
#
# **6. A species has 30 pictures in the test split. What AP@50 can it reach at most?**
#
# <details><summary>100, if all 30 come first</summary>No: the metric is the fraction of the first 50 pictures, and 20 of these must be wrong.</details>
# <details><summary>60</summary>Yes. Thirty of fifty, which is why the best possible value is printed beside the metric.</details>
# <details><summary>30</summary>Not yet: the metric is a fraction of the first 50 pictures, in percent.</details>
#
# ## Recap
#
# - CMPM turns projections into a distribution over captions and compares it with a target that divides the probability among all captions of the same person.
# - Targets must sum to 1 per row, and the direction KL(p || q) punishes probability on captions of other people.
# - When a person has several pictures, any of them counts as found, and people of the test split must not occur in training.
# - A fresh judge, trained on finished embeddings, tests whether images and captions are distributed alike; the discriminator of the game cannot.
# - Three kept seeds show no gain in R@1 from the adversary, and a shift between the two sides can be removed by subtracting their means.
#
# ## Where to go next
#
# - Train `cmpl` for the ten epochs of its recipe, with and without `classification=False` in `itm.create_model("cmpl", people, ...)`. What does CMPC add?
# - Play the game yourself: fit `itm.create_model("timam", people, bert=None, adversary_weight=3.0)` and judge it with `modality_probe`.
# - Train on `flowers`, where a class is described by its petals: the same three lines of code.
