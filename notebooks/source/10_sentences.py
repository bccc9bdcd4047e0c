# %% [markdown]
# # 10 · Sentences: from words to one vector
#
# **You will be able to**
#
# - compose a sentence along its dependency tree, level by level and without a loop over captions;
# - read a sentence with several hops of self-attention, and say which differences between sentences they cannot see;
# - compare encoders by what moves their embeddings, by their agreement on captions of one image, and by misspelling;
# - probe an embedding with the right baselines, and recognise a loss that applies the softmax twice.
#
# ## The question
#
# Chapters 00 to 04 read a caption with a mean of words, a GRU or BERT. Between 2014 and 2018 the field tried much more. It
# composed sentences along trees, read characters, let the image into the text network, and learned sentences from
# stories. The papers share one question: **how should a sentence become one vector**? You build two answers by hand, the
# tree of SDT-RNN (Socher and others, 2014) and the hops of SEAM (Wehrmann and others, 2018), compare seven methods in one
# table, and ask what the vectors contain.

# %% tags=["parameters"]
import os

size = "mini"  # 3,000 pictures to train on
method = "seam"  # the live run: "seam" or "sdt_rnn"
epochs = 3  # of each model
seed = 0
device = "auto"
if os.environ.get("ITM_FAST") == "1":  # the smallest size, for tests
    size, epochs = "tiny", 1

# %%
import torch
from torch.nn.functional import softmax

import itm_tutorial as itm
from itm_tutorial.chapters.ch10_sentences import answers, changes, exercises, figures
from itm_tutorial.chapters.ch10_sentences.members import MEMBERS
from itm_tutorial.chapters.ch10_sentences.probes import losses_of_probe
from itm_tutorial.chapters.family import family_table
from itm_tutorial.data.parsing import RELATIONS, parse_tensors, parser_for
from itm_tutorial.encoders.self_attentive import SelfAttentive
from itm_tutorial.encoders.tree_rnn import TreeRNN
from itm_tutorial.evaluation.misspelling import misspell
from itm_tutorial.evaluation.probing import probe, probe_table
from itm_tutorial.evaluation.probing_tasks import count_task, object_task, swapped_task
from itm_tutorial.losses.ranking import SumOfHinges

corpus = itm.load_corpus("scenes", size=size, seed=seed)
parse = parser_for(corpus)  # rules of the drawn world's language; photographs would need spaCy
print(corpus)

# %% [markdown]
# ## Train it
#
# Start this cell and read on. It trains the method that you chose above, and a GRU over words as a baseline, on the same
# image features.

# %%
recipes = {  # options, learning rate
    "seam": ({"embed_size": 128, "margin": 0.2, "measure": "cosine"}, 2e-3),
    "sdt_rnn": ({"embed_size": 64}, 1e-2),
    "vsepp": ({"embed_size": 128, "margin": 0.2, "max_violation": False}, 6e-3),  # the GRU, with the sum of all hinges
    "chain_vse": ({"embed_size": 128, "margin": 0.2, "stem_maps": 16, "maps": 32}, 6e-3),
}


def train(name):
    options, rate = recipes[name]
    model = itm.create_model(name, corpus, seed=seed, **options)
    itm.fit(model, corpus, epochs=epochs, learning_rate=rate, seed=seed, device=device)
    return model.to("cpu").eval()


models = {"GRU": train("vsepp"), method: train(method)}

# %% [markdown]
# ## The picture to aim for
#
# One caption, read in four ways. Words in order are what a GRU gets. The tree says which word belongs to which: each arc
# leads from a word to one of its children, and its label is the grammatical relation. CHAIN-VSE reads characters. SEAM
# reads all words several times, with other weights each time.
#
# **Question.** Which two words are far apart in word order and neighbours in the tree? Do the hops read different words?

# %%
parses = parse(corpus.test.captions[:500])
query = changes.clear_caption(parses)
caption, tree = corpus.test.captions[query], parses[query]
reader = models["seam"] if method == "seam" else itm.create_model("seam", corpus, seed=seed).eval()
hops = reader.attention([caption])[0, :, 1:-1].detach()  # [n_hops, n_words], without <start> and <end>
figures.readings(tree, hops, trained=method == "seam")

# %% tags=["answer"]
itm.show.answer(answers.readings(tree, hops, method == "seam"))

# %% [markdown]
# ## The idea
#
# **The tree.** Word $i$ has the vector $x_i$ and the children $c$. With $\ell_i$, the number of words in its subtree,
# SDT-RNN computes
#
# $$h_i = \tanh\Big(\frac{1}{\ell_i}\Big(W_v x_i + \sum_c \ell_c W_{\text{rel}(c)} h_c\Big)\Big) \qquad
# \ell_i = 1 + \sum_c \ell_c$$
#
# In words: each child sends its state through the matrix of its relation, weighted by the number of words that it stands
# for. The state of the root is the caption's embedding.
#
# **The hops.** With one word per row of $H$, SEAM computes
#
# $$A = \text{softmax}\big(W_2 \tanh(W_1 H^\top)\big) \qquad t = \Big|\frac{x}{\lVert x \rVert}\Big|, \quad
# x = W\,\text{vec}(AH) + b$$
#
# In words: each row of $A$ is a **hop**. It divides a weight of 1 among the words, and $AH$ has one weighted mean per hop.
# A linear map makes one embedding of all means side by side.
#
# Here are all seven methods of the chapter. Blue frames mark what was new.
#
# **Question.** Which of the methods change only the text encoder? Which change what the image side does?

# %%
figures.methods()

# %% [markdown]
# <details><summary>Answer</summary>
#
# SDT-RNN, SEAM and CHAIN-VSE change only how the text is read. Skip-thoughts also leaves the images alone; what is new is
# the training on text without images. In m-CNN the image enters the text network, so every pair of image and caption
# needs its own pass, as in chapter 03. HM-LSTM adds regions, and CSE trains the image side from pixels.
#
# </details>

# %% [markdown]
# ## Build it: the tree
#
# A parse is a list of heads: `heads[w]` is the position of the word that word $w$ hangs on, and the root is its own head.
# Here is the caption again, one word per line: its part of speech, its relation and its head.

# %% tags=["nbval-check-output"]
print(tree)
some = parse(corpus.test.captions[:3])
tensors = parse_tensors(some)
heads, relations = tensors["heads"], (tensors["relations"] - 1).clamp(min=0)  # [3, seq_len] each
lengths = torch.tensor([len(one.words) for one in some])
print("heads", list(heads.shape), " words per caption", lengths.tolist())

# %% [markdown]
# ### Exercise 1 (15 minutes, ★★★): the size of every subtree
#
# `heads` is `[n_captions, seq_len]`, `lengths` is `[n_captions]`. Return $\ell$, the number of words in each subtree, with
# 0 for padding.
#
# <details><summary>Hint 1</summary>Each word counts once at itself, once at its head, once at its head&#x27;s head, and so on up to the root.</details>
# <details><summary>Hint 2</summary>Keep a tensor at, [n_captions, seq_len], with the place that each word has reached; heads.gather(1, at) is one step up. scatter_add adds the counts. A loop over steps is enough; no loop over captions.</details>
# <details><summary>Hint 3</summary>sizes.scatter_add(1, at, moving.long()) in a loop over seq_len steps; moving is False for padding and for a word whose count has reached the root (heads.gather(1, at) == at).</details>


# %% tags=["exercise"]
def subtree_sizes(heads, lengths):
    # solution
    n, seq_len = heads.shape
    at = torch.arange(seq_len).expand(n, -1)  # [n_captions, seq_len], where each word's count is: at the word itself
    moving = at < lengths[:, None]  # padding counts nowhere
    sizes = torch.zeros_like(heads)
    for _ in range(seq_len):  # one step towards the root each time, for all words of all captions
        sizes = sizes.scatter_add(1, at, moving.long())
        above = heads.gather(1, at)
        moving = moving & (above != at)  # a count that has reached the root is done
        at = above
    return sizes
    # end of solution


subtree_sizes = exercises.subtree_sizes.check(subtree_sizes)

# %% [markdown]
# ### Exercise 2 (20 minutes, ★★★): one level of the tree
#
# A word can be composed when all its children are. So a batch of trees is composed in levels: first all leaves of all
# captions, then the words above them. `words` is $W_v x$, `[n_captions, seq_len, dim]`; `states` holds the states of the
# levels below and 0 elsewhere; `matrices` is `[n_relations, dim, dim]`, and `relations` gives each word's relation to its
# head. `here` is True for the words of this level. Return the states with this level filled in.
#
# <details><summary>Hint 1</summary>Each word sends sizes[c] * matrices[relations[c]] @ states[c] to its head. A word adds what it receives to its own vector, divides by its own size and takes the tanh.</details>
# <details><summary>Hint 2</summary>torch.einsum(&quot;nwij,nwj-&gt;nwi&quot;, matrices[relations], states) sends every state through its own matrix. words.scatter_add(1, heads[..., None].expand_as(sent), sent) adds it at the head, without a loop.</details>
# <details><summary>Hint 3</summary>(total / sizes.clamp(min=1)[..., None]).tanh(), kept only where here is True: torch.where(here[..., None], found, states).</details>


# %% tags=["exercise"]
def compose_level(words, states, sizes, heads, relations, matrices, here):
    # solution
    sent = torch.einsum("nwij,nwj->nwi", matrices[relations], states)  # each word's state through its own relation
    sent = sizes[..., None] * sent  # [n_captions, seq_len, dim]; 0 for padding, whose size is 0
    total = words.scatter_add(1, heads[..., None].expand_as(sent), sent)  # what the children send is added at the head
    found = (total / sizes.clamp(min=1)[..., None]).tanh()
    return torch.where(here[..., None], found, states)  # the words of other levels stay as they are
    # end of solution


compose_level = exercises.compose_level.check(compose_level)

# %% [markdown]
# ### Exercise 3 (15 minutes, ★★★): other captions of the same image are no negatives
#
# SDT-RNN is trained with the sum of all hinges, in dot products. `scores` is `[n_images, n_captions]`, and `image_of`
# says which image each caption describes. Several captions of the batch may describe one image: they are no negatives of
# each other. For each caption $c$ with its image $i$, add $[\alpha - S_{ic} + S_{ic'}]_+$ over the captions of other
# images, and $[\alpha - S_{ic} + S_{i'c}]_+$ over the other images. Return the sum over all captions.
#
# <details><summary>Hint 1</summary>For each caption j with its image i there are two sums: over the captions of other images, and over other images.</details>
# <details><summary>Hint 2</summary>scores[image_of] has one row per caption j: the scores of its image with every caption. Compare image_of with itself to find the captions of the same image.</details>
# <details><summary>Hint 3</summary>positive = scores[image_of, torch.arange(len(image_of))]; (margin - positive[:, None] + scores[image_of]).clamp(min=0), with 0 where image_of[:, None] == image_of, and the same for the images.</details>


# %% tags=["exercise"]
def hinge_of_other_images(scores, image_of, margin):
    # solution
    pairs = torch.arange(len(image_of))
    positive = scores[image_of, pairs]  # [n_captions], each caption with its own image
    captions = (margin - positive[:, None] + scores[image_of]).clamp(min=0)  # row j: image of j, every caption
    captions = captions.masked_fill(image_of[:, None] == image_of[None], 0)  # those of the same image are no negatives
    images = (margin - positive[None] + scores).clamp(min=0)  # [n_images, n_captions]
    images = images.masked_fill(torch.arange(len(scores))[:, None] == image_of[None], 0)
    return captions.sum() + images.sum()
    # end of solution


hinge_of_other_images = exercises.hinge_of_other_images.check(hinge_of_other_images)

# %% [markdown]
# The next cell puts the three functions together and compares them with the package. Then it makes all matrices the
# identity and leaves out the tanh, for the tree with the words 1, 2, 3 and 4 in which 1 has the children 2 and 3, and 3
# has the child 4.
#
# **Question.** What is the state of the root in this tree? Which simple encoder gives the same number?

# %% tags=["nbval-check-output"]
random = torch.Generator().manual_seed(0)
encoder = TreeRNN(8, 8, torch.tanh, len(RELATIONS))
with torch.no_grad():
    words = encoder.word(torch.randn(*heads.shape, 8, generator=random))  # [3, seq_len, 8]
    vectors = torch.linalg.solve(encoder.word.weight, words.mT).mT  # x, of which the words are W_v x
    package = encoder(vectors, tensors["relations"] > 0, heads, relations)  # [3, 8]: the roots
    matrices = torch.stack([kind.weight for kind in encoder.kinds])  # [n_relations, 8, 8]
sizes = subtree_sizes(heads, lengths)
states, done, own = torch.zeros_like(words), sizes == 0, torch.arange(heads.shape[1])
while not done.all():  # one level per turn, for all captions at once
    waits = torch.zeros_like(sizes).scatter_add(1, heads, (~done & (heads != own)).long())  # children not yet composed
    here = ~done & (waits == 0)
    states, done = compose_level(words, states, sizes, heads, relations, matrices, here), done | here
roots = torch.tensor([one.root for one in some])
print("your tree equals the package's:", torch.allclose(states[torch.arange(3), roots], package, atol=1e-5))
scores, image_of = torch.randn(3, 5, generator=random), torch.tensor([0, 0, 1, 2, 2])
loss = SumOfHinges(0.5)(scores, torch.arange(3)[:, None] == image_of)
print("your loss equals the package's:", torch.allclose(hinge_of_other_images(scores, image_of, 0.5), loss))
plain = TreeRNN(1, 1, torch.nn.Identity(), 1)  # no tanh, and below all matrices are the identity
for layer in (plain.word, *plain.kinds):
    torch.nn.init.eye_(layer.weight)
numbers = torch.tensor([[[1.0], [2.0], [3.0], [4.0]]])
every = torch.ones(1, 4, dtype=torch.bool)
root = plain(numbers, every, torch.tensor([[0, 0, 0, 2]]), torch.zeros(1, 4, dtype=torch.int64))
print(f"identity matrices, no tanh: {root.item():.2f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# 2.50, the plain mean of 1, 2, 3 and 4, and it would be the mean for *any* tree, because of the weights $\ell$. With a
# plain mean over a node and its children, words deep in the tree would count less. SDT-RNN starts near the identity, so
# it begins as a bag of words and learns how to depart from it.
#
# </details>

# %% [markdown]
# ## Build it: the hops
#
# ### Exercise 4 (15 minutes, ★★): hops of attention
#
# `states` is $H$, `[n_captions, seq_len, dim]`; `w1` is `[units, dim]` and `w2` is `[n_hops, units]`. Return $A$,
# `[n_captions, n_hops, seq_len]`, in which padding has weight 0. This is *self-attention*: no query comes from outside.
#
# <details><summary>Hint 1</summary>Each hop is a row of w2: it gives one score per word. A softmax over the words of a caption makes it weights.</details>
# <details><summary>Hint 2</summary>(states @ w1.T).tanh() @ w2.T is [n_captions, seq_len, n_hops]. Fill padding with minus infinity.</details>
# <details><summary>Hint 3</summary>scores.masked_fill(padding[..., None], -torch.inf).softmax(dim=1).transpose(1, 2).</details>


# %% tags=["exercise"]
def attention_hops(states, lengths, w1, w2):
    # solution
    scores = (states @ w1.T).tanh() @ w2.T  # [n_captions, seq_len, n_hops]
    padding = torch.arange(states.shape[1])[None] >= lengths[:, None]  # [n_captions, seq_len]
    scores = scores.masked_fill(padding[..., None], -torch.inf)
    return scores.softmax(dim=1).transpose(1, 2)  # [n_captions, n_hops, seq_len]
    # end of solution


attention_hops = exercises.attention_hops.check(attention_hops)

# %% [markdown]
# ### Exercise 5 (10 minutes, ★★): from hops to one embedding
#
# `attention` is $A$, `states` is $H$; `weight` is `[embed_dim, n_hops * dim]` and `bias` is `[embed_dim]`. Return $t$,
# `[n_captions, embed_dim]`: of length 1, and without negative numbers.
#
# <details><summary>Hint 1</summary>attention @ states is one weighted mean of the words per hop. The hops are joined, not averaged.</details>
# <details><summary>Hint 2</summary>(attention @ states).flatten(1) is [n_captions, n_hops * dim]; apply weight and bias to it.</details>
# <details><summary>Hint 3</summary>Divide by the norm over dim=1, then take the absolute value.</details>


# %% tags=["exercise"]
def flatten_hops(attention, states, weight, bias):
    # solution
    hops = attention @ states  # [n_captions, n_hops, dim], a weighted mean of the words per hop
    joined = hops.flatten(1)  # [n_captions, n_hops * dim], one hop behind the other
    caption_emb = joined @ weight.T + bias  # [n_captions, embed_dim]
    return (caption_emb / caption_emb.norm(dim=1, keepdim=True)).abs()
    # end of solution


flatten_hops = exercises.flatten_hops.check(flatten_hops)

# %% [markdown]
# Absolute values are needed for the score that the authors use, the order violation of chapter 02. The live run uses the
# cosine, which needs none. The next cell compares your functions with the package, and then reads the words 1 and 3,
# followed by padding with the value 100. All scores are equal there, since $W_2 = 0$.
#
# **Question.** What should each hop read? What would it read without the mask?

# %% tags=["nbval-check-output"]
encoder = SelfAttentive("E", n_words=40, word_dim=8, dim=6, hops=3, units=5).eval()
ids, n_words = torch.randint(4, 40, (2, 7), generator=random), torch.tensor([7, 4])
with torch.no_grad():
    states, reads = encoder.states(ids, n_words)[0], encoder.hops[0]
    attention = attention_hops(states, n_words, reads.w1.weight, reads.w2.weight)
    yours = flatten_hops(attention, states, encoder.project.weight, encoder.project.bias)
    print("your hops equal the package's:", torch.allclose(yours, encoder(ids, n_words).abs(), atol=1e-5))
toy = torch.tensor([[[1.0], [3.0], [100.0]]])  # [1 caption, 3 positions, 1 number]
attention = attention_hops(toy, torch.tensor([2]), torch.ones(4, 1), torch.zeros(2, 4))
print("with the mask:", (attention @ toy).flatten().tolist(), f" without: {toy.mean():.1f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# Each hop reads 2, the mean of the two words. Without the mask it reads 34.7. Padding is there only because another
# caption of the batch is longer, so the embedding of a caption would depend on its neighbours. The public code of SEAM
# masks this softmax, but the convolutions of its third variant still see the vector of the padding word.
#
# </details>

# %% [markdown]
# ## Measure it
#
# First the live run beside the GRU, one seed each. Then the family: what each method changes, what its paper claims, and
# what we measured over several seeds. A positive number speaks for the sentence before it; the verdict stands in
# brackets. A run that was not made yet says so.

# %%
rsums = {name: itm.evaluate(itm.score(one, corpus.test), corpus.test.image_of).rsum for name, one in models.items()}
print(*(f"{name} rsum {rsum:.0f} of 600" for name, rsum in rsums.items()), sep="; ")
family_table(MEMBERS)

# %% [markdown]
# Read the table with its controls. m-CNN adds the scores of four models; a sum of four models of one level is a control
# that the paper lacks. Skip-thoughts need an untrained GRU and a mean of word vectors beside them, to show what the stories
# add. The trees of SDT-RNN must beat the mean of the same word vectors, not only a plain recurrent network, which is the
# weaker baseline in the paper too.
#
# ## See what it learned
#
# Recall does not say what an embedding depends on. So replace one word of the caption at a time, by up to five others
# of its class and relation, and see how far the embedding moves: 1 minus its cosine with the embedding before. In the last
# column the two nouns change places. The next cell first trains the encoder of characters, which takes longest.
#
# **Question.** Which words matter to all encoders, and which to none? Which encoder does not notice the exchange?

# %%
models["characters"] = train("chain_vse")
words, known = " ".join(tree.words), changes.substitutes(parses)
moves = changes.moves(models, tree, known)
exchanged = {m: changes.distances(one, words, [changes.exchanged_nouns(tree)])[0] for m, one in models.items()}
nouns = " and ".join(tree.words[w] for w in changes.described_nouns(tree))
figures.moved_by(moves, tree.words, exchanged, nouns)

# %% tags=["answer"]
itm.show.answer(answers.moved(moves, tree.words, exchanged))

# %% [markdown]
# The five captions of an image say related things in different words. Do their embeddings lie near each other? For each
# caption, rank the captions of all other images and see where the nearest caption of the *same* image stands. The second
# bar takes only captions that state the same facts in another order. The last row has not learned from any image:
# it is the mean of fixed word vectors, with which SDT-RNN starts. Here and below the captions are those of the
# validation split, half as many as in the test split.
#
# **Question.** How much of the agreement is there before any training? Is agreement the same as a good recall?

# %%
untrained = itm.create_model("sdt_rnn", corpus, compose="mean", embed_size=64, seed=seed).eval()
agreements = changes.agreements({**models, "word vectors": untrained}, corpus.val)
figures.agreement(agreements, len(corpus.val.captions) - 5)

# %% tags=["answer"]
itm.show.answer(answers.agreement(agreements))

# %% [markdown]
# ## Break it: misspelt queries
#
# An encoder of words has one embedding per word of its vocabulary, and all other strings are `<unk>`. Here is one caption
# with more and more of its letters replaced.

# %% tags=["nbval-check-output"]
for percent in (0, 5, 10, 25):
    print(f"{percent:>3} %  {misspell(caption, percent / 100)}")

# %% [markdown]
# **Question.** At 10 % of the letters, what fraction of the five-letter words stays as it was? Which encoder should lose
# less, and is it also the better one without noise?

# %%
curves = {
    name: changes.misspelt_recall(models[name], corpus.val, (0, 5, 10, 25), seed) for name in ("GRU", "characters")
}
figures.misspelt(curves)

# %% tags=["answer"]
itm.show.answer(answers.misspelt(curves))

# %% [markdown]
# ## Probe it: what is in an embedding
#
# A **probe** is a small classifier on embeddings that no longer change. Lindström and others (2020) ask three things of
# a caption's embedding: which object is in the picture, how many, and was a word of the caption replaced? A probe needs
# baselines, since a number such as 60 % says nothing alone.
#
# ### Exercise 6 (10 minutes, ★★): the loss of a probe
#
# `logits` is `[n, n_classes]`, any numbers; `labels` is `[n]`. Return the mean of $-\log \text{softmax}(\text{logits})$ at
# the labels.
#
# <details><summary>Hint 1</summary>The loss of one item is minus the logarithm of the probability that a softmax gives its label.</details>
# <details><summary>Hint 2</summary>log softmax of one entry is that logit minus logits.logsumexp(dim=1): the softmax is in the formula already.</details>
# <details><summary>Hint 3</summary>(logits.logsumexp(dim=1) - logits.gather(1, labels[:, None])[:, 0]).mean().</details>


# %% tags=["exercise"]
def probe_loss(logits, labels):
    # solution
    true = logits.gather(1, labels[:, None])[:, 0]  # [n], the logit of each item's own label
    return (logits.logsumexp(dim=1) - true).mean()
    # end of solution


probe_loss = exercises.probe_loss.check(probe_loss)

# %% [markdown]
# **A bug of the field.** The public code of this paper ends its linear probe with a softmax and gives the result to a
# loss that applies the softmax again. This causes no error, and the loss falls. The next cell gives a perfect probe to
# both.
#
# **Question.** What is the lowest loss with two softmax functions, for 2, 6 and 80 classes? Why is it not 0?

# %% tags=["nbval-check-output"]
for n_classes in (2, 6, 80):
    perfect = 1000 * torch.eye(n_classes)  # row k is certain that the label is k
    once, twice = (probe_loss(x, torch.arange(n_classes)).item() for x in (perfect, softmax(perfect, dim=1)))
    print(f"{n_classes:>2} classes: once {once:.3f}, twice {twice:.3f}")

# %% [markdown]
# <details><summary>Answer</summary>
#
# The first softmax gives numbers from 0 to 1. For the second, these are logits that differ by 1 at most, so the label gets
# $e / (e + n - 1)$ at best. With 80 classes this is 0.03, and the loss cannot fall below 3.403. The remedy: give the loss
# logits. To find such a fault, feed a perfect answer to a loss and see whether it is 0.
#
# </details>

# %% [markdown]
# ### Exercise 7 (5 minutes, ★): the line of the most common label
#
# Return the accuracy on the test items, in percent, of always giving the label that is most common in training.
#
# <details><summary>Hint 1</summary>A probe that ignores the embeddings can do no better than to give one label every time. Which one?</details>
# <details><summary>Hint 2</summary>train_labels.bincount().argmax() is the most common label of the training items.</details>
# <details><summary>Hint 3</summary>100 * (test_labels == train_labels.bincount().argmax()).double().mean().item().</details>


# %% tags=["exercise"]
def majority_line(train_labels, test_labels):
    # solution
    top = train_labels.bincount().argmax()  # the most common label of the training items
    return 100 * (test_labels == top).double().mean().item()
    # end of solution


majority_line = exercises.majority_line.check(majority_line)

# %% [markdown]
# ### Exercise 8 (5 minutes, ★): selectivity
#
# A strong probe can learn labels by heart. The control of Hewitt and Liang (2019) trains a second probe on random labels.
# Return the accuracy of the probe minus that of its control, in points.
#
# <details><summary>Hint 1</summary>Compute the accuracy of both probes: how often does the largest logit stand at the label?</details>
# <details><summary>Hint 2</summary>(logits.argmax(dim=1) == labels).double().mean() is the accuracy of one of them.</details>
# <details><summary>Hint 3</summary>100 * (accuracy of the probe - accuracy of the control).</details>


# %% tags=["exercise"]
def selectivity(logits, labels, control_logits, control_labels):
    # solution
    accuracy = (logits.argmax(dim=1) == labels).double().mean()
    control = (control_logits.argmax(dim=1) == control_labels).double().mean()
    return 100 * (accuracy - control).item()
    # end of solution


selectivity = exercises.selectivity.check(selectivity)

# %% [markdown]
# The next cell probes the GRU before and after training, on captions of the test split. On the right, a probe of the object
# is trained with your loss, with one softmax and with two.
#
# **Question.** Which task gains most from training? How can you tell the faulty curve from a task that is just hard?

# %%
tasks = {
    "object": object_task(corpus.test),
    "count": count_task(corpus.test),
    "swapped": swapped_task(corpus.test, seed),
}
fresh = itm.create_model("vsepp", corpus, seed=seed, **recipes["vsepp"][0]).eval()
found = {name: {} for name in tasks}
for name, task in tasks.items():
    for who, one in (("untrained GRU", fresh), ("trained GRU", models["GRU"])):
        embeddings = changes.encoded(one, task.captions)
        found[name][who] = probe(embeddings, task.labels, task.groups, folds=3, seed=seed)
print(probe_table({f"{name}, {who}": r for name, rows in found.items() for who, r in rows.items()}))
x, labels = changes.encoded(models["GRU"], tasks["object"].captions), tasks["object"].labels
losses = {
    "once": losses_of_probe(x, labels, probe_loss),
    "twice": losses_of_probe(x, labels, lambda logits, y: probe_loss(logits.softmax(1), y)),
}
figures.probes(found, losses, int(labels.max()) + 1)

# %% tags=["answer"]
itm.show.answer(answers.probes(found, losses, int(labels.max()) + 1))

# %% [markdown]
# ## Try it
#
# Choose a sentence or type your own. You see its parse, the pictures with the best scores and the caption that lies
# nearest, by encoder. Try a misspelt word, a long sentence, and two nouns in each other's place.

# %%
explorer = figures.sentence_explorer(models, corpus.test, parse, [caption, *corpus.test.captions[:40:5]])
explorer

# %% [markdown]
# ## The paper's numbers and yours
#
# Rows of the field's survey, on photographs. Your own rows are below them.

# %%
table = itm.literature.results()
table = table[table.dataset.isin(["Flickr30K", "MSCOCO1K"])]
table = table[table.method.isin(["SDT-RNN", "m-CNN", "STV", "HM-LSTM", "SEAM", "CHAIN-VSE", "CSE"])]
print(f"{'R@1, R@5, R@10 of':<34}{'image to text':>20}{'text to image':>22}")
for (dataset, name, note), rows in table.groupby(["dataset", "method", "note"], sort=False):
    print(f"{f'{name}, {note}, {dataset}':<34}" + "".join(f"{value:7.1f}" for value in rows.value))
for name, one in models.items():
    report = itm.evaluate(itm.score(one, corpus.test), corpus.test.image_of)
    recalls = [recall for side in (report.i2t, report.t2i) for recall in (side.r1, side.r5, side.r10)]
    print(f"{f'yours, {name}':<34}" + "".join(f"{value:7.1f}" for value in recalls))
print(f"Headline: {method} rsum {rsums[method]:.0f}, GRU rsum {rsums['GRU']:.0f}")

# %% [markdown]
# The rows cannot be compared with yours, and hardly with each other. From 2014 to 2018 the image features went from
# R-CNN to ResNet, and the losses changed too, so a later row is not higher *because of* its text encoder. Two rows of one
# paper with other features show it: look at m-CNN and CHAIN-VSE. What a text encoder is worth can only be
# seen where all else is equal, as in the last rows and in the table of the chapter. `nan` marks numbers that a paper
# does not give.
#
# ## Quiz
#
# **1. All matrices of SDT-RNN are the identity and there is no tanh. What is the embedding of a caption?**
#
# <details><summary>The vector of the root word</summary>No: the children's states are added to the vector of the root.</details>
# <details><summary>The mean of all its words, whatever the tree is</summary>Yes. Each child counts once per word of its subtree, so that all words count alike.</details>
# <details><summary>A mean in which words deep in the tree count less</summary>No: this would be so without the weights by subtree size.</details>
#
# **2. SEAM reads word vectors with ten hops. Which two captions does it give the same embedding?**
#
# <details><summary>A caption and the same with a synonym</summary>No: another word has another vector, so the hops change.</details>
# <details><summary>A short caption and the same with a word more</summary>Not yet: the new word gets some weight in each hop.</details>
# <details><summary>Two captions with the same words in another order</summary>Yes. Attention over word vectors is a weighted sum over a set.</details>
#
# **3. A probe reaches 60 % on a task. What do you need to know first?**
#
# <details><summary>What the most common label and an untrained encoder reach</summary>Yes. The 60 % may come from frequent labels, or from what any network keeps of its words.</details>
# <details><summary>How many numbers the embedding has</summary>Not yet: more numbers let a probe learn more by heart, which the random labels show.</details>
# <details><summary>Whether the probe was linear</summary>Not yet: a stronger probe only helps you if you have baselines for it too.</details>
#
# **4. The loss of a probe with 80 classes stays at 3.4, and it is often right. What do you suspect?**
#
# <details><summary>The learning rate is too small</summary>No: then the probe would not be right often either.</details>
# <details><summary>The softmax is applied twice</summary>Yes. Two of them cannot go below 3.403 with 80 classes, while the order of the labels stays.</details>
# <details><summary>The embeddings hold no information</summary>No: then the probe could not be right more often than the most common label.</details>
#
# ## Recap
#
# - A tree says which vectors are added; with identity matrices, SDT-RNN is the mean of the words.
# - A batch of trees is composed in levels, with masks and without a loop over captions.
# - Hops of self-attention read a sentence several times, and over word vectors they see a set without order.
# - Characters lose less than words under misspelling, because an unknown word is the same `<unk>` each time.
# - A probe needs the most common label, random labels and an untrained encoder beside it, and logits for its loss.
#
# ## Where to go next
#
# - Run the chapter with `method = "sdt_rnn"`. Which answers change?
# - `itm.create_model("seam_g", corpus)` lets the hops read the states of a GRU. Does the last column of the
#   figure of moved words change?
# - `itm.create_model("seam", corpus, penalty=0.5)` adds the penalty that keeps hops apart. Draw the first figure again.
# - Probe with `judge="network"`. Does it find more than the linear probe?
# - `itm claims sdt_rnn` measures a row of the table; [the course's results](../docs/results/README.md) hold what is kept.
# - Chapter 11 cuts both sides into pieces: words, phrases and regions.
