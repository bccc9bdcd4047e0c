# %% [markdown]
# # 11 · Fragments
#
# **You will be able to**
#
# - score an image and a caption from the dot products of regions and words, by the rules of DeFrag and of DVSA;
# - guess which regions a word belongs to, with the labels of multiple-instance learning;
# - measure phrase localisation with two measures, and compare it with chance;
# - test whether a sum over words favours long captions, and recognise three faults that leave the loss falling.
#
# ## The question
#
# Chapter 03 cut an image into regions and a caption into words. SCAN was not the first method to do so. From 2014 on, the
# field asked: **if an image is a set of regions and a caption a set of words, which region belongs to which word?** The
# training data only pairs whole images with whole captions.
#
# A piece of an image or of a caption is called a **fragment**. This chapter follows five methods that compare fragments. You
# build the first two by hand, DeFrag and DVSA; a table compares all five.

# %% tags=["parameters"]
import os

method = "dvsa"  # the run that you measure: "defrag", "dvsa", "align2ground", "info_ground" or "cite"
size = "mini"  # 3,000 pictures to train on
epochs = 3  # over all captions
seed = 0
device = "auto"
if os.environ.get("ITM_FAST") == "1":  # the smallest size, for tests
    size = "tiny"

# %%
import torch

import itm_tutorial as itm
from itm_tutorial.chapters.ch11_fragments import answers, exercises, figures
from itm_tutorial.chapters.ch11_fragments.kept_runs import kept_pointing, localised
from itm_tutorial.chapters.ch11_fragments.members import MEMBERS
from itm_tutorial.chapters.family import family_table
from itm_tutorial.data.text import tokenize
from itm_tutorial.show.attention_view import AttentionView

# this takes minutes the first time, because the detector of chapter 03 is trained
corpus = itm.load_corpus("scenes", size=size, seed=seed)
test, regions_of = corpus.test, itm.features(corpus, kind="regions").test  # [n_images, 12, dim]
print(corpus, "\nregions", list(regions_of.shape))

# %% [markdown]
# ## Train it
#
# Start this cell and read on. It trains DVSA, which the figures use, and your `method` if it is another one.

# %%
shared = {"epochs": epochs, "seed": seed, "device": device}
dvsa = itm.create_model("dvsa", corpus, embed_size=128, word_dim=64, seed=seed)
itm.fit(dvsa, corpus, batch_size=32, learning_rate=3e-3, **shared)
model = dvsa
if method != "dvsa":
    model = itm.create_model(method, corpus, seed=seed)
    itm.fit(model, corpus, batch_size=32, **shared)
print("trained:", *dict.fromkeys(["dvsa", method]))

# %% [markdown]
# ## The picture to aim for
#
# One caption and its image. Each row is a word. The first column shows the true box. The others show, in colour, the
# regions that a rule chooses from the *same* dot products: the best region alone, all regions with a positive dot product,
# or a softmax over the regions. The number is the largest weight, the dashed box the true one. The model never saw a box.
#
# **Question.** Which rule gives weight to regions that do not show the word? Do the rules disagree about the best region?


# %%
def view_of(c):
    return AttentionView.of(itm.attend(dvsa, test, captions=[c]), test, 0, None, "mini")


query = next(c for c in range(31, len(test.captions)) if len({w for w, _ in test.groundings[c]}) >= 4)
view, picture = view_of(query), int(test.image_of[query])
with torch.no_grad():
    regions = dvsa.encode_images(regions_of[[picture]])[0].cpu()  # [n_regions, dim]
    words = dvsa.encode_captions([test.captions[query]]).vectors[0, 1:-1].cpu()  # [n_words, dim], without start and end
dots = regions @ words.T  # [n_regions, n_words]
rules, chosen = figures.weights_of(dots), [w for w, boxes in sorted(view.named.items()) if len(boxes) == 1][:3]
figures.grounded(view, rules, chosen)

# %% tags=["answer"]
itm.show.answer(answers.rules(view, rules, chosen))

# %% [markdown]
# ## The idea
#
# Let $v_r$ be the embedding of region $r$, and $s_w$ that of fragment $w$ of the caption. Neither is normalised. Everything
# starts from their dot products $d_{rw} = v_r \cdot s_w$, and the two scores differ in one operation:
#
# $$S_{\text{DeFrag}} = \frac{1}{n_w + n} \sum_w \sum_r [d_{rw}]_+ \qquad\qquad
# S_{\text{DVSA}} = \sum_w \max_r d_{rw}$$
#
# DeFrag (Karpathy, Joulin and Fei-Fei, 2014) adds all positive dot products, and divides by the number $n_w$ of fragments
# plus a constant $n$. DVSA (Karpathy and Fei-Fei, 2015) lets each word take its best region, without threshold or division.
# Both are trained with a hinge: a matching pair must score higher than other pairs by a margin.
#
# The rule of DVSA is in use today. In text retrievers such as ColBERT, each token of a query takes its best token in a document,
# and the score is the sum of these maxima; the rule is called MaxSim there, and such models **late interaction**.
#
# The map shows all five methods. What a method introduced is framed and bold.
#
# **Question.** Which of the methods could be trained on photographs whose captions have no boxes? Which column decides
# this?

# %%
figures.methods()

# %% [markdown]
# <details><summary>Answer</summary>
#
# The last column decides. All but CITE are trained with pairs of image and caption, and must find the regions themselves.
# CITE needs data in which somebody drew the true boxes of phrases, so its results are not comparable with the others.
#
# </details>

# %% [markdown]
# ## Build it
#
# ### Exercise 1 (10 minutes, ★): the best region of each word
#
# `dots` is `[n_captions, n_regions, seq_len]`: the dot products of one image with several captions. `mask` is
# `[n_captions, seq_len]`, True where there is a word; the values of padding are arbitrary. Return the score of DVSA for each
# caption, `[n_captions]`.
#
# <details><summary>Hint 1</summary>Two steps: first one number per word, its best region; then one number per caption, the sum over its words.</details>
# <details><summary>Hint 2</summary>dots.amax(dim=1) is [n_captions, seq_len]. Positions behind a caption's end must add nothing.</details>
# <details><summary>Hint 3</summary>dots.amax(dim=1).masked_fill(~mask, 0).sum(dim=1)</details>


# %% tags=["exercise"]
def best_regions(dots, mask):
    # solution
    best = dots.amax(dim=1)  # [n_captions, seq_len]: each word's best region
    return best.masked_fill(~mask, 0).sum(dim=1)
    # end of solution


best_regions = exercises.best_regions.check(best_regions)

# %% [markdown]
# ### Exercise 2 (10 minutes, ★): the thresholded score
#
# The same inputs, and `smoothing`, the constant $n$. Return the score of DeFrag, `[n_captions]`. The authors divide by the
# number of fragments plus $n$, and not by the number of regions.
#
# <details><summary>Hint 1</summary>Only positive dot products count. All of them count, not each fragment's best.</details>
# <details><summary>Hint 2</summary>dots.clamp(min=0), summed over the regions and over the fragments that the mask keeps.</details>
# <details><summary>Hint 3</summary>Divide by mask.sum(dim=1) + smoothing: the number of the caption's fragments, plus n.</details>


# %% tags=["exercise"]
def thresholded_score(dots, mask, smoothing):
    # solution
    total = dots.clamp(min=0).sum(dim=1).masked_fill(~mask, 0).sum(dim=1)  # [n_captions]
    return total / (mask.sum(dim=1) + smoothing)
    # end of solution


thresholded_score = exercises.thresholded_score.check(thresholded_score)

# %% [markdown]
# A table of three regions (rows) and three words (columns). The third word fits no region.
#
# **Question.** Compute both scores by hand, with $n = 5$. What does the third word contribute to each?

# %% tags=["nbval-check-output"]
toy = torch.tensor([[2.0, -1.0, -0.2], [0.5, 3.0, -0.4], [1.0, 0.2, -0.9]])  # [3 regions, 3 words]
three = torch.ones(1, 3, dtype=torch.bool)
print(f"DVSA   {best_regions(toy[None], three).item():.4f}")
print(f"DeFrag {thresholded_score(toy[None], three, 5.0).item():.4f}")
print(f"DVSA without the third word {best_regions(toy[None], three & torch.tensor([True, True, False])).item():.4f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# DVSA: $2 + 3 - 0.2 = 4.8$. A word that fits nothing lowers the score. DeFrag: $(2 + 0.5 + 1 + 3 + 0.2) / (3 + 5)$. There
# the third word adds 0 to the sum, but it counts in the divisor.
#
# </details>

# %% [markdown]
# Now the table of your own model, for the caption from above and its image. The score of DVSA is the sum of the framed numbers.
#
# **Question.** Which words can raise or lower the score most? Which hardly matter?

# %%
tokens = tokenize(test.captions[query])
figures.attention_matrix(dots, tokens)

# %% tags=["answer"]
itm.show.answer(answers.dots(dots, tokens, sorted(view.named)))

# %% [markdown]
# ### Labels that the model guesses
#
# DeFrag has a second loss, the **alignment objective**. It asks for each pair of a region and a fragment: does the fragment
# name this region? The answer $y_{rw}$ is $+1$ or $-1$, and each pair pays a hinge:
#
# $$L_{\text{align}} = \sum_{r,w} \omega_{rw}\,[1 - y_{rw}\, d_{rw}]_+$$
#
# Nobody knows the labels. But a fragment belongs to at least one region of its own image, and to none of other images. This is
# **multiple-instance learning**: labels are known for sets (images), not for their members (regions). DeFrag lets the current
# model guess, anew at each step: inside the own image, the label is the sign of the dot product. If no region is positive, the
# best one becomes positive.
#
# ### Exercise 3 (15 minutes, ★★★): multiple-instance labels
#
# `dots` is `[n_regions, n_fragments]`: the regions of *all* images of a batch, and the fragments of one caption. `own` is
# `[n_regions]`, True for the regions of the caption's image. Return labels $1$ and $-1$ of the shape of `dots`. A dot product
# of 0 is not positive.
#
# <details><summary>Hint 1</summary>Three rules: regions of other images are -1; own regions follow the sign of the dot product; and a fragment without a positive own region gets one.</details>
# <details><summary>Hint 2</summary>positive = (dots &gt; 0) &amp; own[:, None]. A fragment needs help where ~positive.any(dim=0).</details>
# <details><summary>Hint 3</summary>The best own region: dots.masked_fill(~own[:, None], -torch.inf).argmax(dim=0). Make it positive where the fragment needs help, then torch.where(positive, 1, -1).</details>


# %% tags=["exercise"]
def instance_labels(dots, own):
    # solution
    positive = (dots > 0) & own[:, None]  # [n_regions, n_fragments]
    best = dots.masked_fill(~own[:, None], -torch.inf).argmax(dim=0)  # [n_fragments]: an own region
    chosen = torch.zeros_like(positive).scatter(0, best[None], True)
    positive = positive | (chosen & ~positive.any(dim=0))
    return torch.where(positive, 1, -1)
    # end of solution


instance_labels = exercises.instance_labels.check(instance_labels)

# %% [markdown]
# ### Exercise 4 (10 minutes, ★★): the weights of the labels
#
# A batch has many more negative pairs than positive ones. So each fragment gets a total weight of 1 for its positives and a
# total weight of 1 for its negatives. `labels` is `[n_regions, n_fragments]`; return the weights $\omega_{rw}$ of the
# same shape.
#
# <details><summary>Hint 1</summary>Look at one column, the labels of one fragment: its positives share a weight of 1, its negatives another.</details>
# <details><summary>Hint 2</summary>Count down each column: (labels == 1).sum(dim=0) and (labels == -1).sum(dim=0).</details>
# <details><summary>Hint 3</summary>torch.where(labels == 1, 1 / positives, 1 / negatives); clamp the counts (min=1): one of them may be 0.</details>


# %% tags=["exercise"]
def alignment_weights(labels):
    # solution
    positives = (labels == 1).sum(dim=0)  # [n_fragments]
    negatives = (labels == -1).sum(dim=0)
    return torch.where(labels == 1, 1 / positives.clamp(min=1), 1 / negatives.clamp(min=1))
    # end of solution


alignment_weights = exercises.alignment_weights.check(alignment_weights)

# %% [markdown]
# The three regions of the toy, and two regions of another image below them. All dot products of the new, last fragment are
# exactly 0, as if its ReLU had set every number to 0.
#
# **Question.** Which labels does your function give to the last column, and which the sign of the dot product?

# %% tags=["nbval-check-output"]
batch = torch.cat([toy, torch.tensor([[0.7, -0.3, 0.1], [-0.5, 0.4, -0.6]])])  # [5 regions, 3 fragments]
batch = torch.cat([batch, torch.zeros(5, 1)], dim=1)  # the fourth fragment is all zero
own = torch.tensor([True, True, True, False, False])
labels = instance_labels(batch, own)
by_sign = torch.where(own[:, None], batch.sign(), -1.0)
needs = ~(by_sign[own] > 0).any(dim=0)  # no positive own region: the best one is raised by 2, from -1 to 1
by_sign[batch[own].argmax(dim=0)[needs], needs.nonzero()[:, 0]] += 2
print("yours  ", labels.T.tolist(), "\nby sign", by_sign.long().T.tolist())

# %% [markdown]
# <details><summary>Answer</summary>
#
# Each list is a column. The first three agree. In the last one, your rule makes the first own region positive and the others
# negative. The sign of 0 is 0, so the own regions have no label, and raising the best one by 2 gives 2, which is no label
# either. A stored copy of the authors' code does this. The next cell shows what follows.
#
# </details>


# %% tags=["nbval-check-output"]
def gradient(labels):
    free = batch.clone().requires_grad_()
    costs = (1 - labels * free).clamp(min=0) * (labels.abs() == 1)  # other labels do not count
    (alignment_weights(labels) * costs).sum().backward()
    return free.grad[:, 3]  # of the fragment that is all zero


for name, some in (("yours", labels), ("by sign", by_sign)):
    print(f"{name:<8}", [round(number, 2) + 0.0 for number in gradient(some).tolist()])

# %% [markdown]
# A negative gradient means that training raises the dot product. With your labels, the first region pulls the fragment. With
# the sign, no own region does; the regions of the other image push. Nothing warns you. The cure is `dots > 0` in place of the
# sign. (Where the ReLU is closed, no gradient reaches the words by either rule: only other fragments can open it, by moving the
# shared weights.)
#
# ## Measure it
#
# **Phrase localisation** asks: of the regions of the right image, does the model choose the one that a phrase names? Two
# measures are common. In the pointing game (chapter 03) the *centre* of the chosen region must lie in the true box. The
# second measure compares the *boxes*: their **intersection over union** (IoU) must be at least 0.5.
#
# ### Exercise 5 (10 minutes, ★★): intersection over union
#
# `regions` is `[n_regions, 4]` and `named` is `[n_words, 4]`, boxes $(x_0, y_0, x_1, y_1)$. Return the area of the intersection
# divided by the area of the union, for each pair, `[n_regions, n_words]`.
#
# <details><summary>Hint 1</summary>The intersection of two boxes is a box: from the larger lower corner to the smaller upper one, by axis.</details>
# <details><summary>Hint 2</summary>Where they do not meet, a side is negative: clamp each side at 0 before you multiply.</details>
# <details><summary>Hint 3</summary>The union is both areas minus the intersection. regions[:, None] and named[None] give all pairs.</details>


# %% tags=["exercise"]
def iou(regions, named):
    # solution
    low = torch.maximum(regions[:, None, :2], named[None, :, :2])  # [n_regions, n_words, 2]
    high = torch.minimum(regions[:, None, 2:], named[None, :, 2:])
    shared = (high - low).clamp(min=0).prod(dim=2)  # [n_regions, n_words]
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(dim=1) for boxes in (regions, named)]
    return shared / (areas[0][:, None] + areas[1][None] - shared)
    # end of solution


iou = exercises.iou.check(iou)

# %% [markdown]
# One true box, and three regions: a small one in its middle, the whole image, and a shifted copy of the box.
#
# **Question.** For which regions do the two measures disagree?

# %% tags=["nbval-check-output"]
true = torch.tensor([[0.3, 0.3, 0.7, 0.7]])
three_regions = torch.tensor([[0.45, 0.45, 0.55, 0.55], [0.0, 0.0, 1.0, 1.0], [0.35, 0.3, 0.75, 0.7]])
centres = (three_regions[:, :2] + three_regions[:, 2:]) / 2
pointed = ((centres > true[:, :2]) & (centres < true[:, 2:])).all(dim=1)
print("pointing", pointed.tolist(), "\nIoU", [round(value, 2) for value in iou(three_regions, true)[:, 0].tolist()])

# %% [markdown]
# <details><summary>Answer</summary>
#
# For the first two. Their centres lie in the box, but their IoU is 0.06 and 0.16. The pointing game is the more lenient
# measure, so a paper should report both.
#
# </details>

# %% [markdown]
# The next cell measures your run on the whole test split, with two chance lines, and adds the methods that the course has
# measured over several seeds, with their controls. A control sees the same regions, but cannot know which one the word names.
#
# **Question.** What would it mean if a method were no better than its control?

# %%
report = localised(model, corpus, method)
methods, controls, missing = kept_pointing()
mine = {f"your run: {method}": [report.pointing["model"]["all"]]}
lines = {"a region at random": "uniform", "a region by its area": "by area"}
chance = {label: [report.pointing[party]["all"]] for label, party in lines.items()}
figures.found_by(mine | methods, chance | controls, "pointing game")

# %% tags=["answer"]
itm.show.answer(answers.found(method, report, methods, controls, missing))

# %% [markdown]
# ## The family in one table
#
# The last column comes from the kept claims: each effect is a difference with its standard error over seeds.
# "does not hold" means that we measured the opposite, "too close to say" that the seeds do not decide. All effects stand on the
# [results page](../docs/results/ch11.md).

# %%
family_table(MEMBERS)

# %% [markdown]
# Four rows need a word more.
#
# - *DVSA*: a comparison with the score of DeFrag is missing. With DVSA's recipe the thresholded sum did not train: soon no dot
#   product was positive, every score was 0, and no gradient was left. So we cannot say which score is better.
# - *CITE* makes $K$ embeddings of the product of a phrase and a region. The phrase decides how to mix them, because colours may
#   need another embedding than animals.
# - *Align2Ground* answers a weakness of local sums: a few easy words can carry the whole score, and the others need not be
#   grounded.
# - *InfoGround*: a synonym is no false noun, so as a negative it should not help. It is the control.
#
# ## Break it: long captions
#
# The score of DVSA is a sum over words, and nothing divides it. A word that fits some region a little raises it. So one expects
# that long captions win where captions compete, from image to text. Test it.
#
# ### Exercise 6 (10 minutes, ★★): scores against length
#
# `scores` is `[n_images, n_captions]` and `n_words` is `[n_captions]`. For each image, compute Pearson's correlation between its
# scores and the numbers of words. Return the mean over the images, one number.
#
# <details><summary>Hint 1</summary>Begin with one image: Pearson's correlation between its scores and the lengths of the captions.</details>
# <details><summary>Hint 2</summary>Subtract the mean from both; the correlation is their dot product divided by both norms.</details>
# <details><summary>Hint 3</summary>Subtract scores.mean(dim=1, keepdim=True) and n_words.mean(); then take the mean over images, .item().</details>


# %% tags=["exercise"]
def length_bias(scores, n_words):
    # solution
    scores = scores.double() - scores.double().mean(dim=1, keepdim=True)  # [n_images, n_captions]
    words = n_words.double() - n_words.double().mean()  # [n_captions]
    each = (scores @ words) / (scores.norm(dim=1) * words.norm())  # [n_images]
    return each.mean().item()
    # end of solution


length_bias = exercises.length_bias.check(length_bias)

# %% [markdown]
# Each dot below is a caption of the test split, with its score for the image from above. On the right, the same scores are
# divided by the number of words.
#
# **Question.** Do scores rise with the length? Look at all captions, then at those with the highest scores. What will a
# division by the length do to R@1?

# %%
scores = itm.score(dvsa, test)  # [n_images, n_captions]
n_words = torch.tensor([len(tokenize(caption)) for caption in test.captions]).float()
given = {"sum": scores, "divided": scores / n_words}
biases = {name: length_bias(some, n_words) for name, some in given.items()}
first_words = {name: n_words[some.argmax(dim=1)].mean().item() for name, some in given.items()}
r1 = {name: itm.evaluate(some, test.image_of).i2t.r1 for name, some in given.items()}
figures.score_by_length({name: some[picture] for name, some in given.items()}, n_words, test.image_of == picture)

# %% tags=["answer"]
itm.show.answer(answers.length(biases, first_words, r1, n_words.mean().item()))

# %% [markdown]
# ## A bug of the field
#
# In CITE, a network makes $K$ numbers $u$ of the phrase, and the weights of the mixture are $a = \text{softmax}(u)$. The loss has
# an L1 norm, which is easily written in the wrong place: on $a$.
#
# **Question.** How large is $\lVert a \rVert_1$ for any $u$? What is its gradient?

# %% tags=["nbval-check-output"]
for name, on in (("after the softmax", lambda u: u.softmax(dim=0)), ("before the softmax", lambda u: u)):
    u = torch.tensor([2.0, -1.0, 0.5, -0.1], requires_grad=True)
    norm = on(u).abs().sum()
    norm.backward()
    print(f"{name:<19} norm {norm.item():.2f}, gradient", [round(number, 2) + 0.0 for number in u.grad.tolist()])

# %% [markdown]
# <details><summary>Answer</summary>
#
# The weights are positive and sum to 1, so the norm is 1 for every $u$, and its gradient is 0. The term only adds a constant. The
# authors' code takes the norm of $u$, before the softmax, whose gradient is the sign of $u$. It draws $u$ towards 0,
# that is, towards *equal* weights, and not towards few of them.
#
# </details>
#
# The second fault stands in the authors' code that loads the data. Each phrase should get two negative regions per positive one. The code
# counts the positives by the sum of the label table of the *whole image*, in which the negatives of earlier phrases already stand
# as $-1$. Here are five phrases with 3, 2, 4, 1 and 2 positive regions, and 280 candidates for negatives.
#
# **Question.** How many negatives should each phrase get? How many does it get?

# %% tags=["nbval-check-output"]
table, drawn = 0, []
for positives in (3, 2, 4, 1, 2):
    table += positives  # the sum of the image's labels so far
    negatives = len(range(280)[: 2 * table])  # a slice: from the end if the number is negative
    table -= negatives
    drawn.append(negatives)
print("negatives drawn ", drawn, "\nnegatives wanted", [2 * positives for positives in (3, 2, 4, 1, 2)])

# %% [markdown]
# <details><summary>Answer</summary>
#
# The first phrase gets its 6. Then the sum is negative, and a slice with a negative end counts from the end: the second phrase gets
# nearly all candidates, and the others none. Nothing fails. The cure is to count the positives of the phrase itself.
#
# </details>

# %% [markdown]
# ## The paper's numbers and yours
#
# The first rows are from the field's survey, on photographs of Flickr30K. The last row is your DVSA.

# %%
table = itm.literature.results()
table = table[(table.dataset == "Flickr30K") & table.method.isin(["DeFrag", "DVSA"])]
listed = {f"{m}, {note}": rows.value.tolist() for (m, note), rows in table.groupby(["method", "note"], sort=False)}
mine = itm.evaluate(scores, test.image_of)
listed["yours, dvsa"] = [recall for side in (mine.i2t, mine.t2i) for recall in (side.r1, side.r5, side.r10)]
print(f"{'R@1, R@5, R@10 of':<22}{'image to text':>18}{'text to image':>20}")
for name, row in listed.items():
    print(f"{name:<22}" + "".join(f"{recall:7.1f}" for recall in row))
pointing, covered = (of["model"]["all"] for of in (report.pointing, report.iou))
print(f"Headline: {method} points right for {pointing:.0f} %, IoU 0.5 for {covered:.0f} %; dvsa rsum {mine.rsum:.0f}")

# %% [markdown]
# Your row is **not comparable** with the others: your images are drawn, they have twelve regions, and the test set has another
# size. Inside the survey, compare rows that differ in one thing. *DVSA, DepTree* keeps DeFrag's pairs of words and changes score
# and loss; *DVSA, RCNN* reads the words with a bidirectional recurrent network. From the first to the second, R@1 rises by 2.2
# from image to text, but only by 0.2 from text to image.
#
# For phrase localisation there are other tables. A note by others gives Align2Ground 71.0 % in the pointing game of Flickr30K
# Entities, but 11.5 % at an IoU of 0.5. InfoGround's README says that its checkpoint was chosen with the *true boxes* of the
# validation set. Then the gradient has seen no box, but the choice of the model has. Our runs choose by recall.
#
# ## Quiz
#
# **1. All dot products of one word are negative. What does this word do to the score of DVSA?**
#
# <details><summary>Nothing, because of the threshold</summary>No: DeFrag has a threshold, DVSA has none.</details>
# <details><summary>It lowers the score, by the dot product of its best region</summary>Yes. The best of the negative numbers is added, as in the toy table.</details>
# <details><summary>The caption gets no score at all</summary>No: the sum runs over all words, whatever their sign.</details>
#
# **2. A fragment has no region with a positive dot product in its own image. Which labels does it get?**
#
# <details><summary>All regions are negative until one becomes positive by chance</summary>No: then nothing would ever pull it to its own image.</details>
# <details><summary>All regions of the own image are positive</summary>Not yet: this is the objective without multiple instances.</details>
# <details><summary>The best region of its own image is positive, all others are negative</summary>Yes. It belongs somewhere in its own image, and the model guesses where.</details>
#
# **3. Dividing the sums by the number of words changes which results?**
#
# <details><summary>Only those from image to text</summary>Yes. From text to image, all scores of a query are divided by the same number.</details>
# <details><summary>Only those from text to image</summary>No: there all scores belong to one caption, so their order stays.</details>
# <details><summary>Both in the same way</summary>No: the order changes only where captions of different lengths compete.</details>
#
# **4. A model points right for 70 % of the phrases, but reaches an IoU of 0.5 for 12 %. Is this possible?**
#
# <details><summary>No, since both measure the same choice of regions</summary>Not yet: the choice is the same, but a centre in the box says little about the size.</details>
# <details><summary>Yes, if the chosen regions are much larger or smaller than the true boxes</summary>Yes. The whole image has its centre in many boxes, and covers none of them well.</details>
# <details><summary>Only with an error in the code</summary>No: the toy of three regions shows two such cases.</details>
#
# **5. Synonyms of the true noun serve as negatives. What do you expect of this control?**
#
# <details><summary>No gain in localisation, or a loss</summary>Yes. A synonym is true of the image, so the model is punished for what is right.</details>
# <details><summary>A larger gain than with random nouns, since synonyms are harder</summary>No: a negative must be false. A synonym is a false negative.</details>
# <details><summary>The same gain as with random nouns, since any other word will do</summary>No: a random noun is false of the image, and a synonym is not.</details>
#
# ## Recap
#
# - An image as regions and a caption as words: every score of this chapter starts from the table of their dot products.
# - DeFrag adds what is positive, DVSA takes the best region of each word, and attention takes a weighted mean.
# - Multiple-instance learning guesses labels of regions from labels of images: at least one region of the own image is positive.
# - Localisation needs two measures and a chance line: a centre in the box is easier than an overlap of one half.
# - Length enters a sum over words where captions compete. Look at the top of the ranking: a correlation over all captions is not enough.
#
# ## Where to go next
#
# - Set `method` to another name and run the notebook again. Which method points best with the same number of epochs?
# - Train `itm.create_model("dvsa_brnn", corpus)`, in which words know their neighbours. In the paper the gain was small. And here?
# - Train `defrag_global`, without the alignment objective. Does it still point?
