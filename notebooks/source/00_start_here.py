# %% [markdown]
# # 00 · Retrieval in five minutes
#
# **You will be able to**
#
# - say what image-text matching is, and name the four parts of every system;
# - train a small model for it, and search a thousand pictures with a sentence;
# - compute the field's metrics by hand, and say what they hide.
#
# ## The question
#
# You have a thousand pictures and a sentence: *"A woman in yellow stands to the left of a red van."* Which picture does the
# sentence describe? This is **image retrieval** (text to image, *t2i*). Now you have one picture and five thousand sentences.
# Which sentence describes the picture? This is **sentence retrieval** (image to text, *i2t*). Both together are called
# image-text matching.
#
# A picture is a grid of numbers, and a sentence is a list of words. How can a computer compare the two? Every system of the
# field has the same four parts. An **image encoder** and a **text encoder** turn the picture and the sentence into vectors.
# An **interaction** compares these vectors and gives a score. A **loss** tells the model during training which scores are wrong.
#
# ```
# image ──► image encoder ──┐
#                           ├──► interaction ──► scores [n_images, n_captions] ──► loss
# text  ──► text encoder ───┘
# ```
#
# Each chapter of this course changes one of these parts.

# %%
import os

import torch

import itm_tutorial as itm
from itm_tutorial.chapters.ch00_start_here import answers, exercises, figures
from itm_tutorial.data.text import Vocabulary, tokenize
from itm_tutorial.retrieval.search import Hits

# %% [markdown]
# ## Eight years in one picture
#
# Each column is a system. Each card names a part in which it differed from the systems before it. The bars show R@1 as the
# field's survey lists it: the percentage of captions of the Flickr30K test photographs for which the right picture comes first.
#
# **Question.** Which part would you have changed first? Which part was changed most often?

# %%
itm.show.history()

# %% [markdown]
# <details><summary>Answer</summary>
#
# The text encoder has the most cards, five. The loss has one card at the start in 2013, none until 2018, and three from then on.
# The bars do not compare these ideas alone, because the image network below each bar changed as well, and a better image
# network improves every system. To measure one part, you change that part and nothing else, as this course does.
#
# </details>

# %% [markdown]
# The next cell holds the parameters of this chapter. Change them here; papermill can set them from outside.

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
# The pictures of this course are *drawn* by a program from a random seed. You need no download, and the program knows everything
# that is true of each picture; nobody knows this of a photograph. Each picture has five captions, written by a grammar.

# %%
corpus = itm.load_corpus("scenes", size=size, seed=seed)
print(corpus)
print("The first picture of the test split:", *corpus.test.captions_of(0), sep="\n  ")

# %% [markdown]
# **Question.** What would you mention in these pictures? What do the captions leave out?

# %%
itm.show.pictures(corpus.test, range(0, 24, 3), columns=4)

# %% tags=["answer"]
itm.show.answer(answers.named_things(corpus.test, 0))

# %% [markdown]
# One tensor says which caption belongs to which picture: `image_of` holds, for each caption, the index of its picture. Much
# public code of this field assumes five captions per picture, in order. Nothing in this course assumes it.

# %% tags=["nbval-check-output"]
example_image_of = torch.tensor([0, 0, 1, 2, 2, 2])  # six captions of three images
print("captions of image 2:", (example_image_of == 2).nonzero().flatten().tolist())
print("captions per image: ", example_image_of.bincount().tolist())

# %% [markdown]
# ## The picture to aim for
#
# What would a perfect search look like? An **oracle** can tell us: it reads the list of facts from which each picture was drawn,
# and never looks at the pixels. The number below each picture is the fraction of the caption's facts that are true of the
# picture. (Facts that follow count too: a brown dog is also a brown animal.)
#
# **Question.** The right picture has a frame and a tick. Is it the only one of which the whole sentence is true?

# %%
query = 75  # a caption of the test split; try others
text, positive = corpus.test.captions[query], int(corpus.test.image_of[query])
best = itm.oracle_scores(corpus.test)[:, query].topk(6).indices
fractions = itm.true_fractions(corpus.test)[best, query]  # of the caption's facts, for six pictures
itm.show.ranked(corpus.test, Hits(text, best.tolist(), fractions.tolist()), right=[positive])

# %% tags=["answer"]
itm.show.answer(answers.true_of(corpus.test, query))

# %% [markdown]
# ## The idea: two encoders, one space
#
# The model of this chapter is UVSE (Kiros, Salakhutdinov and Zemel, 2014). Its image encoder is a convolutional network
# followed by one linear map. Its text encoder is a GRU, which reads the caption word by word. Each encoder returns one vector, an
# **embedding**. The score of picture $i$ and caption $c$ is the cosine of the angle between their embeddings $v_i$ and $t_c$:
#
# $$S_{ic} = \frac{v_i \cdot t_c}{\lVert v_i \rVert \, \lVert t_c \rVert}$$
#
# The lower part of the figure shows what the loss does with three scores of one picture. The caption that describes the picture is the
# **positive**, every other caption is a **negative**. The three numbers are made up.
#
# **Question.** In which of the four parts do words and pixels meet? Which of the two negatives does the loss leave alone?

# %%
figures.two_encoders(corpus.test, query)

# %% [markdown]
# <details><summary>Answer</summary>
#
# Words and pixels meet only in the interaction, which here is one dot product. The image encoder never knows which words the
# query has. So every picture can be encoded once, before any query comes, and this makes such a model fast. The loss leaves alone
# the negative at 0.30, because it lies more than the margin of 0.2 below the positive.
#
# </details>

# %% [markdown]
# ## Build it: words become numbers
#
# A vocabulary gives each word of the training captions a number. Four numbers are reserved: 0 pads short captions, 1 starts a
# caption, 2 ends it, and 3 stands for any word that training never showed.

# %% tags=["nbval-check-output"]
vocabulary = Vocabulary.from_captions(["a red van", "a red dog", "a dog"])
print(vocabulary.words)
print(tokenize("A woman in yellow, left of the van."))

# %% [markdown]
# Before you run the next cell: how many numbers does the row of *a dog* have, and which number does *zebra* get?

# %% tags=["nbval-check-output"]
tokens = vocabulary.encode(["a red dog", "a dog", "a zebra"])
print(tokens.ids.tolist())  # [n_captions, seq_len]
print(tokens.lengths.tolist())  # [n_captions], with start and end

# %% [markdown]
# <details><summary>Answer</summary>
#
# The row of *a dog* has five numbers, as many as the longest caption of the batch: start, two words, end, and one 0 as padding.
# *zebra* gets 3, because the vocabulary does not have the word.
#
# </details>

# %% [markdown]
# ### Exercise 1 (5 minutes, ★): the score matrix
#
# Compute the cosines of all pairs at once. `images` is `[n_images, dim]`, `captions` is `[n_captions, dim]`, and the result is
# `[n_images, n_captions]`. The cell checks your function and says what is wrong with it.
#
# <details><summary>Hint 1</summary>The cosine of two vectors is the dot product of their unit vectors.</details>
# <details><summary>Hint 2</summary>torch.nn.functional.normalize(x, dim=-1) divides each row by its length.</details>
# <details><summary>Hint 3</summary>Normalise both, then images @ captions.T gives [n_images, n_captions].</details>
#
# `exercises.cosine_scores.solution()` prints our solution. Without yours, the chapter goes on with ours.


# %% tags=["exercise"]
def cosine_scores(images, captions):
    # solution
    images = torch.nn.functional.normalize(images, dim=-1)  # [n_images, dim]
    captions = torch.nn.functional.normalize(captions, dim=-1)  # [n_captions, dim]
    return images @ captions.T
    # end of solution


cosine_scores = exercises.cosine_scores.check(cosine_scores)

# %% [markdown]
# Two pictures and three captions with embeddings of two dimensions. Before you run it: which two scores must be exactly 1?

# %% tags=["nbval-check-output"]
images = torch.tensor([[1.0, 0.0], [3.0, 4.0]])  # [2, dim]
captions = torch.tensor([[2.0, 0.0], [0.0, 1.0], [3.0, 4.0]])  # [3, dim]
print([[round(score, 2) for score in row] for row in cosine_scores(images, captions).tolist()])

# %% [markdown]
# <details><summary>Answer</summary>
#
# Picture 0 and caption 0 point in the same direction, although their lengths are 1 and 2. So do picture 1 and caption 2, which are
# equal. The cosine ignores lengths, so both scores are 1.
#
# </details>

# %% [markdown]
# ## Train it
#
# The loss wants the score of each positive pair to exceed the score of every negative pair of its batch by a margin $\alpha = 0.2$:
#
# $$L = \sum_{(i,c)} \Big( \sum_{c'} [\alpha - S_{ic} + S_{ic'}]_+ + \sum_{i'} [\alpha - S_{ic} + S_{i'c}]_+ \Big)$$
#
# The outer sum runs over the positive pairs, $c'$ over the captions of other pictures, and $i'$ over the other pictures. $[x]_+$ is
# $x$ where $x$ is positive, and 0 elsewhere.
#
# The convolutional network is not trained further here, so each picture goes through it once. Before the first use it is
# trained on pictures of single things, in about 45 seconds; the cache keeps it.

# %%
features = itm.features(corpus)
print("features of the training split:", list(features.train.shape))  # [n_images, dim]

# %% [markdown]
# Now the other parts are trained: the linear map, the word vectors and the GRU.

# %%
model = itm.create_model("vse", corpus, seed=seed)
batch_size = min(128, len(corpus.train.captions) // 4)
history = itm.fit(model, corpus, epochs=epochs, batch_size=batch_size, seed=seed, device=device)

# %% [markdown]
# The left panel of the next figure shows the loss on the captions that the model trains on. The right panel shows rsum on pictures that it
# never trains on. You will compute the six terms of rsum soon; higher is better, and the dashed line is the oracle's rsum.
#
# **Question.** Would more epochs help?

# %%
ceiling = itm.evaluate(itm.oracle_scores(corpus.val), corpus.val.image_of).rsum
itm.show.training_curve(history, ceiling)

# %% tags=["answer"]
itm.show.answer(answers.training(history, ceiling))

# %% [markdown]
# ## Search
#
# Search with the same sentence again, now with your model, which sees only pixels. For comparison the next cell also trains `bow`,
# whose text encoder is a bag of words: it adds up word vectors and cannot know the order of the words.
#
# The upper row shows the query, the lower row a changed query. Below each picture, ✓ and ✗ say which statements of the query are true of it.
# The buttons choose another query, change it in one way, or switch the model. You can also type your own.
#
# **Question.** Exchange the sides: which pictures stay? Then swap the colours: does `bow` notice? Does `vse`?

# %%
bow = itm.create_model("bow", corpus, seed=seed)
itm.fit(bow, corpus, epochs=epochs, batch_size=batch_size, seed=seed, device=device)
itm.show.explorer({"vse": model, "bow": bow}, corpus.test, [text, *corpus.test.captions[20:120:20]])

# %% tags=["answer"]
itm.show.answer(answers.changed_queries({"vse": model, "bow": bow}, corpus.test, query))

# %% [markdown]
# Now the other direction: the query is the first picture of the grid above, and the search returns five sentences. A tick marks
# the sentences that were written for this picture. The fraction says how much of the sentence is true of it. A sentence with 1.00 and
# no tick is true, but it counts as wrong, because it was written for another picture.

# %%
found = itm.search(model, corpus.test, corpus.test.images[0], k=5)
fractions = itm.true_fractions(corpus.test)[0]  # [n_captions]
for caption, score in zip(found.indices, found.scores, strict=True):
    mark = "✓" if corpus.test.image_of[caption] == 0 else " "
    print(f"{mark} score {score:.2f}, true {fractions[caption]:.2f}  {corpus.test.captions[caption]}")

# %% [markdown]
# ## Measure it by hand
#
# A model gives one score per pair, so a test split becomes one matrix of scores. The figure shows a corner of it: eight pictures and
# the first caption of each. Column 3 holds the scores of caption 3, whose text stands to the right of its own picture.
#
# **Question.** Each column is one search. Which cell of a column should be the darkest? Which wrong cell is the darkest of all, and
# what do its picture and its caption have in common?

# %%
scores = itm.score(model, corpus.test)  # [n_images, n_captions]
first = [int((corpus.test.image_of == i).nonzero()[0]) for i in range(8)]
shown = [corpus.test.display(i) for i in range(8)]
names = [corpus.test.captions[c] for c in first]
figures.score_matrix(scores[:8, first], torch.arange(8), images=shown, captions=names)

# %% tags=["answer"]
itm.show.answer(answers.nearest_negative(scores[:8, first], corpus.test, first))

# %% [markdown]
# The field summarises the whole matrix in a few metrics. You will write them now.
#
# ### Exercise 2 (10 minutes, ★★): ranks
#
# For each caption, compute the **rank** of its picture: 1 if it has the highest score of all pictures, 2 if one other picture scores at
# least as much, and so on. A wrong picture with the *same* score counts as better, so that a model which gives every pair the same
# score gains nothing. `scores` is `[n_images, n_captions]`, `image_of` is `[n_captions]`, and the result is `[n_captions]`.
#
# <details><summary>Hint 1</summary>You need no sorting: a rank is a count of images.</details>
# <details><summary>Hint 2</summary>The scores of the right images are scores[image_of, torch.arange(len(image_of))].</details>
# <details><summary>Hint 3</summary>In each column, count the images that score at least as much as the right one. The right one counts itself, so the best rank is 1.</details>
#
# `exercises.image_ranks.solution()` prints our solution.


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
# *Recall at k*, R@k, is the percentage of queries whose rank is at most k. `ranks` is `[n_queries]`, `k` is a whole number, and the
# result is one number.
#
# <details><summary>Hint 1</summary>Recall at k is the fraction of queries whose right answer is among the first k.</details>
# <details><summary>Hint 2</summary>ranks &lt;= k is True for those; ranks start at 1.</details>
# <details><summary>Hint 3</summary>100 * (ranks &lt;= k).float().mean().item() is in percent, as the field prints it.</details>
#
# `exercises.recall_at_k.solution()` prints our solution.


# %% tags=["exercise"]
def recall_at_k(ranks, k):
    # solution
    return 100 * (ranks <= k).float().mean().item()
    # end of solution


recall_at_k = exercises.recall_at_k.check(recall_at_k)

# %% [markdown]
# Two pictures and three captions; the third caption belongs to picture 0, like the first. Work out R@1 on paper, then run the cell.

# %% tags=["nbval-check-output"]
toy = torch.tensor([[0.9, 0.2, 0.6], [0.1, 0.8, 0.7]])  # [2 images, 3 captions]
ranks = image_ranks(toy, torch.tensor([0, 1, 0]))
print("ranks:", ranks.tolist(), " R@1:", round(recall_at_k(ranks, 1), 1))

# %% [markdown]
# <details><summary>Answer</summary>
#
# Captions 0 and 1 give their own pictures the higher score, so their rank is 1. Caption 2 gives picture 0 only 0.6 and picture 1
# the higher score of 0.7, so its rank is 2. Two of three ranks are 1: R@1 is 66.7 %.
#
# </details>

# %% [markdown]
# Now the whole test split, with your functions and with the package's. The package adds the other direction, where a picture counts as a
# hit if one of its captions is among the first k. It also adds **rsum**, the sum of the six recalls. The last line is the
# ceiling, the rsum of the oracle.

# %%
ranks = image_ranks(scores, corpus.test.image_of)  # [n_captions]
print("yours, caption to images:", [round(recall_at_k(ranks, k), 1) for k in (1, 5, 10)])
report = itm.evaluate(scores, corpus.test.image_of)
ceiling = itm.evaluate(itm.oracle_scores(corpus.test), corpus.test.image_of)
print(report, f"ceiling: rsum {ceiling.rsum:.1f}", sep="\n")

# %% [markdown]
# Your three numbers must equal those of the line *caption to images*. They do not depend on `query`, because they are means over all
# captions.
#
# ## Break it
#
# A mean hides much. About a quarter of the pictures belong to a **minimal pair**: two pictures of the same split that differ in exactly
# one fact. The figure shows one pair of each kind with a caption that is true of the first picture alone. (Clouds, walls and mounds
# vary too; no caption mentions them.)
#
# **Question.** Which words of each caption are false of the second picture? Which of the four pairs could a bag of words tell apart?

# %%
figures.minimal_pairs(corpus.test)

# %% tags=["answer"]
itm.show.answer(answers.what_decides(corpus.test))

# %% [markdown]
# A caption should score its own picture higher than the other picture of the pair. Guessing is right in 50 % of the cases.
#
# **Question.** Which kinds of difference does your model notice? Guess before you run the cell. A bar shows two standard
# errors to either side; a bar that crosses the dashed line does not differ clearly from guessing.

# %%
minimal_pairs = itm.evaluate_minimal_pairs(scores, corpus.test)
itm.show.minimal_pair_accuracy(minimal_pairs)

# %% tags=["answer"]
bow_pairs = itm.evaluate_minimal_pairs(itm.score(bow, corpus.test), corpus.test)
itm.show.answer(answers.minimal_pairs(minimal_pairs, bow_pairs, itm.claims.results("start_here")["figures"]))

# %% [markdown]
# ## The paper's numbers and yours
#
# The next cell prints the recalls of UVSE with VGG features on the test photographs of Flickr8k, as the survey lists them, and those of your run:

# %%
paper = (18.0, 40.9, 55.0, 12.5, 37.0, 51.5)
yours = [recall for side in (report.i2t, report.t2i) for recall in (side.r1, side.r5, side.r10)]
print(f"{'R@1, R@5, R@10 of':<28}{'sentences':>18}{'images':>20}")
for name, row in (("UVSE on Flickr8k", paper), ("yours on drawn scenes", yours)):
    print(f"{name:<28}" + "".join(f"{recall:7.1f}" for recall in row))
print(itm.literature.cite("kiros2014uvse"), sep="; ")
print(f"Headline: vse rsum {report.rsum:.0f}, ceiling {ceiling.rsum:.0f}")

# %% [markdown]
# The two rows are **not comparable**, and a higher number of yours does not mean a better model. Photographs show far more than these drawings, people write
# more freely than a grammar does, and your image network is far smaller than VGG. The authors' code also differs: it trains with image
# vectors that are not scaled to length 1, and scales them only in the test. What you can compare is the way of
# measuring, and the kinds of mistakes that such a model makes.
#
# ## Quiz
#
# Open an option to see whether it is correct, and why.
#
# **1. A model gives every pair the score 0.5. What is its R@1 in this chapter?**
#
# <details><summary>100 %: no picture scores higher than the right one</summary>No: an evaluator that counts only <i>higher</i> scores would say so. Here a tie counts against the model.</details>
# <details><summary>0 %: every wrong picture ties with the right one, and counts as better</summary>Yes. With equal scores everywhere, the right picture always has the last rank.</details>
# <details><summary>0.1 %: one in a thousand, as by guessing</summary>No: random tie-breaking would give that. Here a tie always counts against the model.</details>
#
# **2. A negative caption scores 0.25 below the positive one, and the margin is 0.2. What does this pair add to the loss?**
#
# <details><summary>0.05</summary>No: 0.2 − 0.25 is <i>minus</i> 0.05, and the brackets turn a negative number into 0.</details>
# <details><summary>−0.05</summary>No: the loss has no negative terms. With them, the model could lower the loss by pushing negatives ever further away.</details>
# <details><summary>0</summary>Yes. The caption lies more than the margin below the positive, so its loss and its gradient are 0.</details>
#
# **3. Why are other captions of the same picture no negatives in the loss?**
#
# <details><summary>They describe the picture too</summary>Yes. Pushing them away would teach the model that a true sentence is wrong.</details>
# <details><summary>Leaving them out saves time</summary>No: leaving them out costs a little time, for a mask. The reason is that these captions are true.</details>
# <details><summary>They are too easy to matter</summary>No: they would be the hardest of all, because they score about as high as the positive.</details>
#
# **4. You search among 100 pictures instead of 1,000, with the same model. What happens to R@1?**
#
# <details><summary>It stays the same, because the model is the same</summary>No: the scores stay the same, but a rank counts the wrong pictures with a higher score, and there are fewer pictures.</details>
# <details><summary>It falls, because there is less to choose from</summary>No: only wrong pictures were removed. The right picture is always among the 100.</details>
# <details><summary>It rises, or at least it cannot fall</summary>Yes. So a recall says nothing unless the number of pictures is given with it.</details>
#
# **5. A model guesses where two pictures differ only in their sides, and still has a high R@1. How can that be?**
#
# <details><summary>R@1 does not count captions that name a side</summary>No: it counts them like all others. But few captions depend on the side alone.</details>
# <details><summary>For most captions, the things and their colours fit only one picture</summary>Yes. The sides decide only where everything else is the same, and such pairs are rare.</details>
# <details><summary>Its captions never name sides</summary>No: many do. But the other words of such a caption often suffice to find the picture.</details>
#
# **6. You change the loss, and rsum rises by 4 on seed 0. What do you know?**
#
# <details><summary>The new loss is better</summary>Not yet: another seed alone may change rsum by as much. Try it.</details>
# <details><summary>The new loss is better on drawn scenes</summary>Not yet: the result of one run also depends on its seed, even on the same data.</details>
# <details><summary>Little, until other seeds show the same</summary>Yes. A difference counts only if it is larger than the spread over seeds.</details>
#
# ## Recap
#
# - An image-text matching system has four parts: an image encoder, a text encoder, an interaction and a loss.
# - UVSE encodes each picture and each caption as one vector, and the score of a pair is the cosine of the two vectors.
# - The loss pushes each negative pair at least a margin below its positive pair, and adds nothing once it is that far below.
# - R@k is the percentage of queries whose right answer is among the first k, and rsum is the sum of the six recalls of both directions.
# - A high recall hides mistakes: minimal pairs show which differences a model notices, and the ceiling shows what the captions allow.
#
# ## Where to go next
#
# - Change `seed` in the parameters and run the chapter again: how much do your results change?
# - In the training cell, replace `"vse"` by `"bow"`. Which numbers of the chapter change, and which do not?
# - Chapter 01 goes back to 2013, when pictures were first mapped into a space of words. Chapters 02 to 04 follow the cards
#   of the first figure.
