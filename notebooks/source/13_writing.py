# %% [markdown]
# # 13 · Ranking by writing
#
# **You will be able to**
#
# - score a caption by log P(caption | image), word by word, and say which tokens count;
# - explain why the commonest captions come first for many images, and divide their commonness away;
# - write captions greedily, by beam search and by sampling;
# - measure how many statements of a written caption are true, and recognise three faults that leave the loss falling.
#
# ## The question
#
# The models so far compare two embeddings. In 2014, several groups trained networks that *write* captions. Such a network gives
# each caption a probability, given an image. So it can rank captions: **how likely is it that the network would have written
# this caption for this image?**
#
# NIC and m-RNN rank by this likelihood. GXN ranks by embeddings, and writes only to learn better ones.

# %% tags=["parameters"]
import os

method = "m_rnn"  # the run that you measure: "nic", "m_rnn" or "gxn"
size = "mini"  # 3,000 pictures to train on
epochs = 4  # over all captions
seed = 0
device = "auto"
if os.environ.get("ITM_FAST") == "1":  # the smallest size, for tests
    size = "tiny"

# %%
import math
import time
from dataclasses import replace

import torch

import itm_tutorial as itm
from itm_tutorial.chapters.ch10_sentences.measures.m_cnn import first_images
from itm_tutorial.chapters.ch13_writing import answers, exercises, figures
from itm_tutorial.chapters.ch13_writing.members import MEMBERS
from itm_tutorial.chapters.family import family_table
from itm_tutorial.evaluation.caption_truth import statement_truth, truth_controls
from itm_tutorial.retrieval.writing import word_log_probabilities

corpus = itm.load_corpus("scenes", size=size, seed=seed)
test = corpus.test
print(corpus)

# %% [markdown]
# ## Train it
#
# Start this cell and read on. It trains m-RNN, which the figures use, and your `method` if it is another one. Each epoch is
# validated on 50 images alone, because a writer runs a network for each pair of image and caption.

# %%
small = replace(corpus, splits={"train": corpus.train, "val": first_images(corpus.val, 50)})
shared = {"epochs": epochs, "batch_size": 64, "learning_rate": 3e-3, "seed": seed, "device": device}
writer = itm.create_model("m_rnn", corpus, seed=seed)
itm.fit(writer, small, **shared)
model = writer
if method != "m_rnn":
    model = itm.create_model(method, corpus, seed=seed)
    itm.fit(model, small, **shared)
print("trained:", *dict.fromkeys(["m_rnn", method]))

# %% [markdown]
# ## The picture to aim for
#
# Three test images, which the model has never seen, with captions that it wrote. Below each caption stand its statements. The
# drawn world knows which of them are true.
#
# **Question.** What does the model see, and what does it guess? *Greedy* takes the likeliest word at each step; *beam* searches
# for the likeliest caption. Is the likelier caption the truer one?

# %%
shown = [0, 1, 2]
seen = itm.features(corpus).test[shown]  # [3, dim]
written = {"greedy": itm.write_captions(writer, seen), "beam": itm.write_captions(writer, seen, "beam")}
figures.written(test, shown, written)

# %% tags=["answer"]
itm.show.answer(answers.pictures(test, shown, written))

# %% [markdown]
# ## The idea
#
# A caption $c$ has the words $w_1 \dots w_N$. The network reads the image $i$ and the words so far, and predicts the next word
# by a softmax. The probability of a caption is the product of these probabilities, and its logarithm a sum:
#
# $$\log P(c \mid i) = \sum_{t=1}^{N+1} \log p(w_t \mid i, w_0, \dots, w_{t-1})$$
#
# The start mark $w_0$ is given, so it is *not* scored. The network writes the stop mark $w_{N+1}$, so it *is* scored. The sum
# is called the **log-likelihood** of the caption.
#
# Training maximises the log-likelihood of each image's own captions. There are no negatives. Such a model is called
# **autoregressive**; large language models are trained with the same loss.
#
# **Question.** In the map, what a method introduced is framed and bold. In which of the methods can images share work?

# %%
figures.methods()

# %% [markdown]
# <details><summary>Answer</summary>
#
# NIC reads the image before the first word. Every later state depends on it, so each pair needs a run of its own. In m-RNN the
# recurrence reads words alone. It runs once per caption, and a pair needs only the layer that adds the image, and the softmax.
# GXN compares embeddings at test time.
#
# </details>

# %% [markdown]
# ## Build it
#
# ### Exercise 1 (15 minutes, ★★): the log-likelihood of a caption
#
# `logits` is `[n_captions, seq_len, n_words]`. Row $t$ holds what the network says about the next token after it has read tokens 0
# to $t$, before the softmax. `ids` is `[n_captions, seq_len]`, with the start mark first and the stop mark at place `lengths - 1`.
# What stands behind it is padding, and may be any word. Return one log-likelihood per caption, `[n_captions]`.
#
# <details><summary>Hint 1</summary>The first token, &lt;start&gt;, is given. Every token behind it is scored, &lt;end&gt; too, by what was predicted after the token before it.</details>
# <details><summary>Hint 2</summary>logits[:, :-1].log_softmax(dim=2) predicts the tokens ids[:, 1:]; .gather(2, ids[:, 1:, None]) picks the log-probability of each.</details>
# <details><summary>Hint 3</summary>A token at place t counts where t &lt; lengths. Fill the others with 0: chosen.masked_fill(torch.arange(1, seq_len) &gt;= lengths[:, None], 0), and sum over dim=1.</details>


# %% tags=["exercise"]
def caption_log_likelihood(logits, ids, lengths):
    # solution
    log_p = logits[:, :-1].log_softmax(dim=2)  # [n_captions, seq_len - 1, n_words]: what follows each token
    chosen = log_p.gather(2, ids[:, 1:, None])[..., 0]  # [n_captions, seq_len - 1]: of the token that did follow
    place = torch.arange(1, ids.shape[1])  # of the tokens behind <start>
    return chosen.masked_fill(place >= lengths[:, None], 0).sum(dim=1)
    # end of solution


caption_log_likelihood = exercises.caption_log_likelihood.check(caption_log_likelihood)

# %% [markdown]
# A network that knows nothing gives the same probability to each of three tokens. The caption has four words.
#
# **Question.** What is its log-likelihood? What would it be if the stop mark were forgotten, or the start mark scored?

# %% tags=["nbval-check-output"]
equal = torch.zeros(1, 6, 3)  # <start>, four words, <end>; three tokens
tokens = torch.tensor([[1, 0, 0, 0, 0, 2]])
for name, n in (("right", 6), ("stop forgotten", 5)):
    print(f"{name:<15} {caption_log_likelihood(equal[:, :n], tokens[:, :n], torch.tensor([n])).item():.3f}")
print(f"{'start scored':<15} {6 * math.log(1 / 3):.3f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# Five tokens are written, four words and the stop mark: $5 \log \frac13 = -5.493$. The other two sums have four and six terms.
# Without the stop mark, "a dog" would score at least as high as "a dog on the beach", for every image. And the network was never
# trained to predict the start mark.
#
# </details>

# %% [markdown]
# Now a caption of the test split. Each bar goes down by log p of its token, given the caption's own image, then given another.
#
# **Question.** Which words tell the two images apart? Which cost the same under both?

# %%
caption, other = test.captions[0], 1  # the first caption of image 0, and another image
tokens_of = word_log_probabilities(writer, seen[[0, other]], [caption, caption])
figures.log_p_by_word(dict(zip(["its own image", "another image"], tokens_of, strict=True)))

# %% tags=["answer"]
itm.show.answer(answers.words(*tokens_of))

# %% [markdown]
# ### What it costs
#
# With embeddings, a pair costs a dot product; with a writer, it costs a network. For 100 images and 500 captions of ten words, NIC
# needs 500,000 steps of its LSTM. m-RNN needs 5,000 steps of its recurrence, and 500,000 small layers. Where it takes more than a
# few seconds, `itm.score` says the cost before it starts. The next cell runs the recurrence once per caption, then once per pair.
#
# **Question.** How much time does the sharing save?

# %%
few = first_images(test, 20)


def timed(work):
    start = time.perf_counter()
    with torch.inference_mode():
        found = work()
    return time.perf_counter() - start, found


def read():
    return writer.encode_captions(few.captions)  # the recurrence


images = writer.encode_images(itm.features(corpus).test[:20]).detach()  # [20, dim]
rows = [image.expand(len(few.captions), -1) for image in images.split(1)]  # an image beside each caption
once, fast = timed(lambda: writer.similarity(images, read()))  # [20, n_captions]
each, slow = timed(lambda: torch.stack([writer.pair_similarity(row, read()) for row in rows]))
alone, often = timed(read)[0], timed(lambda: [read() for _ in rows])[0]
print(f"all scores: once per caption {once:.2f} s, once per pair {each:.2f} s, {each / once:.1f} times as long")
print(f"the recurrence alone: {alone:.3f} s and {often:.2f} s, {often / alone:.0f} times as long")
print("the same scores:", torch.allclose(fast, slow, rtol=1e-4), f"on {fast.numel():,} pairs")

# %% [markdown]
# <details><summary>Answer</summary>
#
# The recurrence alone takes about as many times as long as there are images, 20. The layer and the softmax remain, once per pair,
# so the factor for all scores is smaller. (Captions that begin alike share these, too.) With 500 images and 2,500 captions,
# `benchmarks/writers.py` found 2.6 times for all scores, and 480 times for the recurrence alone.
#
# </details>

# %% [markdown]
# ## Measure it
#
# From image to text, the captions of a row compete. A short sentence of common words has a high probability for every image.
# Divide this commonness away:
#
# $$S(i, c) = \log P(c \mid i) - \log \frac{1}{n} \sum_{i'} P(c \mid i')$$
#
# The mean runs over $n$ images $i'$ of the *training* split. It is the **prior** of the caption: how likely it is for any
# image. NIC follows m-RNN in this.
#
# ### Exercise 2 (10 minutes, ★★): divide by the prior
#
# `log_p` is `[n_images, n_captions]`, and `train_log_p` is `[n_train_images, n_captions]`, of the same captions. Return the scores
# $S$, `[n_images, n_captions]`. A long caption has a log-likelihood of $-200$ or below.
#
# <details><summary>Hint 1</summary>A quotient of probabilities is a difference of logarithms: log P(c | i) - log of the mean over the training images of P(c | i').</details>
# <details><summary>Hint 2</summary>The mean is one of probabilities, not of logarithms. exp() of -200 is 0 in float32, so leave the logarithms to torch: train_log_p.logsumexp(dim=0).</details>
# <details><summary>Hint 3</summary>log_p - (train_log_p.logsumexp(dim=0) - math.log(len(train_log_p))): logsumexp gives a sum, and a mean is the sum divided by the number of training images.</details>


# %% tags=["exercise"]
def divide_by_prior(log_p, train_log_p):
    # solution
    n_train = torch.tensor(float(len(train_log_p)))
    log_prior = train_log_p.logsumexp(dim=0) - n_train.log()  # [n_captions], the logarithm of a mean
    return log_p - log_prior
    # end of solution


divide_by_prior = exercises.divide_by_prior.check(divide_by_prior)

# %% [markdown]
# Two captions and four images. The first caption is common, with a log-likelihood of $-2$ for each image. The second describes one
# image: $-5$ for this one and $-9$ for the others.
#
# **Question.** Which caption does this image rank first, before and after the division?

# %% tags=["nbval-check-output"]
bank = torch.tensor([[-2.0, -5.0], [-2.0, -9.0], [-2.0, -9.0], [-2.0, -9.0]])
print("log P  ", bank[0].tolist())
print("divided", [round(value, 3) + 0.0 for value in divide_by_prior(bank[:1], bank)[0].tolist()])

# %% [markdown]
# <details><summary>Answer</summary>
#
# Before: the common one, since $-2 > -5$. After: the specific one, $1.333 > 0$. At 0, the image makes a caption as likely as images
# do on average.
#
# </details>

# %% [markdown]
# Now 100 test images with all their captions. On the left: how many images rank the same caption first. A caption that is first for
# many is a hub (chapter 01). On the right: how much of the variance of all scores lies *between the means of the captions*; at
# 100 %, every image ranks the captions in the same order. A third score divides by the number of tokens.
#
# **Question.** How much of log P is the caption's own commonness? Does the length explain it?

# %%
gallery, known = first_images(test, 100), first_images(corpus.train, 100)
log_p = itm.score(writer, gallery).double()  # [n_images, n_captions]
prior = itm.score(writer, known, captions=gallery.captions).double()
n_tokens = writer.vocabulary.encode(gallery.captions).lengths - 1  # words and stop
given = {"log P": log_p, "per token": log_p / n_tokens, "divided by the prior": divide_by_prior(log_p, prior)}
reports = {name: itm.evaluate(some, gallery.image_of) for name, some in given.items()}
figures.hubs(given)

# %% tags=["answer"]
itm.show.answer(answers.hubs(given, {name: one.i2t.r1 for name, one in reports.items()}, gallery.captions))

# %% [markdown]
# ### Exercise 3 (15 minutes, ★★): which rankings change?
#
# `log_p` is `[n_images, n_captions]` and `log_prior` is `[n_captions]`. Divide by the prior. For how many captions does the ranking
# of the images change? For how many images does that of the captions change? Return the two counts, in this order, as one tensor.
#
# <details><summary>Hint 1</summary>Text-to-image ranks the images of one caption: a column. Image-to-text ranks the captions of one image: a row. What does log_p - log_prior do to a column?</details>
# <details><summary>Hint 2</summary>Two rankings are equal where log_p.argsort(dim=0) and (log_p - log_prior).argsort(dim=0) are; a column's ranking has changed where .any(dim=0) of them differ.</details>
# <details><summary>Hint 3</summary>(divided.argsort(dim=0) != log_p.argsort(dim=0)).any(dim=0).sum() for the captions, the same with dim=1 for the images; torch.stack([...]) makes one tensor of both.</details>


# %% tags=["exercise"]
def changed_rankings(log_p, log_prior):
    # solution
    divided = log_p - log_prior  # [n_images, n_captions]
    t2i = (divided.argsort(dim=0) != log_p.argsort(dim=0)).any(dim=0)  # [n_captions]
    i2t = (divided.argsort(dim=1) != log_p.argsort(dim=1)).any(dim=1)  # [n_images]
    return torch.stack([t2i.sum(), i2t.sum()])
    # end of solution


changed_rankings = exercises.changed_rankings.check(changed_rankings)

# %% [markdown]
# **Question.** On your gallery: which of the two counts is 0, and why?

# %%
log_prior = (log_p - given["divided by the prior"])[0]  # [n_captions], the same in each row
of_captions, of_images = changed_rankings(log_p, log_prior).tolist()
print(f"rankings that change: of images for {of_captions} of {log_p.shape[1]} captions, of captions for {of_images} of "
      f"{log_p.shape[0]} images")  # fmt: skip
for name, one in reports.items():
    print(f"{name:<21} R@1 image to text {one.i2t.r1:5.1f}, text to image {one.t2i.r1:5.1f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# The prior is one number per caption. All scores of a column move by this number, so the ranking of the images stays exactly the
# same. A division by the length cannot change it either. In a row the captions compete, and there the order changes.
#
# </details>

# %% [markdown]
# ## See what it learned: write captions
#
# To find a likely caption, take the likeliest word at each step. This is **greedy decoding**. Here is a small writer that looks
# only at the last word. `start` is `[n_words + 1]`, log p of the first word; `follow` is `[n_words, n_words + 1]`, log p of the
# next word after each word. The last column is stop.
#
# ### Exercise 4 (10 minutes, ★): greedy decoding
#
# Return the numbers of the written words as an int64 tensor, without stop, and with at most `max_len` words.
#
# <details><summary>Hint 1</summary>Keep a list of words and the row that says what may come next. At first this row is `start`.</details>
# <details><summary>Hint 2</summary>The next word is int(row.argmax()). If it is the last column, len(follow), the caption has ended.</details>
# <details><summary>Hint 3</summary>Else append the word and go on with row = follow[word], until there are max_len words; torch.tensor(words, dtype=torch.int64) is the answer.</details>


# %% tags=["exercise"]
def greedy_words(start, follow, max_len):
    # solution
    words, log_p = [], start
    while len(words) < max_len:
        word = int(log_p.argmax())
        if word == len(follow):  # the last column is stop
            break
        words.append(word)
        log_p = follow[word]
    return torch.tensor(words, dtype=torch.int64)
    # end of solution


greedy_words = exercises.greedy_words.check(greedy_words)

# %% [markdown]
# The likeliest first word may have only poor continuations. **Beam search** keeps the `width` likeliest beginnings, continues all
# of them by each word and by stop, and again keeps the best.
#
# ### Exercise 5 (15 minutes, ★★★): one step of beam search
#
# `scores` is `[width]`, log P of each beginning. `log_p` is `[width, n_words + 1]`, log p of what may follow; the last column is
# stop. `done` is `[width]`, True where a caption has stopped: it stays in the beam with its score. Return int64 `[width, 2]`: the
# row and the word of the best options of all, best first.
#
# <details><summary>Hint 1</summary>Each beginning that goes on has n_words + 1 options: its score plus log p of each next word or of stop.</details>
# <details><summary>Hint 2</summary>A caption that has stopped has one option: to stay as it is, with its own score, in the column of stop. Give its other columns -torch.inf.</details>
# <details><summary>Hint 3</summary>options.flatten().topk(len(scores)).indices numbers the options through all rows: // n_columns is the row, % n_columns the word.</details>


# %% tags=["exercise"]
def beam_step(scores, log_p, done):
    # solution
    options = scores[:, None] + log_p  # [width, n_words + 1]
    stay = torch.full_like(options, -torch.inf)
    stay[:, -1] = scores  # a caption that has stopped keeps its score, in the column of stop
    options = torch.where(done[:, None], stay, options)
    best = options.flatten().topk(len(scores)).indices
    return torch.stack([best // options.shape[1], best % options.shape[1]], dim=1)
    # end of solution


beam_step = exercises.beam_step.check(beam_step)

# %% [markdown]
# Four words: *a* comes first with probability 0.6, *the* with 0.4. After *a*, *dog* has 0.4 and *cat* 0.35. After *the*, *dog* has 0.9.
#
# **Question.** Which caption does the greedy writer find? Which is the likeliest of all?

# %% tags=["nbval-check-output"]
names = ["a", "the", "dog", "cat"]
first = torch.tensor([0.6, 0.4, 0.0, 0.0, 0.0]).log()
follow = torch.tensor([[0, 0, 0.4, 0.35, 0.25], [0, 0, 0.9, 0.1, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 1]]).log()
print("greedy  ", [names[word] for word in greedy_words(first, follow, 5).tolist()])
beam = first.topk(2)
scores, rows, done = beam.values, [[word] for word in beam.indices.tolist()], torch.zeros(2, dtype=torch.bool)
while not done.all():
    log_p_next = follow[[row[-1] for row in rows]]
    row, word = beam_step(scores, log_p_next, done).T
    scores = scores[row] + torch.where(done[row], 0, log_p_next[row, word])
    done = word == len(names)
    rows = [
        rows[r] + ([] if stop else [w]) for r, w, stop in zip(row.tolist(), word.tolist(), done.tolist(), strict=True)
    ]
print("beam of 2", [([names[w] for w in row], round(p, 2)) for row, p in zip(rows, scores.exp().tolist(), strict=True)])

# %% [markdown]
# <details><summary>Answer</summary>
#
# Greedy: *a dog*, with probability $0.6 \cdot 0.4 = 0.24$. The likeliest is *the dog*: $0.4 \cdot 0.9 = 0.36$. Greedy decoding
# could not go back; the beam kept both first words.
#
# </details>

# %% [markdown]
# ### Is it true?
#
# Written captions are usually compared with captions of people. The drawn world knows every fact of a scene, so here we read each
# **statement** of a caption (a kind, a colour, a number, a relation, a place, the light), and look up whether it is true.
#
# ### Exercise 6 (5 minutes, ★): the share of true statements
#
# `stated` and `true` are bool, `[n_captions, n_facts]`: what each caption states, and what is true of its picture. Return the true
# statements of all captions, as a fraction of all statements: one number.
#
# <details><summary>Hint 1</summary>Count two things over all captions: the statements, and the statements that are true.</details>
# <details><summary>Hint 2</summary>stated &amp; true is True where a fact is both stated and true; .sum() counts.</details>
# <details><summary>Hint 3</summary>((stated &amp; true).sum() / stated.sum()).item()</details>


# %% tags=["exercise"]
def true_share(stated, true):
    # solution
    return ((stated & true).sum() / stated.sum()).item()
    # end of solution


true_share = exercises.true_share.check(true_share)

# %% [markdown]
# The same share for all test images, by the sort of statement. *Drawn* captions are sampled word by word, at temperature 1. Two
# controls do not look at the picture: the same captions for other pictures, and the commonest training caption.
#
# **Question.** Beam search looks for a higher log P. Are its captions also truer? What does the model see best, and worst?

# %%
features = itm.features(corpus).test
ways = {"greedy": ("greedy", {}), "beam": ("beam", {}), "drawn": ("sample", {"seed": seed})}
made = {name: itm.write_captions(writer, features, way, **options) for name, (way, options) in ways.items()}
if method != "m_rnn":
    made[f"greedy, {method}"] = itm.write_captions(model, features)
texts = {name: [one.text for one in row] for name, row in made.items()}
truth = {name: itm.evaluate_captions(row, test) for name, row in texts.items()}
blind = truth_controls(texts["greedy"], test, corpus.train.captions)
facts = sorted({s.fact for i, text in enumerate(texts["greedy"]) for s, _ in statement_truth(text, test, i)}, key=str)
said = [{s.fact for s, _ in statement_truth(text, test, i)} for i, text in enumerate(texts["greedy"])]
stated = torch.tensor([[fact in row for fact in facts] for row in said], dtype=torch.bool)
true = torch.tensor([[fact in test.facts.of_image[i] for fact in facts] for i in range(len(said))], dtype=torch.bool)
print(f"greedy, with your function: {true_share(stated, true):.3f}")
figures.truth_by_sort(truth, blind)

# %% tags=["answer"]
mean_log_p = {name: sum(one.log_p for one in row) / len(row) for name, row in made.items()}
itm.show.answer(answers.truth(truth, mean_log_p, blind))

# %% [markdown]
# ## Try it
#
# Choose a picture and move the temperature $T$. At 0 you see the greedy caption and those of the beam; above 0, captions are drawn
# from $p^{1/T}$, normalised again.
#
# **Question.** At which temperature do the captions begin to differ? At which do they become false?

# %%
explorer = figures.caption_explorer({"m_rnn": writer, method: model}, test, range(8), seed)
explorer

# %% tags=["answer"]
itm.show.answer(answers.alike(made))

# %% [markdown]
# ## Break it: hide the image
#
# A writer can be good at language and blind. Here NIC gets zeros in place of the image. This test needs no training.
#
# **Question.** 20 images are ranked for each caption. A random ranking has an R@10 of 50 %. What has the blind writer?

# %% tags=["nbval-check-output"]
hidden = itm.create_model("nic", corpus, sees_image=False, seed=seed)
alike = itm.score(hidden, few)  # [20, 100]
print("all images score alike:", bool((alike == alike[:1]).all()))
print(f"R@10 from text to image: {itm.evaluate(alike, few.image_of).t2i.r10:.1f} %")

# %% [markdown]
# <details><summary>Answer</summary>
#
# 0 %. Each caption has the same score for all images. In this course a tie counts *against* the model, so the own image gets rank
# 20. If ties counted in its favour, this writer would have an R@1 of 100 %.
#
# </details>
#
# ## Look, write, imagine
#
# GXN (2018) matches two embeddings per side by cosines. In training, the caption must also be written from the image's embedding,
# and a **generator** must make the image's *feature* from the caption's embedding. A discriminator (chapter 04) judges whether a
# feature is real. At test time nothing is written or imagined. We could read the abstract of the paper, but not its equations. **So
# the losses in `gxn.py` are ours, and the paper's reinforcement learning is left out.**
#
# An additional loss may help for other reasons than its idea. So the claim has a control, *shuffled* imagination: a caption must
# imagine the feature of another image. If that helps as much, the gain does not come from imagining one's own.
#
# **Question.** The discriminator has an optimiser of its own. What would happen if its loss trained the encoders too?

# %% tags=["nbval-check-output"]
gxn = itm.create_model("gxn", corpus, seed=seed)
for name, group in gxn.parameter_groups().items():
    numbers = {id(weight) for weight in group}
    parts = [part for part, module in gxn.named_children() if any(id(w) in numbers for w in module.parameters())]
    print(f"{name:<10}", *parts)

# %% [markdown]
# <details><summary>Answer</summary>
#
# The encoders would learn to make the discriminator's task *easy*, while generator and encoders are trained to make it hard. So the
# discriminator sees detached embeddings, and its loss moves its own weights only.
#
# </details>

# %% [markdown]
# ## The family in one table
#
# The last column comes from the kept claims, as differences with their standard errors over seeds. "does not hold" means that we
# measured the opposite, "too close to say" that the seeds do not decide ([results pages](../docs/results/README.md)).

# %%
family_table(MEMBERS)

# %% [markdown]
# ## A bug of the field
#
# The prior must be estimated from some images. It is tempting to take those that are there, the images of the *test gallery*: no
# further scores are needed, and nothing fails.
#
# **Question.** What happens to the score of one pair if half of the gallery is removed?

# %%
both = {
    "training images": lambda some: divide_by_prior(some, prior),
    "gallery": lambda some: divide_by_prior(some, some),
}
pair = {
    name: [divide(some)[0, 0].item() for some in (log_p, log_p[: len(log_p) // 2])] for name, divide in both.items()
}
r1 = {name: itm.evaluate(divide(log_p), gallery.image_of).i2t.r1 for name, divide in both.items()}
for name, numbers in pair.items():
    print(f"prior over {name:<16} whole gallery {numbers[0]:6.3f}, half of it {numbers[1]:6.3f}, R@1 {r1[name]:.1f}")

# %% tags=["answer"]
itm.show.answer(answers.leak(pair, r1))

# %% [markdown]
# Two more traps. A forgotten stop mark or a scored start mark (exercise 1) leaves the loss falling. And the public TensorFlow code
# of m-RNN's authors is *another network* than the report's: it has a GRU, no path from the words to the multimodal layer, and no code
# for ranking. Who runs it does not repeat the report.

# %% [markdown]
# ## The paper's numbers and yours
#
# The first rows are from the field's survey, on photographs. The last rows are yours: the scores as they are, and divided.

# %%
table = itm.literature.results(edition="2025")
table = table[table.method.isin(["NIC", "m-RNN", "GXN"]) & table.dataset.isin(["Flickr30K", "MSCOCO1K"])]
listed = {" ".join(key): rows for key, rows in table.groupby(["method", "note", "dataset"], sort=False)}
listed = {name: [f"{v:7.1f}" for v in rows.value[rows.metric.isin(["R@1", "R@10"])]] for name, rows in listed.items()}
mine = {f"yours, m_rnn, {name}": one for name, one in reports.items() if name != "per token"}
if method != "m_rnn":
    own = itm.score(model, gallery)
    mine[f"yours, {method}"] = itm.evaluate(own, gallery.image_of)
if method == "nic":
    own = divide_by_prior(own, itm.score(model, known, captions=gallery.captions))
    mine["yours, nic, divided by the prior"] = itm.evaluate(own, gallery.image_of)
listed |= {n: [f"{r:7.1f}" for side in (one.i2t, one.t2i) for r in (side.r1, side.r10)] for n, one in mine.items()}
print(f"{'R@1, R@10 of':<36}{'image to text':>14}{'text to image':>14}")
print("\n".join(f"{name:<36}{''.join(row)}" for name, row in listed.items()))
name, last = list(mine.items())[-1]
n_true, n_stated = int(truth["greedy"].n_true.sum()), int(truth["greedy"].n_stated.sum())
print(f"Headline: {name} R@1 {last.i2t.r1:.1f} and {last.t2i.r1:.1f}; {n_true} of {n_stated} statements true")

# %% [markdown]
# Your rows are **not comparable** with the others: drawn images, and a gallery of 100. From image to text, NIC and m-RNN print
# divided scores alone. m-RNN's rows with AlexNet and VGG come from two versions of the paper. NIC's authors themselves call
# ranking an unsatisfactory way to evaluate a model that writes.
#
# ## Quiz
#
# **1. Which tokens of "a dog" count in log P?**
#
# <details><summary>The start mark, "a" and "dog"</summary>No: the start mark is given, and the stop mark is missing here.</details>
# <details><summary>"a" and "dog"</summary>Not yet: the network must also decide to stop after these words.</details>
# <details><summary>"a", "dog" and the stop mark</summary>Yes. All that the network writes is scored, and nothing that it is given.</details>
#
# **2. Why does the division by the prior leave text-to-image unchanged?**
#
# <details><summary>All scores of a caption move by the same amount</summary>Yes. The prior is one number per caption, and the images of one caption compete.</details>
# <details><summary>The prior of an image is the same for all captions</summary>No: the prior belongs to a caption, not to an image.</details>
# <details><summary>It changes little, because the prior is small</summary>No: a score can change much, but by the same amount for all images.</details>
#
# **3. A caption has a higher log P than another one, for the same image. What follows?**
#
# <details><summary>More of its statements are true of the image</summary>No: it may be shorter, or state what is common and not there.</details>
# <details><summary>The model would more often write it for this image</summary>Yes. That is what a likelihood says, and whether it is true must be measured.</details>
# <details><summary>It belongs to this image in the data</summary>Not yet: common captions of other images can have a higher log P.</details>
#
# **4. With shuffled imagination a model matches as well as with imagination. What do you conclude?**
#
# <details><summary>Imagination helps in both cases</summary>No: the shuffled targets belong to other images, and teach nothing about this one.</details>
# <details><summary>The shuffling was done wrongly</summary>Not yet: check this, but the control may have done its work.</details>
# <details><summary>The gain, if any, does not come from imagining the own image</summary>Yes. It may come from the additional loss as such.</details>
#
# ## Recap
#
# - A writer scores a caption by log P(caption | image), a sum over its words and the stop mark.
# - Each pair costs a network. Where the image enters decides what images can share.
# - From image to text, common captions win; the prior over training images divides this away.
# - The division cannot change text-to-image, where a writer that sees no image ties everywhere.
# - Greedy decoding and beam search look for likely captions; whether they are true is another measure.
#
# ## Where to go next
#
# - Set `method = "nic"`, which reads the image once. How true are its captions after the same number of epochs?
# - Train `itm.create_model("m_rnn_recurrence", corpus)`, where the image enters the recurrence. What does scoring cost then?
# - Write with `itm.write_captions(writer, features, "beam", width=20)`. Does a wider beam make captions shorter?
