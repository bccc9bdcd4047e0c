# %% [markdown]
# # 01 · DeViSE: words as a space for pictures
#
# **You will be able to**
#
# - learn word vectors from a text, and map pictures into the space of these vectors;
# - give names to kinds that no labelled picture shows, and measure how often the name is right;
# - write the rank loss, hierarchical precision and a count of hubs, and say which kind of mistake each of them measures.
#
# ## The question
#
# A classifier has one output per label of its training set. When it is shown something else, it still answers with one of
# these labels: it cannot say *owl* if no training picture was labelled *owl*. A person who has only read about owls can do
# better: a bird with round eyes that sits in trees is probably an owl.
#
# Frome, Corrado, Shlens, Bengio, Dean, Ranzato and Mikolov (DeViSE, NIPS 2013) asked: can a *text* give a classifier the
# names of kinds that it never saw? The answer of this chapter is: for some kinds, and not for others. Follow the two kinds
# *owl* and *ship*: you will see which of them gets its name, and find out why.

# %%
import os

import torch

import itm_tutorial as itm
from itm_tutorial.chapters.ch01_devise import answers, exercises, figures
from itm_tutorial.pretraining.word_vectors import train_skip_gram, window_pairs
from itm_tutorial.worlds.objects.lore import write_lore

# %% [markdown]
# The next cell holds the settings that you may want to change.

# %% tags=["parameters"]
size = "mini"  # 6,000 training pictures; "tiny" is for a quick look
classifier_epochs = 8
epochs = 7  # of DeViSE, L2 and DEM
n_sentences = 100_000
seed = 0
device = "auto"
if os.environ.get("ITM_FAST") == "1":  # the smallest size, for tests
    size, classifier_epochs, epochs, n_sentences = "tiny", 2, 2, 5_000

# %% [markdown]
# ## The picture to aim for
#
# This world has 69 kinds of things, the leaves of a **tree**: a fox is an animal, an animal is a creature. In each family,
# some kinds are **hidden**: no training picture shows them, and no training label names them. The other kinds are **seen**.
# The aim of this chapter is a model that names pictures of hidden kinds.
#
# **Question.** Dashed frames mark the hidden kinds. Suppose that you had seen pictures of the other kinds only, and had
# read about all of them. Which hidden kinds could you name?

# %%
corpus = itm.load_corpus("objects", size=size, seed=seed)
names, unseen = corpus.classes.names, corpus.classes.unseen_classes
print(corpus)
figures.class_tree(corpus.classes, [corpus.test, corpus.unseen])

# %% [markdown]
# <details><summary>Answer</summary>
#
# A hidden kind should be easy if it looks like the seen kinds of its family: a ship floats on water like a canoe. It should
# be hard if it does not: an owl is upright and has two large eyes, while ducks, hens and swans are drawn from the side.
# Write down one hidden kind that you expect to be named correctly, and one that you do not.
#
# </details>

# %% [markdown]
# ## The idea: one space for words and pictures
#
# First, skip-gram learns a vector $t$ for each word from the text alone. The vectors are scaled to length 1 and then stay
# fixed. Next, a linear map $M$ takes the visual feature $v$ of a picture into the same space. The score of a label is
# $t \cdot Mv$. The loss asks that the right label $y$ score higher than every wrong label by a margin $m = 0.1$:
#
# $$L = \sum_{j \neq y} \big[\, m - t_y \cdot Mv + t_j \cdot Mv \,\big]_+$$
#
# The sum contains seen labels only, but the words of hidden kinds have vectors in the same space. The figure shows the plan
# for a picture of a hidden kind; the positions of its points are made up.
#
# **Question.** Which part of the figure knows something about the hidden kind? How does it know where to put the word?

# %%
figures.one_word_space(corpus.classes, corpus.unseen)

# %% [markdown]
# <details><summary>Answer</summary>
#
# Only the upper path does: sentences about the hidden kind put its word near the words of its family. The lower path learns
# from seen kinds, and maps a picture near the words of the seen kinds that it resembles. The plan works if both paths lead
# to the same place. Nothing in the loss ensures this, so you will measure it.
#
# </details>

# %% [markdown]
# ## Build it: word vectors from a text
#
# A grammar writes our text from a table of what each kind is, has and does. It describes hidden kinds just as it describes
# seen kinds.

# %% tags=["nbval-check-output"]
for sentence in write_lore(n_sentences=5, seed=0):
    print(" ".join(sentence))

# %% [markdown]
# **Skip-gram** learns to predict the neighbours of a word: the vector of a word must give a high score to the words near it
# in the text and a low score to words drawn at random. Words with similar neighbours get similar vectors. (DeViSE used
# skip-gram with a *hierarchical softmax*, another way to avoid a sum over all words, on 5.4 billion words of text.)
#
# Before you run the cell: a sentence has four words, and the window is one word to either side. How many pairs of a word
# and a neighbour does the sentence give?

# %% tags=["nbval-check-output"]
sentence = ["foxes", "hunt", "white", "hens"]
middle, around = window_pairs(torch.tensor([[0, 1, 2, 3]]), windows=torch.ones(1, 4, dtype=torch.int64))
print([(sentence[m], sentence[a]) for m, a in zip(middle, around, strict=True)])

# %% [markdown]
# <details><summary>Answer</summary>
#
# Six: the two inner words have two neighbours each, the first and the last word have one.
#
# </details>
#
# Now skip-gram reads the whole text. The maps below show the words of all kinds before, early in and after training. A line
# joins each kind to the centre of its family. Such maps (t-SNE) keep near neighbours near each other; distances between
# clusters mean nothing.
#
# **Question.** What must the last map look like for DeViSE to work? Is it enough that each family forms a cluster?

# %%
skip_gram = train_skip_gram(write_lore(n_sentences, seed), seed=seed)
words = skip_gram.vectors
for word in ("owl", "ship", "red"):
    print(f"{word}:", ", ".join(f"{near} {cosine:.2f}" for near, cosine in words.nearest(word, 4)))
moments = ("before training", "after a twentieth of the text", "after the whole text")
snapshots = dict(zip(moments, skip_gram.snapshots.values(), strict=True))
figures.word_space(snapshots, corpus.classes, named=("parrot", "owl", "penguin", "ship", "canoe", "bed", "sofa"))

# %% tags=["answer"]
itm.show.answer(answers.word_space(words, corpus.classes, ("owl", "ship")))

# %% [markdown]
# ### Exercise 1 (10 minutes, ★★): the rank loss
#
# WSABIE (2010) ranked labels in such a space before DeViSE, with word vectors learned from labelled pictures. `scores` is
# `[n_images, n_labels]`, `labels` holds the column of each image's label, and `margin` is a number. Return the loss above: a
# sum over wrong labels, then a mean over images.
#
# <details><summary>Hint 1</summary>Each wrong label costs max(0, margin - score of the right label + its own score).</details>
# <details><summary>Hint 2</summary>scores.gather(1, labels[:, None]) is a column: the scores of the right labels. clamp(min=0) is the bracket.</details>
# <details><summary>Hint 3</summary>scatter(1, labels[:, None], 0.0) sets the cost of the right label to 0. Sum over labels, then take the mean.</details>
#
# `exercises.rank_loss.solution()` prints our solution, with which the chapter goes on if you have none.


# %% tags=["exercise"]
def rank_loss(scores, labels, margin):
    # solution
    positives = scores.gather(1, labels[:, None])  # [n_images, 1]
    costs = (margin - positives + scores).clamp(min=0)  # [n_images, n_labels]
    costs = costs.scatter(1, labels[:, None], 0.0)  # the right label is no negative of its own
    return costs.sum(1).mean()
    # end of solution


rank_loss = exercises.rank_loss.check(rank_loss)

# %% [markdown]
# Before you run the cell: one picture has three labels, and the first is right. Which wrong labels cost something?

# %% tags=["nbval-check-output"]
toy = torch.tensor([[0.70, 0.65, 0.20]])  # [1 image, 3 labels]
for margin in (0.1, 0.6):
    print("margin", margin, "loss", round(rank_loss(toy, torch.tensor([0]), margin).item(), 2))

# %% [markdown]
# <details><summary>Answer</summary>
#
# With a margin of 0.1 only the second label costs something: 0.1 - 0.70 + 0.65 = 0.05. With a margin of 0.6 it costs 0.55,
# and the third label costs 0.6 - 0.70 + 0.20 = 0.10, which makes 0.65.
#
# </details>
#
# ## Train it: first the classifier
#
# DeViSE starts from a classifier. Ours is a small network, trained on the seen kinds.

# %%
batch_size = min(64, len(corpus.train.captions) // 4)
settings = {"batch_size": batch_size, "seed": seed, "device": device}
softmax = itm.create_model("softmax", corpus, seed=seed)
itm.fit(softmax, corpus, epochs=classifier_epochs, **settings)
chances = itm.score(softmax, corpus.unseen, captions=names).exp()  # [n_images, n_classes]
print(f"largest probability of a hidden label, over all pictures: {chances[:, unseen].max():.1f}")

# %% [markdown]
# The classifier has no output for hidden labels, so more training cannot help.
#
# Now we replace the last layer by a linear map into the word space. At first only the map is trained; in the last epoch the
# whole network is, at a tenth of the learning rate. We also train the most obvious alternative, `loss="l2"`: it minimises the
# squared distance between a mapped picture and its word, without negatives.
#
# `fit` calls its `callbacks` after every epoch. Ours keeps the scores of hidden kinds for a figure below.


# %%
def on_the_same_backbone(name, **options):
    model = itm.create_model(name, corpus, words=words, seed=seed, classify_until=0.0, **options)
    model.visual.load_state_dict(softmax.visual.state_dict())
    return model


def keep(model, row):
    by_epoch.append(itm.score(model, corpus.unseen, captions=names))  # [n_images, n_classes]


devise, l2 = on_the_same_backbone("devise"), on_the_same_backbone("devise", loss="l2")
by_epoch = [itm.score(devise, corpus.unseen, captions=names)]  # of the untrained map
itm.fit(devise, corpus, epochs=epochs, callbacks=[keep], **settings)
itm.fit(l2, corpus, epochs=epochs, **settings)
print("the map M:", list(devise.map.weight.shape))

# %% [markdown]
# ## Measure it
#
# There are two ways to test on hidden kinds. **Zero-shot**: the candidates are the hidden labels only. **Generalised**: the
# candidates are all labels, so that every seen label is a rival. *Flat hit@k* is the fraction of pictures whose label is
# among the first k.
#
# ### Exercise 2 (5 minutes, ★): zero-shot labels
#
# `scores` is `[n_images, n_labels]`, and `candidates` holds the numbers of the labels that may be predicted. Return the number
# of the best candidate of each image, `[n_images]`.
#
# <details><summary>Hint 1</summary>Only the columns of the candidates count: scores[:, candidates].</details>
# <details><summary>Hint 2</summary>argmax(1) over these columns gives a position among the candidates, not yet the number of a label.</details>
# <details><summary>Hint 3</summary>candidates[position] turns positions into labels.</details>


# %% tags=["exercise"]
def zero_shot(scores, candidates):
    # solution
    best = scores[:, candidates].argmax(1)  # [n_images], positions among the candidates
    return candidates[best]
    # end of solution


zero_shot = exercises.zero_shot.check(zero_shot)

# %% [markdown]
# Flat hits count all mistakes alike, although calling a wolf a fox is a smaller mistake than calling it a bus.
# **Hierarchical precision@k** is the fraction of the first k labels that lie in $C_k(y)$, the k classes nearest to the
# right class in the tree, itself included. Several classes are often equally far; then $C_k$ contains all of them.
#
# ### Exercise 3 (15 minutes, ★★★): hierarchical precision
#
# `scores` is `[n_images, n_classes]`, `identity` holds the right class of each image, `distances` is `[n_classes, n_classes]`,
# and `k` is a number. Return a percentage, the mean over images.
#
# <details><summary>Hint 1</summary>First find how far C_k reaches: sort each row of distances; the k-th smallest is at index k - 1.</details>
# <details><summary>Hint 2</summary>near = (distances &lt;= radius[:, None])[identity] tells for each image which labels are in its C_k.</details>
# <details><summary>Hint 3</summary>near.gather(1, scores.topk(k, dim=1).indices) tells which of k guesses are near; return the mean in percent.</details>


# %% tags=["exercise"]
def hierarchical_precision(scores, identity, distances, k):
    # solution
    radius = distances.sort(1).values[:, k - 1]  # [n_classes], how far C_k reaches
    near = (distances <= radius[:, None])[identity]  # [n_images, n_classes]
    guesses = scores.topk(k, dim=1).indices  # [n_images, k]
    return 100 * near.gather(1, guesses).float().mean().item()
    # end of solution


hierarchical_precision = exercises.hierarchical_precision.check(hierarchical_precision)

# %% [markdown]
# Before you run the cell: for a picture of a wolf, a model predicts dog, fox and bus, in this order. How many edges of the
# tree lie between each of them and the wolf? Which precision do you expect for k = 1 and for k = 3?

# %% tags=["nbval-check-output"]
distances, wolf = corpus.classes.distances(), torch.tensor([names.index("wolf")])
predicted = torch.zeros(1, len(names))  # [1 image, n_classes]
for score, label in zip((3.0, 2.0, 1.0), ("dog", "fox", "bus"), strict=True):
    predicted[0, names.index(label)] = score
    print(label, "is", corpus.classes.distance("wolf", label), "edges away")
print([round(hierarchical_precision(predicted, wolf, distances, k), 1) for k in (1, 3)])

# %% [markdown]
# <details><summary>Answer</summary>
#
# Dog and fox are two edges away, through *animal*; bus is six edges away, through the root. $C_1$ contains the wolf alone, so
# dog is a miss: 0. $C_3$ contains all animals, since they are equally far; two of the three labels are animals: 66.7.
#
# </details>
#
# Now we compare all models, on pictures of seen kinds (`test`) and of hidden kinds (`unseen`).
#
# **Question.** At which k does the classifier fall behind in the left panel? Why does every curve jump or bend between
# k = 1 and k = 2?

# %%
models, ks = {"softmax": softmax, "DeViSE": devise, "L2": l2}, range(1, 11)
of_seen = {name: itm.score(model, corpus.test, captions=names) for name, model in models.items()}
of_hidden = {name: itm.score(model, corpus.unseen, captions=names) for name, model in models.items()}
seen_kinds, hidden_kinds = corpus.test.identity, corpus.unseen.identity
print(f"{'hit@1':<10}{'seen kinds':>12}{'zero-shot':>12}{'generalised':>13}")
for name, scores in of_hidden.items():
    zero, wide = itm.hit_at_k(scores, hidden_kinds, among=unseen), itm.hit_at_k(scores, hidden_kinds)
    print(f"{name:<10}{itm.hit_at_k(of_seen[name], seen_kinds):12.1f}{zero:12.1f}{wide:13.1f}")
print(f"{'guessing':<10}{100 / len(names):12.1f}{100 / len(unseen):12.1f}{100 / len(names):13.1f}")
yours = (zero_shot(of_hidden["DeViSE"], unseen) == hidden_kinds).float().mean().item()
print(f"DeViSE, zero-shot, by your function: {100 * yours:.1f}")


def curves(scores, labels):
    scores = scores | {"guessing": torch.rand(len(labels), len(names))}
    return {name: [hierarchical_precision(s, labels, distances, k) for k in ks] for name, s in scores.items()}


panels = {"seen kinds": curves(of_seen, seen_kinds), "hidden kinds": curves(of_hidden, hidden_kinds)}
figures.precision_curves(panels, ks)

# %% tags=["answer"]
itm.show.answer(answers.precision(panels, ks) + "\n\n" + answers.generalised(of_hidden, hidden_kinds, unseen))

# %% [markdown]
# ## See what it learned
#
# The next figure shows each hidden kind; the candidates are the hidden labels.
#
# **Question.** How did the two kinds that you wrote down fare? Does a wrong name usually come from the same family?

# %%
figures.predicted_kinds(of_hidden["DeViSE"], hidden_kinds, corpus.classes, unseen)

# %% tags=["answer"]
itm.show.answer(answers.kinds(of_hidden["DeViSE"], hidden_kinds, corpus.classes))

# %% [markdown]
# Why are some kinds found and others not? For three hidden kinds, the next figure compares what the text says (the nearest
# seen words), what the pictures look like (the labels of the classifier), and the result (the hidden labels of DeViSE). A tick
# marks the right label, a tilde another label of its family.
#
# **Question.** For which kind do the first two lists agree? Why does DeViSE give the pictures of the first kind the labels
# in its third list?

# %%
story = figures.shown_kinds(corpus.unseen, ("owl", "ship", "bed"), corpus.classes)  # try others
figures.words_and_pictures(corpus.unseen, story, words, of_hidden["softmax"], of_hidden["DeViSE"], corpus.classes)

# %% tags=["answer"]
compared = (words, of_hidden["softmax"], of_hidden["DeViSE"], hidden_kinds, corpus.classes)
itm.show.answer(answers.words_and_pictures(story, *compared))

# %% [markdown]
# The next figure follows one picture through the training of DeViSE; epoch 0 is the untrained map. All labels are
# candidates.
#
# **Question.** In which epoch do labels of the right family come to the front? Which labels does the right label never pass?

# %%
shown = [int((hidden_kinds == names.index(kind)).nonzero()[0]) for kind in story]
figures.labels_over_epochs(corpus.unseen, shown[0], by_epoch, corpus.classes)

# %% tags=["answer"]
itm.show.answer(answers.epochs(by_epoch, shown[0], hidden_kinds, corpus.classes))

# %% [markdown]
# Choose other pictures, and move the slider to see the labels of each epoch:

# %%
others = [int((hidden_kinds == kind).nonzero()[0]) for kind in hidden_kinds.unique()]
figures.explorer_of_labels(corpus.unseen, by_epoch, corpus.classes, list(dict.fromkeys(shown + others)))

# %% [markdown]
# ## The opposite direction: DEM
#
# DEM (Zhang, Xiang and Gong, CVPR 2017) reverses the map: a small network takes each *word* into the space of visual
# features, and a picture looks for the nearest word there. The reason is **hubs**: in a space of many dimensions, some points
# are the nearest neighbours of far too many others. A label that is a hub is given to pictures of many kinds.

# %%
dem = on_the_same_backbone("dem")
itm.fit(dem, corpus, epochs=epochs, **settings)
of_hidden["DEM"] = itm.score(dem, corpus.unseen, captions=names)
print(f"zero-shot hit@1 of DEM: {itm.hit_at_k(of_hidden['DEM'], hidden_kinds, among=unseen):.1f}")

# %% [markdown]
# ### Exercise 4 (10 minutes, ★★): count the hubs
#
# $N_k$ of a target is the number of queries that have it among their k best targets. `scores` is `[n_queries, n_targets]`;
# return whole numbers, `[n_targets]`.
#
# <details><summary>Hint 1</summary>scores.topk(k, dim=1).indices are the k best targets of each query, [n_queries, k].</details>
# <details><summary>Hint 2</summary>torch.bincount counts how often each number occurs in a flat list.</details>
# <details><summary>Hint 3</summary>torch.bincount(named.flatten(), minlength=scores.shape[1]) also counts the targets that occur 0 times.</details>


# %% tags=["exercise"]
def k_occurrence(scores, k):
    # solution
    named = scores.topk(k, dim=1).indices  # [n_queries, k]
    return torch.bincount(named.flatten(), minlength=scores.shape[1])
    # end of solution


k_occurrence = exercises.k_occurrence.check(k_occurrence)

# %% [markdown]
# The **skewness** of $N_k$ measures hubness: it is 0 if the counts lie symmetrically around their mean, and large if a few
# targets have most of the counts. Below, each of five pictures gives its own label the score 1; then one label gets 2 more from
# every picture. Before you run the cell: what is $N_1$ of each label in both cases?

# %% tags=["nbval-check-output"]
fair = torch.eye(5)  # [5 pictures, 5 labels]
for scores in (fair, fair + torch.tensor([0.0, 2.0, 0.0, 0.0, 0.0])):
    print(k_occurrence(scores, 1).tolist(), "skewness", round(itm.skewness(k_occurrence(scores, 1)), 2))

# %% [markdown]
# <details><summary>Answer</summary>
#
# At first each label is named once. With the bonus all five pictures name the second label, which is a hub.
#
# </details>
#
# ## Break it
#
# So far all word vectors had length 1. Now we leave this scaling out, and use the simplest method: **ridge regression**. It
# finds the matrix that maps pictures nearest to their raw word vectors, with a penalty on large entries.
#
# ### Exercise 5 (5 minutes, ★): length bias
#
# `scores` is `[n_images, n_labels]`, and `words` is `[n_labels, dim]`. Each image names the label with its highest score. Return
# the mean length of the named words, one per image, divided by the mean length of all words. A value of 1 means that length
# plays no part.
#
# <details><summary>Hint 1</summary>There are three steps: the length of each word, the label that each image names, and the ratio of two means.</details>
# <details><summary>Hint 2</summary>words.norm(dim=1) are the lengths, and scores.argmax(1) are the labels that the images name.</details>
# <details><summary>Hint 3</summary>(lengths[named].mean() / lengths.mean()).item()</details>


# %% tags=["exercise"]
def length_bias(scores, words):
    # solution
    lengths = words.norm(dim=1)  # [n_labels]
    named = scores.argmax(1)  # [n_images]
    return (lengths[named].mean() / lengths.mean()).item()
    # end of solution


length_bias = exercises.length_bias.check(length_bias)

# %% [markdown]
# The next cell fits the ridge regression and searches by distance, by dot product and by cosine. The figure shows $N_1$ of
# each hidden label over the length of its raw vector, for these and for the three trained models. Each panel has its own
# scale. For a perfect model every point lies on the dashed line.
#
# **Question.** Ridge regression shrinks its predictions towards zero. Does a search by distance then prefer short or long words?
# And a search by dot product?


# %%
@torch.no_grad()
def extract_features(split):
    return torch.cat([dem.encode_images(some).cpu() for some in split.images.split(500)])  # [n_images, 512]


raw, units = words.matrix(names), words.unit().matrix(names)  # [n_classes, 50]
features, wanted = extract_features(corpus.train), raw[corpus.train.identity]
penalty = len(features) * torch.eye(512)
ridge = torch.linalg.solve(features.T @ features + penalty, features.T @ wanted)  # [512, 50]
mapped = extract_features(corpus.unseen) @ ridge  # [n_images, 50]
print(f"mean length of a raw word vector {raw.norm(dim=1).mean():.2f}, of a prediction {mapped.norm(dim=1).mean():.2f}")
rules = {"distance": -torch.cdist(mapped, raw), "dot product": mapped @ raw.T, "cosine": mapped @ units.T}
for rule, scores in rules.items():
    skewness = itm.skewness(k_occurrence(scores[:, unseen], 1))
    print(f"{rule:<12} length bias {length_bias(scores[:, unseen], raw[unseen]):.3f}, skewness {skewness:.2f}")
asked = {f"ridge, {rule}": scores for rule, scores in rules.items()} | {
    m: of_hidden[m] for m in ("L2", "DeViSE", "DEM")
}
counts = {name: k_occurrence(scores[:, unseen], 1) for name, scores in asked.items()}
figures.hubs(counts, [names[i] for i in unseen], raw[unseen].norm(dim=1))

# %% tags=["answer"]
kept = itm.claims.results("devise")["effects"]
lengths = (raw[unseen].norm(dim=1), raw.norm(dim=1).mean(), mapped.norm(dim=1).mean())
itm.show.answer(answers.hubs(counts, *lengths, kept))

# %% [markdown]
# ## The paper's numbers and yours
#
# First your results. The last column counts hubs in the other direction: each label names its five best pictures.

# %%
print(f"{'':<18}{'zero-shot hit@1':>16}{'skewness: labels':>19}{'pictures':>11}")
for name, scores in asked.items():
    zero, scores = itm.hit_at_k(scores, hidden_kinds, among=unseen), scores[:, unseen]
    by_label, by_picture = (itm.skewness(itm.k_occurrence(s, k)) for s, k in ((scores, 1), (scores.T, 5)))
    print(f"{name:<18}{zero:16.1f}{by_label:19.2f}{by_picture:11.2f}")
zero = itm.hit_at_k(of_hidden["DeViSE"], hidden_kinds, among=unseen)
cited = ("frome2013devise", "mikolov2013word2vec", "zhang2017dem", "weston2010wsabie", "kiros2018ilu")
print(*map(itm.literature.cite, cited), sep="; ")
print(f"Headline: devise zero-shot hit@1 {zero:.1f}, chance {100 / len(unseen):.1f}")

# %% [markdown]
# The classifier of the paper knew the thousand labels of ImageNet. Its map went from 4,096 numbers to 500 or 1,000, and its
# text gave vectors for some 155,000 words. The paper reports three results:
#
# 1. hit rates of up to 18 % on labels that its visual model never saw;
# 2. a rank loss that is about twice as accurate as L2;
# 3. a softmax classifier that is ahead in flat hit@1 and hit@2, and DeViSE ahead in hierarchical precision as k grows.
#
# The numbers are **not comparable** with yours: the paper has thousands of candidate labels and you have 21, drawings are
# simpler than photographs, and our text was written to describe these kinds.
#
# **Question.** Which of the three results do you find in your run?

# %% tags=["answer"]
itm.show.answer(answers.paper(of_seen, of_hidden, seen_kinds, hidden_kinds, corpus.classes, kept))

# %% [markdown]
# Tables of image-text retrieval have rows named DeViSE too: on Flickr8k, R@1, R@5 and R@10 of 4.8, 16.5 and 27.3 for sentence
# retrieval, and of 5.9, 20.1 and 29.6 for image retrieval. They are about whole sentences, so your results cannot be compared
# with them.
#
# ## Quiz
#
# Open an option to see whether it is right.
#
# **1. Why does the softmax classifier give hidden labels the probability 0?**
#
# <details><summary>It was trained for too few epochs</summary>No: more epochs make it surer of the labels that it has, and add no label.</details>
# <details><summary>It has no output for them</summary>Yes. A label that is not among the outputs cannot be predicted, whatever the picture shows.</details>
# <details><summary>Its network cannot extract their features</summary>No: DeViSE uses the same network, and names some of the hidden kinds.</details>
#
# **2. Why are hidden labels left out of the sum of the loss?**
#
# <details><summary>As negatives they would teach the map to avoid their words</summary>Yes. They are wrong for every training picture, so every picture would be pushed away.</details>
# <details><summary>Their words have no vectors</summary>No: they have vectors, because the text describes them. The method rests on this.</details>
# <details><summary>The sum would be too slow to compute</summary>No: a sum over 69 labels costs hardly more than a sum over 48.</details>
#
# **3. A model's zero-shot hit@1 is 40 % and its generalised hit@1 is 12 %. What does that mean?**
#
# <details><summary>The model knows too few words</summary>No: both numbers use the same words and the same scores.</details>
# <details><summary>It was tested on other pictures</summary>No: the pictures are the same; only the candidates differ.</details>
# <details><summary>Seen labels, added as rivals, take most of the first ranks</summary>Yes. The map learned to put pictures near seen words, and pictures of hidden kinds too.</details>
#
# **4. A classifier has a flat hit@1 of 100 %. What is its hierarchical precision@5?**
#
# <details><summary>100 %, since it makes no mistake</summary>No: its labels 2 to 5 count too, and nothing makes them come from the same family.</details>
# <details><summary>At least 20 %</summary>Yes. One of the five labels is always right; the other four can be any labels.</details>
# <details><summary>0 %, since a classifier knows no tree</summary>No: the right label is in its own C_5, so at least one of the five labels counts.</details>
#
# **5. You multiply the vector of one word by two and search by cosine. What happens?**
#
# <details><summary>It is named more often</summary>No: this happens with a dot product, where the score is positive.</details>
# <details><summary>It is named less often</summary>No: this can happen with distances, as the word moves away.</details>
# <details><summary>Nothing, since only its direction counts</summary>Yes. This is why the words are scaled to length 1.</details>
#
# **6. Which hidden kind can DeViSE never name?**
#
# <details><summary>One that the text never mentions</summary>Yes. Without sentences it has no vector, so no picture can be mapped near it.</details>
# <details><summary>One that has no seen kind in its family</summary>Not yet: this is hard, but a picture can be mapped near its word.</details>
# <details><summary>One that looks like a seen kind</summary>No: among hidden labels only, it can still be first.</details>
#
# ## Recap
#
# - A classifier cannot predict a label that it has no output for; a space of word vectors has a point for every word of the text.
# - DeViSE keeps the word vectors fixed and learns a linear map from visual features, with a rank loss over seen labels.
# - A hidden kind is found more often if its pictures resemble the seen kinds that its word is near; no loss ensures this.
# - Zero-shot accuracy is far above generalised accuracy, because pictures of hidden kinds are mapped near the words of seen kinds.
# - The length of raw word vectors can decide which labels a search prefers; with vectors of length 1 it cannot.
#
# ## Where to go next
#
# - Set `n_sentences` to 10,000. How do the word space and zero-shot hit@1 change?
# - Another `seed` hides other kinds. Which results change most?
# - Try `on_the_same_backbone("devise", negatives="one")`: the paper stops at the first wrong label that violates the margin.
# - ILU (2018) does the opposite: the pictures that an image search finds for a word make its vector.
# - Chapter 02 returns to whole sentences and asks which of the wrong ones a loss should use.
