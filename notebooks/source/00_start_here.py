# %% [markdown]
# # 00 · Retrieval in five minutes
#
# **You will be able to** say what image-text matching is, train a small model that does it, search pictures with a
# sentence, and measure the result by hand with the field's own numbers.
#
# *About 45 minutes with the exercises; about three minutes of that is the computer's.*
#
# ## The question
#
# You have a thousand pictures and a sentence: *"A woman in yellow stands to the left of a red van."* Which picture is
# meant? And the other way round: here is a picture, which of five thousand sentences describes it? The two questions are
# called **image retrieval** (caption to images, *t2i*) and **sentence retrieval** (image to captions, *i2t*).
# Together they are image-text matching.
#
# Since 2013 nearly every answer has had the same four parts, and this course swaps one of them at a time:
#
# ```
# image ──► image encoder ──┐
#                           ├──► interaction ──► scores [n_images, n_captions] ──► loss
# text  ──► text encoder ───┘
# ```
#
# | year | system | which part was new |
# |---|---|---|
# | 2013 | DeViSE | the joint space: pictures land among word vectors |
# | 2014 | UVSE (today's model) | a recurrent network reads the whole sentence |
# | 2018 | VSE++ | the loss: only the hardest wrong pair counts |
# | 2018 | SCAN | the interaction: each word looks at each region |
# | 2019 | TIMAM | identities, projection losses, an adversary |

# %%
import os

import torch

import itm_tutorial as itm
from itm_tutorial.lessons import start_here as exercises

# %% [markdown]
# The next cell holds all that you may want to turn. A teacher, or papermill, can set these from outside.

# %% tags=["parameters"]
size = "mini"  # 3,000 pictures to train on; "tiny" is for a quick look
epochs = 12
seed = 0
device = "auto"

# %%
if os.environ.get("ITM_FAST") == "1":  # the smallest size, for tests
    size, epochs = "tiny", 2

# %% [markdown]
# ## Look at the data
#
# The pictures of this course are *drawn*, from a seed. Nothing has to be downloaded, and the computer knows the truth of
# every picture, which a photograph never tells. Each picture has five captions, written by a grammar.
#
# **Question.** What in these pictures would you mention, and what do the captions leave out?

# %%
corpus = itm.load_corpus("scenes", size=size, seed=seed)
corpus

# %%
itm.show.pictures(corpus.test, range(0, 24, 3), columns=4)

# %% [markdown]
# **Answer.** The captions name two or three things, often a colour, sometimes a number, a place, or how things stand to
# each other. They seldom say everything. That matters: no model can find *the* picture when a caption fits several.
#
# Here are all five captions of one picture.

# %%
for caption in corpus.test.captions_of(0):
    print(caption)

# %% [markdown]
# Which caption belongs to which picture stands in one place only, `image_of`: one picture's number for each caption. Public
# code in this field has often assumed five captions a picture, in order. We never do.

# %% tags=["nbval-check-output"]
example_image_of = torch.tensor([0, 0, 1, 2, 2, 2])  # six captions of three images
print("captions of image 2:", (example_image_of == 2).nonzero().flatten().tolist())
print("captions an image:  ", example_image_of.bincount().tolist())

# %% [markdown]
# ## Two encoders, one space
#
# Today's model is UVSE (Kiros, Salakhutdinov and Zemel, 2014). A picture becomes a vector by a small convolutional network
# and one linear map. A caption becomes a vector by a GRU, which reads word by word. Both are scaled to length one, and
#
# $$S_{ic} = \frac{v_i \cdot t_c}{\lVert v_i \rVert \, \lVert t_c \rVert}$$
#
# says how well picture $i$ and caption $c$ fit. Words have to become numbers first:

# %% tags=["nbval-check-output"]
from itm_tutorial.data.text import Vocabulary, tokenize  # noqa: E402

words = tokenize("A woman in yellow stands to the left of a red van.")
print(len(words), "words:", words[:6])
vocabulary = Vocabulary.from_captions(["a red van", "a red dog", "a dog"])
print(vocabulary.words)

# %% tags=["nbval-check-output"]
tokens = vocabulary.encode(["a red dog", "a dog"])
print(tokens.ids.tolist())  # 1 starts a caption, 2 ends it, 0 fills up
print(tokens.lengths.tolist())

# %% [markdown]
# ### Exercise 1 (5 minutes, ★): the score matrix
#
# Write the formula above for all pairs at once. `images` is `[n_images, dim]`, `captions` is `[n_captions, dim]`, and the
# answer is `[n_images, n_captions]`. Stuck? `exercises.cosine_scores.hint(1)`, then 2, then 3.


# %% tags=["exercise"]
def cosine_scores(images, captions):
    # solution
    images = torch.nn.functional.normalize(images, dim=-1)  # [n_images, dim]
    captions = torch.nn.functional.normalize(captions, dim=-1)  # [n_captions, dim]
    return images @ captions.T
    # end of solution


cosine_scores = exercises.cosine_scores.check(cosine_scores)

# %% tags=["nbval-check-output"]
square = cosine_scores(torch.tensor([[1.0, 0.0], [3.0, 4.0]]), torch.tensor([[2.0, 0.0], [0.0, 1.0], [3.0, 4.0]]))
print([[round(x, 2) for x in row] for row in square.tolist()])

# %% [markdown]
# ## Train it
#
# The loss pushes every wrong pair of a batch below the right one by a margin $\alpha = 0.2$:
#
# $$L = \sum_{(i,c)} \Big( \sum_{c'} [\alpha - S_{ic} + S_{ic'}]_+ + \sum_{i'} [\alpha - S_{ic} + S_{i'c}]_+ \Big)$$
#
# where $c'$ runs over captions of other pictures and $i'$ over the other pictures. Training takes about a minute. The first
# run also teaches the small convolutional network to see, and keeps it.

# %%
model = itm.create_model("vse", corpus)
batch_size = min(128, len(corpus.train.captions) // 4)
history = itm.fit(model, corpus, epochs=epochs, batch_size=batch_size, seed=seed, device=device)

# %% [markdown]
# **Question.** Does the model still get better when you stop?

# %%
itm.show.training_curve(history)

# %% [markdown]
# **Answer.** Look at the right panel, not the left. The loss keeps falling because the model learns the training captions by
# heart; what counts is the validation split. `fit` keeps the weights of its best epoch.
#
# ## Search
#
# **Question.** Ask for something that you can picture. Which of your words does the model obey?

# %%
query = corpus.test.captions[7]
hits = itm.search(model, corpus.test, query, k=6)
itm.show.ranked(corpus.test, hits, right=[int(corpus.test.image_of[7])])

# %% [markdown]
# **Answer.** The things and their colours are mostly right, even where the picture is not the one meant (that one is framed in
# green and ticked). Who stands left of whom is mostly ignored. Keep that in mind: chapter 03 is about it.
#
# Try your own queries. The widget starts with the figure above; pages without a kernel show only that.

# %%
itm.show.explorer(model, corpus.test, [query, *corpus.test.captions[20:120:20]])

# %% [markdown]
# The other direction: give a picture, get sentences.

# %%
for caption in itm.search(model, corpus.test, corpus.test.images[0], k=5).indices:
    print("right" if corpus.test.image_of[caption] == 0 else "     ", corpus.test.captions[caption])

# %% [markdown]
# ## Measure it by hand
#
# **Question.** Here are the scores of eight pictures and their first captions. Where should the dark cells be?

# %%
scores = itm.score(model, corpus.test)  # [n_images, n_captions]
first = [int((corpus.test.image_of == i).nonzero()[0]) for i in range(8)]
itm.show.score_matrix(scores[:8, first], torch.arange(8))

# %% [markdown]
# **Answer.** On the framed diagonal. A dark cell elsewhere is a confusion; among a thousand pictures there are many more
# chances for one than among eight. The field reduces the whole matrix to a few numbers.
#
# ### Exercise 2 (10 minutes, ★★): ranks
#
# For each caption, at which place does its picture stand? Place 1 is best. A wrong picture with the *same* score stands before
# the right one, so that a model which gives every pair the same score gets nothing for it.


# %% tags=["exercise"]
def image_ranks(scores, image_of):
    # solution
    right = scores[image_of, torch.arange(len(image_of))]  # [n_captions]
    return (scores >= right).sum(0)
    # end of solution


image_ranks = exercises.image_ranks.check(image_ranks)

# %% [markdown]
# ### Exercise 3 (5 minutes, ★): recall at k
#
# *Recall at k* is the share of queries, in percent, whose right answer stands among the first k.


# %% tags=["exercise"]
def recall_at_k(ranks, k):
    # solution
    return 100 * (ranks <= k).float().mean().item()
    # end of solution


recall_at_k = exercises.recall_at_k.check(recall_at_k)

# %% tags=["nbval-check-output"]
toy = torch.tensor([[0.9, 0.2, 0.6], [0.1, 0.8, 0.7]])  # two images, three captions
ranks = image_ranks(toy, torch.tensor([0, 1, 0]))
print("ranks:", ranks.tolist(), " R@1:", round(recall_at_k(ranks, 1), 1))

# %% [markdown]
# Now the whole test split, yours beside the package's. The **ceiling** is what an oracle reaches that reads the true scene
# instead of the picture: captions leave things out, so even the oracle must guess at times.

# %%
ranks = image_ranks(scores, corpus.test.image_of)
print("yours:", [round(recall_at_k(ranks, k), 1) for k in (1, 5, 10)])
report = itm.evaluate(scores, corpus.test.image_of)
print(report)
ceiling = itm.evaluate(itm.oracle_scores(corpus.test), corpus.test.image_of)
print(f"ceiling: rsum {ceiling.rsum:.1f}")

# %% [markdown]
# ## Where it breaks
#
# A quarter of the pictures have a **sibling**: another picture of the same split that differs in exactly one thing. Two colours
# are swapped, two things change sides, there is one fewer, or a wolf stands where the dog stood. A caption that states this one
# thing should prefer its own picture. Guessing gives 50 %.
#
# **Question.** Which kind of difference does a single vector a picture keep, and which does it lose?

# %%
for kind, result in itm.evaluate_siblings(scores, corpus.test).items():
    print(f"{kind:<10}{result.accuracy:5.1f} %  from {result.n} queries, standard error {result.standard_error:.1f}")

# %% [markdown]
# **Answer.** Another kind of animal changes the picture's vector, and the model notices. Sides change almost nothing in it, and
# the model is near chance. With a hundred queries or fewer a standard error is several points: read the figure with it.
#
# ## The paper's numbers and yours
#
# UVSE reported R@1 18.0 (sentences) and 12.5 (images) on Flickr8k's thousand test photographs with VGG features. Yours are not
# comparable: other pictures, another grammar of captions, a smaller network. What carries over is how one measures, and which
# mistakes a model of this shape makes.
#
# ## Quiz
#
# <details><summary>A model gives every pair the score 0.5. What is its R@1 here?</summary>
# Zero: ties count against the model. Evaluators that sort may report anything, depending on how their sort treats ties.</details>
#
# <details><summary>Why are other captions of the same picture no negatives in the loss?</summary>
# They describe the picture too. Pushing them away would teach the model that a true sentence is wrong.</details>
#
# ## Where to go next
#
# Chapter 01 goes back to 2013, when pictures were first sent into a space of words. Until then, turn a parameter above (the seed,
# the number of epochs) and see how far your figures move: that spread is the smallest difference worth talking about.

# %%
print(f"Headline: vse rsum {report.rsum:.0f}, ceiling {ceiling.rsum:.0f}")
