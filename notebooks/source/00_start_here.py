# %% [markdown]
# # 00 · Retrieval in five minutes
#
# **You will be able to**
#
# - say what image-text matching is, and which four parts every system has;
# - train a small model that does it, and search a thousand pictures with a sentence;
# - compute the field's own numbers by hand, and say what they hide.
#
# *About 45 minutes with the exercises; about three minutes of that is the computer's.*
#
# ## The question
#
# You have a thousand pictures and a sentence: *"A woman in yellow stands to the left of a red van."* Which picture is
# meant? Now the other way round: here is a picture, and which of five thousand sentences describes it? The first question
# is **image retrieval** (text to image, *t2i*), the second **sentence retrieval** (image to text, *i2t*). Together they are
# image-text matching.
#
# A picture is a grid of numbers and a sentence is a row of words. How can the two be compared at all? The field's answers
# have the same four parts. An **image encoder** and a **text encoder** turn each side into numbers, an **interaction** lets
# the two meet and gives a score, and a **loss** says during training which scores are wrong.
#
# ```
# image ──► image encoder ──┐
#                           ├──► interaction ──► scores [n_images, n_captions] ──► loss
# text  ──► text encoder ───┘
# ```
#
# This course swaps one part at a time.

# %%
import os

import torch

import itm_tutorial as itm
from itm_tutorial.chapters.ch00_start_here import exercises, figures
from itm_tutorial.data.text import Vocabulary, tokenize
from itm_tutorial.retrieval.search import Hits

# %% [markdown]
# ## Eight years in one picture
#
# Each column is a system, each card a part in which it differed from those before it. The bars are what the field's
# survey lists for it: the fraction of captions, on the test photographs of Flickr30K, that put their picture first.
#
# **Question.** Which part would you have changed first? Which was changed most often?

# %%
itm.show.history()

# %% [markdown]
# **Answer.** The text encoder has the most cards; the loss, after its start in 2013, has none until 2018 and three from then on.
# Do not read the bars as a race between ideas: the network under each bar changed as well, and a better network lifts every
# idea. To learn what one part is worth you change that part and nothing else. That is what you will do here.
#
# The next cell holds all that you may want to turn. A teacher, or papermill, can set these from outside.

# %% tags=["parameters"]
size = "mini"  # 3,000 pictures to train on; "tiny" is for a quick look
epochs = 10
seed = 0
device = "auto"
if os.environ.get("ITM_FAST") == "1":  # the smallest size, for tests
    size, epochs = "tiny", 2

# %% [markdown]
# ## Look at the data
#
# The pictures of this course are *drawn*, from a seed. Nothing has to be downloaded, and the computer knows the truth about
# each picture, which a photograph never tells. A picture has five captions, written by a grammar.

# %%
corpus = itm.load_corpus("scenes", size=size, seed=seed)
print(corpus)
print("The first picture of the test split:", *corpus.test.captions_of(0), sep="\n  ")

# %% [markdown]
# **Question.** What would you mention in these pictures? What do the captions leave out?

# %%
itm.show.pictures(corpus.test, range(0, 24, 3), columns=4)

# %% [markdown]
# **Answer.** A caption names two or three things, often a colour, sometimes a number, a place, or how things stand to each
# other. It seldom says everything: compare the first picture with its five captions above. That matters, because no model
# can find *the* picture when a caption fits several.
#
# Which caption belongs to which picture is written in one place only, `image_of`: for each caption, the number of its
# picture. Public code of this field has often assumed five captions per picture, in order. Here nothing does.

# %% tags=["nbval-check-output"]
example_image_of = torch.tensor([0, 0, 1, 2, 2, 2])  # six captions of three images
print("captions of image 2:", (example_image_of == 2).nonzero().flatten().tolist())
print("captions an image:  ", example_image_of.bincount().tolist())

# %% [markdown]
# ## The picture to aim for
#
# What would a perfect search look like? Because the world is drawn we can ask an **oracle**, which reads the list of facts
# that a picture was drawn from and never looks at a pixel. Its score is the fraction of the caption's statements that are true
# of a picture.
#
# **Question.** The right picture has a frame and a tick. At which score does the oracle stop being sure?

# %%
query = 31  # a caption of the test split; try others
text, meant = corpus.test.captions[query], int(corpus.test.image_of[query])
best = itm.oracle_scores(corpus.test)[:, query].topk(6)
itm.show.ranked(corpus.test, Hits(text, best.indices.tolist(), best.values.tolist()), right=[meant])

# %% [markdown]
# **Answer.** A score of 1 says that the whole sentence is true of the picture (the trifle above 1 only breaks ties); below
# that something is false. Where two pictures reach 1 the sentence does not decide between them, and even the oracle may put the wrong one first. So the most that a
# model can reach is less than 100 %. You will measure this **ceiling** below.
#
# ## The idea: two encoders, one space
#
# Today's model is UVSE (Kiros, Salakhutdinov and Zemel, 2014). A picture goes through a convolutional network and one linear
# map; a caption goes through a GRU, which reads word by word. Both come out as a vector, and the score of picture $i$ and
# caption $c$ is the cosine of the angle between the two:
#
# $$S_{ic} = \frac{v_i \cdot t_c}{\lVert v_i \rVert \, \lVert t_c \rVert}$$
#
# The numbers on the lower line of the figure are made up.
#
# **Question.** In which of the four parts do words and pixels meet? Which of the two wrong captions does the loss leave alone?

# %%
figures.two_encoders(corpus.test, query)

# %% [markdown]
# **Answer.** They meet in the interaction alone, and here that is one dot product: the picture never learns which word was
# asked for. Pictures can therefore be encoded once, before any question comes, and this makes such a model fast. The
# loss leaves alone the caption that already lies further below the right one than the margin.
#
# ## Build it: words become numbers
#
# A vocabulary numbers the words of the training captions. Four numbers are reserved: 0 fills up short captions, 1 starts a
# caption, 2 ends it, and 3 stands for any word that training never showed.

# %% tags=["nbval-check-output"]
vocabulary = Vocabulary.from_captions(["a red van", "a red dog", "a dog"])
print(vocabulary.words)
print(tokenize("A woman in yellow, left of the van."))

# %% [markdown]
# Before you run the next cell: how long is the row of *a dog*, and which number does *zebra* get?

# %% tags=["nbval-check-output"]
tokens = vocabulary.encode(["a red dog", "a dog", "a zebra"])
print(tokens.ids.tolist())  # [n_captions, seq_len]
print(tokens.lengths.tolist())  # [n_captions], with start and end

# %% [markdown]
# ### Exercise 1 (5 minutes, ★): the score matrix
#
# Write the cosine for all pairs at once. `images` is `[n_images, dim]`, `captions` is `[n_captions, dim]`, and the answer is
# `[n_images, n_captions]`. The cell checks your answer and tells you what it finds.
#
# <details><summary>Hint 1</summary>The cosine of two vectors is the dot product of their unit vectors.</details>
# <details><summary>Hint 2</summary>torch.nn.functional.normalize(x, dim=-1) divides each row by its length.</details>
# <details><summary>Hint 3</summary>Normalise both, then images @ captions.T gives [n_images, n_captions].</details>
#
# `exercises.cosine_scores.solution()` prints ours. Without an answer the chapter goes on with it.


# %% tags=["exercise"]
def cosine_scores(images, captions):
    # solution
    images = torch.nn.functional.normalize(images, dim=-1)  # [n_images, dim]
    captions = torch.nn.functional.normalize(captions, dim=-1)  # [n_captions, dim]
    return images @ captions.T
    # end of solution


cosine_scores = exercises.cosine_scores.check(cosine_scores)

# %% [markdown]
# Two pictures and three captions, in a space of two dimensions. Which score must be exactly 1?

# %% tags=["nbval-check-output"]
images = torch.tensor([[1.0, 0.0], [3.0, 4.0]])  # [2, dim]
captions = torch.tensor([[2.0, 0.0], [0.0, 1.0], [3.0, 4.0]])  # [3, dim]
print([[round(score, 2) for score in row] for row in cosine_scores(images, captions).tolist()])

# %% [markdown]
# ## Train it
#
# The loss asks each positive pair to score higher than every negative pair of its batch by a margin $\alpha = 0.2$:
#
# $$L = \sum_{(i,c)} \Big( \sum_{c'} [\alpha - S_{ic} + S_{ic'}]_+ + \sum_{i'} [\alpha - S_{ic} + S_{i'c}]_+ \Big)$$
#
# The sum runs over the positive pairs; $c'$ over captions of other pictures, $i'$ over other pictures, and $[x]_+$ is $x$ where it is
# positive and else 0.
#
# The convolutional network stays as it is, so each picture goes through it once. The first run also teaches it to see, from
# pictures of single things, in about 45 seconds; it is kept for later.

# %%
features = itm.features(corpus)
print("numbers a picture:", list(features.train.shape))  # [n_images, dim]

# %% [markdown]
# Now the rest learns: the linear map, the word vectors and the GRU.

# %%
model = itm.create_model("vse", corpus, seed=seed)
batch_size = min(128, len(corpus.train.captions) // 4)
history = itm.fit(model, corpus, epochs=epochs, batch_size=batch_size, seed=seed, device=device)

# %% [markdown]
# **Question.** Two panels: on the left the loss on captions that the model trains on; on the right rsum (you will compute its
# terms in a moment) on pictures that it never trains on. Would more epochs help?

# %%
itm.show.training_curve(history)

# %% [markdown]
# **Answer.** Decide by the right panel. Where it has gone flat while the loss still falls, the model only learns its
# training captions by heart. The star marks the weights that `fit` kept. Where it stands on the last epoch and the curve
# still climbs, more epochs may help.
#
# ## Search
#
# **Question.** The same sentence as before, now answered by your model from pixels alone. Where did the right picture go, and what
# do the wrong ones have in common with it?

# %%
itm.show.ranked(corpus.test, itm.search(model, corpus.test, text, k=6), right=[meant])

# %% [markdown]
# **Answer.** Read the row from the left and ask three things of each wrong picture. Are the things right? Are they in the right
# colours? Do they stand where the sentence says? A wrong picture with the right things in the right colours tells you
# that the model took the words and lost their order. You will count such cases below.
#
# Now ask your own. The box starts with the figure above and has ready-made captions; clear it to see them. Turn *left* into
# *right*: does the order of the pictures change? Then try one thing with one colour, two things, their colours swapped, and a word
# that no caption has.

# %%
itm.show.explorer(model, corpus.test, [text, *corpus.test.captions[20:120:20]])

# %% [markdown]
# The other direction: the first picture of the grid above is the query, and five sentences come back. One without a tick was
# written for another picture. It may be true of this one all the same, and then it counts as wrong only because nobody wrote it here.

# %%
found = itm.search(model, corpus.test, corpus.test.images[0], k=5)
for caption, score in zip(found.indices, found.scores, strict=True):
    mark = "✓" if corpus.test.image_of[caption] == 0 else " "
    print(f"{mark} {score:.2f}  {corpus.test.captions[caption]}")

# %% [markdown]
# ## Measure it by hand
#
# A model gives one number for each pair, so a test split becomes one matrix of scores. Here is a corner of it: eight pictures
# and the first caption of each.
#
# **Question.** Each column is a search. Where should its darkest cell be? Which wrong cell comes closest, and what do its picture and its caption have in common?

# %%
scores = itm.score(model, corpus.test)  # [n_images, n_captions]
first = [int((corpus.test.image_of == i).nonzero()[0]) for i in range(8)]
names = [corpus.test.captions[c] for c in first]
figures.score_matrix(scores[:8, first], torch.arange(8), images=corpus.test.images[:8], captions=names)

# %% [markdown]
# **Answer.** A search goes right where the framed cell is the darkest of its *column*. A darker cell elsewhere in the column
# is a picture that the model likes better. Among eight pictures a column has seven chances to fail; in the whole split it has
# one for each other picture. The field boils the whole matrix down to a few numbers, and you now write them.
#
# ### Exercise 2 (10 minutes, ★★): ranks
#
# For each caption: at which place does its picture stand? Place 1 is best. A wrong picture with the *same* score stands before
# the right one, so that a model which gives every pair the same score gets nothing for it. `scores` is
# `[n_images, n_captions]`, `image_of` is `[n_captions]`, and the answer is `[n_captions]`.
#
# <details><summary>Hint 1</summary>You need no sorting: a rank is a count of those that stand before.</details>
# <details><summary>Hint 2</summary>The scores of the right images are scores[image_of, torch.arange(len(image_of))].</details>
# <details><summary>Hint 3</summary>In each column count the images that score at least as much. The right one counts itself: place 1.</details>
#
# `exercises.image_ranks.solution()` prints ours.


# %% tags=["exercise"]
def image_ranks(scores, image_of):
    # solution
    positives = scores[image_of, torch.arange(len(image_of))]  # [n_captions]
    return (scores >= positives).sum(0)
    # end of solution


image_ranks = exercises.image_ranks.check(image_ranks)

# %% [markdown]
# ### Exercise 3 (5 minutes, ★): recall at k
#
# *Recall at k*, R@k, is the fraction of queries, in percent, whose right answer stands among the first k. `ranks` is
# `[n_queries]`, `k` is a number, and so is the answer.
#
# <details><summary>Hint 1</summary>Recall at k is the fraction of queries whose right answer is among the first k.</details>
# <details><summary>Hint 2</summary>ranks &lt;= k is True for those; ranks start at 1.</details>
# <details><summary>Hint 3</summary>100 * (ranks &lt;= k).float().mean().item() is in percent, as the field prints it.</details>
#
# `exercises.recall_at_k.solution()` prints ours.


# %% tags=["exercise"]
def recall_at_k(ranks, k):
    # solution
    return 100 * (ranks <= k).float().mean().item()
    # end of solution


recall_at_k = exercises.recall_at_k.check(recall_at_k)

# %% [markdown]
# Two pictures and three captions, the third of the first picture again. Work out R@1 on paper, then run the cell.

# %% tags=["nbval-check-output"]
toy = torch.tensor([[0.9, 0.2, 0.6], [0.1, 0.8, 0.7]])  # [2 images, 3 captions]
ranks = image_ranks(toy, torch.tensor([0, 1, 0]))
print("ranks:", ranks.tolist(), " R@1:", round(recall_at_k(ranks, 1), 1))

# %% [markdown]
# Now the whole test split, yours beside the package's. The package adds the other direction, where one of a picture's
# captions is enough for a hit, and **rsum**, the sum of the six recalls. The last line is the ceiling: what the oracle reaches.

# %%
ranks = image_ranks(scores, corpus.test.image_of)  # [n_captions]
print("yours, caption to images:", [round(recall_at_k(ranks, k), 1) for k in (1, 5, 10)])
report = itm.evaluate(scores, corpus.test.image_of)
ceiling = itm.evaluate(itm.oracle_scores(corpus.test), corpus.test.image_of)
print(report, f"ceiling: rsum {ceiling.rsum:.1f}", sep="\n")

# %% [markdown]
# Your three numbers must be those of the line *caption to images*. If you changed `query`, nothing here moved: these are means
# over all captions.
#
# ## Break it
#
# A mean hides things. About a quarter of the pictures have a **minimal pair**: another picture of the same split that differs in exactly
# one thing. Two colours are swapped, two things change sides, there is one more or one fewer, or a wolf stands where the dog stood. A
# caption that states this one thing should prefer its own picture. Guessing gives 50 %. Where colours or sides
# are swapped, both pictures answer to the same words, and a model that only collects words is lost.
#
# **Question.** Which kind of difference does one vector for a whole picture keep? Guess before you run the cell.

# %%
minimal_pairs = itm.evaluate_minimal_pairs(scores, corpus.test)
itm.show.minimal_pair_accuracy(minimal_pairs)

# %% [markdown]
# **Answer.** Read each row against the dashed line; the bar is two standard errors either way. A bar that clears the line says that the model
# uses this difference. A bar that crosses it says that these queries cannot tell your model from a coin. Rows with few
# queries have long bars, and `size = "tiny"` has too few to say anything. Over the five runs that we keep
# (`itm.claims.results("start_here")`), replaced objects, swapped colours and counts cleared the line by many points and sides never did. A model that
# only collects words, `bow`, was at the line for colours too: which colour belongs to which thing is what the GRU's reading in
# order bought. Sides stay open: chapter 03 says why.
#
# ## The paper's numbers and yours
#
# UVSE with VGG features, on the test photographs of Flickr8k, as the survey lists it, beside your run:

# %%
paper = (18.0, 40.9, 55.0, 12.5, 37.0, 51.5)
yours = [recall for side in (report.i2t, report.t2i) for recall in (side.r1, side.r5, side.r10)]
print(f"{'R@1, R@5, R@10 of':<28}{'sentences':>18}{'images':>20}")
for name, row in (("UVSE on Flickr8k", paper), ("yours on drawn scenes", yours)):
    print(f"{name:<28}" + "".join(f"{recall:7.1f}" for recall in row))
print(itm.literature.cite("kiros2014uvse"), sep="; ")
print(f"Headline: vse rsum {report.rsum:.0f}, ceiling {ceiling.rsum:.0f}")

# %% [markdown]
# The two rows are **not comparable**, and a higher number of yours is no victory. Photographs hold far more than these drawings; people write
# more freely than a grammar does; your network is far smaller than VGG; and the authors' code trains with
# images that are not scaled to length one, and scales them in the test alone. What carries over is how one measures, and which mistakes a
# model of this shape makes.
#
# ## Quiz
#
# Open an answer to see what it is worth.
#
# **1. A model gives every pair the score 0.5. What is its R@1 here?**
#
# <details><summary>100 %: nobody scores higher than the right picture</summary>No: an evaluator that counts only what scores <i>higher</i> would say so. Here a tie counts against the model.</details>
# <details><summary>0 %: every wrong picture ties, and stands before the right one</summary>Yes. All that a constant model can be given is the last place.</details>
# <details><summary>0.1 %: one in a thousand, as by guessing</summary>No: that is what breaking ties at random would give. Here ties are not broken, they are lost.</details>
#
# **2. A wrong caption scores 0.25 below the right one, and the margin is 0.2. What does this pair add to the loss?**
#
# <details><summary>0.05</summary>No: 0.2 − 0.25 is <i>minus</i> 0.05, and the brackets turn what is negative into 0.</details>
# <details><summary>−0.05</summary>No: the loss has no negative terms. With them, the model could lower the loss by pushing negative pairs ever further away.</details>
# <details><summary>0</summary>Yes. The caption lies far enough below; its gradient is zero as well.</details>
#
# **3. Why are other captions of the same picture no negatives in the loss?**
#
# <details><summary>They describe the picture too</summary>Yes. Pushing them away would teach the model that a true sentence is wrong.</details>
# <details><summary>Leaving them out saves time</summary>No: masking them costs a little time. It is about what is true.</details>
# <details><summary>They are too easy to matter</summary>No: they are the hardest of all, since they score about as high as the right caption.</details>
#
# **4. You search among 100 pictures in place of 1,000, with the same model. What happens to R@1?**
#
# <details><summary>It stays: the model is the same</summary>No: the scores stay, but a rank counts the wrong pictures that stand before, and there are fewer.</details>
# <details><summary>It falls: there is less to choose from</summary>No: what is missing are wrong answers. The right one is always among the 100.</details>
# <details><summary>It rises, or at least cannot fall</summary>Yes. This is why a recall without the number of pictures says nothing.</details>
#
# **5. A model guesses where two pictures differ in their sides, and still has a high R@1. How can that be?**
#
# <details><summary>R@1 does not count captions that name a side</summary>No: it counts them like all others. They are only few that hang on the side alone.</details>
# <details><summary>For most captions the things and their colours leave one picture</summary>Yes. The sides decide only where everything else is the same, and this is rare unless one looks for it.</details>
# <details><summary>Its captions never name sides</summary>No: many do. But a caption may name what it does not need.</details>
#
# **6. You change the loss, and rsum rises by 4 on seed 0. What do you know?**
#
# <details><summary>The new loss is better</summary>Not yet: another seed alone may move rsum by as much. Try it.</details>
# <details><summary>The new loss is better on drawn scenes</summary>Not yet, for the same reason: the data are not the only thing that one run depends on.</details>
# <details><summary>Little, until other seeds say the same</summary>Yes. The spread over seeds is the smallest difference worth talking about.</details>
#
# ## Where to go next
#
# - Turn `seed` above and run the chapter again: how much do your results change?
# - Replace `"vse"` by `"bow"`, a bag of words that cannot know their order. Which numbers change, and which do not?
# - Chapter 01 will go back to 2013, when pictures were first sent into a space of words; chapters 02 to 04 then
#   follow the cards of the first figure.
